/** What there is to do: the reports that wait, the most urgent first, and those that were closed lately. */

/** @import {ModeratorApp, Queue, Report} from "./types.js" */

import { attr, button, h, keyed, show, text } from "../lib/dom.js";
import { clock } from "../lib/time.js";
import { words } from "../locales/en-moderate.js";

const w = words.queue;

/** @param {ModeratorApp} app @param {(report: Report) => void} choose @param {() => void} further  show the next page */
export function queueView(app, choose, further) {
  const count = h("p", { class: "soft", role: "status" });
  const open = h("ul", { class: "reports" });
  const closed = h("ul", { class: "reports" });
  const more = button(w.more, further, { class: "act second" });
  const older = h("details", {}, h("summary", { text: w.closed }), closed);
  return {
    element: h(
      "section",
      { class: "queue", "aria-labelledby": "queue-title" },
      h("h1", { id: "queue-title", text: w.title }),
      count,
      open,
      more,
      older,
    ),
    /** @param {Queue} queue @param {Report[]} extra  the pages that follow the first @param {boolean} hasMore @param {number} now @param {string} chosen */
    update(queue, extra, hasMore, now, chosen) {
      text(count, queue.open_count === 0 ? w.none : w.ranks(queue.ranks));
      show(more, hasMore);
      const make = () => row(app, choose);
      keyed(
        open,
        [...queue.open, ...extra].map((report) => ({ report, now, chosen })),
        ({ report }) => report.id,
        make,
      );
      keyed(
        closed,
        queue.closed.map((report) => ({ report, now, chosen })),
        ({ report }) => report.id,
        make,
      );
      show(older, queue.closed.length > 0);
    },
  };
}

/** @param {Pick<ModeratorApp, "me" | "roomName">} app @param {(report: Report) => void} choose */
export function row(app, choose) {
  const { me } = app;
  /** @type {Report} */
  let shown;
  const what = h("b");
  const who = h("span");
  const held = h("span", { class: "soft small" });
  const due = h("span", { class: "due" });
  const owner = h("span", { class: "soft" });
  const taken = h("span", { class: "small taken" });
  const go = h(
    "button",
    { type: "button", class: "report", on: { click: () => choose(shown) } },
    what,
    who,
    held,
    h("span", { class: "row small" }, due, owner),
    taken,
  );
  return {
    element: h("li", {}, go),
    /** @param {{report: Report, now: number, chosen: string}} item */
    update({ report, now, chosen }) {
      shown = report;
      text(what, titleOf(report, app));
      const isPart = report.card !== undefined;
      text(who, aboutWord(report));
      show(who, !isPart);
      text(held, heldWord(report));
      show(held, held.textContent !== "");
      const isClosed = report.status === "closed";
      const isLate = !isClosed && report.due_at < now;
      text(
        due,
        isClosed || isPart ? clock(report.at) : isLate ? w.late(clock(report.due_at)) : w.by(clock(report.due_at)),
      );
      text(owner, isPart ? "" : isClosed ? words.file.closed(report.outcome ?? "") : ownerWord(report, me.id));
      const lost = takenWord(report, me.id);
      text(taken, isClosed ? "" : lost);
      show(taken, !isClosed && lost !== "");
      attr(go, "data-report", report.id);
      attr(go, "aria-current", chosen === report.id ? "true" : null);
      go.classList.toggle("late", isLate);
      go.classList.toggle("call", hasToRing(report) && !isClosed);
    },
  };
}

/** Whether somebody should look now. @param {Report} report */
export const hasToRing = (report) => report.rank >= 3;

/** @param {Report} report @param {Pick<ModeratorApp, "roomName">} app */
export const titleOf = (report, { roomName }) =>
  report.folds !== undefined
    ? w.flood(report.folds)
    : `${report.is_call === true ? w.call : report.level !== undefined ? w.signal(report.reason, report.level) : w.reason(report.reason)} · ${report.room.startsWith("s-") ? w.session : roomName(report.room)}`;

/** @param {Report} report */
export function aboutWord(report) {
  if (report.folds !== undefined) return w.floodOf(report.folds, report.parts ?? 0);
  if (report.is_call === true && report.by !== undefined) return w.callFrom(report.by.name || w.somebody);
  if (report.about === undefined) return w.nobody;
  return w.about(report.about.name === "" ? w.somebody : report.about.name);
}

/** What else a card holds, and since when somebody is here. @param {Report} report */
function heldWord(report) {
  const parts = report.folds === undefined && (report.parts ?? 0) > 0 ? w.parts(report.parts ?? 0) : "";
  const newest = report.newest_at === undefined ? "" : w.newest(clock(report.newest_at));
  const fresh =
    report.new === true && report.folds === undefined && report.card === undefined
      ? report.level === undefined
        ? w.newReporter
        : w.newHere
      : "";
  const pressing = report.pressing === true && report.status !== "closed" ? w.pressing : "";
  return [pressing, parts, newest, fresh].filter((part) => part !== "").join(" · ");
}

/** @param {Report} report @param {string} me */
export function ownerWord({ claimed_by: owner, status }, me) {
  if (owner === undefined) return w.free;
  if (status === "proposed") return owner.id === me ? w.proposedByMe : w.proposedBy(owner.name);
  return owner.id === me ? w.mine : w.theirs(owner.name);
}

/** What somebody from whom a report was taken is told. @param {Report} report @param {string} me */
export function takenWord({ taken_from: from, taken_why: why, claimed_by: by }, me) {
  return from?.id === me && by !== undefined ? w.taken(by.name, why ?? "") : "";
}
