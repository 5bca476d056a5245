/** A note for whoever wrote of something heavy: where help is. Nobody else sees it, and it can be put away. */

import { button, h } from "../lib/dom.js";

const STYLE = "/css/care.css";

/** @typedef {typeof import("../locales/en-crisis-note.js").words} Words */

/** Its style, once. It may come before it is needed. */
export function dress() {
  if (document.querySelector(`link[href="${STYLE}"]`) !== null) return Promise.resolve(null);
  return new Promise((done) => {
    document.head.append(
      h("link", { rel: "stylesheet", href: STYLE, on: { load: () => done(null), error: () => done(null) } }),
    );
  });
}

/** @type {HTMLElement | null} */
let shown = null;

/** @param {string} id */
const press = (id) => document.getElementById(id)?.click();

/**
 * @param {string} care  what it is about @param {string} room @param {Words} w
 * @param {() => void} onWrong  they meant something else
 * @returns {Promise<boolean>} whether it is shown, or need not be; else it is owed until there is a place for it
 */
export async function crisisNote(care, room, w, onWrong) {
  // A listener's page has its own ways to help.
  if (document.getElementById("help-link") === null) return true;
  await dress();
  const writing = document.querySelector(".foot .composer");
  if (writing === null) return false;
  shown?.remove();
  const lead = w.lead[/** @type {keyof typeof w.lead} */ (care)] ?? w.lead.self_harm;
  const isTalk = room.startsWith("s-");
  const close = () => {
    note.remove();
    writing.querySelector("textarea")?.focus();
  };
  const note = h(
    "section",
    { class: "card care", role: "status", "aria-label": w.label },
    h("p", { class: "soft small", text: w.label }),
    h("p", {}, h("b", { text: lead })),
    h("p", { class: "small", text: care === "guess" ? w.howGuess : w.how }),
    h(
      "div",
      { class: "row" },
      button(w.lines, () => press("help-link"), { class: "act" }),
      button(w.card, () => press("card-link"), { class: "act second" }),
      ...(isTalk ? [] : [button(w.ask, () => press("ask-link"), { class: "act second" })]),
      button(
        w.wrong,
        () => {
          onWrong();
          close();
        },
        { class: "quiet" },
      ),
      button(w.close, close, { class: "quiet" }),
    ),
  );
  shown = note;
  writing.before(note);
  return true;
}
