/** The host's part of the staff page: one switch, who waits, and the room with those who sit there. Fetched when it is opened. */

/** @import {HostingOk, HostingPush} from "wire" */
/** @import {Context} from "../../types.js" */
/** @import {ListenerApp, Part} from "./types.js" */

import { attr, button, h, show, text } from "../../lib/dom.js";
import { clock } from "../../lib/time.js";
import { refusalWord } from "../../locales/en.js";
import { words } from "../../locales/en-company.js";
import { languageWord } from "../../locales/en-listening.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { CompanyRoom } from "../company/room.js";

const w = words.host;

/** @typedef {Omit<HostingOk, "ok"> | Omit<HostingPush, "push">} HostingView */

/** @param {ListenerApp} app @param {Context} context @returns {Part} */
export const companyPart = (app, context) => new HostCompany(app, context);

class HostCompany {
  /** @type {HostingView | null} */
  view = null;
  /** @type {CompanyRoom | null} */
  room = null;
  entering = "";
  wasOpen = false;
  isGone = false;
  value = h("span", { class: "switch-value" });
  state = h("p", { class: "availability-state" });
  waiting = h("p", { class: "soft" });
  alone = h("p", { class: "card", hidden: true, text: w.alone });
  frame = h("div", { class: "company-host-room" });

  /** @param {ListenerApp} app @param {Context} context */
  constructor({ session, say }, context) {
    this.session = session;
    this.context = context;
    this.say = say;
    this.trouble = troubleLine((no) => this.#refusal(no));
    this.knob = h(
      "button",
      {
        type: "button",
        class: "switch",
        role: "switch",
        "aria-checked": "false",
        on: { click: () => void this.#press() },
      },
      h("span", { class: "knob", "aria-hidden": "true" }),
      h("span", { text: w.label }),
      this.value,
    );
    const yes = button(w.stopYes, () => void this.#turn(false), { class: "act danger" });
    const stay = button(w.stay, () => this.#ask(false), { class: "quiet" });
    this.sure = h(
      "div",
      { class: "card", hidden: true },
      h("p", { text: w.stop }),
      h("div", { class: "row" }, yes, stay),
    );
    this.languages = h("select", { id: "company-language" });
    this.language = h(
      "div",
      { class: "field", hidden: true },
      h("label", { for: "company-language", text: w.language }),
      this.languages,
    );
    const { knob, sure, language, trouble, state, waiting, alone, frame } = this;
    this.element = h(
      "div",
      { class: "company-host" },
      h("h1", { text: w.title }),
      h("p", { text: w.lead }),
      h(
        "section",
        { class: "availability", "aria-label": w.title },
        language,
        knob,
        state,
        sure,
        trouble.element,
        waiting,
      ),
      alone,
      frame,
    );
    this.hear = (/** @type {{push: string}} */ push) => {
      if (push.push === "hosting") this.#take(/** @type {HostingPush} */ (push));
    };
    session.hears.add(/** @type {any} */ (this.hear));
    this.follow = () => this.#follow();
    session.subscribe(this.follow);
    this.#follow();
  }

  /** Ask how it stands, after every return of the connection. */
  #follow() {
    const isOpen = this.session.state.link.status === "open";
    if (isOpen && !this.wasOpen && !this.isGone)
      void this.trouble.around(async () => this.#take(await this.#hosting()));
    this.wasOpen = isOpen;
  }

  /** @returns {Promise<HostingOk>} */
  #hosting() {
    return this.session.client.patient("hosting");
  }

  /** @param {HostingView} view */
  #take(view) {
    const before = this.view;
    if (this.isGone || (before !== null && view.version < before.version)) return;
    this.view = view;
    const { company } = view;
    if (before !== null && (before.company === undefined) !== (company === undefined))
      this.say(company === undefined ? w.over : w.begun);
    if (before?.company !== undefined && before.company.room !== company?.room) this.#forget(before.company.room);
    if (company === undefined) show(this.sure, false);
    else if (this.session.state.rooms[company.room] === undefined) void this.#enter(company.room);
    this.update();
  }

  /** @param {string} room */
  async #enter(room) {
    if (this.entering === room) return;
    this.entering = room;
    // What was lost on the way is asked for again with the next view.
    await this.session.enter(room).catch(() => {});
    this.entering = "";
    if (this.isGone) return;
    this.session.show(room);
    this.update();
  }

  /** @param {string} room */
  #forget(room) {
    this.#dropRoom();
    this.session.vault.forgetRoom(room);
    this.session.dropRoom(room);
  }

