/** A meeting that one is in: its strip above the log, what one can do, and where one writes. */

/** @import {MeetingView} from "wire" */
/** @import {State} from "../types.js" */
/** @import {Act} from "./acts.js" */
/** @import {Way} from "./open.js" */

import { fetched } from "../lib/api.js";
import { attr, button, focusOn, h, keyed, show, text } from "../lib/dom.js";
import { typingWord, words as common } from "../locales/en.js";
import { words as groupWords } from "../locales/en-meeting.js";
import { words as w } from "../locales/en-meeting-room.js";
import { Composer } from "../rooms/views/composer.js";
import { LogView } from "../rooms/views/log.js";
import { troubleLine } from "../shell/trouble-line.js";
import { actOfKey, actOfText, actsOf } from "./acts.js";
import { feelingsCard } from "./feelings.js";
import { offerCard } from "./offer.js";
import { meetingRefusal } from "./refusal.js";
import { Overview, Strip } from "./strip.js";
import { closedWord, endWords, isLineDue, kindOf, lineLeft } from "./telling.js";

/** Refusals of posts that come back to where they were written (docs/decisions/0220). @type {Record<string, string>} */
const COMES_BACK = { not_your_turn: w.turnOver, said_once: w.roundOver };

export class MeetingRoom {
  /** @type {ReturnType<typeof import("../rooms/views/people.js").peopleDialog> | undefined} */
  people;
  name = h("h1", { class: "room-name" });
  here = h("span", { class: "here" });
  strip = new Strip();
  acts = h("div", { class: "meeting-acts", role: "group", "aria-label": w.acts.group });
  closed = h("p", { class: "closed soft", id: "meeting-closed", hidden: true });
  typing = h("p", { class: "typing soft", "aria-live": "off" });
  over = h("div", { class: "card meeting-over", hidden: true });
  drawnOver = "";
  saidOver = "";

