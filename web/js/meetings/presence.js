/**
 * Being in a meeting, on whatever screen: what is news is said aloud, one's own turn at once, with a tone and a buzz for
 * whoever wants them (docs/decisions/0221); and a line leads back to it from elsewhere.
 */

/** @import {MeetingView} from "wire" */
/** @import {Context} from "../types.js" */
/** @import {Meetings} from "./meetings.js" */

import { button, h, show, text } from "../lib/dom.js";
import { words } from "../locales/en-meeting.js";
import { words as w } from "../locales/en-meeting-room.js";
import { Bell } from "../shell/bell.js";
import { byId, storageOrNone } from "../shell/page.js";
import { momentWord } from "./clock.js";
import { presentMeeting, soonMeeting } from "./state.js";
import { isMyTurn, markOf, newsOf } from "./telling.js";

const TICK_MS = 1_000;
const BUZZ = [120, 80, 120];
const MARK = "● ";

export class Presence {
  /** The meeting whose screen is shown. */
  looksAt = "";
  /** @type {Map<string, MeetingView>} as they were when news were last looked for */
  before = new Map();
  markedAt = 0;
  bell = new Bell(storageOrNone("localStorage"), () => new AudioContext());
  said = h("span");
  /** The meeting that the line leads to. */
  told = "";
  /** Drawn again every second, where somebody looks at a meeting. @type {() => void} */
  draw = () => {};

  /** @param {Context} context @param {Meetings} meetings @param {(meeting: string) => void} open */
  constructor(context, meetings, open) {
    this.context = context;
    this.meetings = meetings;
    const go = button(w.elsewhere.go, () => this.told !== "" && open(this.told), { class: "quiet" });
    this.line = h(
      "aside",
      { class: "link standing meeting-line", "aria-label": w.elsewhere.label, hidden: true },
      this.said,
      go,
    );
    byId("standing").after(this.line);
    meetings.subscribe(() => this.#changed());
    setInterval(() => this.#tick(), TICK_MS);
  }

  /** The meeting that one is in. */
  get at() {
    return presentMeeting(this.meetings.state);
  }

  /** A meeting's screen is shown, or ("") none. @param {string} meeting */
  look(meeting) {
    this.looksAt = meeting;
    this.#drawLine();
  }

  /** @param {boolean} on */
  setBell(on) {
    this.bell.set("turn", on);
    if (on) this.bell.play("turn");
  }

  #changed() {
    const { meetings, context, before: seen } = this;
    const { views } = meetings.state;
    for (const id of seen.keys()) if (views[id] === undefined) seen.delete(id);
    for (const view of Object.values(views)) {
      const before = seen.get(view.id);
      if (before === view) continue;
      seen.set(view.id, view);
      const news = newsOf(before, view, meetings.now);
      const urgent = news.find(({ isUrgent }) => isUrgent);
      if (urgent !== undefined) context.sayNow(urgent.said);
      else if (news.length > 0) context.say(news.map(({ said }) => said).join(" "));
      if (news.some(({ isTurn }) => isTurn)) this.#ring();
    }
    this.#drawLine();
  }

  #ring() {
    if (!this.bell.on.turn) return;
    this.bell.ring("turn");
    if (navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.(BUZZ);
  }

  #tick() {
    const { meetings, markedAt, at } = this;
    const { now } = meetings;
    this.markedAt = now;
    if (at !== undefined && markedAt > 0) {
      const mark = markOf(at, markedAt, now);
      if (mark !== "") this.context.say(mark);
    }
    this.draw();
    this.#drawLine();
  }

  /** Which meeting is to be told of on other screens, and how. */
  #news() {
    const { at, meetings } = this;
    const e = w.elsewhere;
    if (at !== undefined)
      return { id: at.id, said: isMyTurn(at) ? e.mine(at.name) : e.on(at.name), calls: isMyTurn(at) };
    const { now, state, kept } = meetings;
    const ids = kept.all.map(({ id }) => id);
    const soon = soonMeeting(state, now, ids);
    if (soon === undefined) return { id: "", said: "", calls: false };
    const when = momentWord(soon.starts_at, now);
    if (soon.stage === "cancelled") return { id: soon.id, said: words.calledOff(soon.name, when), calls: false };
    const said = now < soon.doors_at ? e.soon(soon.name, when) : e.open(soon.name, when, now >= soon.starts_at);
    return { id: soon.id, said, calls: false };
  }

  #drawLine() {
    // Somebody left at once: the page is empty, and stays so.
    if (!this.line.isConnected) return;
    const { id, said, calls } = this.#news();
    const isElsewhere = id !== "" && this.looksAt !== id;
    // Whoever is in a meeting is told of it as it goes on.
    if (isElsewhere && this.told !== id && id !== this.at?.id) this.context.say(said);
    this.told = id;
    show(this.line, isElsewhere);
    this.line.classList.toggle("calls", calls);
    text(this.said, said);
    const title = document.title.replace(MARK, "");
    document.title = calls && (isElsewhere || document.hidden) ? MARK + title : title;
  }
}
