/** A scripted seeker to practise with, and the check before the first real conversation. */

/** @import {ListenerApp, Line, Part, Practice} from "./types.js" */

import { button, focusOn, h, show, text } from "../../lib/dom.js";
import { words } from "../../locales/en-listener.js";
import { idFor, troubleLine } from "../../shell/fields.js";

const w = words.practice;

/** @param {ListenerApp} app @returns {Part} */
export function practiceView(app) {
  const trouble = troubleLine();
  const done = h("p", { class: "done", text: w.done, hidden: true });
  const talk = h("section", { class: "card", "aria-label": w.title });
  const check = h("section", { class: "card", "aria-label": w.checkTitle });
  const element = h(
    "div",
    { class: "narrow" },
    h("h1", { text: w.title }),
    h("p", { class: "lead", text: w.lead }),
    done,
    trouble.element,
    talk,
    check,
  );
  void trouble.around(async () => {
    /** @type {Practice} */
    const practice = await app.session.ask("practice");
    talk.append(...conversation(app, practice));
    check.append(...readiness(app, practice));
  });
  return { element, update: (view) => show(done, view !== null && view.state !== "practice") };
}

/** @param {ListenerApp} app @param {Practice} practice */
function conversation({ say }, { scenes }) {
  const log = h("div", { class: "practice-log", role: "log", "aria-label": w.title });
  const choosing = h("div", { class: "stack" });
  const begin = button(w.begin, () => start(), { class: "act" });

  function start() {
    log.replaceChildren();
    text(begin, w.again);
    begin.className = "quiet";
    enter(0);
  }

  /** @param {string} who @param {string} what @param {string} [kind] */
  function line(who, what, kind = "theirs") {
    log.append(h("p", { class: `said ${kind}` }, h("b", { class: "unseen", text: `${who}: ` }), what));
  }

  /** @param {number} at */
  function enter(at) {
    const scene = scenes[at];
    if (scene === undefined) return;
    for (const what of scene.says) line(w.them, what);
    offer(at);
  }

  /** @param {number} at */
  function offer(at) {
    const id = idFor("choose");
    const question = h("h3", { id, text: w.choose });
    const answers = (scenes[at]?.answers ?? []).map((answer) =>
      button(answer.text, () => give(at, answer), { class: "pill answer" }),
    );
    choosing.replaceChildren(question, h("div", { class: "stack", role: "group", "aria-labelledby": id }, ...answers));
    if (log.childElementCount > 0) focusOn(question);
  }

  /** @param {number} at @param {Line} answer */
  function give(at, answer) {
    line(w.you, answer.text, "own");
    for (const what of answer.reply) line(w.them, what);
    const advice = adviceOf(answer);
    const { next } = answer;
    const isOver = next === null || next === undefined;
    const acts = h(
      "div",
      { class: "row" },
      !answer.is_good && button(w.try, () => offer(at), { class: "act second" }),
      !isOver && button(w.on, () => enter(next), { class: "act" }),
    );
    choosing.replaceChildren(advice, ...(isOver ? [h("p", { text: w.over })] : []), acts);
    say(`${advice.textContent}`);
    focusOn(advice);
    advice.scrollIntoView({ block: "nearest" });
  }

  return [log, choosing, begin];
}

/** What is to be said of an answer. @param {Line} answer */
function adviceOf({ is_good: isGood, advice }) {
  const title = h("b", { text: isGood ? w.good : w.think });
  return h("p", { class: isGood ? "advice good" : "advice" }, title, " ", advice);
}

/** @param {ListenerApp} app @param {Practice} practice */
function readiness({ session, say, go }, { questions }) {
  const trouble = troubleLine();
  const said = h("p", { role: "status", hidden: true });
  const onward = button(w.toListen, () => go("listen"), { class: "act", hidden: true });
  const rows = questions.map((question, i) => {
    const why = h("p", { class: "advice", hidden: true });
    const name = `question-${i}`;
    const radios = question.answers.map((answer, n) => ({
      input: h("input", { type: "radio", name, value: n }),
      answer,
    }));
    const element = h(
      "fieldset",
      { class: "question" },
      h("legend", { text: `${i + 1}. ${question.text}` }),
      ...radios.map(({ input, answer }) => h("label", { class: "check wide" }, input, h("span", { text: answer }))),
      why,
    );
    return { element, why, radios };
  });
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    ...rows.map((row) => row.element),
    said,
    trouble.element,
    h("div", { class: "row" }, h("button", { type: "submit", class: "act", text: w.check }), onward),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const answers = rows.map(({ radios }) => radios.findIndex(({ input }) => input.checked));
    const missing = answers.indexOf(-1);
    if (missing >= 0) {
      trouble.say(w.missing);
      rows[missing]?.radios[0]?.input.focus();
      return;
    }
    void trouble.around(async () => {
      const ok = await session.ask("ready", { answers });
      const again = Object.keys(ok.again).map(Number);
      for (const [i, row] of rows.entries()) {
        text(row.why, ok.again[i] ?? "");
        show(row.why, again.includes(i));
      }
      const what = ok.passed ? w.passed : w.notYet(again.length);
      text(said, what);
      said.className = ok.passed ? "done" : "";
      show(said, true);
      show(onward, ok.passed);
      say(what);
      if (ok.passed) onward.focus();
      else rows[again[0] ?? 0]?.radios.find(({ input }) => input.checked)?.input.focus();
    });
  });
  return [h("h2", { text: w.checkTitle }), h("p", { class: "soft", text: w.checkLead }), form];
}
