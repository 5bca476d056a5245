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

export class FileView {
  isLooking = false;
  title = h("h1");
  owner = h("p", { class: "soft", role: "status" });
  closed = h("p", { class: "done" });
  taken = h("p", { class: "taken" });
  why = h("input", { type: "text", maxlength: 500, value: w.whyUsual });
  content = h("div", { class: "content" });
  line = trouble();

  /** @param {ModeratorApp} app @param {Report} report @param {() => void} back @param {(part: Report) => void} choose */
  constructor(app, report, back, choose) {
    this.app = app;
    this.report = report;
    this.now = report;
    /** What was added after this is not decided before it is looked at. */
    this.seen = newest(report);
    this.isFlood = report.folds !== undefined;
    this.isPart = report.card !== undefined;
    const { id } = report;
    const { line } = this;
    this.take = button(w.take, () => void line.around(() => app.ask("claim", { report: id })), { class: "act" });
    this.give = button(w.giveBack, () => void line.around(() => app.ask("release", { report: id })), {
      class: "quiet",
    });
    this.taking = takePanel(app, () => this.now);
    this.review = reviewPanels(
      app,
      () => this.now,
      () => this.seen,
    );
    this.closing = closePanel(app, report, () => this.seen);
    this.held = (report.parts ?? 0) > 0 ? partsView(app, report, choose) : null;
    this.added = this.#added();
    this.reading = this.#reading();
    this.element = this.#layout(back);
    this.update(report);
  }

  /** @param {Report} latest */
  update(latest) {
    const { me } = this.app;
    this.now = latest;
    // What was a worry may be urgent by now.
    text(this.title, titleOf(latest, this.app));
    const isClosed = latest.status === "closed";
    const isMine = latest.claimed_by?.id === me.id;
    text(this.owner, this.isPart ? w.isPart : isClosed ? "" : ownerWord(latest, me.id));
    this.held?.update(latest);
    if (!isClosed && !this.isLooking && newest(latest) > this.seen) show(this.added, true);
    text(this.closed, outcomeWord(latest));
    show(this.closed, isClosed || latest.status === "proposed");
    this.#updateActs(latest, isClosed, isMine);
    const from = latest.taken_from;
    const taken =
      from === undefined || isClosed ? "" : takenWord(latest, me.id) || w.takenOver(from.name, latest.taken_why ?? "");
    text(this.taken, taken);
    show(this.taken, taken !== "");
  }

  /** @param {Report} latest @param {boolean} isClosed @param {boolean} isMine */
  #updateActs(latest, isClosed, isMine) {
    const { isPart, take, taking, give, closing, review } = this;
    const isProposed = latest.status === "proposed";
    show(take, latest.claimed_by === undefined && !isClosed && !isPart);
    taking.show(!isPart && !isClosed && !isProposed && !isMine && latest.claimed_by !== undefined);
    text(give, isProposed ? w.takeBack : w.giveBack);
    show(give, !isClosed && isMine && !isPart);
    show(closing.first, latest.status === "claimed" && isMine && !isPart);
    if (latest.status !== "claimed" || !isMine) show(closing.panel, false);
    review.show(isProposed && !isMine && !isPart);
  }

  /** @param {() => void} back */
  #layout(back) {
    const { app, report, take, taking, give, line, isFlood } = this;
    const isWithin = this.isPart || report.fold !== undefined;
    const about = daily(h("p"), (said) => text(said, `${aboutWord(report)} · ${fromWord(report)}`));
    return h(
      "section",
      { class: "file card" },
      button(isWithin ? w.backToCard : w.back, back, { class: isWithin ? "quiet" : "quiet back-to-queue" }),
      this.title,
      about,
      this.owner,
      this.taken,
      this.closed,
      h("div", { class: "row" }, take, taking.first, give),
      taking.panel,
      line.element,
      this.added,
      this.#acts(),
      ...(isFlood ? [floodPanel(app, report)] : [this.reading, this.content]),
      this.held?.element ?? false,
    );
  }

  /** What can be done about whom it is about, and with the report. */
  #acts() {
    const { app, report, closing, review } = this;
    const isStaff = report.about_staff === true;
    const person = isStaff || report.about === undefined || report.about.name === "" ? null : report.about;
    const isCrisis = isCrisisReport(report);
    const measure = person === null ? null : measurePanel(app, report, isCrisis);
    const target = person && { name: person.name, member: person.id, room: report.room, report: report.id };
    // Whoever may be in danger is written to first, and limited last.
    const helping = target === null ? null : actings(app, target, isCrisis ? ["message", "offer"] : ["message"]);
    const [message, ...others] = helping?.firsts ?? [];
    if (isCrisis) message?.setAttribute("class", "act");
    const open = () => app.openRoom(report.room, report.offset, report.epoch);
    const room = isTalk(report) || this.isFlood ? null : button(w.openRoom, open, { class: "quiet" });
    return h(
      "div",
      { class: "acts" },
      isStaff && h("p", { class: "soft", text: w.aboutStaff }),
      isCrisis && person !== null && h("p", { text: w.crisis(person.name) }),
      h("div", { class: "row" }, message ?? false, room, ...others),
      ...(helping?.panels ?? []),
      h("div", { class: "row" }, measure?.first ?? false, closing.first),
      measure?.panel ?? false,
      closing.panel,
      review.element,
    );
  }

  /** That something was added, and a way to look at it. */
  #added() {
    const look = button(w.lookAgain, () => this.#look(), { class: "act second" });
    return h("div", { class: "stack", role: "status", hidden: true }, h("p", { text: w.added }), look);
  }

  #look() {
    show(this.added, false);
    if (this.isFlood) {
      // What it holds stands below, and is always new.
      this.seen = newest(this.now);
      const below = this.held?.element.querySelector("h2") ?? this.title;
      return focusOn(/** @type {HTMLElement} */ (below));
    }
    this.isLooking = true;
    show(this.reading, true);
    this.why.focus();
  }

  /** What was written is read for a reason. */
  #reading() {
    const go = h("button", { type: "submit", class: "act second", text: w.read });
    const asked = field(w.why, this.why, w.whyLead);
    const form = h("form", { class: "stack", novalidate: true }, asked, h("div", { class: "row" }, go));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.line.around(() => this.#read());
    });
    return form;
  }

  async #read() {
    const { app, report, content } = this;
    const file = await app.ask("open_report", { report: report.id, why: this.why.value });
    this.seen = Math.max(this.seen, newest(file.report));
    this.isLooking = false;
    show(this.added, newest(this.now) > this.seen);
    show(this.reading, false);
    const begun = content.querySelector("textarea")?.value ?? "";
    content.replaceChildren(...contents(app, file));
    const note = content.querySelector("textarea");
    if (note !== null) note.value = begun;
    content.querySelector(".it")?.scrollIntoView({ block: "nearest" });
    const first = content.querySelector("h2");
    if (first === null) return;
    first.tabIndex = -1;
    first.focus();
  }
}

/** Who told of it, and when. @param {Report} report */
const fromWord = ({ by, at }) => (by === undefined ? moment(at) : w.from(by.name || words.queue.somebody, moment(at)));

/** How it was closed, or is proposed to be, and what its reporter is told. @param {Report} report */
function outcomeWord({ status, outcome, reply }) {
  if (status !== "closed" && status !== "proposed") return "";
  const isProposed = status === "proposed";
  const said = reply ? (isProposed ? w.wouldReply : w.replied)(reply) : "";
  return [(isProposed ? w.proposed : w.closed)(outcome ?? ""), said].filter((part) => part !== "").join(" ");
}
