/**
 * What moderators have to say to this person, privately: decisions with their reason, and answers to reports. It stands
 * where they read, and where they may not write it says so before they do.
 */

/** @import {Context} from "../types.js" */

import { call } from "../lib/api.js";
import { daily } from "../lib/daily.js";
import { button, h, keyed, show, text } from "../lib/dom.js";
import { momentWord } from "../locales/en-moment.js";
import { refusalWord, words } from "../locales/en-decisions.js";
import { isTalk } from "./state.js";
import { standAbove } from "./views/above.js";

const w = words.decisions;
const ASK_AGAIN_MS = 5_000;

/**
 * @typedef {import("wire").ModerationNoticeView} Decision
 * @typedef {import("wire").AnswerView} Answer
 * @typedef {Omit<import("wire").ModerationNoticesPush, "push">} Decisions
 */

export class DecisionsCard {
  /** What was put away. @type {Set<string>} */
  put = new Set();
  /** What was put away, and is shown once more to be answered. @type {Set<string>} */
  again = new Set();
  /** @type {Set<string>} */
  told = new Set();
  /** What is drawn. @type {Decisions | null} */
  shown = null;
  /** What the state said last. @type {Decisions | null} */
  given = null;
  wasBanned = false;
  /** Whether this ban was asked about. */
  isAsked = false;
  list = h("div", { class: "stack" });
  banned = h("div", { hidden: true }, h("h1", { text: w.banned }), h("p", { text: w.bannedLead }));
  element = h(
    "section",
    { class: "card moderation-notices", "aria-label": w.label, hidden: true },
    this.banned,
    this.list,
  );

  /** @param {Context} context @param {HTMLElement} stage  the screen, which it stands in or before */
  constructor({ session, say, sayNow }, stage) {
    this.session = session;
    this.say = say;
    this.sayNow = sayNow;
    this.stage = stage;
    this.muted = mutedNote(stage, sayNow, (id) => this.#reopen(id));
    session.subscribe(() => void this.#changed());
    void this.#changed();
  }

  /** @param {Decisions | null} decisions @param {boolean} isBanned */
  update(decisions, isBanned) {
    if ((decisions === null && this.given !== null) || (this.wasBanned && !isBanned)) this.#forget();
    if (decisions !== null && decisions !== this.given) this.#draw(decisions);
    this.given = decisions;
    if (this.element.isConnected || !this.element.hidden) this.#stand();
    this.muted.update(this.#muteHere(decisions), this.session.state.skew);
    if (isBanned && !this.wasBanned) this.#shut();
    this.wasBanned = isBanned;
  }

  /** The mute that holds in the room on the screen. @param {Decisions | null} decisions */
  #muteHere(decisions) {
    const { open, rooms, skew } = this.session.state;
    const room = open === null ? undefined : rooms[open]?.room;
    if (room === undefined || isTalk(room.id)) return undefined;
    const at = Date.now() + skew;
    const places = [undefined, room.id, room.split_of ?? room.id];
    return decisions?.measures.find(
      ({ kind, until, room: where }) => kind === "mute" && until > at && places.includes(where),
    );
  }

  /** Where one reads; in place of it where they may not be here. */
  #stand() {
    const { element, stage } = this;
    if (this.banned.hidden) standAbove(element, stage);
    else if (element.parentElement !== stage.parentElement) stage.before(element);
  }

  /** Put away what was read. @param {string} id */
  async #seen(id) {
    this.put.add(id);
    this.again.delete(id);
    this.#redraw();
    /** @type {HTMLElement | null} */ (this.stage.querySelector(".composer textarea"))?.focus();
    await this.session.ask("seen", { ids: [id] }).catch(() => null);
  }

