/**
 * The talk of two people, as either of them sees it: who is there, the clock, what was written, and where one writes.
 * What only one side can do (end, report, invite...) is handed in as `acts` and `cards`.
 */

/** @import {Context, Pending, State, TalkPerson, TalkView} from "../types.js" */

import { attr, button, h, keyed, show, text } from "../lib/dom.js";
import { avatar } from "../lib/avatar.js";
import { clock } from "../lib/time.js";
import { duration, typingWord } from "../locales/en.js";
import { words } from "../locales/en-listening.js";
import { Composer } from "../rooms/views/composer.js";
import { troubleLine } from "../shell/trouble-line.js";
import { LogView } from "../rooms/views/log.js";

const w = words.talk;
const SOON_MS = 5 * 60_000;
const QUIET_MS = 2 * 60_000;
const TICK_MS = 1_000;

/**
 * @typedef {object} TalkHow
 * @property {HTMLElement[]} [acts]  what this side can do, in the head
 * @property {HTMLElement[]} [cards]  what else is to be seen or answered, above where one writes
 * @property {HTMLElement} [scroller]  what scrolls, where several stand side by side and it is not the page
 * @property {string} [suffix]  tells this talk's ids from those of another on the page
 * @property {"h1" | "h2"} [heading]
 */

export class Talk {
  /** Who was last said to be gone, so that a return can be told. @type {Set<string>} */
  lost = new Set();
  noticed = "";
  /** @type {ReturnType<typeof setInterval> | undefined} */
  ticking;
  people = h("ul", { class: "talk-people" });
  until = h("p", { class: "talk-clock soft" });
  notice = h("p", { class: "talk-notice", hidden: true });
  typing = h("p", { class: "typing soft", "aria-live": "off" });

  /** @param {Context} context @param {TalkView} first @param {TalkHow} [how] */
  constructor(context, first, { acts = [], cards = [], scroller, suffix = "", heading = "h1" } = {}) {
    const { room } = first;
    this.context = context;
    this.session = context.session;
    this.room = room;
    this.talk = first;
    this.wasEnd = first.ends_at;
    this.title = h(heading, { class: "unseen" });
    this.more = moreTime(
      context,
      room,
      () => this.talk,
      () => this.names,
    );
    this.write = new Composer(context, room, () => w.write(this.names));
    tellApart(this.write.element, suffix);
    this.log = new LogView(context, room, this.write, {
      scroller,
      two: true,
      says: { empty: w.empty[this.side], begin: w.begin, posts: w.posts(this.names) },
    });
    const { title, people, until, more, log, notice, typing, write } = this;
    this.element = h(
      "section",
      { class: "talk one-to-one" },
      h("header", { class: "room-top talk-top" }, title, people, until, more.ask, ...acts),
      log.element,
      h("div", { class: "foot" }, log.newer, notice, more.element, ...cards, typing, write.element),
    );
  }

  get side() {
    const { me, people } = this.talk;
    return people.some((p) => p.id === me && p.role === "listener") ? "listener" : "seeker";
  }

  get others() {
    return this.talk.people.filter((p) => p.id !== this.talk.me);
  }

  get names() {
    return this.others.map((p) => p.name).join(" & ");
  }

  /** @param {State} state @param {TalkView} talk */
  update(state, talk) {
    const { session, room } = this;
    this.talk = talk;
    attr(this.element, "aria-label", w.label(this.names));
    text(this.title, w.label(this.names));
    keyed(
      this.people,
      this.others,
      (p) => p.id,
      (p) => personRow(p, session, room),
    );
    this.#tellOfReturns();
    this.log.update(state);
    this.write.update(state);
    this.more.update();
    const writing = this.others.filter((p) => state.rooms[room]?.typing[p.id] !== undefined);
    text(this.typing, typingWord(writing.map((p) => p.name)));
    if (talk.ends_at > this.wasEnd) this.context.say(w.moreNow(clock(talk.ends_at - state.skew)));
    this.wasEnd = talk.ends_at;
    this.#tick();
  }

  /** @param {string} words */
  takeBack(words) {
    this.write.takeBack({ text: words, warning: null });
    this.write.area.focus();
  }

  shown() {
    this.log.shown();
    this.ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  gone() {
    this.log.gone();
    clearInterval(this.ticking);
  }

  #tellOfReturns() {
    const { context, others, lost } = this;
    const now = new Set(others.filter((p) => p.gone_since !== undefined).map((p) => p.id));
    for (const person of others) {
      if (lost.has(person.id) && !now.has(person.id)) context.say(w.back(person.name));
      if (!lost.has(person.id) && now.has(person.id)) context.sayNow(this.#lostWord(person));
    }
    this.lost = now;
  }

  /** @param {TalkPerson} person */
  #lostWord(person) {
    if (person.role === "seeker") return w.lostSeeker(person.name);
    const isAlone = this.side === "seeker" && this.others.every((p) => p.gone_since !== undefined);
    return isAlone ? w.lostListener(this.names) : `${person.name}: ${w.gone}.`;
  }

