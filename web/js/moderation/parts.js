/** Small pieces of the moderators' page. */

/** @import {Measure, ModeratorApp} from "./types.js" */

import { daily } from "../lib/daily.js";
import { h, show, text } from "../lib/dom.js";
import { momentWord } from "../locales/en-moment.js";
import { refusalWord, words } from "../locales/en-moderate.js";
import { field, twoTouches } from "../shell/fields.js";
import { foldIfLong } from "../shell/fold.js";

const w = words.measure;

/** A moment as one says it. @param {number} at */
export const moment = (at) => momentWord(at);

/** A line for what did not work. */
export function trouble() {
  const element = h("p", { class: "trouble", role: "alert", hidden: true });
  return {
    element,
    /** @param {() => Promise<unknown>} act */
    async around(act) {
      show(element, false);
      try {
        await act();
      } catch (no) {
        text(element, refusalWord(no));
        show(element, true);
      }
    },
  };
}

/** @param {[string, string][]} options */
export const chooser = (options) =>
  h("select", {}, ...options.map(([value, label]) => h("option", { value, text: label })));

/** One decision, with what can be done about it. @param {ModeratorApp} app @param {Measure} measure @param {boolean} canLift */
export function measureRow({ ask, say }, measure, canLift) {
  const why = h("textarea", { rows: 2, maxlength: 500, required: true });
  const lifting = twoTouches({
    ask: w.lift,
    lead: w.liftLead,
    yes: w.liftYes,
    no: words.file.cancel,
    fields: [field(w.liftWhy, why)],
    refusal: refusalWord,
    act: async () => {
      await ask("lift", { measure: measure.id, reason: why.value });
      say(w.ended);
    },
  });
  daily(lifting.first, (first) =>
    first.setAttribute(
      "aria-label",
      `${w.lift}: ${w.row(measure.kind, moment(measure.expires_at))}, ${measure.about.name}`,
    ),
  );
  // Of one's own decision somebody else decides, once it was answered.
  const isOver = measure.lifted_at !== undefined || measure.expires_at < Date.now() || measure.appeal === "";
  const said = h("p", {
    class: "text",
    text: measure.appeal === "" ? w.answeredForOthers : w.answer(measure.appeal ?? ""),
  });
  const appeal = h("div", { class: "appeal" }, said);
  foldIfLong(said);
  return {
    element: h(
      "li",
      { class: "decision" },
      daily(h("b"), (said) =>
        text(
          said,
          `${measure.about.name || words.queue.somebody} · ${w.row(measure.kind, moment(measure.expires_at))}`,
        ),
      ),
      h("p", { text: measure.reason }),
      measure.appeal !== undefined && appeal,
      h("p", {
        class: "soft small",
        text: [measure.room ?? "", w.by(measure.by.name), measure.lifted_at !== undefined ? w.lifted : ""]
          .filter((part) => part !== "")
          .join(" · "),
      }),
      canLift && !isOver && h("div", { class: "row" }, lifting.first),
      canLift && !isOver && lifting.panel,
    ),
    update() {},
  };
}
