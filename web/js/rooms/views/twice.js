/** What takes two touches, leaving a room among it. Fetched at the first of them. */

/** @import {Context} from "../../types.js" */

import { button, h, show } from "../../lib/dom.js";
import { leaving as w } from "../../locales/en-tools.js";
import { words } from "../../locales/en.js";
import { troubleLine } from "../../shell/trouble-line.js";

/**
 * What must not happen by a slip: the first touch asks, the second does it.
 * @param {{ask: string, look?: string, lead?: string, yes: string, no: string, act: () => Promise<void>}} how
 */
export function twice({ ask, look = "act second", lead, yes, no, act }) {
  const trouble = troubleLine();
  const first = button(ask, () => turn(true), { class: look });
  const second = button(yes, () => void trouble.around(act), { class: "act danger" });
  const panel = h(
    "div",
    { hidden: true },
    lead !== undefined && h("p", { text: lead }),
    h(
      "div",
      { class: "row" },
      second,
      button(no, () => turn(false), { class: "quiet" }),
    ),
  );
  /** @param {boolean} isAsking */
  function turn(isAsking) {
    show(panel, isAsking);
    show(first, !isAsking);
    (isAsking ? second : first).focus();
  }
  return [first, panel, trouble.element];
}

/** The first touch has been given. @param {Context} context @param {string} id @param {HTMLElement} place  where it was */
export function askToLeave({ session, back }, id, place) {
  const parts = twice({
    ask: words.room.leave,
    look: "quiet",
    lead: w.leaveSure,
    yes: w.leaveYes,
    no: w.stay,
    act: async () => {
      await session.leaveRoom(id);
      back();
    },
  });
  place.replaceChildren(...parts);
  place.querySelector("button")?.click();
}
