/** A host's offer to somebody in a meeting, which nobody else sees: to talk with one listener now, first in line. */

/** @import {Context} from "../types.js" */
/** @import {Meetings} from "./meetings.js" */
/** @import {NewerView} from "./telling.js" */

import { button, h, show, text } from "../lib/dom.js";
import { clock } from "../lib/time.js";
import { words } from "../locales/en-meeting-room.js";
import { troubleLine } from "../shell/trouble-line.js";
import { isOffered } from "./telling.js";

const w = words.offer;

/** @param {Context} context @param {Meetings} meetings @param {string} meeting */
export function offerCard({ say, go }, meetings, meeting) {
  const trouble = troubleLine();
  const until = h("p", { class: "soft" });
  // Asking while the offer stands is what makes them first; there they read how listening works, and say what they like.
  const yes = button(w.yes, () => go({ name: "asking" }), { class: "act" });
  const decline = () => meetings.act(meeting, "answer_aside", { yes: false });
  const no = button(w.no, () => void trouble.around(decline), { class: "act second" });
  const element = h(
    "section",
    { class: "card offer", "aria-label": w.title, hidden: true },
    h("p", {}, h("b", { text: w.title })),
    h("p", { text: w.lead }),
    until,
    trouble.element,
    h("div", { class: "row" }, yes, no),
  );
  return {
    element,
    /** @param {NewerView} view @param {number} now */
    update(view, now) {
      const isDue = isOffered(view, now);
      if (isDue) text(until, w.until(clock(view.offered_until ?? now)));
      if (isDue && element.hidden) say(`${w.title} ${w.lead}`);
      show(element, isDue);
    },
  };
}