  #tick() {
    const { talk, session, notice } = this;
    const { skew } = session.state;
    const now = session.now() + skew;
    text(this.until, `${endWord(talk, now, skew)}${talk.can_extend ? "" : ` ${w.canNot}`}`);
    const gone = this.others.find((p) => p.gone_since !== undefined);
    const isQuiet = talk.idle_at - now < QUIET_MS && talk.idle_at < talk.ends_at && talk.idle_at > now;
    const said = gone !== undefined ? this.#lostWord(gone) : isQuiet ? w.idle(clock(talk.idle_at - skew)) : "";
    if (isQuiet && gone === undefined && this.noticed !== said) this.context.say(said);
    this.noticed = said;
    text(notice, said);
    show(notice, said !== "");
  }
}

/** When it ends; in the last minutes, in how long. @param {TalkView} talk @param {number} now  by the server's clock @param {number} skew */
function endWord({ ends_at: end }, now, skew) {
  const left = end - now;
  if (left >= SOON_MS) return `${w.until(clock(end - skew))}.`;
  const seconds = Math.max(0, left) / 1000;
  return w.soon(duration(seconds < 60 ? Math.max(1, left / 1000) : seconds));
}

/** Ids of its own for a composer, where several stand on one page. @param {HTMLElement} element @param {string} suffix */
function tellApart(element, suffix) {
  for (const name of ["id", "for", "aria-describedby"]) {
    for (const each of element.querySelectorAll(`[${name}]`))
      attr(
        each,
        name,
        (each.getAttribute(name) ?? "").replace(/\S+/g, (id) => id + suffix),
      );
  }
}

/** Somebody in the talk, and whether they are there. @param {TalkPerson} person @param {Context["session"]} session @param {string} room */
function personRow(person, session, room) {
  const name = h("b");
  const state = h("span", { class: "here" });
  const element = h(
    "li",
    {},
    h(
      "span",
      { class: "person" },
      avatar(person.name),
      h("span", { class: "who" }, name, " ", h("span", { class: "role", text: w.roles[person.role] }), " ", state),
    ),
  );
  return {
    element,
    /** @param {TalkPerson} p */
    update(p) {
      const at = session.state.rooms[room];
      const isHere = at?.people.some((other) => other.id === p.id) === true && p.gone_since === undefined;
      text(name, p.name);
      text(state, isHere ? w.here : p.gone_since !== undefined ? w.gone : w.away);
      state.classList.toggle("someone", isHere);
    },
  };
}

/**
 * More time: asked for by one, agreed to by the other.
 * @param {Context} context @param {string} room @param {() => TalkView} talk @param {() => string} names
 */
function moreTime({ session, say }, room, talk, names) {
  const trouble = troubleLine();
  const said = h("p");
  /** The end for which a wish for more was put aside. */
  let putAside = 0;
  let wasWanted = false;
  /** @param {boolean} on */
  const extend = (on) => trouble.around(() => session.ask("extend", { session: talk().id, on }));
  const ask = button("", () => void extend(true), { class: "quiet", hidden: true });
  const yes = button(w.moreYes, () => void extend(true), { class: "act" });
  const no = button(
    w.moreNo,
    () => {
      putAside = talk().ends_at;
      update();
      document.getElementById("main")?.focus({ preventScroll: true });
    },
    { class: "quiet" },
  );
  const back = button(w.moreBack, () => void extend(false), { class: "quiet" });
  const element = h(
    "div",
    { class: "talk-more", hidden: true },
    said,
    trouble.element,
    h("div", { class: "row" }, yes, no, back),
  );

  function update() {
    const { id, me, extend: by = [], extension_minutes: n, can_extend: can, ends_at: end } = talk();
    const isMine = by.includes(me);
    const isWanted = !isMine && by.length > 0 && can && putAside !== end;
    attr(element, "data-session", id);
    show(ask, can && by.length === 0);
    text(ask, w.more);
    attr(ask, "aria-label", w.moreLabel(n));
    text(said, isMine ? w.moreAsked(names(), n) : isWanted ? w.moreWanted(names(), n) : "");
    show(element, isMine || isWanted || trouble.element.textContent !== "");
    show(yes, isWanted);
    show(no, isWanted);
    show(back, isMine);
    if (isWanted && !wasWanted) say(w.moreWanted(names(), n));
    wasWanted = isWanted;
  }
  return { ask, element, update };
}
