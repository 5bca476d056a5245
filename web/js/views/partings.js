/** Being forgotten: by this browser, or everywhere. Each asks first, and says what follows. */

import { button, h, show, text } from "../lib/dom.js";
import { words } from "../locales/en.js";
import { troubleLine } from "./threshold.js";

const w = words.you;

/**
 * @typedef {import("../main.js").Context} Context
 * @typedef {import("../main.js").View} View
 */

/** @param {Context} context @returns {View} */
export function forgetCard({ session, go }) {
  const trouble = troubleLine();
  const lead = h("p", { class: "soft" });
  const ask = button(w.forgetDo, () => turn(true), { class: "act second" });
  const yes = button(w.forgetYes, () => void trouble.around(async () => {
    await session.forgetMe();
    go({ name: "gone", how: "forgotten" });
  }), { class: "act danger" });
  const sure = h("div", { class: "row", hidden: true }, yes, button(w.keep, () => turn(false), { class: "quiet" }));
  /** @param {boolean} isAsking */
  function turn(isAsking) {
    show(sure, isAsking);
    show(ask, !isAsking);
    (isAsking ? yes : ask).focus();
  }
  return {
    element: h("section", { class: "card", "aria-label": w.forgetTitle }, h("h2", { text: w.forgetTitle }), lead, ask, sure, trouble.element),
    update({ hasCode }) {
      text(lead, hasCode ? w.forgetLead : w.forgetLeadNoCode);
    },
  };
}

/** @param {Context} context @returns {View} */
export function eraseCard({ session, go }) {
  const trouble = troubleLine();
  const ask = button(w.eraseDo, () => turn(true), { class: "act danger" });
  const input = h("input", { id: "erase", type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  const yes = h("button", { type: "submit", class: "act danger", text: w.eraseYes, "aria-disabled": "true" });
  const sure = h(
    "form",
    { hidden: true },
    h("p", { text: w.eraseSure }),
    h("div", { class: "field" }, h("label", { for: "erase", text: w.eraseLabel(w.eraseWord) }), input),
    h("div", { class: "row" }, yes, button(w.keep, () => turn(false), { class: "quiet" })),
  );
  const isMeant = () => input.value.trim().toLowerCase() === w.eraseWord;
  input.addEventListener("input", () => yes.setAttribute("aria-disabled", String(!isMeant())));
  sure.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!isMeant()) {
      trouble.say(w.eraseLabel(w.eraseWord));
      return input.focus();
    }
    void trouble.around(async () => {
      await session.eraseMe();
      go({ name: "gone", how: "erased" });
    });
  });
  /** @param {boolean} isAsking */
  function turn(isAsking) {
    input.value = "";
    yes.setAttribute("aria-disabled", "true");
    trouble.say("");
    show(sure, isAsking);
    show(ask, !isAsking);
    (isAsking ? input : ask).focus();
  }
  return {
    element: h("section", { class: "card", "aria-label": w.eraseTitle }, h("h2", { text: w.eraseTitle }), h("p", { class: "soft", text: w.eraseLead }), ask, sure, trouble.element),
  };
}
