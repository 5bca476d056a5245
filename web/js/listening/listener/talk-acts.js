/** What a listener can do in a conversation, each with its second touch. */

/** @import {TalkView} from "../../types.js" */
/** @import {ConsoleView, LeftTalk, ListenerApp} from "./types.js" */

import { attr, button, h, isComposing, keyed, show, text } from "../../lib/dom.js";
import { Refused } from "../../lib/client.js";
import { clock } from "../../lib/time.js";
import { refusalWord, words } from "../../locales/en-listener.js";
import { field, idFor, keptField, troubleLine, twoTouches } from "../../shell/fields.js";

const w = words.talks;

/** Something that a button folds in and out, above where one writes. @param {string} label @param {string} name */
export function folding(label, name) {
  const element = h("div", { class: "panel", id: idFor(name), hidden: true });
  const toggle = button(label, () => turn(element.hidden), {
    class: "quiet",
    "aria-expanded": "false",
    "aria-controls": element.id,
  });
  /** @param {boolean} isOpen */
  function turn(isOpen) {
    show(element, isOpen);
    attr(toggle, "aria-expanded", String(isOpen));
  }
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || isComposing(event)) return;
    turn(false);
    toggle.focus();
  });
  return { element, button: toggle, close: () => turn(false) };
}

/** A last line, and the end with it. @param {ListenerApp} app @param {TalkView} talk */
export function ending({ session }, { id, room }) {
  const area = h("textarea", { rows: 4, maxlength: session.state.limits.text_length });
  const kept = keptField(session.vault, `${room}/end`, area, w.endLine);
  const touches = twoTouches({
    ask: w.end,
    lead: w.endLead,
    yes: w.endYes,
    no: w.notYet,
    fields: [field(w.endTitle, area)],
    act: async () => {
      if (area.value.trim() === "") throw new Refused({ code: "line_missing", message: "", temporary: false });
      await session.endKindly({ id, room }, area.value);
      kept.clear();
    },
  });
  return touches;
}

/** One touch that gives the seat back where nobody writes. @param {ListenerApp} app @param {TalkView} first */
export function nobodyThere({ session, say }, { id }) {
  const trouble = troubleLine();
  const act = button(
    w.nobody,
    () =>
      void trouble.around(async () => {
        await session.ask("nobody", { session: id });
        say(w.nobodyDone);
      }),
    { class: "quiet" },
  );
  const element = h("div", { hidden: true }, h("p", { class: "soft small", text: w.nobodyLead }), act, trouble.element);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  return {
    element,
    /** @param {TalkView} talk */
    update(talk) {
      clearTimeout(waiting);
      const left = talk.nobody_at === undefined ? Infinity : talk.nobody_at - session.serverNow;
      show(element, left <= 0);
      if (left > 0 && left < Infinity) waiting = setTimeout(() => show(element, true), left);
    },
    gone: () => clearTimeout(waiting),
  };
}

/** For whom an invitation of a colleague waits. @param {TalkView} talk */
function invitedWord({ invitation: asked }) {
  if (!asked) return "";
  const { name } = asked.listener;
  return asked.waits_for === "seeker" ? w.waitsSeeker(name, asked.handover === true) : w.waitsListener(name);
}

/** What else a listener can do, each with its second touch. @param {ListenerApp} app @param {TalkView} first @param {() => TalkView} talk */
export function moreMenu({ session, say }, first, talk) {
  const { id } = first;
  const flag = button("", () => void trouble.around(() => session.ask("flag", { session: id, on: !talk().flagged })), {
    class: "quiet",
  });
  const flagged = h("p", { class: "soft small" });
  const trouble = troubleLine();
  const done = h("p", { class: "done small", role: "status", hidden: true });
  /** @param {string} what */
  const tell = (what) => {
    text(done, what);
    show(done, true);
  };
  const colleague = colleagueTouch(session, id);
  const call = twoTouches({
    ask: w.call,
    lead: w.callSure,
    yes: w.callYes,
    no: w.cancel,
    act: async () => {
      await session.ask("report", { session: id, reason: "call", call: true });
      tell(w.called);
    },
  });
  const report = reporting(session, id, w.reportLead, () => tell(w.reported));
  const block = twoTouches({
    ask: w.block,
    lead: w.blockSure,
    yes: w.blockYes,
    no: w.cancel,
    danger: true,
    act: () => session.ask("block", { session: id }),
  });
  const state = h("p", { class: "small", hidden: true });
  const list = [colleague, call, report, block].flatMap((touch) => [touch.first, touch.panel]);
  const fold = folding(w.more, "more");
  fold.element.append(flag, flagged, trouble.element, ...list, done);
  let told = "";

  return {
    ...fold,
    state,
    /** @param {TalkView} now @param {ConsoleView} view @param {boolean} isMine */
    update(now, view, isMine) {
      text(flag, now.flagged ? w.flagOff : w.flag);
      text(flagged, now.flagged ? w.flagOn : "");
      show(colleague.first, isMine && !now.invitation);
      if (now.invitation && !colleague.panel.hidden) colleague.close();
      colleague.update(view.colleagues ?? [], now);
      const word = invitedWord(now);
      text(state, word);
      show(state, word !== "");
      if (word !== "" && word !== told) say(word);
      told = word;
    },
  };
}

