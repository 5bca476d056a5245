/** A note for whoever wrote of something heavy: where help is. Nobody else sees it, and it can be put away. */

import { button, h } from "./lib/dom.js";
import { words as w } from "./locales/en-care.js";

const STYLE = "/css/care.css";
const NEAR_PX = 80;

/** Its style, once. */
function dress() {
  if (document.querySelector(`link[href="${STYLE}"]`) !== null) return Promise.resolve(null);
  return new Promise((done) => {
    document.head.append(h("link", { rel: "stylesheet", href: STYLE, on: { load: () => done(null), error: () => done(null) } }));
  });
}

/** @type {HTMLElement | null} */
let shown = null;

/** @param {string} id */
const press = (id) => document.getElementById(id)?.click();

/** @param {string} care  what it is about @param {string} room */
export async function careNote(care, room) {
  await dress();
  shown?.remove();
  const writing = document.querySelector(".foot .composer");
  // A listener's page has its own ways to help.
  if (writing === null || document.getElementById("help-link") === null) return;
  const lead = w.lead[/** @type {keyof typeof w.lead} */ (care)] ?? w.lead.self_harm;
  const isTalk = room.startsWith("s-");
  const note = h(
    "section",
    { class: "card care", role: "status", "aria-label": w.label },
    h("p", { class: "soft small", text: w.label }),
    h("p", {}, h("b", { text: lead })),
    h("p", { class: "small", text: w.how }),
    h(
      "div",
      { class: "row" },
      button(w.lines, () => press("help-link"), { class: "act" }),
      ...(isTalk ? [] : [button(w.ask, () => press("ask-link"), { class: "act second" })]),
      button(w.close, () => {
        note.remove();
        writing.querySelector("textarea")?.focus();
      }, { class: "quiet" }),
    ),
  );
  shown = note;
  // Whoever was at the newest post stays there.
  const ended = [document.scrollingElement, document.querySelector(".log")].filter((it) => it !== null && it.scrollHeight - it.scrollTop - it.clientHeight < NEAR_PX);
  writing.before(note);
  for (const it of ended) if (it !== null) it.scrollTop = it.scrollHeight;
}
