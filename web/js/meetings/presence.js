/**
 * Being in a meeting, on whatever screen: what is news is said aloud, one's own turn at once, with a tone and a buzz for
 * whoever wants them; and a line leads back to it from elsewhere.
 */

/** @import {MeetingView} from "wire" */
/** @import {Context} from "../types.js" */
/** @import {Meetings} from "./meetings.js" */

import { button, h, show, text } from "../lib/dom.js";
import { words as w } from "../locales/en-meeting-room.js";
import { Bell } from "../shell/bell.js";
import { byId, storageOrNone } from "../shell/page.js";
import { presentMeeting } from "./state.js";
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
  /** Drawn again every second, where somebody looks at a meeting. @type {() => void} */
  draw = () => {};

  /** @param {Context} context @param {Meetings} meetings @param {(meeting: string) => void} open */
  constructor(context, meetings, open) {
    this.context = context;
    this.meetings = meetings;
    const go = button(w.elsewhere.go, () => this.at !== undefined && open(this.at.id), { class: "quiet" });
    this.line = h("aside", { class: "link standing meeting-line", "aria-label": w.label, hidden: true }, this.said, go);
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
    const { meetings, context } = this;
    for (const view of Object.values(meetings.state.views)) {
      const before = this.before.get(view.id);
      if (before === view) continue;
      this.before.set(view.id, view);
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
  }

  #drawLine() {
    const { at, looksAt } = this;
    const isElsewhere = at !== undefined && looksAt !== at.id;
    const isMine = at !== undefined && isMyTurn(at);
    show(this.line, isElsewhere);
    this.line.classList.toggle("calls", isMine);
    text(this.said, at === undefined ? "" : isMine ? w.elsewhere.mine(at.name) : w.elsewhere.on(at.name));
    const title = document.title.replace(MARK, "");
    document.title = isMine && (isElsewhere || document.hidden) ? MARK + title : title;
  }
}
