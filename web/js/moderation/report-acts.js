/** What a moderator decides of a report: taking it over, reviewing an outcome, a measure, closing it. */

/** @import {ModeratorApp, Report} from "./types.js" */

import { h, show, text } from "../lib/dom.js";
import { refusalWord, words } from "../locales/en-moderate.js";
import { field, twoTouches } from "../shell/fields.js";
import { chooser, moment } from "./parts.js";

const w = words.file;

/** @param {Report} report */
export const isTalk = (report) => report.room.startsWith("s-");

/** Taking it from whoever has it, who is told why. @param {ModeratorApp} app @param {() => Report} latest */
export function takePanel({ ask, say }, latest) {
  const why = h("input", { type: "text", maxlength: 500, required: true });
  const taking = twoTouches({
    ask: w.take,
    lead: w.takeLead,
    yes: w.takeYes,
    no: w.cancel,
    fields: [field(w.takeWhy, why)],
    refusal: refusalWord,
    act: async () => {
      const { id, claimed_by: owner } = latest();
      await ask("claim", { report: id, why: why.value, ...(owner !== undefined && { instead_of: owner.id }) });
      why.value = "";
      say(w.took);
    },
  });
  return {
    first: taking.first,
    panel: taking.panel,
    /** @param {boolean} isPossible */
    show(isPossible) {
      text(taking.first, w.takeFrom(latest().claimed_by?.name ?? ""));
      show(taking.first, isPossible);
      if (!isPossible) taking.close();
    },
  };
}

/** When the newest of what a report holds was added. @param {Report} report */
export function newest(report) {
  return report.newest_at ?? report.at;
}

/** What a second person says to the outcome that was proposed. @param {ModeratorApp} app @param {() => Report} latest @param {() => number} seen */
export function reviewPanels({ ask, say }, latest, seen) {
  let proposed = "";
  const shown = () => {
    const { id, outcome, reply } = latest();
    return { report: id, seen: seen(), outcome, reply: reply ?? "" };
  };
  const agreeing = twoTouches({
    ask: w.agree,
    lead: w.agreeLead,
    yes: w.agreeYes,
    no: w.cancel,
    refusal: refusalWord,
    act: async () => {
      await ask("review", { ...shown(), agree: true });
      say(w.agreed);
    },
  });
  const why = h("textarea", { rows: 2, maxlength: 500, required: true });
  const refusing = twoTouches({
    ask: w.disagree,
    lead: w.disagreeLead,
    yes: w.disagreeYes,
    no: w.cancel,
    fields: [field(w.disagreeWhy, why)],
    refusal: refusalWord,
    act: async () => {
      await ask("review", { ...shown(), agree: false, why: why.value });
      why.value = "";
      say(w.disagreed);
    },
  });
  const element = h(
    "div",
    { hidden: true },
    h("div", { class: "row" }, agreeing.first, refusing.first),
    agreeing.panel,
    refusing.panel,
  );
  return {
    element,
    /** @param {boolean} isAsked */
    show(isAsked) {
      const { outcome, reply } = latest();
      if (`${outcome} ${reply}` !== proposed) {
        // It is another outcome by now: nobody agrees to it by what they began before.
        agreeing.close();
        refusing.close();
        proposed = `${outcome} ${reply}`;
      }
      show(element, isAsked);
    },
  };
}

/** Nothing was chosen yet. */
class Chosen extends Error {}

/** @param {ModeratorApp} app @param {Report} report @param {() => number} seen */
export function closePanel({ ask, say }, report, seen) {
  const isOurs = report.level !== undefined || report.folds === "words";
  const isStaff = report.about_staff === true;
  // Nobody closes it by what happened to stand there.
  const outcome = chooser([["", w.outcomeChoose], ...Object.entries(w.outcomes)]);
  const reply = h("textarea", { rows: 3, maxlength: 2000 });
  return twoTouches({
    ask: w.close,
    lead: [isStaff ? w.closeStaff : "", isOurs ? w.closeOurs : w.closeLead].filter((part) => part !== "").join(" "),
    yes: isStaff ? w.proposeYes : w.closeYes,
    no: w.cancel,
    fields: [field(w.outcome, outcome), ...(isOurs ? [] : [field(w.reply, reply)])],
    refusal: (no) => (no instanceof Chosen ? w.outcomeNone : refusalWord(no)),
    act: async () => {
      if (outcome.value === "") {
        outcome.focus();
        throw new Chosen();
      }
      await ask("close", { report: report.id, outcome: outcome.value, reply: reply.value, seen: seen() });
      say(isStaff ? w.proposed(outcome.value) : w.closed(outcome.value));
    },
  });
}

/** @param {ModeratorApp} app @param {Report} report @param {boolean} isLast  other things come first */
export function measurePanel({ askWithReauth, say }, report, isLast) {
  const m = words.measure;
  const isSession = isTalk(report);
  const person = /** @type {{id: string, name: string}} */ (report.about);
  const kinds = Object.entries(m.kinds).filter(
    ([kind]) => (kind !== "redact" || (report.offset !== undefined && !isSession)) && (kind !== "remove" || !isSession),
  );
  const kind = chooser(kinds);
  const where = chooser(
    isSession
      ? [["everywhere", m.everywhere]]
      : [
          ["here", m.here],
          ["everywhere", m.everywhere],
        ],
  );
  const time = chooser(m.times);
  const reason = h("textarea", { rows: 2, maxlength: 500, required: true });
  const whereField = field(m.where, where);
  const timeField = field(m.time, time);
  const turn = () => {
    show(whereField, kind.value === "mute");
    show(timeField, !["notice", "redact"].includes(kind.value));
  };
  kind.addEventListener("change", turn);
  turn();
  return twoTouches({
    ask: isLast ? m.restrict : m.ask,
    lead: m.lead(person.name),
    yes: m.yes,
    no: w.cancel,
    danger: true,
    fields: [field(m.kind, kind), whereField, timeField, field(m.reason, reason)],
    refusal: refusalWord,
    act: async () => {
      const isPost = kind.value === "redact";
      const isHere = isPost || kind.value === "remove" || (kind.value === "mute" && where.value === "here");
      const ok = await askWithReauth("measure", {
        kind: kind.value,
        reason: reason.value,
        report: report.id,
        ...(isPost ? { offset: report.offset, epoch: report.epoch } : { member: person.id }),
        ...(isHere && { room: report.room }),
        ...(!timeField.hidden && { minutes: Number(time.value) }),
      });
      reason.value = "";
      say(m.done(kind.value, moment(ok.until)));
    },
  });
}
