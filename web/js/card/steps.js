/** The card for the worst hour: one part at a time, in large letters, and one button that goes on. */

/** @import {Context} from "../types.js" */
/** @import {Card} from "./model.js" */

import { button, focusOn, h } from "../lib/dom.js";
import { words as w } from "../locales/en-card.js";
import { isEmpty } from "./model.js";
import { contents, titleOf } from "./part.js";

const press = (/** @type {string} */ id) => document.getElementById(id)?.click();

/** @param {Card} card @param {Context} context @param {() => void} close */
export function steps(card, context, close) {
  const parts = card.parts.filter((part) => !isEmpty(part));
  const place = h("div", { class: "step" });
  const element = h("div", { class: "steps" }, button(w.close, close, { class: "quiet back" }), place);

  /** @param {number} at */
  function turn(at) {
    const part = parts[at];
    const heading = h("h1", { text: part === undefined ? w.end : titleOf(part) });
    const shown = part === undefined ? end() : contents(part, context);
    const next = button(w.next, () => turn(at + 1), { class: "act next" });
    place.replaceChildren(
      heading,
      ...shown,
      ...(part === undefined ? [] : [next, h("p", { class: "soft", text: w.at(at + 1, parts.length) })]),
    );
    scrollTo(0, 0);
    focusOn(heading);
  }
  const end = () => [
    h("p", { text: w.endLead }),
    h(
      "div",
      { class: "row" },
      button(w.help, () => press("help-link"), { class: "act next" }),
      button(w.ask, () => press("ask-link"), { class: "act second next" }),
      parts.length > 0 && button(w.again, () => turn(0), { class: "act second next" }),
    ),
  ];
  return { element, begin: () => turn(0) };
}
