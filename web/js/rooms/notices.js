/** Draws what is announced, what is closed, and where one's place is, above the place where one writes. */

/** @import {Context, State} from "../types.js" */
/** @import {Act, Note} from "./notes.js" */

import { button, h, keyed, show, text } from "../lib/dom.js";
import { words as w } from "../locales/en-notices.js";
import { notesOf } from "./notes.js";
import { RoomMoves } from "./room-moves.js";
import { standAbove } from "./views/above.js";

const WAITS = ["slowed", "read_only"];

export class NoticesCard {
  /** @param {Context} context @param {HTMLElement} stage */
  constructor(context, stage) {
    this.context = context;
    this.session = context.session;
    this.stage = stage;
    this.moves = new RoomMoves(context);
    this.list = h("div", { class: "stack" });
    this.element = h("section", { class: "card announcements", "aria-label": w.label, hidden: true }, this.list);
    /** @type {Set<string>} what was read aloud */
    this.told = new Set();
    /** @type {Map<string, string>} how rooms were that need a moderator, when they were last shown */
    this.attendances = new Map();
  }

  /** @param {State} state */
  update(state) {
    standAbove(this.element, this.stage);
    const hasDraft = (/** @type {string} */ room) => this.session.stream(room).draft !== null;
    const found = notesOf(state, Date.now() + state.skew, hasDraft);
    keyed(
      this.list,
      found,
      ({ id }) => id,
      (note) => this.#row(note),
    );
    show(this.element, found.length > 0);
    this.#sayAttendance(state);
    for (const note of found) this.#sayOnce(note);
  }

  /** @param {Note} note */
  #row({ said: words, acts: all }) {
    const said = h("p", { text: words });
    const more = h("p", { class: "soft" });
    const look = (/** @type {number} */ i) => ({ class: i === 0 && all.length > 1 ? "act second" : "quiet" });
    const acts = h(
      "div",
      { class: "row" },
      ...all.map(([label, act], i) => button(label, () => this.#act(act), look(i))),
    );
    return {
      element: h("div", {}, said, more, all.length > 0 && acts),
      update: (/** @type {Note} */ next) => {
        text(said, next.said);
        text(more, next.more ?? "");
        show(more, (next.more ?? "") !== "");
      },
    };
  }

  /** @param {Act} act */
  #act(act) {
    const { context, session, moves } = this;
    switch (act.do) {
      case "hide":
        return session.do({ type: "put away", notice: act.notice });
      case "enter":
        return void context.enter(act.room).catch(() => session.do({ type: "no seat", trouble: "failed" }));
      case "ask":
        return context.go({ name: "asking" });
      case "sit":
        return void moves.sit(act.room);
      case "fine":
        return moves.fine();
      case "move":
        return moves.choose(act.from, act.at, act.to);
    }
  }

  /** That a moderator is here again is said; what is said anew after that is told anew. @param {State} state */
  #sayAttendance({ open, rooms }) {
    const room = open === null ? undefined : rooms[open]?.room;
    if (room === undefined || room.status !== "open") return;
    const was = this.attendances.get(room.id);
    this.attendances.set(room.id, room.attendance);
    if (WAITS.includes(room.attendance)) return;
    for (const how of WAITS) this.told.delete(`${how}-${room.id}`);
    if (was !== undefined && was !== room.attendance) this.context.say(w.back);
  }

  /** @param {Note} note */
  #sayOnce({ id, said, more }) {
    // A way more is no news.
    const news = id.split(" ")[0] ?? "";
    if (this.told.has(news)) return;
    this.told.add(news);
    // Where one was led was said when it happened.
    if (!id.startsWith("moved-")) this.context.say(more === w.label ? w.news(said) : said);
  }
}
