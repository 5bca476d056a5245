/** What stands before a room: its agreement, or the word that it is full. */

/** @import {Context, Screen, View} from "../types.js" */

import { button, h, show, text } from "../lib/dom.js";
import { hereWord, refusalWord, words } from "../locales/en.js";

/** @param {Context} context @param {Extract<Screen, {name: "agreement"}>} screen */
export function agreementView(context, { room, title, text: agreement, version, again }) {
  const w = words.agreement;
  const trouble = troubleLine();
  const accept = button(w.accept, () => trouble.around(() => context.enter(room, version)), { class: "act" });
  return {
    element: h(
      "div",
      { class: "card narrow threshold" },
      h("h1", { text: w.title(title) }),
      h("p", { class: "lead", text: again ? w.changed : w.lead }),
      h("div", { class: "agreement" }, ...paragraphs(agreement)),
      trouble.element,
      h("div", { class: "row" }, accept, button(w.back, context.back, { class: "quiet" })),
    ),
  };
}

/** @param {Context} context @param {Extract<Screen, {name: "full"}>} screen */
export function fullView(context, { room, rooms }) {
  const w = words.full;
  const trouble = troubleLine();
  /** @param {string} id */
  const enter = (id) => trouble.around(() => context.enter(id));
  const others = rooms.map(({ id, name, here }) =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "room-card", on: { click: () => enter(id) } },
        h("span", { class: "card-name", text: name }),
        h("span", { class: here > 0 ? "here someone" : "here", text: hereWord(here) }),
      ),
    ),
  );
  return {
    element: h(
      "div",
      { class: "narrow threshold" },
      h("h1", { text: w.title }),
      h("p", { class: "lead", text: others.length > 0 ? w.lead : w.none }),
      others.length > 0 && h("ul", { class: "cards" }, ...others),
      trouble.element,
      h(
        "div",
        { class: "row" },
        button(w.again, () => enter(room), { class: "act second" }),
        button(w.back, context.back, { class: "quiet" }),
      ),
    ),
  };
}

/** A line that says why something did not work, and a way of doing things that fills it. */
export function troubleLine() {
  const element = h("p", { class: "trouble", role: "alert", hidden: true });
  let isBusy = false;
  return {
    element,
    /** @param {string} what */
    say(what) {
      text(element, what);
      show(element, what !== "");
    },
    /** @param {() => Promise<unknown>} act @returns {Promise<boolean>} whether it worked */
    async around(act) {
      if (isBusy) return false;
      isBusy = true;
      this.say("");
      try {
        await act();
        return true;
      } catch (no) {
        this.say(refusalWord(no));
        return false;
      } finally {
        isBusy = false;
      }
    },
  };
}

/** @param {string} long */
export function paragraphs(long) {
  return long
    .split(/\n+/)
    .filter((line) => line.trim() !== "")
    .map((line) => h("p", { text: line }));
}
