/** Saying how one is with up to three words, where it is hard to find some of one's own. */

import { button, h, text } from "../lib/dom.js";
import { FEELINGS } from "../locales/en-feelings.js";
import { words } from "../locales/en-meeting-room.js";

const w = words.feelings;
const MOST = 3;
/** @type {Map<string, string>} */
const HINTS = new Map(FEELINGS.flatMap(({ feelings }) => feelings.map(([word, hint]) => [word, hint])));

/** As it is written in a post: in the order of choosing. @param {readonly string[]} chosen */
export const feelingsLine = (chosen) => chosen.join(", ");

/** What is chosen after a word was touched: it is taken back, added, or too many. @param {readonly string[]} chosen @param {string} word @returns {string[]} */
export function afterTouch(chosen, word) {
  if (chosen.includes(word)) return chosen.filter((each) => each !== word);
  return chosen.length < MOST ? [...chosen, word] : [...chosen];
}

/** @param {(line: string) => void} send @param {(said: string) => void} say */
export function feelingsCard(send, say) {
  /** @type {string[]} */
  let chosen = [];
  const hints = h("ul", { class: "feeling-hints soft" });
  const go = button(w.none, () => chosen.length > 0 && send(feelingsLine(chosen)), { class: "act" });
  /** @type {[string, HTMLElement][]} */
  const chips = [];
  const groups = FEELINGS.map(({ temper, feelings }) =>
    h(
      "fieldset",
      { class: "temper" },
      h("legend", { text: temper }),
      h("div", { class: "feelings" }, ...feelings.map(([word, hint]) => chip(word, hint))),
    ),
  );

  /** @param {string} word @param {string} hint */
  function chip(word, hint) {
    const touch = button(word, () => turn(word), {
      class: "pill feeling",
      "aria-pressed": "false",
      "aria-label": `${word}: ${hint}`,
    });
    chips.push([word, touch]);
    return touch;
  }

  /** @param {string} word */
  function turn(word) {
    const before = chosen;
    chosen = afterTouch(chosen, word);
    if (chosen.length === before.length) say(w.most);
    draw();
  }

  function draw() {
    for (const [word, touch] of chips) touch.setAttribute("aria-pressed", String(chosen.includes(word)));
    hints.replaceChildren(...chosen.map((word) => h("li", { text: `${word}: ${HINTS.get(word) ?? ""}` })));
    text(go, chosen.length === 0 ? w.none : w.send(feelingsLine(chosen)));
    go.classList.toggle("resting", chosen.length === 0);
  }
  draw();
  const element = h(
    "details",
    { class: "pinned feelings-card" },
    h("summary", { text: w.title }),
    ...groups,
    hints,
    go,
  );
  return {
    element,
    forget() {
      chosen = [];
      element.open = false;
      draw();
    },
  };
}
