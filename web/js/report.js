/** Telling the moderators of a post or a person: one touch opens this, one on a reason sends it. Fetched when needed. */

/** @import {Context} from "./types.js" */

import { button, h, show, text } from "./lib/dom.js";
import { refusalWord, words } from "./locales/en-matters.js";

const w = words.report;

/**
 * @param {Context} context @param {string} room @param {{offset: number} | {member: string}} what
 * @param {(isDone: boolean) => void} close
 */
export function reportPanel({ session, say }, room, what, close) {
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const note = h("textarea", { id: "report-note", rows: 2, maxlength: 2000 });
  let isBusy = false;
  /** @param {string} reason */
  async function send(reason) {
    if (isBusy) return;
    isBusy = true;
    show(trouble, false);
    try {
      await session.ask("report_post", { room, ...what, reason, note: note.value });
      say(w.done);
      element.replaceChildren(h("p", { class: "done", text: w.done }), h("div", { class: "row" }, button(words.matters.seen, () => close(true), { class: "quiet" })));
      element.querySelector("button")?.focus();
    } catch (no) {
      text(trouble, refusalWord(no));
      show(trouble, true);
    }
    isBusy = false;
  }
  const reasons = w.reasons.map(([code, label]) => button(label, () => void send(code), { class: "quiet" }));
  const element = h(
    "div",
    { class: "report-panel", role: "group", "aria-label": w.title },
    h("p", {}, h("b", { text: w.title }), ` ${w.lead}`),
    h("div", { class: "row" }, ...reasons),
    h("label", { for: note.id, text: w.note }),
    note,
    trouble,
    h("div", { class: "row" }, button(w.cancel, () => close(false), { class: "quiet" })),
  );
  return { element, focus: () => reasons[0]?.focus() };
}
