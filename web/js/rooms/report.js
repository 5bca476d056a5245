/** Telling the moderators of a post or a person: what happened, a note where somebody likes, and sending it. Fetched when needed. */

/** @import {Context} from "../types.js" */

import { button, h, show, text } from "../lib/dom.js";
import { refusalWord, words } from "../locales/en-decisions.js";

const w = words.report;
const STYLE = "/css/report.css";
let made = 0;

/**
 * @param {Context} context @param {string} room @param {{offset: number, epoch?: string} | {member: string}} what
 * @param {(isDone: boolean) => void} close
 */
export function reportPanel({ session, say }, room, what, close) {
  const done = (/** @type {boolean} */ isDone) => {
    session.do({ type: "busy", what: "report", on: false });
    close(isDone);
  };
  session.do({ type: "busy", what: "report", on: true });
  const form = reportForm({
    reasons: w.reasons,
    most: 2_000,
    send: async (said) => {
      await session.ask("report_post", { room, ...what, ...said });
      say(w.done);
      element.replaceChildren(
        h("p", { class: "done", text: w.done }),
        h(
          "div",
          { class: "row" },
          button(words.decisions.close, () => done(true), { class: "quiet" }),
        ),
      );
      element.querySelector("button")?.focus();
    },
    cancel: () => done(false),
    refusal: refusalWord,
  });
  const element = h(
    "div",
    { class: "report-panel", role: "group", "aria-label": w.title },
    h("p", { class: "soft", text: w.lead }),
    form.element,
  );
  return {
    element,
    focus() {
      element.scrollIntoView({ block: "nearest" });
      form.focus();
    },
  };
}

/**
 * The reason first, and nothing chosen beforehand; then a note, and sending it.
 * @param {object} how
 * @param {[string, string][]} how.reasons @param {(said: {reason: string, note: string}) => Promise<void>} how.send
 * @param {() => void} how.cancel @param {(no: unknown) => string} how.refusal @param {(Node | false)[]} [how.more]
 * @param {number} [how.most]  characters of a note
 */
export function reportForm({ reasons, send, cancel, refusal, more = [], most = 1_000 }) {
  if (document.querySelector(`link[href="${STYLE}"]`) === null)
    document.head.append(h("link", { rel: "stylesheet", href: STYLE }));
  const id = `report-${(made += 1)}`;
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const note = h("textarea", { id: `${id}-note`, rows: 2, maxlength: most, dir: "auto" });
  const radios = reasons.map(([value]) => h("input", { type: "radio", name: id, value }));
  const go = h("button", { type: "submit", class: "act", text: w.send });
  const rest = h("div", { class: "field", hidden: true }, h("label", { for: note.id, text: w.note }), note);
  const acts = h("div", { class: "row" }, go, button(w.cancel, cancel, { class: "quiet" }));
  show(go, false);
  const element = h(
    "form",
    { class: "report-form", novalidate: true },
    ...more,
    h(
      "fieldset",
      {},
      h("legend", {}, h("b", { text: w.title })),
      ...radios.map((radio, i) =>
        h("label", { class: "check reason" }, radio, h("span", { text: reasons[i]?.[1] ?? "" })),
      ),
    ),
    rest,
    trouble,
    acts,
  );
  element.addEventListener("change", (event) => {
    if (!(event.target instanceof HTMLInputElement) || event.target.name !== id || !go.hidden) return;
    show(rest, true);
    show(go, true);
    acts.scrollIntoView({ block: "nearest" });
  });
  let isBusy = false;
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = radios.find((radio) => radio.checked)?.value;
    if (isBusy || reason === undefined) return;
    isBusy = true;
    show(trouble, false);
    try {
      await send({ reason, note: note.value.trim() });
    } catch (no) {
      text(trouble, refusal(no));
      show(trouble, true);
    }
    isBusy = false;
  });
  return { element, focus: () => radios[0]?.focus() };
}
