/** One report: whose it is, what was written, and what is done about it. */

/** @import {Post} from "../types.js" */
/** @import {Office, Report, ReportFile} from "./types.js" */

import { button, h, show, text } from "../lib/dom.js";
import { shape } from "../lib/shape.js";
import { clock, iso } from "../lib/time.js";
import { field, twoTouches } from "../listen/parts.js";
import { refusalWord, words } from "../locales/en-moderate.js";
import { chooser, measureRow, moment, trouble } from "./parts.js";
import { aboutWord, ownerWord, titleOf } from "./queue.js";

const w = words.file;

/** @param {Office} office @param {Report} report @param {() => void} back */
export function fileView(office, report, back) {
  const { ask, me, say } = office;
  let now = report;
  const title = h("h1", { text: titleOf(report) });
  const about = h("p", {}, aboutWord(report), report.by !== undefined ? ` · ${w.from(report.by.name || words.queue.somebody, moment(report.at))}` : ` · ${moment(report.at)}`);
  const owner = h("p", { class: "soft", role: "status" });
  const closed = h("p", { class: "done" });
  const line = trouble();
  const take = button(w.take, () => void line.around(() => ask("claim", { report: report.id, ...(now.claimed_by !== undefined && { instead_of: now.claimed_by.id }) })), { class: "act" });
  const give = button(w.giveBack, () => void line.around(() => ask("release", { report: report.id })), { class: "quiet" });
  const why = h("input", { type: "text", maxlength: 500, value: w.whyUsual });
  const content = h("div", { class: "content" });
  const reading = h("form", { class: "stack", novalidate: true }, field(w.why, why, w.whyLead), h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.read })));
  reading.addEventListener("submit", (event) => {
    event.preventDefault();
    void line.around(async () => {
      const file = await ask("open_report", { report: report.id, why: why.value });
      show(reading, false);
      content.replaceChildren(...contents(office, file));
      content.querySelector(".it")?.scrollIntoView({ block: "nearest" });
      const first = content.querySelector("h2");
      if (first !== null) {
        first.tabIndex = -1;
        first.focus();
      }
    });
  });
  const closing = closePanel(office, report);
  const measure = report.about === undefined || report.about.name === "" ? null : measurePanel(office, report);
  const acts = h("div", { class: "acts" }, h("div", { class: "row" }, ...(measure === null ? [] : [measure.first]), closing.first), ...(measure === null ? [] : [measure.panel]), closing.panel);

  /** @param {Report} latest */
  function update(latest) {
    now = latest;
    const isClosed = latest.status === "closed";
    const isMine = latest.claimed_by?.id === me.id;
    text(owner, isClosed ? "" : ownerWord(latest, me.id));
    text(closed, isClosed ? [w.closed(latest.outcome ?? ""), latest.reply ? w.replied(latest.reply) : ""].filter((part) => part !== "").join(" ") : "");
    show(closed, isClosed);
    text(take, latest.claimed_by === undefined ? w.take : w.takeFrom(latest.claimed_by.name));
    show(take, !isClosed && !isMine);
    show(give, !isClosed && isMine);
    show(closing.first, !isClosed && isMine);
  }
  update(report);
  return {
    element: h("section", { class: "file card" }, button(w.back, back, { class: "quiet back-to-queue" }), title, about, owner, closed, h("div", { class: "row" }, take, give), line.element, acts, reading, content),
    update,
    say,
  };
}