  /** Show a decision again that was put away, so that it can be answered. @param {string} id */
  #reopen(id) {
    this.again.add(id);
    this.put.delete(id);
    this.#redraw();
    const row = this.list.querySelector(`[data-notice="${id}"]`);
    const [answer, done] = row?.querySelectorAll("button") ?? [];
    if (answer?.hidden === false) answer.click();
    else done?.focus();
    row?.scrollIntoView({ block: "nearest" });
  }

  /** @param {Decision} one */
  #decidedWord(one) {
    const { room } = one;
    const card = this.session.state.lobby?.find((each) => each.id === room);
    return w.decided(one.kind, w.here(room === undefined ? undefined : (card?.name ?? room)), momentWord(one.until));
  }

  /** @param {Decision} one */
  #decision(one) {
    const { form, open, answered } = this.#appeal(one);
    const seen = button(w.seen, () => void this.#seen(one.id), { class: "quiet" });
    const what = daily(h("b"), (said) => text(said, this.#decidedWord(one)));
    return h(
      "div",
      { "data-notice": one.id },
      h("p", {}, what),
      h("p", { text: w.why(one.reason) }),
      answered,
      h("div", { class: "row" }, open, one.kind !== "ban" && seen),
      form,
    );
  }

  /** Answering a decision, once. @param {Decision} one */
  #appeal(one) {
    const busy = (/** @type {boolean} */ on) => this.session.do({ type: "busy", what: `appeal ${one.id}`, on });
    const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    const area = h("textarea", { id: `appeal-${one.id}`, rows: 3, maxlength: 2000 });
    const send = h("button", { type: "submit", class: "act second", text: w.send });
    const label = h("label", { for: area.id, text: w.answerLabel });
    const form = h("form", { class: "stack", hidden: true }, label, area, trouble, h("div", { class: "row" }, send));
    const answered = h("p", { class: "soft", text: w.answered, hidden: one.appealed !== true });
    const begin = () => {
      show(form, true);
      busy(true);
      area.focus();
    };
    const open = button(w.answer, begin, { class: "quiet", hidden: one.appealed === true });
    const done = () => {
      show(form, false);
      busy(false);
      show(open, false);
      show(answered, true);
      this.say(w.answered);
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      show(trouble, false);
      call("/api/identity/appeal", { measure: one.id, text: area.value }).then(done, (no) => {
        text(trouble, refusalWord(no));
        show(trouble, true);
      });
    });
    return { form, open, answered };
  }

  /** @param {Answer} one */
  #answer(one) {
    return h(
      "div",
      {},
      h("p", {}, h("b", { text: w.looked })),
      one.reply !== "" && h("p", { text: w.reply(one.reply) }),
      h(
        "div",
        { class: "row" },
        button(w.seen, () => void this.#seen(one.id), { class: "quiet" }),
      ),
    );
  }

  /** Nobody here may look at what they reported. @param {string} contact */
  #stranded(contact) {
    const seen = () => {
      this.put.add("stranded");
      this.#redraw();
    };
    return h(
      "div",
      {},
      h("p", {}, h("b", { text: w.stranded })),
      contact !== "" && h("p", { text: w.contact(contact) }),
      h("div", { class: "row" }, button(w.seen, seen, { class: "quiet" })),
    );
  }

  /** What is to be shown, and what is said of it. @param {Decisions} decisions */
  #rows({ measures, answers, stranded, contact = "" }) {
    const decided = measures.filter((one) => one.seen !== true || this.again.has(one.id));
    return [
      ...decided.map((one) => ({
        id: one.id,
        make: () => this.#decision(one),
        said: `${this.#decidedWord(one)} ${w.why(one.reason)}`,
      })),
      ...(stranded === true ? [{ id: "stranded", make: () => this.#stranded(contact), said: w.stranded }] : []),
      ...answers.map((one) => ({
        id: one.id,
        make: () => this.#answer(one),
        said: one.reply === "" ? w.looked : `${w.looked} ${w.reply(one.reply)}`,
      })),
    ].filter(({ id }) => !this.put.has(id));
  }

  #redraw() {
    if (this.shown !== null) this.#draw(this.shown);
  }

  /** @param {Decisions} decisions */
  #draw(decisions) {
    const isNew = decisions !== this.shown;
    this.shown = decisions;
    const rows = this.#rows(decisions);
    keyed(
      this.list,
      rows,
      ({ id }) => id,
      ({ make }) => ({ element: make(), update() {} }),
    );
    show(this.element, rows.length > 0 || !this.banned.hidden);
    this.#stand();
    this.#endAppeals(rows.map(({ id }) => id));
    if (!isNew) return;
    const news = rows.filter(({ id }) => !this.told.has(id));
    for (const { id } of news) this.told.add(id);
    if (news.length > 0) this.sayNow([`${w.label}:`, ...news.map(({ said }) => said)].join(" "));
  }

  /** Nobody answers a decision that is not shown any more. @param {string[]} shown */
  #endAppeals(shown) {
    for (const what of this.session.state.place.busy)
      if (what.startsWith("appeal ") && !shown.includes(what.slice(7)))
        this.session.do({ type: "busy", what, on: false });
  }

  /** They may not be here: that is said in place of the screen. */
  #shut() {
    show(this.banned, true);
    show(this.element, true);
    this.#stand();
    // What is left of the room is not theirs to look at or write in.
    show(this.stage, false);
  }

  /** The state changed: who was banned just now has no connection, and what there is to say is asked for by another way. */
  async #changed() {
    const { session, isAsked } = this;
    this.isAsked = session.state.link.why === "banned";
    if (!this.isAsked || isAsked) return;
    const found = await call("/api/identity/matters", null).catch(() => null);
    if (found === null) {
      this.isAsked = false;
      setTimeout(() => void this.#changed(), ASK_AGAIN_MS);
    }
    if (found === null || !this.isAsked) return;
    const measures = found.measures.map((/** @type {Decision} */ one) => ({ ...one, seen: false }));
    session.do({ type: "push", push: { push: "matters", measures, answers: found.answers }, now: session.now() });
  }

  /** Nobody is known here any more, or somebody else: what was said was not said to them. */
  #forget() {
    for (const each of [this.put, this.again, this.told]) each.clear();
    show(this.banned, false);
    show(this.stage, true);
    this.#draw({ measures: [], answers: [] });
    this.shown = null;
  }
}

