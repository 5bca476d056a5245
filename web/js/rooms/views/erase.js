/** What goes when somebody erases themselves, what stays and for how long; then the word that shows it is meant. */

/** @import {Context} from "../../types.js" */

import { eraseMe } from "../identity.js";
import { button, h, show } from "../../lib/dom.js";
import { words as w } from "../../locales/en-erase.js";
import { goneView } from "./gone.js";
import { troubleLine } from "../../shell/trouble-line.js";

/**
 * Shows the form in place of what asked for it.
 * @param {Context} context @param {HTMLElement} place @param {HTMLElement} ask
 */
export function eraseForm({ session, go }, place, ask) {
  const trouble = troubleLine();
  const input = h("input", {
    id: "erase",
    type: "text",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
  });
  const yes = h("button", { type: "submit", class: "act danger resting", text: w.yes });
  const form = h(
    "form",
    {},
    h("h3", { text: w.goes }),
    h("ul", {}, ...w.gone.map((line) => h("li", { text: line }))),
    h("h3", { text: w.stays }),
    h("ul", {}, ...w.kept.map((line) => h("li", { text: line }))),
    h("p", { text: w.sure }),
    h("div", { class: "field" }, h("label", { for: "erase", text: w.label(w.word) }), input),
    h("div", { class: "row" }, yes, button(w.keep, leave, { class: "quiet" })),
    trouble.element,
  );
  const isMeant = () => input.value.trim().toLowerCase() === w.word;
  input.addEventListener("input", () => yes.classList.toggle("resting", !isMeant()));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!isMeant()) {
      trouble.say(w.label(w.word));
      return input.focus();
    }
    void trouble.around(async () => {
      await eraseMe(session);
      go({ name: "gone", how: "erased", view: goneView });
    });
  });
  function leave() {
    place.replaceChildren();
    show(ask, true);
    ask.focus();
  }
  place.replaceChildren(form);
  show(ask, false);
  const first = form.querySelector("h3");
  if (first !== null) {
    first.tabIndex = -1;
    first.focus();
  }
}