/** What somebody can still say of a conversation that goes on without them. @param {ListenerApp} app @param {LeftTalk} first */
export function leftTalk({ session }, first) {
  const done = h("p", { class: "done small", role: "status", hidden: true });
  const flagged = h("p", { class: "soft small", hidden: true });
  const flag = flagging(session, first.id);
  const report = reporting(session, first.id, w.reportLeadAfter, () => {
    text(done, w.reported);
    show(done, true);
  });
  const name = h("b", { text: first.seeker.name });
  const when = h("span", { class: "soft", text: w.leftAt(clock(first.left_at - session.state.skew)) });
  return {
    element: h(
      "li",
      {},
      h("p", {}, name, " ", when),
      h("div", { class: "row" }, flag.first, report.first),
      flag.panel,
      report.panel,
      flagged,
      done,
    ),
    /** @param {LeftTalk} talk */
    update(talk) {
      show(flag.first, !talk.flagged);
      text(flagged, talk.flagged ? w.flagOn : "");
      show(flagged, talk.flagged);
    },
  };
}

/** Once it is over, or went on without one, that cannot be unsaid. @param {ListenerApp["session"]} session @param {string} id */
export function flagging(session, id) {
  return twoTouches({
    ask: w.flag,
    lead: w.flagSure,
    yes: w.flagYes,
    no: w.cancel,
    act: () => session.ask("flag", { session: id, on: true }),
  });
}

/** @param {ListenerApp["session"]} session @param {string} id @param {string} lead @param {() => void} done */
export function reporting(session, id, lead, done) {
  const reason = h(
    "select",
    {},
    h("option", { value: "", text: w.reportChoose }),
    ...Object.entries(w.reasons).map(([value, label]) => h("option", { value, text: label })),
  );
  const note = h("textarea", { rows: 3, maxlength: 2000 });
  return twoTouches({
    ask: w.report,
    lead,
    yes: w.reportYes,
    no: w.cancel,
    fields: [field(w.reportWhat, reason), field(w.reportNote, note)],
    refusal: (no) => (reason.value === "" ? w.reportFirst : refusalWord(no)),
    act: async () => {
      if (reason.value === "") {
        reason.focus();
        throw new Error("no reason was chosen");
      }
      await session.ask("report", { session: id, reason: reason.value, note: note.value });
      note.value = "";
      done();
    },
  });
}

/** Asking a colleague in, or to take over. @param {ListenerApp["session"]} session @param {string} id */
function colleagueTouch(session, id) {
  const who = h("select", {});
  const none = h("p", { text: w.colleagueNone });
  const whom = field(w.colleagueWho, who);
  const over = h("input", { type: "radio", name: `how-${id}`, value: "handover" });
  const join = h("input", { type: "radio", name: `how-${id}`, value: "join" });
  join.checked = true;
  const how = h(
    "fieldset",
    {},
    h("legend", { class: "unseen", text: w.colleague }),
    h("label", { class: "check" }, join, h("span", { text: w.join })),
    h("label", { class: "check" }, over, h("span", { text: w.handover })),
  );
  const touches = twoTouches({
    ask: w.colleague,
    lead: w.colleagueLead,
    yes: w.colleague,
    no: w.cancel,
    fields: [none, whom, how],
    act: () => session.ask("invite", { session: id, listener: who.value, handover: over.checked }),
  });
  const go = touches.panel.querySelector("[type=submit]");
  return {
    ...touches,
    /** @param {NonNullable<ConsoleView["colleagues"]>} colleagues @param {TalkView} talk */
    update(colleagues, talk) {
      const others = colleagues.filter((one) => !talk.people.some((person) => person.id === one.id));
      const held = who.value;
      keyed(
        who,
        others,
        (one) => `${one.id} ${one.free}`,
        (one) => ({
          element: h("option", {
            value: one.id,
            text: one.free ? one.name : w.busyColleague(one.name),
            disabled: !one.free,
          }),
          update() {},
        }),
      );
      if (others.some((one) => one.id === held && one.free)) who.value = held;
      const hasFree = others.some((one) => one.free);
      show(none, !hasFree);
      show(whom, hasFree);
      show(how, hasFree);
      if (go instanceof HTMLElement) show(go, hasFree);
    },
  };
}
