/** Whether somebody would like a turn in a meeting, or to listen. */

/** @import {Side} from "./meetings.js" */

import { h } from "../lib/dom.js";
import { words } from "../locales/en-meeting.js";

const w = words.group;

/** @param {Side} current @param {(side: Side) => void} choose */
export function sidesField(current, choose) {
  const radio = (/** @type {Side} */ value, /** @type {string} */ label) => {
    const input = h("input", { type: "radio", name: "side", value, checked: value === current });
    input.addEventListener("change", () => choose(value));
    return h("label", { class: "check" }, input, h("span", { text: label }));
  };
  return h(
    "fieldset",
    { hidden: true },
    h("legend", { text: w.side }),
    h("div", { class: "row" }, radio("share", w.share), radio("listen", w.listen)),
  );
}
