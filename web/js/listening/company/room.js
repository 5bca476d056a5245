/** The room of a company, as those who sit there and their host have it: who is there, what was written, and where one writes. */

/** @import {CompanyPerson, CompanyView} from "wire" */
/** @import {Context, State} from "../../types.js" */

import { avatar } from "../../lib/avatar.js";
import { fetched } from "../../lib/api.js";
import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { clock } from "../../lib/time.js";
import { typingWord } from "../../locales/en.js";
import { words } from "../../locales/en-company.js";
import { Composer } from "../../rooms/views/composer.js";
import { LogView } from "../../rooms/views/log.js";
import { troubleLine } from "../../shell/trouble-line.js";

const w = words.room;
const STYLE = "/css/company.css";

/** Its style, once. */
export function dress() {
  if (document.querySelector(`link[href="${STYLE}"]`) === null)
    document.head.append(h("link", { rel: "stylesheet", href: STYLE }));
}

/**
 * @typedef {object} CompanyHow
 * @property {HTMLElement[]} head  what stands above the people
 * @property {HTMLElement[]} acts  what this side can do
 * @property {boolean} [isHost]
 */

export class CompanyRoom {
  /** The departure that was told last. */
  told = "";
  wasQuiet = false;
  /** @type {ReturnType<typeof import("../../rooms/views/people.js").peopleDialog> | undefined} */
  people;
  seats = h("ul", { class: "company-seats", "aria-label": w.people });
  notice = h("p", { class: "talk-notice company-quiet", id: "company-quiet", hidden: true });
  left = h("p", { class: "soft small company-left", hidden: true });
  typing = h("p", { class: "typing soft", "aria-live": "off" });
  trouble = troubleLine();

  /** @param {Context} context @param {CompanyView} first @param {CompanyHow} how */
  constructor(context, first, { head, acts, isHost = false }) {
    dress();
    this.context = context;
    this.session = context.session;
    this.view = first;
    this.room = first.room;
    this.isHost = isHost;
    const said = isHost ? words.host : w;
    this.write = new Composer(context, first.room, () => said.write);
    attr(this.write.area, "aria-describedby", "company-quiet writing-note writing-keys");
    this.element = h("section", { class: "talk company", "aria-label": w.name });
    const says = { empty: w.empty, begin: isHost ? words.host.begin : w.begin, posts: said.posts };
    this.log = new LogView(context, first.room, this.write, isHost ? { scroller: this.element, says } : { says });
    const { log, write, trouble, typing, notice, left, seats } = this;
    const people = button(w.peopleMore, () => void trouble.around(() => this.#showPeople()), {
      class: "pill",
      "aria-haspopup": "dialog",
    });
    this.foot = h("div", { class: "foot" }, log.newer, trouble.element, notice, left, typing, write.element);
    // Before the composer hears of it.
    this.foot.addEventListener("submit", (event) => this.#beforeSending(event), { capture: true });
    this.element.append(
      h("header", { class: "room-top company-top" }, ...head, seats, h("div", { class: "talk-acts" }, people, ...acts)),
      log.element,
      this.foot,
    );
  }

  /** @param {State} state @param {CompanyView} view */
  update(state, view) {
    this.view = view;
    const { write, log, room } = this;
    keyed(
      this.seats,
      [...view.people],
      (person) => `${person.id} ${person.name} ${person.role}`,
      (person) => ({ element: personRow(person, person.id === view.me), update: () => {} }),
    );
    log.update(state);
    write.update(state);
    this.people?.update(state);
    this.#takeBack(state);
    this.#drawQuiet(state);
    this.#drawLeft();
    const at = state.rooms[room];
    const writing = Object.keys(at?.typing ?? {}).filter((id) => at?.hidden.includes(id) !== true);
    text(this.typing, typingWord(writing.map((id) => state.names[id] ?? "")));
  }

  shown() {
    this.log.shown();
  }

  gone() {
    this.log.gone();
    this.people?.element.close();
  }

  get #isQuiet() {
    return this.view.quiet_since !== undefined;
  }

  #quietWord() {
    if (!this.#isQuiet) return "";
    return this.isHost ? w.quietHost : w.quiet(clock((this.view.closes_at ?? 0) - this.session.state.skew));
  }

  /** Nobody can write without a host: what one writes meanwhile stays where it is. @param {State} state */
  #drawQuiet(state) {
    const { notice, write, context } = this;
    const said = this.#quietWord();
    text(notice, said);
    show(notice, said !== "");
    if (said !== "") write.send.classList.add("resting");
    if (said !== "" && !this.wasQuiet) context.sayNow(said);
    if (said === "" && this.wasQuiet) {
      write.written();
      context.say(w.back);
    }
    this.wasQuiet = said !== "";
    show(write.element, state.rooms[this.room] !== undefined);
  }

  #drawLeft() {
    const { left } = this.view;
    const said = left === undefined ? "" : left.met ? w.met(left.name) : w.left(left.name);
    const key = left === undefined ? "" : `${left.at} ${left.name}`;
    text(this.left, said);
    show(this.left, said !== "");
    if (key !== this.told && this.told !== "") this.context.say(said);
    this.told = key || "none";
  }

  /** @param {Event} event */
  #beforeSending(event) {
    const { write } = this;
    if (!this.#isQuiet || write.editing !== null || write.area.value.trim() === "") return;
    event.preventDefault();
    event.stopPropagation();
    write.stop(this.#quietWord());
  }

  /** Posts that came too late go back to where they were written. @param {State} state */
  #takeBack({ pending }) {
    for (const post of pending) {
      if (post.room !== this.room || post.status !== "refused" || post.why !== "not_your_turn") continue;
      this.write.takeBack(post);
      this.session.outgoing.drop(post.id);
      this.write.stop(this.#quietWord());
    }
  }

  async #showPeople() {
    const { peopleDialog } = await fetched(() => import("../../rooms/views/people.js"), "rooms/views/people.js");
    this.people ??= peopleDialog(this.context, this.room);
    this.element.append(this.people.element);
    this.people.update(this.session.state);
    this.people.open();
  }
}

/** Somebody who sits there, as a shape and a name. @param {CompanyPerson} person @param {boolean} isMe */
function personRow(person, isMe) {
  const mark = [isMe && w.you, person.role === "host" && w.host].filter((each) => each !== false).join(", ");
  return h(
    "li",
    { class: person.role === "host" ? "is-host" : "" },
    h(
      "span",
      { class: "person" },
      avatar(person.name),
      h(
        "span",
        { class: "who" },
        h("b", { text: person.name }),
        mark !== "" && h("span", { class: "role", text: mark }),
      ),
    ),
  );
}