  #dropRoom() {
    this.room?.gone();
    this.room = null;
    this.frame.replaceChildren();
  }

  async #press() {
    const company = this.view?.company;
    if (company !== undefined && company.people.length > 1) return this.#ask(true);
    await this.#turn(company === undefined);
  }

  /** Those who sit there are not left by a stray touch. @param {boolean} on */
  #ask(on) {
    show(this.sure, on);
    if (on) this.sure.querySelector("button")?.focus();
    else this.knob.focus();
  }

  /** @param {boolean} on */
  async #turn(on) {
    await this.trouble.around(async () => {
      const language = this.languages.value;
      const fields = on && language !== "" ? { on, language } : { on };
      this.#take(await this.session.client.patient("host", fields));
      this.#ask(false);
    });
  }

  /** @param {unknown} no */
  #refusal(no) {
    const { code, details } = /** @type {{code?: string, details?: {until?: number}}} */ (no);
    if (code === "host_busy") return w.busy;
    if (code === "host_rests" && details?.until !== undefined) return w.rests(this.#clock(details.until));
    return refusalWord(no);
  }

  /** @param {number} at */
  #clock(at) {
    return clock(at - this.session.state.skew);
  }

  update() {
    const { view, knob, session } = this;
    attr(knob, "aria-disabled", view === null ? "true" : null);
    if (view === null) return;
    const { company } = view;
    const isOn = company !== undefined;
    attr(knob, "aria-checked", String(isOn));
    text(this.value, isOn ? w.on : w.off);
    const rests = view.rests_until ?? 0;
    const isResting = rests > session.serverNow;
    text(
      this.state,
      company !== undefined
        ? w.open(this.#clock(company.until ?? 0))
        : view.busy === true
          ? w.busy
          : isResting
            ? w.rests(this.#clock(rests))
            : w.closed(view.minutes),
    );
    text(this.waiting, w.waiting(view.waiting, view.sitting));
    this.#drawLanguages(view, isOn);
    show(this.alone, company !== undefined && company.people.length === 1);
    this.#drawRoom();
  }

  /** @param {HostingView} view @param {boolean} isOn */
  #drawLanguages({ languages }, isOn) {
    if (this.languages.options.length !== languages.length)
      this.languages.replaceChildren(
        ...languages.map((tag) => h("option", { value: tag, text: languageWord(tag), lang: tag })),
      );
    show(this.language, languages.length > 1 && !isOn);
  }

  #drawRoom() {
    const company = this.view?.company;
    const { state } = this.session;
    if (company === undefined || state.rooms[company.room] === undefined) return;
    if (this.room === null || this.room.room !== company.room) {
      this.#dropRoom();
      const title = h("h2", { class: "unseen", text: w.title });
      this.room = new CompanyRoom(this.context, company, { head: [title], acts: [], isHost: true });
      this.frame.replaceChildren(this.room.element);
      this.session.show(company.room);
      this.room.update(state, company);
      this.room.shown();
      return;
    }
    this.room.update(state, company);
  }

  gone() {
    this.isGone = true;
    this.session.hears.delete(/** @type {any} */ (this.hear));
    this.session.listeners.delete(this.follow);
    this.#dropRoom();
    this.session.show(null);
  }
}
