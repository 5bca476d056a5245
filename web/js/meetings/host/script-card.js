/** The script of a meeting before its host: the present line large, and the parts with the present one marked. */

/** @import {MeetingView} from "wire" */
/** @import {Way} from "./part.js" */

import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { minutesWord, phaseName, phaseSentence } from "../../locales/en-meeting.js";
import { words } from "../../locales/en-host.js";
import { kindOf } from "../telling.js";
import { presentLines } from "./script.js";
import { lineAt } from "./state.js";

const w = words.console;

/** @param {Way} way @param {(line: string) => void} use  put a line where one writes */
export function scriptCard(way, use) {
  /** @type {MeetingView | undefined} */
  let shown;
  const about = h("p", { class: "soft" });
  const line = h("p", { class: "host-line" });
  const where = h("p", { class: "soft small" });
  const move = (/** @type {number} */ by) => {
    if (shown !== undefined) way.do({ type: "line", view: shown, by, most: presentLines(shown).length });
  };
  const put = button(
    w.use,
    () => {
      if (shown === undefined) return;
      use(line.textContent ?? "");
      way.context.say(w.used);
    },
    { class: "act second" },
  );
  const before = button(w.lineBack, () => move(-1), { class: "quiet" });
  const next = button(w.lineNext, () => move(1), { class: "quiet" });
  const phases = h("ol", { class: "phases short" });
  const all = h("details", { class: "host-phases" }, h("summary", { text: w.phases }), phases);
  const element = h(
    "section",
    { class: "card host-script", "aria-labelledby": "host-script" },
    h("h2", { id: "host-script", class: "unseen", text: w.script }),
    line,
    about,
    where,
    h("div", { class: "row host-line-acts" }, put, before, next),
    all,
  );
  return {
    element,
    /** @param {MeetingView} view */
    update(view) {
      shown = view;
      const lines = presentLines(view);
      const at = Math.min(lineAt(way.hosting, view), Math.max(0, lines.length - 1));
      const isAny = lines.length > 0;
      text(line, lines[at] ?? w.lineNone);
      line.classList.toggle("soft", !isAny);
      text(about, phaseSentence(kindOf(view)));
      text(where, lines.length > 1 ? w.lineOf(at + 1, lines.length) : "");
      show(where, lines.length > 1);
      show(put, isAny && view.stage === "live");
      show(before, lines.length > 1);
      show(next, lines.length > 1);
      attr(before, "aria-disabled", at === 0 ? "true" : null);
      attr(next, "aria-disabled", at === lines.length - 1 ? "true" : null);
      drawPhases(phases, view);
    },
  };
}

/** @param {HTMLElement} list @param {MeetingView} view */
function drawPhases(list, { phases, phase = -1 }) {
  keyed(
    list,
    phases.map((each, index) => ({ ...each, index, isNow: index === phase })),
    ({ index }) => String(index),
    ({ kind, minutes }) => {
      const said = h("span", { class: "soft", text: minutesWord(minutes) });
      const element = h("li", {}, h("span", { text: phaseName(kind) }), " ", said);
      return { element, update: ({ isNow }) => attr(element, "aria-current", isNow ? "step" : null) };
    },
  );
}
