/** The word that a room is full, or that one has as many seats as one person can. Fetched when it is so: few ever see it. */

/** @import {Context, Screen} from "../../types.js" */

import { button, h } from "../../lib/dom.js";
import { words } from "../../locales/en-full.js";
import { words as noticeWords } from "../../locales/en-notices.js";
import { hereWord } from "../../locales/en.js";
import { troubleLine } from "../../shell/trouble-line.js";

/**
 * Go into the room beside one that was split, or to the word that this one has no place. Rejects with Refused.
 * @param {Context} context @param {string} room @param {number | null} agreement  the version that was accepted
 * @param {string} code @param {Record<string, any>} details  of the refusal
 */
export async function goElsewhere(context, room, agreement, code, { rooms = [], limit }) {
  if (code !== "room_split") return context.go({ name: "full", room, rooms, limit, view: fullView });
  const [{ id, name }] = rooms;
  context.say(words.led(name));
  await context.enter(id, agreement ?? undefined);
}

/** @param {Context} context @param {Extract<Screen, {name: "full"}>} screen */
export function fullView(context, { room, rooms, limit }) {
  if (limit !== undefined) return seatsView(context, room, rooms, limit);
  const w = words;
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

/**
 * One has a place in as many rooms as one person can: which one shall go to somebody else?
 * @param {Context} context @param {string} room @param {{id: string, name: string}[]} taken @param {number} limit
 */
function seatsView(context, room, taken, limit) {
  const w = noticeWords.seats;
  const trouble = troubleLine();
  /** @param {string} id */
  const swap = (id) => trouble.around(() => context.enter(room, undefined, id));
  return {
    element: h(
      "div",
      { class: "narrow threshold" },
      h("h1", { text: w.title(limit) }),
      h("p", { class: "lead", text: w.lead }),
      h(
        "ul",
        { class: "cards" },
        ...taken.map(({ id, name }) =>
          h(
            "li",
            {},
            h(
              "button",
              { type: "button", class: "room-card", on: { click: () => swap(id) } },
              h("span", { class: "card-name", text: w.rather(name) }),
            ),
          ),
        ),
      ),
      h("p", { class: "soft", text: w.kept }),
      trouble.element,
      h("div", { class: "row" }, button(words.back, context.back, { class: "quiet" })),
    ),
  };
}
