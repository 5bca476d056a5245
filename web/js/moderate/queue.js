/** What there is to do: the reports that wait, the most urgent first, and those that were closed lately. */

/** @import {Office, Queue, Report} from "./types.js" */

import { attr, h, keyed, show, text } from "../lib/dom.js";
import { clock } from "../lib/time.js";
import { words } from "../locales/en-moderate.js";

const w = words.queue;

/** @param {Office} office @param {(report: string) => void} choose */
export function queueView(office, choose) {
  const count = h("p", { class: "soft", role: "status" });
  const open = h("ul", { class: "reports" });
  const closed = h("ul", { class: "reports" });
  const older = h("details", {}, h("summary", { text: w.closed }), closed);
  return {
    element: h("section", { class: "queue", "aria-labelledby": "queue-title" }, h("h1", { id: "queue-title", text: w.title }), count, open, older),
    /** @param {Queue} queue @param {number} now @param {string} chosen */
    update(queue, now, chosen) {
      text(count, queue.open_count === 0 ? w.none : w.count(queue.open_count));
      const make = () => row(office, choose);
      keyed(open, queue.open.map((report) => ({ report, now, chosen })), ({ report }) => report.id, make);
      keyed(closed, queue.closed.map((report) => ({ report, now, chosen })), ({ report }) => report.id, make);
      show(older, queue.closed.length > 0);
    },
  };
}

/** @param {Office} office @param {(report: string) => void} choose */
function row({ me }, choose) {
  let id = "";
  const what = h("b");
  const who = h("span");
  const due = h("span", { class: "due" });
  const owner = h("span", { class: "soft" });
  const go = h("button", { type: "button", class: "report", on: { click: () => choose(id) } }, what, who, h("span", { class: "row small" }, due, owner));
  return {
    element: h("li", {}, go),
    /** @param {{report: Report, now: number, chosen: string}} item */
    update({ report, now, chosen }) {
      id = report.id;
      text(what, titleOf(report));
      text(who, aboutWord(report));
      const isClosed = report.status === "closed";
      const isLate = !isClosed && report.due_at < now;
      text(due, isClosed ? clock(report.at) : isLate ? w.late(clock(report.due_at)) : w.by(clock(report.due_at)));
      text(owner, isClosed ? words.file.closed(report.outcome ?? "") : ownerWord(report, me.id));
      attr(go, "data-report", id);
      attr(go, "aria-current", chosen === id ? "true" : null);
      go.classList.toggle("late", isLate);
      go.classList.toggle("call", hasToRing(report) && !isClosed);
    },
  };
}

/** Whether it is as urgent as a call. @param {Report} report */
export const hasToRing = (report) => report.is_call === true || (report.level ?? 0) >= 3;

/** @param {Report} report */
export const titleOf = (report) => `${report.is_call === true ? w.call : report.level !== undefined ? w.signal(report.reason, report.level) : w.reason(report.reason)} · ${report.room.startsWith("s-") ? w.session : report.room}`;

/** @param {Report} report */
export function aboutWord(report) {
  if (report.about === undefined) return w.nobody;
  return w.about(report.about.name === "" ? w.somebody : report.about.name);
}

/** @param {Report} report @param {string} me */
export function ownerWord({ claimed_by: owner }, me) {
  if (owner === undefined) return w.free;
  return owner.id === me ? w.mine : w.theirs(owner.name);
}
