/** One report: whose it is, what was written, and what is done about it. */

/** @import {ModeratorApp, Report} from "./types.js" */

import { daily } from "../lib/daily.js";
import { button, focusOn, h, show, text } from "../lib/dom.js";
import { words } from "../locales/en-moderate.js";
import { field } from "../shell/fields.js";
import { actings } from "./acting.js";
import { floodPanel, partsView } from "./held.js";
import { moment, trouble } from "./parts.js";
import { aboutWord, ownerWord, takenWord, titleOf } from "./queue.js";
import { closePanel, isTalk, measurePanel, newest, reviewPanels, takePanel } from "./report-acts.js";
import { contents } from "./report-contents.js";

const w = words.file;
/** What was reported, or what words sounded like, where somebody may need help more than anything else. */
const CRISIS = ["self_harm", "method", "danger", "abuse"];

/** @param {Report} report */
const isCrisisReport = (report) => CRISIS.includes(report.reason);

/** @param {ModeratorApp} app @param {Report} report @param {() => void} back @param {(part: Report) => void} choose */
export function fileView(app, report, back, choose) {
  const { ask, me, say } = app;
  let now = report;
  // What was added after this is not decided before it is looked at.
  let seen = newest(report);
  const title = h("h1");
  const about = daily(h("p"), (said) =>
    text(
      said,
      `${aboutWord(report)} · ${report.by === undefined ? moment(report.at) : w.from(report.by.name || words.queue.somebody, moment(report.at))}`,
    ),
  );
  const owner = h("p", { class: "soft", role: "status" });
  const closed = h("p", { class: "done" });
  const line = trouble();
  const take = button(w.take, () => void line.around(() => ask("claim", { report: report.id })), { class: "act" });
  const give = button(w.giveBack, () => void line.around(() => ask("release", { report: report.id })), {
    class: "quiet",
  });
  const taking = takePanel(app, () => now);
  const taken = h("p", { class: "taken" });
  const review = reviewPanels(
    app,
    () => now,
    () => seen,
  );
  const isFlood = report.folds !== undefined;
  let isLooking = false;
  const added = h(
    "div",
    { class: "stack", role: "status", hidden: true },
    h("p", { text: w.added }),
    button(
      w.lookAgain,
      () => {
        show(added, false);
        if (isFlood) {
          // What it holds stands below, and is always new.
          seen = newest(now);
          const below = held?.element.querySelector("h2") ?? title;
          return focusOn(/** @type {HTMLElement} */ (below));
        }
        isLooking = true;
        show(reading, true);
        why.focus();
      },
      { class: "act second" },
    ),
  );
  const why = h("input", { type: "text", maxlength: 500, value: w.whyUsual });
  const content = h("div", { class: "content" });
  const reading = h(
    "form",
    { class: "stack", novalidate: true },
    field(w.why, why, w.whyLead),
    h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.read })),
  );
  reading.addEventListener("submit", (event) => {
    event.preventDefault();
    void line.around(async () => {
      const file = await ask("open_report", { report: report.id, why: why.value });
      seen = Math.max(seen, newest(file.report));
      isLooking = false;
      show(added, newest(now) > seen);
      show(reading, false);
      const begun = content.querySelector("textarea")?.value ?? "";
      content.replaceChildren(...contents(app, file));
      const note = content.querySelector("textarea");
      if (note !== null) note.value = begun;
      content.querySelector(".it")?.scrollIntoView({ block: "nearest" });
      const first = content.querySelector("h2");
      if (first !== null) {
        first.tabIndex = -1;
        first.focus();
      }
    });
  });
  const closing = closePanel(app, report, () => seen);
  const isPart = report.card !== undefined;
  const isWithin = isPart || report.fold !== undefined;
  const held = (report.parts ?? 0) > 0 ? partsView(app, report, choose) : null;
  const isStaff = report.about_staff === true;
  const about_ = isStaff || report.about === undefined || report.about.name === "" ? null : report.about;
  const isCrisis = isCrisisReport(report);
  const measure = about_ === null ? null : measurePanel(app, report, isCrisis);
  // Whoever may be in danger is written to first, and limited last.
  const helping =
    about_ === null
      ? null
      : actings(
          app,
          { name: about_.name, member: about_.id, room: report.room, report: report.id },
          isCrisis ? ["message", "offer"] : ["message"],
        );
  const [message, ...others] = helping?.firsts ?? [];
  if (isCrisis) message?.setAttribute("class", "act");
  const room =
    isTalk(report) || isFlood
      ? null
      : button(w.openRoom, () => app.openRoom(report.room, report.offset, report.epoch), { class: "quiet" });
  const acts = h(
    "div",
    { class: "acts" },
    isStaff && h("p", { class: "soft", text: w.aboutStaff }),
    isCrisis && about_ !== null && h("p", { text: w.crisis(about_.name) }),
    h("div", { class: "row" }, message ?? false, room, ...others),
    ...(helping?.panels ?? []),
    h("div", { class: "row" }, measure?.first ?? false, closing.first),
    measure?.panel ?? false,
    closing.panel,
    review.element,
  );

  /** @param {Report} latest */
  function update(latest) {
    now = latest;
    // What was a worry may be urgent by now.
    text(title, titleOf(latest, app));
    const isClosed = latest.status === "closed";
    const isMine = latest.claimed_by?.id === me.id;
    const isProposed = latest.status === "proposed";
    text(owner, isPart ? w.isPart : isClosed ? "" : ownerWord(latest, me.id));
    held?.update(latest);
    if (!isClosed && !isLooking && newest(latest) > seen) show(added, true);
    const outcome = isProposed ? w.proposed(latest.outcome ?? "") : w.closed(latest.outcome ?? "");
    text(
      closed,
      isClosed || isProposed
        ? [outcome, latest.reply ? (isProposed ? w.wouldReply : w.replied)(latest.reply) : ""]
            .filter((part) => part !== "")
            .join(" ")
        : "",
    );
    show(closed, isClosed || isProposed);
    show(take, latest.claimed_by === undefined && !isClosed && !isPart);
    taking.show(!isPart && !isClosed && !isProposed && !isMine && latest.claimed_by !== undefined);
    text(give, isProposed ? w.takeBack : w.giveBack);
    show(give, !isClosed && isMine && !isPart);
    show(closing.first, latest.status === "claimed" && isMine && !isPart);
    if (latest.status !== "claimed" || !isMine) show(closing.panel, false);
    review.show(isProposed && !isMine && !isPart);
    const from = latest.taken_from;
    text(
      taken,
      from === undefined || isClosed ? "" : takenWord(latest, me.id) || w.takenOver(from.name, latest.taken_why ?? ""),
    );
    show(taken, taken.textContent !== "");
  }
  update(report);
  return {
    element: h(
      "section",
      { class: "file card" },
      button(isWithin ? w.backToCard : w.back, back, { class: isWithin ? "quiet" : "quiet back-to-queue" }),
      title,
      about,
      owner,
      taken,
      closed,
      h("div", { class: "row" }, take, taking.first, give),
      taking.panel,
      line.element,
      added,
      acts,
      ...(isFlood ? [floodPanel(app, report)] : [reading, content]),
      held?.element ?? false,
    ),
    update,
    say,
  };
}
