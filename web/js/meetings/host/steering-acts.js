/** What a host can do besides going on: hold the meeting, give more time, leave, end it. */

/** @import {MeetingView} from "wire" */
/** @import {Way} from "./part.js" */

import { button, h, show } from "../../lib/dom.js";
import { words } from "../../locales/en-host.js";
import { troubleLine, twoTouches } from "../../shell/fields.js";
import { hostRefusal } from "./refusal.js";

const w = words.console;

/** @param {{way: Way, id: string}} at */
export function steeringActs({ way, id }) {
  const { meetings, context } = way;
  const refusal = (/** @type {unknown} */ no) => hostRefusal(no, meetings.now);
  const trouble = troubleLine(refusal);
  const give = (/** @type {string} */ cmd, /** @type {object} */ fields, /** @type {string} */ said) =>
    void trouble.around(async () => {
      await meetings.act(id, cmd, fields);
      context.say(said);
    });
  const addTime = button(w.addTime, () => give("add_time", {}, w.added), { class: "pill", title: w.addTimeLead });
  const pause = button(w.pause, () => give("pause", { on: true }, w.held), { class: "pill" });
  const sure = (
    /** @type {Record<"ask" | "lead" | "yes", string>} */ said,
    /** @type {() => Promise<unknown>} */ act,
    danger = true,
  ) => twoTouches({ ...said, no: w.stay, danger, refusal, act });
  const stepOut = () => meetings.stepOut(id);
  const leave = sure({ ask: w.stepOut, lead: w.stepOutLead, yes: w.stepOutYes }, stepOut, false);
  const end = sure({ ask: w.close, lead: w.closeLead, yes: w.closeYes }, () => meetings.act(id, "end_meeting", {}));
  const danger = sure({ ask: w.danger, lead: w.dangerLead, yes: w.dangerYes }, () =>
    meetings.act(id, "end_meeting", { why: "danger" }),
  );
  const all = [leave, end, danger];
  const more = h(
    "details",
    { class: "host-more" },
    h("summary", { text: w.more }),
    h("div", { class: "host-more-acts" }, ...all.flatMap((each) => [each.first, each.panel])),
  );
  return {
    element: h("div", { class: "host-acts" }, h("div", { class: "row" }, pause, addTime), trouble.element, more),
    /** @param {MeetingView} view */
    update({ may, held }) {
      show(addTime, may.includes("add_time"));
      show(pause, may.includes("pause") && held !== true);
      show(leave.first, may.includes("step_out"));
      show(end.first, may.includes("end_meeting"));
      show(danger.first, may.includes("end_meeting"));
    },
  };
}
