/** Saying how one is with up to three words, where it is hard to find some of one's own. */

import { button, h, show, text } from "../lib/dom.js";
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
export const feelingsCard = (send, say) => new FeelingsCard(send, say);

class FeelingsCard {
  /** @type {string[]} */
  chosen = [];
  /** The temper whose words are shown. */
  temper = "";
  tempers = FEELINGS.map(({ temper }) => this.#toggle("temper", temper, temper, () => this.#show(temper)));
  words = FEELINGS.map(({ temper, feelings }) =>
    h(
      "div",
      { class: "feelings", role: "group", "aria-label": temper, "data-temper": temper },
      ...feelings.map(([word, hint]) => this.#toggle("feeling", word, `${word}: ${hint}`, () => this.#touch(word))),
    ),
  );
  hints = h("ul", { class: "feeling-hints soft" });

  /** @param {(line: string) => void} send @param {(said: string) => void} say */
  constructor(send, say) {
    this.say = say;
    this.go = button(w.none, () => this.chosen.length > 0 && send(feelingsLine(this.chosen)), { class: "act" });
    this.element = h(
      "details",
      { class: "pinned feelings-card" },
      h("summary", { text: w.title }),
      h("fieldset", {}, h("legend", { text: w.tempers }), h("div", { class: "feelings" }, ...this.tempers)),
      ...this.words,
      this.hints,
      this.go,
    );
    this.forget();
  }

  /** What was chosen is said, or not to be. */
  forget() {
    this.chosen = [];
    this.element.open = false;
    this.#show("");
  }

  /** @param {string} kind @param {string} label @param {string} name @param {() => void} act */
  #toggle(kind, label, name, act) {
    return button(label, act, {
      class: `pill ${kind}`,
      "data-name": label,
      "aria-pressed": "false",
      "aria-label": name,
    });
  }

  /** @param {string} temper */
  #show(temper) {
    this.temper = temper;
    this.#draw();
  }

  /** @param {string} word */
  #touch(word) {
    const before = this.chosen;
    this.chosen = afterTouch(before, word);
    if (this.chosen.length === before.length) this.say(w.most);
    this.#draw();
  }

  #draw() {
    const { chosen, temper, tempers, words: groups, hints, go } = this;
    const press = (/** @type {Element} */ one, /** @type {boolean} */ on) =>
      one.setAttribute("aria-pressed", String(on));
    for (const one of tempers) press(one, one.dataset["name"] === temper);
    for (const group of groups) {
      show(group, group.dataset["temper"] === temper);
      for (const one of group.children) press(one, chosen.includes(one.getAttribute("data-name") ?? ""));
    }
    hints.replaceChildren(...chosen.map((word) => h("li", { text: `${word}: ${HINTS.get(word) ?? ""}` })));
    text(go, chosen.length === 0 ? w.none : w.send(feelingsLine(chosen)));
    go.classList.toggle("resting", chosen.length === 0);
  }
}
