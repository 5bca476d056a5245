/** Being in a room as a moderator: which rooms there are, which wait for somebody, and the one that is on the screen. */

/** @import {RoomCard} from "../types.js" */
/** @import {AloneRoom, ModeratorApp} from "./types.js" */

import { Refused } from "../lib/client.js";
import { attr, button, focusOn, h, keyed, show, text } from "../lib/dom.js";
import { troubleLine } from "../shell/fields.js";
import { refusalWord, words } from "../locales/en-moderate.js";
import { RoomPane } from "./room.js";

const w = words.rooms;

/** @typedef {{card: RoomCard, wait: AloneRoom["attendance"] | undefined, isIn: boolean, isShown: boolean}} RoomRow */

export class RoomsView {
  /** @param {ModeratorApp} app @param {() => void} changed  what is on the screen is another one */
  constructor(app, changed) {
    this.app = app;
    this.session = app.session;
    this.changed = changed;
    /** @type {AloneRoom[]} those that wait for a moderator */
    this.alone = [];
    /** @type {Map<string, RoomPane>} the rooms that one is in */
    this.inside = new Map();
    this.at = "";
    this.list = h("ul", { class: "reports" });
    this.none = h("p", { class: "soft", role: "status", text: w.loading });
    this.trouble = troubleLine(refusalWord);
    this.empty = h("p", { class: "soft choose", text: w.choose });
    this.place = h("div", { class: "file-place" }, this.empty);
    this.title = h("h1", { id: "rooms-title", text: w.title });
    const lead = h("p", { class: "soft", text: w.lead });
    const all = [this.title, lead, this.trouble.element, this.none, this.list];
    this.element = h(
      "div",
      { class: "both" },
      h("section", { class: "queue", "aria-labelledby": "rooms-title" }, ...all),
      this.place,
    );
    this.session.left = (id, why) => this.#left(id, why);
    this.session.heard = (id, post) => this.inside.get(id)?.heard(post);
  }

  /** How many wait for a moderator. */
  get waiting() {
    return this.alone.length;
  }

  update() {
    const { lobby } = this.session.state;
    keyed(
      this.list,
      this.#rows(),
      ({ card }) => card.id,
      () => this.#row(),
    );
    text(this.none, lobby === null ? w.loading : w.none);
    show(this.none, lobby === null || lobby.length === 0);
    this.inside.get(this.at)?.update();
  }

  /** @param {string} id */
  nameOf(id) {
    return this.session.state.lobby?.find((card) => card.id === id)?.name ?? id;
  }

  /** From elsewhere on the page: into a room, to a post of it where one is named. @param {string} id @param {number} [offset] @param {string} [epoch] */
  async open(id, offset, epoch) {
    await this.trouble.around(() => this.#enter(id));
    if (offset !== undefined) this.inside.get(id)?.show(offset, epoch);
  }

  /** @param {AloneRoom[]} rooms @returns {AloneRoom[]} those that are new to wait, or wait for longer */
  wait(rooms) {
    const before = new Map(this.alone.map((room) => [room.id, room.attendance]));
    this.alone = rooms;
    return rooms.filter((room) => before.get(room.id) !== room.attendance);
  }

  /** Those that wait first. @returns {RoomRow[]} */
  #rows() {
    const waiting = new Map(this.alone.map((room) => [room.id, room]));
    const found = (this.session.state.lobby ?? []).map((card) => ({
      card,
      wait: waiting.get(card.id)?.attendance,
      isIn: this.inside.has(card.id),
      isShown: this.at === card.id,
    }));
    return found.sort((a, b) => Number(b.wait !== undefined) - Number(a.wait !== undefined));
  }

  #row() {
    let id = "";
    const name = h("b");
    const here = h("span", { class: "soft" });
    const why = h("span", { class: "due" });
    const go = button("", () => void this.trouble.around(() => this.#enter(id)), { class: "act second" });
    const element = h("li", { class: "card place-row" }, h("div", {}, h("p", {}, name), h("p", {}, here), why), go);
    return {
      element,
      /** @param {RoomRow} item */
      update({ card, wait, isIn, isShown }) {
        id = card.id;
        text(name, card.name);
        text(here, `${w.here(card.here)}${card.attended === true && !isIn ? `, ${w.attended}` : ""}`);
        text(why, wait === undefined ? "" : w.ways[wait]);
        show(why, wait !== undefined);
        element.classList.toggle("waits", wait !== undefined);
        text(go, isIn ? w.open : w.into);
        attr(go, "aria-label", (isIn ? w.openOf : w.intoOf)(card.name));
        attr(go, "aria-current", isShown ? "true" : null);
      },
    };
  }

  /** @param {string} id @param {number | null} [agreement]  the version that was accepted just now */
  async #enter(id, agreement = null) {
    const known = this.inside.get(id);
    if (known !== undefined) return this.#turn(id, known);
    const name = this.nameOf(id);
    try {
      await this.session.enter(id, agreement);
    } catch (no) {
      if (!(no instanceof Refused) || no.code !== "agreement_required") throw no;
      const accept = () => this.#enter(id, Number(no.details["agreement_version"]));
      const sure = agreementView(name, String(no.details["agreement"] ?? ""), accept, () => this.#back());
      this.place.replaceChildren(sure);
      this.element.dataset["chosen"] = "yes";
      focusOn(/** @type {HTMLElement} */ (sure.querySelector("h1")));
      return;
    }
    const leave = () => void this.trouble.around(() => this.#leave(id));
    const pane = new RoomPane(this.app, id, { leave, back: () => this.#back() });
    this.inside.set(id, pane);
    this.#turn(id, pane);
    this.app.say(w.opened);
    void this.session.look();
  }

  /** @param {string} id @param {RoomPane} pane */
  #turn(id, pane) {
    this.at = id;
    this.place.replaceChildren(pane.element);
    this.element.dataset["chosen"] = "yes";
    pane.update();
    pane.toEnd();
    this.changed();
    focusOn(/** @type {HTMLElement} */ (pane.element.querySelector("h1")));
  }

  #back() {
    this.at = "";
    this.place.replaceChildren(this.empty);
    delete this.element.dataset["chosen"];
    this.changed();
    focusOn(this.title);
  }

  /** @param {string} id */
  async #leave(id) {
    await this.session.leave(id);
    this.app.say(w.left);
    void this.session.look();
  }

  /** @param {string} id @param {Refused | null} why */
  #left(id, why) {
    this.inside.delete(id);
    if (this.at === id) this.#back();
    if (why !== null) this.trouble.say(`${this.nameOf(id)}: ${refusalWord(why)}`);
  }
}

/** @param {string} name @param {string} agreement @param {() => Promise<void>} accept @param {() => void} back */
function agreementView(name, agreement, accept, back) {
  const trouble = troubleLine(refusalWord);
  const said = agreement === "" ? [w.noAgreement] : agreement.split(/\n+/);
  return h(
    "section",
    { class: "card" },
    h("h1", { text: w.sure(name) }),
    ...said.map((line) => h("p", { text: line })),
    trouble.element,
    h(
      "div",
      { class: "row" },
      button(w.keep, () => void trouble.around(accept), { class: "act" }),
      button(w.notNow, back, { class: "quiet" }),
    ),
  );
}