/** @param {Office} office @param {ReportFile} file @returns {HTMLElement[]} */
function contents(office, file) {
  const line = trouble();
  const list = h("ul", { class: "notes" }, ...file.notes.map((note) => h("li", {}, h("p", { text: note.note }), h("span", { class: "soft small", text: `${note.by.name}, ${moment(note.at)}` }))));
  const text_ = h("textarea", { rows: 2, maxlength: 2000, required: true });
  const form = h("form", { class: "stack", novalidate: true }, field(w.addNote, text_), line.element, h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.saveNote })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void line.around(async () => {
      await office.ask("note", { report: file.report.id, note: text_.value });
      list.append(h("li", {}, h("p", { text: text_.value }), h("span", { class: "soft small", text: office.me.name })));
      text_.value = "";
      office.say(w.noted);
    });
  });
  return [
    h("h2", { text: file.report.level === undefined ? w.note : w.fired }),
    ...(file.report.level === undefined ? [] : [h("p", { class: "soft", text: w.firedLead })]),
    ...(file.report.level === undefined ? [h("p", { class: file.note === "" ? "soft" : "", text: file.note === "" ? w.noNote : file.note })] : fired(file.note)),
    h("h2", { text: w.posts }),
    file.posts.length === 0 ? h("p", { class: "soft", text: w.noPosts }) : h("ol", { class: "snapshot", tabindex: 0, role: "list", "aria-label": w.posts }, ...file.posts.map((post) => postRow(post, post.offset === file.report.offset))),
    h("h2", { text: w.notes }),
    list,
    form,
    ...(file.measures.length === 0 ? [] : [h("h2", { text: w.before }), h("ul", { class: "decisions" }, ...file.measures.map((measure) => measureRow(office, measure, false).element))]),
  ];
}

/** The words that fired, and the line of the list. @param {string} note */
function fired(note) {
  const [said = "", phrase = ""] = note.split("\n");
  if (said === "") return [h("p", { class: "soft", text: w.erased })];
  return [h("p", {}, h("b", { text: `“${said}”` })), h("details", {}, h("summary", { class: "small", text: w.line }), h("p", { class: "soft small", text: phrase }))];
}

/** @param {Post} post @param {boolean} isIt */
function postRow(post, isIt) {
  const isGone = post.redacted === true;
  return h(
    "li",
    { class: isIt ? "post it" : "post" },
    shape(post.author),
    h(
      "div",
      { class: "body" },
      h("div", { class: "head" }, h("b", { text: post.name }), h("time", { class: "soft", datetime: iso(post.at), text: clock(post.at) }), isIt && h("span", { class: "mark", text: w.reported })),
      h("p", { class: isGone ? "text soft" : "text", text: isGone ? w.redacted : post.text }),
    ),
  );
}

/** @param {Office} office @param {Report} report */
function closePanel({ ask, say }, report) {
  const isOurs = report.level !== undefined;
  const outcome = chooser(Object.entries(w.outcomes));
  const reply = h("textarea", { rows: 3, maxlength: 2000 });
  return twoTouches({
    ask: w.close, lead: isOurs ? w.closeOurs : w.closeLead, yes: w.closeYes, no: w.cancel, fields: [field(w.outcome, outcome), ...(isOurs ? [] : [field(w.reply, reply)])],
    refusal: refusalWord,
    act: async () => {
      await ask("close", { report: report.id, outcome: outcome.value, reply: reply.value });
      say(w.closed(outcome.value));
    },
  });
}

/** @param {Office} office @param {Report} report */
function measurePanel({ askSurely, say }, report) {
  const m = words.measure;
  const isTalk = report.room.startsWith("s-");
  const person = /** @type {{id: string, name: string}} */ (report.about);
  const kinds = Object.entries(m.kinds).filter(([kind]) => (kind !== "redact" || (report.offset !== undefined && !isTalk)) && (kind !== "remove" || !isTalk));
  const kind = chooser(kinds);
  const where = chooser(isTalk ? [["everywhere", m.everywhere]] : [["here", m.here], ["everywhere", m.everywhere]]);
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
    ask: m.ask, lead: m.lead(person.name), yes: m.yes, no: w.cancel, danger: true, fields: [field(m.kind, kind), whereField, timeField, field(m.reason, reason)],
    refusal: refusalWord,
    act: async () => {
      const isPost = kind.value === "redact";
      const isHere = isPost || kind.value === "remove" || (kind.value === "mute" && where.value === "here");
      const ok = await askSurely("measure", {
        kind: kind.value,
        reason: reason.value,
        report: report.id,
        ...(isPost ? { offset: report.offset } : { member: person.id }),
        ...(isHere && { room: report.room }),
        ...(!timeField.hidden && { minutes: Number(time.value) }),
      });
      reason.value = "";
      say(m.done(kind.value, moment(ok.until)));
    },
  });
}