  /** @param {Way} way @param {MeetingView} first */
  constructor(way, first) {
    this.way = way;
    this.context = way.context;
    this.session = way.context.session;
    this.id = first.id;
    this.room = first.room;
    this.trouble = troubleLine((no) => meetingRefusal(no, way.meetings.now));
    this.write = new Composer(this.context, first.room, () => w.write(this.view.name));
    attr(this.write.area, "aria-describedby", "meeting-closed writing-note writing-keys");
    const isLate = isLateFor(first);
    const says = { empty: w.log.empty, begin: isLate ? w.log.late : w.log.begin, posts: w.log.posts(first.name) };
    this.log = new LogView(this.context, first.room, this.write, { says });
    this.overview = new Overview(way.presence);
    this.leaving = leavingSheet(this);
    this.late = lateCard(first.name, isLate);
    this.feelings = feelingsCard((line) => this.#sayFeelings(line), this.context.say);
    this.offer = offerCard(this.context, way.meetings, first.id);
    this.element = this.#frame();
  }

  /** @returns {MeetingView} */
  get view() {
    return /** @type {MeetingView} */ (this.way.meetings.state.views[this.id]);
  }

  get roomState() {
    return this.session.state.rooms[this.room];
  }

  #frame() {
    const { write, log, strip, acts, closed, typing, over, feelings, trouble, overview, late } = this;
    const back = button("‹", () => this.way.open(this.view.group), {
      class: "quiet back meeting-back",
      "aria-label": groupWords.toGroups,
    });
    const people = button(common.room.people, () => void trouble.around(() => this.#showPeople()), {
      class: "pill",
      "aria-haspopup": "dialog",
    });
    const leave = button(w.acts.stepOut, () => this.leaving.open(), { class: "quiet", "aria-haspopup": "dialog" });
    this.leave = leave;
    const bar = h("div", { class: "meeting-bar" }, acts, leave);
    this.bar = bar;
    const head = h(
      "header",
      { class: "room-top" },
      back,
      h("div", { class: "room-title" }, this.name, this.here),
      people,
      strip.element,
    );
    this.foot = h(
      "div",
      { class: "foot" },
      log.newer,
      this.offer.element,
      trouble.element,
      bar,
      typing,
      closed,
      write.element,
    );
    // Before the composer hears of it.
    write.area.addEventListener("input", () => this.#drawClosed());
    this.foot.addEventListener("submit", (event) => this.#beforeSending(event), { capture: true });
    return h(
      "section",
      { class: "talk meeting" },
      head,
      overview.element,
      late,
      log.element,
      over,
      feelings.element,
      this.foot,
      this.leaving.element,
    );
  }

  shown() {
    this.log.shown();
    this.way.presence.draw = () => this.#drawTime();
    document.addEventListener("keydown", this.#key);
    // It may sound later only if somebody touched the page before.
    document.addEventListener("pointerdown", this.#wake, { once: true });
  }

  gone() {
    this.log.gone();
    this.leaving.element.close();
    this.way.presence.draw = () => {};
    document.removeEventListener("keydown", this.#key);
    document.removeEventListener("pointerdown", this.#wake);
  }

  #wake = () => {
    if (this.way.presence.bell.on.turn) this.way.presence.bell.wake();
  };

  /** @param {State} state */
  update(state) {
    const { view, log, write } = this;
    if (view === undefined) return;
    text(this.name, view.name);
    attr(this.element, "aria-label", view.name);
    this.overview.update(view);
    log.update(state);
    write.update(state);
    this.people?.update(state);
    this.#takeBack(state);
    this.#drawActs();
    this.#drawOver();
    this.#drawTime();
    const writing = Object.keys(this.roomState?.typing ?? {}).filter((id) => !this.roomState?.hidden.includes(id));
    text(this.typing, typingWord(writing.map((id) => state.names[id] ?? "")));
    show(this.feelings.element, isLineDue(view, "checkin") && !this.#isSending);
    show(/** @type {HTMLElement} */ (this.leave), view.may.includes("step_out"));
  }

  /** What changes as time passes. */
  #drawTime() {
    const { view, way } = this;
    if (view === undefined) return;
    const isOver = view.stage !== "live";
    this.offer.update(view, way.meetings.now);
    show(this.strip.element, !isOver);
    if (!isOver) this.strip.update(view, way.meetings.now);
    text(this.here, isOver ? w.ended.title : w.here((view.people ?? []).length));
    this.#drawClosed();
  }

  /** Whether something can be sent at this moment, and how much. */
  #drawClosed() {
    const { write, view, closed } = this;
    const why = write.editing === null ? this.#closedWord : "";
    const left = write.editing === null ? lineLeft(this.roomState?.room.voice ?? null, write.area.value) : null;
    const said = why !== "" ? why : left !== null ? w.line(left) : "";
    text(closed, said);
    show(closed, said !== "" && view.stage === "live");
    closed.classList.toggle("over", left !== null && left < 0);
    show(write.element, view.stage === "live" && this.roomState !== undefined);
    show(/** @type {HTMLElement} */ (this.bar), view.stage === "live");
    if (why !== "" || (left ?? 0) < 0) write.send.classList.add("resting");
  }

  get #closedWord() {
    const room = this.roomState;
    return room === undefined ? "" : closedWord(this.view, room.room.voice, room.me, this.#isSending);
  }

  /** A post of one's own is on its way. */
  get #isSending() {
    return this.session.state.pending.some(
      (post) => post.room === this.room && post.status !== "refused" && post.status !== "unsure",
    );
  }

  /** @param {Event} event */
  #beforeSending(event) {
    const { write, view } = this;
    if (write.editing !== null) return;
    const stop = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    const act = actOfText(view, write.area.value);
    if (act !== undefined) {
      stop();
      const sent = write.area.value;
      // Somebody may have written on meanwhile.
      const clear = () => write.area.value === sent && write.reset({ text: "", warning: null, replyTo: null });
      void this.#act(act, clear);
      return;
    }
    const left = lineLeft(this.roomState?.room.voice ?? null, write.area.value) ?? 0;
    const why = this.#closedWord || (left < 0 ? w.lineTooLong : "");
    if (why === "" || write.area.value.trim() === "") return;
    stop();
    // It stands above the field already.
    this.context.sayNow(why);
    write.area.focus();
  }

  /** Posts that came too late go back to where they were written. @param {State} state */
  #takeBack({ pending }) {
    const { write, session } = this;
    for (const post of pending) {
      const why = post.room === this.room && post.status === "refused" ? COMES_BACK[post.why ?? ""] : undefined;
      if (why === undefined) continue;
      write.takeBack(post);
      session.outgoing.drop(post.id);
      write.stop(why);
    }
  }

  #drawActs() {
    const hadFocus = this.acts.contains(document.activeElement);
    keyed(
      this.acts,
      actsOf(this.view),
      ({ cmd }) => cmd,
      (first) => this.#actButton(first),
    );
    if (hadFocus && !this.acts.contains(document.activeElement)) this.write.area.focus({ preventScroll: true });
  }

