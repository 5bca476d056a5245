/** The word that a room is full. Fetched when one is: few ever see it. */

/** @import {Context, Screen} from "../types.js" */

import { button, h } from "../lib/dom.js";
import { hereWord, words } from "../locales/en.js";
import { troubleLine } from "./lobby.js";

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
