/** Small pieces that several stages show. */

import { button, h, show, text } from "../../lib/dom.js";
import { words } from "../../locales/en-listening.js";

const w = words.waiting;

/** A button that opens the helplines, as the link in the head does. @param {string} label */
export function helplines(label) {
  return button(label, () => document.getElementById("help-link")?.click(), { class: "act second" });
}

/** A button that opens one's own card. */
export const ownCard = () =>
  button(w.card, () => document.getElementById("card-link")?.click(), { class: "act second" });

/** Breathing with the lamp: its light grows and goes, and moves only when it is asked to. */
export function breathing() {
  const lamp = h(
    "div",
    { class: "breath", "aria-hidden": "true", hidden: true },
    h("i"),
    h("b", { text: w.in }),
    h("b", { text: w.out }),
  );
  const start = button(
    w.breatheStart,
    () => {
      show(lamp, lamp.hidden);
      text(start, lamp.hidden ? w.breatheStart : w.breatheStop);
      start.setAttribute("aria-pressed", String(!lamp.hidden));
    },
    { class: "act second breathe", "aria-pressed": "false" },
  );
  return h(
    "section",
    { class: "card calm" },
    h("h2", { text: w.breathe }),
    h("p", { text: w.breatheLead }),
    lamp,
    start,
  );
}
