/** What moderators have to say to this person, privately: decisions with their reason, and answers to reports. */

/** @import {Context} from "./types.js" */

import { call } from "./lib/api.js";
import { button, h, keyed, show, text } from "./lib/dom.js";
import { clock, dayWord } from "./lib/time.js";
import { words as pageWords } from "./locales/en.js";
import { refusalWord, words } from "./locales/en-matters.js";

const w = words.matters;

/**
 * @typedef {{id: string, kind: string, reason: string, until: number, room?: string, seen?: boolean, appealed?: boolean}} Matter
 * @typedef {{id: string, outcome: string, reply: string}} Answer
 * @typedef {{measures: Matter[], answers: Answer[]}} Matters
 */

/** @param {Context} context @param {HTMLElement} before  where it stands */
export function mattersCard({ session, say }, before) {
  const list = h("div", { class: "stack" });
  const banned = h("div", { hidden: true }, h("h1", { text: w.banned }), h("p", { text: w.bannedLead }));
  const element = h("section", { class: "card matters", "aria-label": w.label, hidden: true }, banned, list);
  before.before(element);
  /** @type {Set<string>} */
  const put = new Set();

  /** @param {string} id */
  async function seen(id) {
    put.add(id);
    if (shown !== null) draw(shown);
    await session.ask("seen", { ids: [id] }).catch(() => null);
  }

  /** @param {Matter} one */
  function decision(one) {
    const until = `${dayWord(one.until, Date.now(), pageWords.days)}, ${clock(one.until)}`;
    const where = w.here(one.room === undefined ? undefined : session.state.lobby?.find((card) => card.id === one.room)?.name ?? one.room);
    const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    const area = h("textarea", { id: `appeal-${one.id}`, rows: 3, maxlength: 2000 });
    const form = h("form", { class: "stack", hidden: true }, h("label", { for: area.id, text: w.answerLabel }), area, trouble, h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.send })));
    const answered = h("p", { class: "soft", text: w.answered, hidden: one.appealed !== true });
    const open = button(w.answer, () => {
      show(form, true);
      area.focus();
    }, { class: "quiet", hidden: one.appealed === true });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      show(trouble, false);
      call("/api/identity/appeal", { measure: one.id, text: area.value }).then(
        () => {
          show(form, false);
          show(open, false);
          show(answered, true);
          say(w.answered);
        },
        (no) => {
          text(trouble, refusalWord(no));
          show(trouble, true);
        },
      );
    });
    return h("div", {}, h("p", {}, h("b", { text: w.decided(one.kind, where, until) })), h("p", { text: w.why(one.reason) }), answered, h("div", { class: "row" }, open, one.kind !== "ban" && button(w.seen, () => void seen(one.id), { class: "quiet" })), form);
  }

  /** @param {Answer} one */
  const answer = (one) => h("div", {}, h("p", {}, h("b", { text: w.looked })), one.reply !== "" && h("p", { text: w.reply(one.reply) }), h("div", { class: "row" }, button(w.seen, () => void seen(one.id), { class: "quiet" })));

  /** @type {Matters | null} */
  let shown = null;
  /** @type {Matters | null} */
  let given = null;

  /** @param {Matters} matters */
  function draw(matters) {
    const isNew = matters !== shown;
    shown = matters;
    const rows = [
      ...matters.measures.filter((one) => one.seen !== true).map((one) => ({ id: one.id, make: () => decision(one), said: w.decided(one.kind, "", "") })),
      ...matters.answers.map((one) => ({ id: one.id, make: () => answer(one), said: w.looked })),
    ].filter(({ id }) => !put.has(id));
    keyed(list, rows, ({ id }) => id, ({ make }) => ({ element: make(), update() {} }));
    show(element, rows.length > 0 || !banned.hidden);
    if (isNew && rows.length > 0) say(w.label);
  }

  /** They may not be here: what there is to say is asked for by another way. */
  async function ask() {
    show(banned, true);
    show(element, true);
    // What is left of the room is not theirs to look at or write in.
    show(before, false);
    const matters = await call("/api/identity/matters", null).catch(() => null);
    if (matters !== null) draw({ measures: matters.measures.map((/** @type {Matter} */ one) => ({ ...one, seen: false })), answers: matters.answers });
  }

  let wasBanned = false;
  return {
    /** @param {Matters | null} matters @param {boolean} isBanned */
    update(matters, isBanned) {
      if (matters !== null && matters !== given) draw(matters);
      given = matters;
      if (isBanned && !wasBanned) void ask();
      wasBanned = isBanned;
    },
  };
}
