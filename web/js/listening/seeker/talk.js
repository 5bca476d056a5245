/** The conversation as the one who asked sees it: ending it, safety, and another listener who would come. */

/** @import {Context, Standing, TalkView} from "../../types.js" */
/** @import {Stage} from "./asking.js" */

import { attr, button, h, show, text } from "../../lib/dom.js";
import { commands, partner } from "./commands.js";
import { words } from "../../locales/en-listening.js";
import { refusalWord } from "../../locales/en.js";
import { reportForm } from "../../rooms/report.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { choice } from "./intake.js";
import { Talk } from "../talk-view.js";

const w = words.acts;

/** @param {Context} context @param {TalkView} first @param {boolean} [wasSeated]  they sat in company until just now @returns {Stage} */
export function talkStage(context, first, wasSeated = false) {
  const { session } = context;
  const { id } = first;
  const doing = commands(session);
  let talk = first;
  const name = () => partner(talk);

  const end = sheet("end", w.end, (close) => {
    const trouble = troubleLine();
    return [
      h("p", { text: w.endSure(name()) }),
      trouble.element,
      h(
        "div",
        { class: "row" },
        button(w.endYes, () => void trouble.around(() => doing.end(id)), { class: "act" }),
        button(w.stay, close, { class: "quiet" }),
      ),
    ];
  });
  const { block, report } = safety(context, () => talk);
  const invitation = invitationCard(context, () => talk, name);
  const acts = h(
    "div",
    { class: "talk-acts" },
    button(w.end, () => end.open(), { class: "quiet", "aria-haspopup": "dialog" }),
    button(w.block, () => block.open(), { class: "quiet", "aria-haspopup": "dialog" }),
    button(w.report, () => report.open(), { class: "quiet", "aria-haspopup": "dialog" }),
  );
  const hasDraft = (session.stream(first.room).draft?.text ?? "").trim() !== "";
  const view = new Talk(context, first, { acts: [acts], cards: [cameCard(wasSeated, hasDraft), invitation.element] });

  return {
    element: h("div", { class: "talk-side" }, view.element, end.element, block.element, report.element),
    update(state, standing) {
      if (standing.session === undefined) return;
      talk = standing.session;
      view.update(state, talk);
      invitation.update();
    },
    shown: () => view.shown(),
    gone() {
      for (const each of [end, block, report]) each.close();
      view.gone();
    },
  };
}

/** Whoever was fetched out of company is told where they are. @param {boolean} wasSeated @param {boolean} hasDraft */
function cameCard(wasSeated, hasDraft) {
  const fine = button(
    words.waiting.cameFine,
    () => {
      show(element, false);
      document.getElementById("writing")?.focus();
    },
    { class: "quiet" },
  );
  const said = h("p", { text: hasDraft ? words.waiting.cameAlong : words.waiting.cameAlone });
  const element = h("div", { class: "card came", hidden: !wasSeated }, said, fine);
  return element;
}

/**
 * Blocking and reporting, each with its second touch: while they talk, and as long as the conversation is kept.
 * @param {Context} context @param {() => TalkView} talk @param {boolean} [isOver]
 */
export function safety(context, talk, isOver = false) {
  const name = () => partner(talk());
  const block = sheet("block", w.block, (close) => {
    const trouble = troubleLine();
    const yes = () =>
      trouble.around(async () => {
        await commands(context.session).block(talk().id);
        close();
        // What was pressed is gone.
        document.getElementById("main")?.focus({ preventScroll: true });
      });
    return [
      h("p", { text: isOver ? w.blockLeadAfter(name()) : w.blockLead(name()) }),
      trouble.element,
      h(
        "div",
        { class: "row" },
        button(w.blockYes(name()), () => void yes(), { class: "act danger" }),
        button(w.cancel, close, { class: "quiet" }),
      ),
    ];
  });
  const report = sheet("report", w.report, (close) => [reportSheet(context, talk(), close, isOver)]);
  return { block, report };
}

/**
 * A dialog whose contents are made when it is opened.
 * @param {string} name @param {string} title @param {(close: () => void) => HTMLElement[]} contents
 */
function sheet(name, title, contents) {
  const element = h("dialog", { class: "sheet", "aria-labelledby": `${name}-title` });
  const close = () => element.close();
  element.addEventListener("click", (event) => event.target === element && close());
  return {
    element,
    close,
    open() {
      element.replaceChildren(h("h2", { id: `${name}-title`, text: title }), ...contents(close));
      element.showModal();
    },
  };
}

/** @param {Context} context @param {TalkView} talk @param {() => void} close @param {boolean} isOver */
function reportSheet({ session, say }, { id, people }, close, isOver) {
  const listeners = people
    .filter((p) => p.role === "listener")
    .map((p) => /** @type {[string, string]} */ ([p.id, p.name]));
  const { element } = reportForm({
    reasons: /** @type {[string, string][]} */ (Object.entries(w.reasons)),
    more: [
      h("p", { text: isOver ? w.reportLeadAfter : w.reportLead }),
      listeners.length > 1 && choice("about", w.reportWho, [...listeners, ["", w.reportBoth]], ""),
    ],
    cancel: close,
    refusal: refusalWord,
    send: async (said) => {
      const about = String(new FormData(element).get("about") ?? "");
      await commands(session).report(id, { ...said, ...(about !== "" && { about }) });
      const done = h("p", { class: "done", text: w.reported, tabindex: -1 });
      element.replaceChildren(
        done,
        h("div", { class: "row" }, button(isOver ? w.close : w.stay, close, { class: "act second" })),
      );
      done.focus();
      say(w.reported);
    },
  });
  return element;
}

/** Another listener who would join, or go on in place of this one. @param {Context} context @param {() => TalkView} talk @param {() => string} name */
function invitationCard({ session, sayNow }, talk, name) {
  const said = h("p");
  const trouble = troubleLine();
  /** @param {boolean} on */
  const answer = (on) => trouble.around(() => commands(session).answer(talk().id, on));
  const row = h(
    "div",
    { class: "row" },
    button(w.yes, () => void answer(true), { class: "act" }),
    button(w.no, () => void answer(false), { class: "act second" }),
  );
  const element = h("div", { class: "card invitation", hidden: true }, said, trouble.element, row);
  let told = "";
  return {
    element,
    update() {
      const { invitation } = talk();
      show(element, invitation !== undefined);
      if (invitation === undefined) {
        told = "";
        return;
      }
      const other = invitation.listener.name;
      const isMine = invitation.waits_for === "seeker";
      const words_ = isMine
        ? invitation.handover
          ? w.handover(name(), other)
          : w.join(name(), other)
        : w.joinWaits(other);
      text(said, words_);
      show(row, isMine);
      attr(element, "data-waits", invitation.waits_for);
      if (isMine && told !== words_) sayNow(words_);
      told = words_;
    },
  };
}
