/** The room of a meeting beside its console: the log and the composer of every room, and what a host can do as one of those there. */

/** @import {MeetingView} from "wire" */
/** @import {State} from "../../types.js" */
/** @import {Act} from "../acts.js" */
/** @import {Way} from "./part.js" */

import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { typingWord, words as common } from "../../locales/en.js";
import { words as hostWords } from "../../locales/en-host.js";
import { words as w } from "../../locales/en-meeting-room.js";
import { Composer } from "../../rooms/views/composer.js";
import { LogView } from "../../rooms/views/log.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { actsOf } from "../acts.js";
import { closedWord, lineLeft } from "../telling.js";
import { hostRefusal } from "./refusal.js";

const host = hostWords.console;
/** Refusals of posts that come back to where they were written. @type {Record<string, string>} */
const COMES_BACK = { not_your_turn: w.turnOver, said_once: w.roundOver };

export class HostRoom {
  /** Why sending was stopped, as it was last said. */
  stopped = "";
  acts = h("div", { class: "meeting-acts", role: "group", "aria-label": w.acts.group });
  closed = h("p", { class: "closed soft", id: "meeting-closed", hidden: true });
  typing = h("p", { class: "typing soft", "aria-live": "off" });

  /** @param {Way} way @param {MeetingView} view @param {string} [id]  of the hosts' own room, in place of the meeting's */
  constructor(way, view, id = view.room) {
    this.way = way;
    this.view = view;
    this.id = id;
    this.isBackstage = id !== view.room;
    const { context } = way;
    this.context = context;
    this.session = context.session;
    this.trouble = troubleLine((no) => hostRefusal(no, way.meetings.now));
    this.write = new Composer(context, id, () => (this.isBackstage ? host.backstage : w.write(this.view.name)));
    attr(this.write.area, "aria-describedby", "meeting-closed writing-note writing-keys");
    this.element = h("section", { class: "host-room talk", "aria-label": common.room.posts(view.name) });
    const says = {
      empty: this.isBackstage ? host.backstageEmpty : common.room.empty,
      begin: common.room.begin,
      posts: common.room.posts(view.name),
    };
    this.log = new LogView(context, id, this.write, { scroller: this.element, says });
    const { log, trouble, acts, typing, closed, write } = this;
    this.foot = h("div", { class: "foot" }, log.newer, trouble.element, acts, typing, closed, write.element);
    // Before the composer hears of it.
    this.foot.addEventListener("submit", (event) => this.#beforeSending(event), { capture: true });
    this.element.append(log.element, this.foot);
  }

  get state() {
    return this.session.state.rooms[this.id];
  }

  shown() {
    this.log.shown();
  }

  gone() {
    this.log.gone();
  }

  /** A line of the script, to be changed or sent. @param {string} line */
  use(line) {
    this.write.takeBack({ text: line, warning: null });
    this.write.area.focus();
  }

  /** @param {State} state @param {MeetingView} view */
  update(state, view) {
    this.view = view;
    this.log.update(state);
    this.write.update(state);
    this.#takeBack(state);
    keyed(
      this.acts,
      this.isBackstage ? [] : actsOf(view),
      ({ cmd }) => cmd,
      (act) => this.#actButton(act),
    );
    const writing = Object.keys(this.state?.typing ?? {}).filter((id) => this.state?.hidden.includes(id) !== true);
    text(this.typing, typingWord(writing.map((id) => state.names[id] ?? "")));
    this.#drawClosed();
  }

  #drawClosed() {
    const { write, view, closed } = this;
    const isEditing = write.editing !== null;
    const why = isEditing ? "" : this.#why;
    const left = isEditing ? null : lineLeft(this.state?.room.voice ?? null, write.area.value);
    text(closed, why !== "" ? why : left !== null ? w.line(left) : "");
    show(closed, closed.textContent !== "");
    closed.classList.toggle("over", left !== null && left < 0);
    show(write.element, view.stage === "live" && this.state !== undefined);
    show(this.acts, view.stage === "live");
    if (why !== "" || (left ?? 0) < 0) write.send.classList.add("resting");
    else if (this.stopped !== "") {
      // What stopped it before does so no longer.
      this.stopped = "";
      write.written();
    }
  }

  /** Why one cannot send at this moment. */
  get #why() {
    const { state, view, session } = this;
    if (this.isBackstage) return "";
    const isSending = session.state.pending.some(
      ({ room, status }) => room === view.room && status !== "refused" && status !== "unsure",
    );
    return state === undefined ? "" : closedWord(view, state.room.voice, state.me, isSending);
  }

  /** @param {Event} event */
  #beforeSending(event) {
    const { write } = this;
    if (write.editing !== null || write.area.value.trim() === "") return;
    const left = lineLeft(this.state?.room.voice ?? null, write.area.value) ?? 0;
    const why = this.#why || (left < 0 ? w.lineTooLong : "");
    if (why === "") return;
    event.preventDefault();
    event.stopPropagation();
    this.stopped = why;
    write.stop(why);
  }

  /** Posts that came too late go back to where they were written. @param {State} state */
  #takeBack({ pending }) {
    for (const post of pending) {
      const isOurs = post.room === this.id && post.status === "refused";
      const why = isOurs ? COMES_BACK[post.why ?? ""] : undefined;
      if (why === undefined) continue;
      this.write.takeBack(post);
      this.session.outgoing.drop(post.id);
      this.write.stop(why);
    }
  }

  /** @param {Act} first */
  #actButton(first) {
    let act = first;
    const { way, context, trouble } = this;
    const give = () =>
      trouble.around(async () => {
        await way.meetings.act(this.view.id, act.cmd, act.fields);
        context.say(w.did[act.name]);
      });
    const element = button("", () => void give(), { class: "pill" });
    return {
      element,
      /** @param {Act} next */
      update(next) {
        act = next;
        text(element, next.label);
      },
    };
  }
}
