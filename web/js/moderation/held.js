/** What a report holds: the other things that one person's words raised, or the people whose alerts came in a flood. */

/** @import {ModeratorApp, Report, ReportPage} from "./types.js" */

import { button, h, keyed, show } from "../lib/dom.js";
import { field, twoTouches } from "../shell/fields.js";
import { refusalWord, words } from "../locales/en-moderate.js";
import { chooser, trouble } from "./parts.js";
import { row } from "./queue.js";

const w = words.held;

/** A list that goes on, page by page, to its end. @param {ModeratorApp} app @param {Report} report @param {(part: Report) => void} choose */
export function partsView(app, report, choose) {
  const line = trouble();
  const list = h("ul", { class: "reports", role: "list" });
  const further = button(words.queue.more, () => void line.around(() => load(pages + 1)), { class: "act second" });
  let pages = 1;
  let seen = "";

  /** @param {number} wanted */
  async function load(wanted) {
    pages = wanted;
    /** @type {Report[]} */
    const found = [];
    let after = "";
    for (let n = 0; n < wanted && (n === 0 || after !== ""); n++) {
      const page = /** @type {ReportPage} */ (
        await app.ask("report_page", { within: report.id, ...(after !== "" && { after }) })
      );
      found.push(...page.reports);
      after = page.next ?? "";
    }
    const now = Date.now();
    keyed(
      list,
      found.map((part) => ({ report: part, now, chosen: "" })),
      (item) => item.report.id,
      () => row(app, choose),
    );
    show(further, after !== "");
  }

  return {
    element: h(
      "section",
      {},
      h("h2", { text: report.folds === undefined ? w.title : w.floodTitle }),
      line.element,
      list,
      further,
    ),
    /** Read it again where it has changed. @param {Report} latest */
    update(latest) {
      const stand = `${latest.parts ?? 0} ${latest.newest_at ?? 0} ${latest.status}`;
      if (stand === seen) return;
      seen = stand;
      void line.around(() => load(pages));
    },
  };
}

/** What a flood is, and what can be done about where it comes from. @param {ModeratorApp} app @param {Report} report */
export function floodPanel({ ask, askWithReauth, mayOperate, say }, report) {
  const lead = h("p", { text: w.lead[report.folds ?? "words"] });
  if (!mayOperate) return h("div", {}, lead, h("p", { text: w.askOperator }));
  const where = chooser([
    ["all", w.allRooms],
    ["one", w.oneRoom(report.room)],
  ]);
  const time = chooser(w.times);
  const why = h("input", { type: "text", maxlength: 500, value: w.whyUsual });
  const raid = twoTouches({
    ask: w.protect,
    lead: w.protectLead,
    yes: w.protectYes,
    no: words.file.cancel,
    fields: [field(w.where, where), field(w.time, time), field(w.why, why)],
    refusal: refusalWord,
    act: async () => {
      const fields = { minutes: Number(time.value), quiet_minutes: w.quietMinutes, reason: why.value };
      await (where.value === "all" ? askWithReauth("raid_all", fields) : ask("raid", { room: report.room, ...fields }));
      say(w.isProtected);
    },
  });
  return h("div", {}, lead, h("div", { class: "row" }, raid.first), raid.panel);
}