/**
 * Says above the place where one writes that one may not, until when, and how to answer. Nothing is sent meanwhile: what
 * was written stays where it is.
 * @param {HTMLElement} stage @param {(said: string) => void} sayNow @param {(id: string) => void} answer
 */
function mutedNote(stage, sayNow, answer) {
  /** @type {Decision | undefined} */
  let holds;
  let until = 0;
  /** @type {HTMLElement} */
  const said = daily(
    h("p", { id: "muted-note" }),
    () => holds !== undefined && text(said, w.mutedHere(momentWord(until))),
  );
  const open = button(w.answerMute, () => answer(holds?.id ?? ""), { class: "quiet" });
  const element = h("div", { class: "muted-note" }, said, open);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let ending;

  stage.addEventListener(
    "submit",
    (event) => {
      if (holds === undefined || !(event.target instanceof Element) || !event.target.matches(".composer")) return;
      event.preventDefault();
      event.stopPropagation();
      sayNow(said.textContent ?? "");
      event.target.querySelector("textarea")?.focus();
    },
    { capture: true },
  );

  /** @param {Decision | undefined} measure @param {number} skew */
  function update(measure, skew) {
    clearTimeout(ending);
    holds = measure;
    const composer = stage.querySelector(".composer");
    const area = composer?.querySelector("textarea");
    const names = (area?.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .filter((name) => name !== "" && name !== said.id);
    if (measure === undefined || composer === null) {
      element.remove();
      area?.setAttribute("aria-describedby", names.join(" "));
      return;
    }
    until = measure.until - skew;
    text(said, w.mutedHere(momentWord(until)));
    text(open, measure.appealed === true ? w.readMute : w.answerMute);
    if (composer.previousElementSibling !== element) composer.before(element);
    const all = [said.id, ...names].join(" ");
    if (area?.getAttribute("aria-describedby") !== all) area?.setAttribute("aria-describedby", all);
    ending = setTimeout(() => update(undefined, skew), Math.min(measure.until - skew - Date.now(), 2 ** 31 - 1));
  }
  return { update };
}
