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
import { composer } from "../rooms/views/composer.js";
import { troubleLine } from "../shell/trouble-line.js";
import { logView } from "../rooms/views/log.js";

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
 *
 * @typedef {ReturnType<typeof talkView>} Talk
 */

/** @param {Context} context @param {TalkView} first @param {TalkHow} [how] */
export function talkView(context, first, { acts = [], cards = [], scroller, suffix = "", heading = "h1" } = {}) {
  const { session, say, sayNow } = context;
  const { room } = first;
  let talk = first;
  /** What was last said of somebody, so that a return can be told. @type {Set<string>} */
  let lost = new Set();
  let wasEnd = first.ends_at;
  let noticed = "";
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let ticking;

  const side = () => (talk.people.some((p) => p.id === talk.me && p.role === "listener") ? "listener" : "seeker");
  const others = () => talk.people.filter((p) => p.id !== talk.me);
  const names = () =>
    others()
      .map((p) => p.name)
      .join(" & ");

  const title = h(heading, { class: "unseen" });
  const people = h("ul", { class: "talk-people" });
  const until = h("p", { class: "talk-clock soft" });
  const notice = h("p", { class: "talk-notice", hidden: true });
  const more = moreTime(context, room, () => talk, names);
  const write = composer(context, room, () => w.write(names()));
  tellApart(write.element, suffix);
  const { area } = write;
  const log = logView(context, room, write, {
    scroller,
    two: true,
    says: { empty: w.empty[side()], begin: w.begin, posts: w.posts(names()) },
  });
  const typing = h("p", { class: "typing soft", "aria-live": "off" });
  const foot = h("div", { class: "foot" }, log.newer, notice, more.element, ...cards, typing, write.element);
  const element = h(
    "section",
    { class: "talk one-to-one" },
    h("header", { class: "room-top talk-top" }, title, people, until, more.ask, ...acts),
    log.element,
    foot,
  );

  /** @param {State} state @param {TalkView} view */
  function update(state, view) {
    talk = view;
    const at = state.rooms[room];
    attr(element, "aria-label", w.label(names()));
    text(title, w.label(names()));
    keyed(
      people,
      others(),
      (p) => p.id,
      (p) => personRow(p, session, room),
    );
    tellOfReturns();
    log.update(state);
    write.update(state);
    more.update();
    const writing = others().filter((p) => at?.typing[p.id] !== undefined);
    text(typing, typingWord(writing.map((p) => p.name)));
    if (view.ends_at > wasEnd) say(w.moreNow(clock(view.ends_at - state.skew)));
    wasEnd = view.ends_at;
    tick();
  }

  /** @param {string} words */
  function takeBack(words) {
    write.takeBack({ text: words, warning: null });
    area.focus();
  }

  function tellOfReturns() {
    const gone = others().filter((p) => p.gone_since !== undefined);
    const now = new Set(gone.map((p) => p.id));
    for (const person of others()) {
      if (lost.has(person.id) && !now.has(person.id)) say(w.back(person.name));
      if (!lost.has(person.id) && now.has(person.id)) sayNow(lostWord(person));
    }
    lost = now;
  }

  /** @param {TalkPerson} person */
  function lostWord(person) {
    if (person.role === "seeker") return w.lostSeeker(person.name);
    const isAlone = side() === "seeker" && others().every((p) => p.gone_since !== undefined);
    return isAlone ? w.lostListener(names()) : `${person.name}: ${w.gone}.`;
  }

  function tick() {
    const { skew } = session.state;
    const now = session.now() + skew;
    const left = talk.ends_at - now;
    const end =
      left < SOON_MS
        ? w.soon(duration(Math.max(0, left) / 1000 < 60 ? Math.max(1, left / 1000) : left / 1000))
        : w.until(clock(talk.ends_at - skew));
    text(until, `${end}${left < SOON_MS ? "" : "."}${talk.can_extend ? "" : ` ${w.canNot}`}`);
    const gone = others().find((p) => p.gone_since !== undefined);
    const isQuiet = talk.idle_at - now < QUIET_MS && talk.idle_at < talk.ends_at && talk.idle_at > now;
    const said = gone !== undefined ? lostWord(gone) : isQuiet ? w.idle(clock(talk.idle_at - skew)) : "";
    if (isQuiet && gone === undefined && noticed !== said) say(said);
    noticed = said;
    text(notice, said);
    show(notice, said !== "");
  }

  return {
    element,
    write: { ...write, focus: (/** @type {FocusOptions} */ how) => area.focus(how), takeBack },
    update,
    shown() {
      log.shown();
      ticking = setInterval(tick, TICK_MS);
    },
    gone() {
      log.gone();
      clearInterval(ticking);
    },
  };
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
