/** One report: whose it is, what was written, and what is done about it. */

/** @import {Post} from "../types.js" */
/** @import {Earlier, ModeratorApp, Report, ReportFile} from "./types.js" */

import { daily } from "../lib/daily.js";
import { button, focusOn, h, show, text } from "../lib/dom.js";
import { foldIfLong } from "../shell/fold.js";
import { avatar } from "../lib/avatar.js";
import { clock, iso } from "../lib/time.js";
import { field, twoTouches } from "../shell/fields.js";
import { refusalWord, words } from "../locales/en-moderate.js";
import { actings } from "./acting.js";
import { chooser, measureRow, moment, trouble } from "./parts.js";
import { floodPanel, partsView } from "./held.js";
import { aboutWord, ownerWord, takenWord, titleOf } from "./queue.js";

const w = words.file;
/** What was reported, or what words sounded like, where somebody may need help more than anything else. */
const CRISIS = ["self_harm", "method", "danger", "abuse"];

/** @param {Report} report */
const isCrisisReport = (report) => CRISIS.includes(report.reason);

/** @param {Report} report */
const isTalk = (report) => report.room.startsWith("s-");

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

/** Taking it from whoever has it, who is told why. @param {ModeratorApp} app @param {() => Report} latest */
function takePanel({ ask, say }, latest) {
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
function newest(report) {
  return report.newest_at ?? report.at;
}

/** What a second person says to the outcome that was proposed. @param {ModeratorApp} app @param {() => Report} latest @param {() => number} seen */
function reviewPanels({ ask, say }, latest, seen) {
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

/** @param {ModeratorApp} app @param {ReportFile} file @returns {HTMLElement[]} */
function contents(app, file) {
  const line = trouble();
  const list = h(
    "ul",
    { class: "notes" },
    ...file.notes.map((note) =>
      h(
        "li",
        {},
        long(note.note),
        daily(h("span", { class: "soft small" }), (said) => text(said, `${note.by.name}, ${moment(note.at)}`)),
      ),
    ),
  );
  const text_ = h("textarea", { rows: 2, maxlength: 2000, required: true });
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    field(w.addNote, text_),
    line.element,
    h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.saveNote })),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void line.around(async () => {
      await app.ask("note", { report: file.report.id, note: text_.value });
      list.append(h("li", {}, h("p", { text: text_.value }), h("span", { class: "soft small", text: app.me.name })));
      text_.value = "";
      app.say(w.noted);
    });
  });
  const erased = [
    ...new Set([...file.posts, ...file.earlier].map((each) => each.author).filter((id) => id.startsWith("e_"))),
  ];
  return [
    h("h2", { text: file.report.level === undefined ? w.note : w.fired }),
    ...(file.report.level === undefined ? [] : [h("p", { class: "soft", text: w.firedLead })]),
    ...(file.report.level === undefined
      ? [file.note === "" ? h("p", { class: "soft", text: w.noNote }) : long(file.note)]
      : fired(file.note)),
    h("h2", { text: w.posts }),
    file.posts.length === 0
      ? h("p", { class: "soft", text: w.noPosts })
      : h(
          "ol",
          { class: "snapshot", tabindex: 0, role: "list", "aria-label": w.posts },
          ...file.posts.map((post) =>
            postRow(
              post,
              post.offset === file.report.offset,
              file.earlier.filter((each) => each.offset === post.offset),
              erased,
            ),
          ),
        ),
    ...(file.network
      ? [
          h("h2", { text: w.network }),
          h("p", { class: "soft", text: w.sharedBy(file.network.others) }),
          ...(file.network.newcomer ? [h("p", { text: w.nearMeasure })] : []),
        ]
      : []),
    h("h2", { text: w.notes }),
    list,
    form,
    ...(file.measures.length === 0
      ? []
      : [
          h("h2", { text: w.before }),
          h("ul", { class: "decisions" }, ...file.measures.map((measure) => measureRow(app, measure, false).element)),
        ]),
  ];
}

/** What may be long, and made to cover what stands around it. @param {string} said */
function long(said) {
  const text_ = h("p", { class: "text", text: said });
  const element = h("div", {}, text_);
  foldIfLong(text_);
  return element;
}

/** The words that fired, and the line of the list. @param {string} note */
function fired(note) {
  const [said = "", phrase = ""] = note.split("\n");
  if (said === "") return [h("p", { class: "soft", text: w.erased })];
  return [
    h("p", {}, h("b", { text: `“${said}”` })),
    h("details", {}, h("summary", { class: "small", text: w.line }), h("p", { class: "soft small", text: phrase })),
  ];
}

/** @param {Post} post @param {boolean} isIt @param {Earlier[]} earlier @param {string[]} erased */
function postRow(post, isIt, earlier, erased) {
  const isGone = post.redacted === true;
  const number = erased.indexOf(post.author) + 1;
  const last = earlier.at(-1);
  const now = isGone ? (last === undefined ? w.redacted : (w.gone[last.ended] ?? w.redacted)) : post.text;
  const said = h("p", { class: isGone ? "text soft" : "text", text: now });
  const element = h(
    "li",
    { class: isIt ? "post it" : "post" },
    avatar(post.author),
    h(
      "div",
      { class: "body" },
      h(
        "div",
        { class: "head" },
        h("b", { text: isGone && last !== undefined ? last.name : post.name }),
        number > 0 && h("span", { class: "soft", text: w.erasedPerson(number) }),
        h("time", { class: "soft", datetime: iso(post.at), text: clock(post.at) }),
        isIt && h("span", { class: "mark", text: w.reported }),
      ),
      ...earlier.map((version, n) =>
        h(
          "div",
          { class: "earlier" },
          h(
            "span",
            { class: "soft small" },
            `${n === 0 ? w.first : w.changed}, `,
            h("time", { datetime: iso(version.at), text: clock(version.at) }),
          ),
          version.warning !== undefined && h("p", { class: "soft small", text: w.warned(version.warning) }),
          long(version.text),
        ),
      ),
      earlier.length > 0 && !isGone && h("span", { class: "soft small", text: w.asReported }),
      said,
    ),
  );
  foldIfLong(said);
  return element;
}

/** Nothing was chosen yet. */
class Chosen extends Error {}

/** @param {ModeratorApp} app @param {Report} report @param {() => number} seen */
function closePanel({ ask, say }, report, seen) {
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
function measurePanel({ askWithReauth, say }, report, isLast) {
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