  /** @param {Act} first */
  #actButton(first) {
    let act = first;
    const element = button("", () => void this.#act(act), {});
    return {
      element,
      /** @param {Act} next */
      update(next) {
        act = next;
        text(element, next.label);
        element.className = next.isFirst ? "act" : "pill";
        attr(element, "aria-keyshortcuts", next.key === undefined ? null : `Alt+${next.key}`);
        attr(element, "title", next.key === undefined ? null : w.acts.keys(next.key));
      },
    };
  }

  /** @param {Act} act @param {() => void} [then] */
  async #act({ name, cmd, fields }, then) {
    await this.trouble.around(async () => {
      await this.way.meetings.act(this.id, cmd, fields);
      then?.();
      this.context.say(w.did[name]);
    });
  }

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
    const act = actOfKey(this.view, event.code.replace("Key", ""));
    if (act === undefined) return;
    event.preventDefault();
    void this.#act(act);
  };

  /** @param {string} line */
  #sayFeelings(line) {
    this.session.outgoing.write(this.room, { text: line, warning: null, replyTo: null });
    this.feelings.forget();
    this.write.area.focus();
  }

  /** What stands under the log once the meeting is over. */
  #drawOver() {
    const { view, over, way, write } = this;
    const isOver = view.stage !== "live";
    const said = isOver ? endWords(view).join("\n") : "";
    // The field is hidden now.
    const unsent = isOver ? write.area.value.trim() : "";
    show(over, isOver);
    const key = JSON.stringify([said, unsent]);
    if (this.drawnOver === key) return;
    this.drawnOver = key;
    const title = h("h2", { text: w.ended.title });
    const next = button(w.ended.again, () => way.open(view.group), { class: "act" });
    const ask = button(w.ended.listener, () => way.context.go({ name: "asking" }), { class: "act second" });
    over.replaceChildren(
      title,
      ...said.split("\n").map((each) => h("p", { text: each })),
      ...(unsent === "" ? [] : [h("p", { text: w.ended.unsent }), h("blockquote", { class: "text", text: unsent })]),
      h("div", { class: "row" }, next, ask),
    );
    if (this.saidOver === said) return;
    this.saidOver = said;
    this.context.say([w.ended.title, said].join(". "));
    if (this.foot?.contains(document.activeElement)) focusOn(title);
  }

  async #showPeople() {
    const { peopleDialog } = await fetched(() => import("../rooms/views/people.js"), "rooms/views/people.js");
    this.people ??= peopleDialog(this.context, this.room);
    this.element.append(this.people.element);
    this.people.update(this.session.state);
    this.people.open();
  }
}

/** To leave takes a second touch. @param {MeetingRoom} at */
function leavingSheet(at) {
  const said = h("p");
  const trouble = troubleLine();
  const stepOut = () =>
    trouble.around(async () => {
      await at.way.meetings.stepOut(at.id);
      element.close();
    });
  const yes = button(w.acts.stepOutYes, () => void stepOut(), { class: "act" });
  const element = h(
    "dialog",
    { class: "sheet", "aria-labelledby": "step-out-title" },
    h("h2", { id: "step-out-title", text: w.acts.stepOut }),
    said,
    trouble.element,
    h(
      "div",
      { class: "row" },
      yes,
      button(w.acts.stay, () => element.close(), { class: "quiet" }),
    ),
  );
  element.addEventListener("click", (event) => event.target === element && element.close());
  return {
    element,
    open() {
      const { place } = at.view;
      const isClosing = ["closing", "linger"].includes(kindOf(at.view));
      const how = isClosing ? w.acts.stepOutLast : place === "seat" ? w.acts.stepOutSeat : w.acts.stepOutSure;
      text(said, at.write.area.value.trim() === "" ? how : `${how} ${w.acts.stepOutDraft}`);
      element.showModal();
    },
  };
}

/** Whoever comes in the middle is shown nothing of before. @param {MeetingView} view */
const isLateFor = (view) => view.place === "listener" && !["", "gather"].includes(kindOf(view));

/** For somebody who comes in the middle: what this is, and that nothing is asked of them. @param {string} name @param {boolean} isLate */
function lateCard(name, isLate) {
  const element = h("aside", { class: "card late", hidden: !isLate });
  const fine = button(
    w.late.fine,
    () => {
      show(element, false);
      document.getElementById("writing")?.focus();
    },
    { class: "act second" },
  );
  element.append(
    h("h2", { text: w.late.title }),
    h("p", { text: w.late.lead(name) }),
    h("p", { text: w.late.rest }),
    fine,
  );
  return element;
}
