/**
 * The console of a meeting: its script, the one button that goes on, the people in their order, and its room beside it. It
 * draws what the server's view says, and offers what is in the view's `may`.
 */

/** @import {MeetingView} from "wire" */
/** @import {Screen, Way} from "./part.js" */

import { attr, button, h, show, text } from "../../lib/dom.js";
import { leftWord, phaseName } from "../../locales/en-meeting.js";
import { words } from "../../locales/en-host.js";
import { endWords, kindOf, nameOf } from "../telling.js";
import { troubleLine } from "../../shell/fields.js";
import { hostRefusal } from "./refusal.js";
import { HostRoom } from "./room.js";
import { peopleList } from "./people.js";
import { scriptCard } from "./script-card.js";
import { SAME_PRESS_MS, stepToSend } from "./state.js";
import { steeringActs } from "./steering-acts.js";
import { backstageOf, countdown, leftOf, newsFor, nextOf } from "./steering.js";

const w = words.console;
const PARTS = /** @type {const} */ (["script", "people", "room"]);

/** @param {Way} way @param {string} meeting @returns {Screen} */
export const consoleView = (way, meeting) => new Console(way, meeting);

class Console {
  part = "script";
  /** @type {HostRoom | null} */
  room = null;
  /** @type {MeetingView | undefined} the view of which was told last */
  told;
  wasLong = true;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  resting;
  /** What was on the screen before. @type {string | null} */
  before;
  name = h("h1", { class: "host-name" });
  phase = h("b", { class: "host-phase" });
  where = h("span", { class: "soft small" });
  clock = h("p", { class: "host-clock", role: "timer", "aria-live": "off" });
  note = h("p", { class: "host-note", hidden: true });
  closed = h("div", { class: "card host-over", hidden: true });
  what = h("span", { class: "host-next-what" });
  why = h("p", { class: "soft host-why", id: "host-why", hidden: true });
  isBackstage = false;
  /** The connection on which the hosts' room was joined. @type {WebSocket | null} */
  joinedOn = null;
  sideButtons = /** @type {const} */ ([
    button(w.room, () => this.#turnTo(false), { class: "pill tab" }),
    button(w.backstage, () => this.#turnTo(true), { class: "pill tab" }),
  ]);
  sides = h("div", { class: "host-sides", role: "group", "aria-label": w.rooms, hidden: true }, ...this.sideButtons);
  roomPlace = h("div", { class: "host-room-place" }, this.sides);

  /** @param {Way} way @param {string} id */
  constructor(way, id) {
    this.way = way;
    this.id = id;
    this.before = way.context.session.state.open;
    this.trouble = troubleLine((no) => hostRefusal(no, way.meetings.now));
    this.next = h(
      "button",
      {
        type: "button",
        class: "act host-next",
        "aria-describedby": "host-why",
        "aria-keyshortcuts": "Alt+Enter",
        on: { click: () => void this.#next() },
      },
      h("span", { class: "host-next-word", text: w.next }),
      " ",
      this.what,
    );
    this.script = scriptCard(way, (line) => {
      this.isBackstage = false;
      this.#turn("room");
      this.room?.use(line);
    });
    this.people = peopleList(way, id);
    this.steering = steeringActs(this);
    this.element = this.#frame();
    if (way.meetings.state.views[id] === undefined) this.#look();
  }

  /** @returns {MeetingView | undefined} */
  get view() {
    return this.way.meetings.state.views[this.id];
  }

  #look() {
    void this.trouble.around(() => this.way.meetings.follow(this.id));
  }

  #frame() {
    const tabs = PARTS.map((part) => button("", () => this.#turn(part), { class: "pill tab", "data-part": part }));
    this.tabs = tabs;
    const back = button(w.back, () => this.way.go({ name: "groups" }), { class: "quiet back" });
    const head = h(
      "header",
      { class: "host-head" },
      back,
      this.name,
      h("p", { class: "host-where" }, this.phase, " ", this.where),
      this.clock,
      this.note,
    );
    const next = h("div", { class: "host-next-bar" }, this.why, this.trouble.element, this.next);
    return h(
      "div",
      { class: "host-console", "data-part": this.part },
      head,
      this.closed,
      h("div", { class: "host-parts", role: "group", "aria-label": w.parts }, ...tabs),
      h("div", { class: "host-part host-script-part" }, this.script.element),
      next,
      h("div", { class: "host-part host-acts-part" }, this.steering.element),
      h("div", { class: "host-part host-people-part" }, this.people.element),
      this.roomPlace,
    );
  }

  shown() {
    document.addEventListener("keydown", this.#key);
  }

  gone() {
    document.removeEventListener("keydown", this.#key);
    this.#dropRoom();
    const { session } = this.way.context;
    const { before } = this;
    session.show(before !== null && session.state.rooms[before] !== undefined ? before : null);
  }

  #dropRoom() {
    this.room?.gone();
    this.room?.element.remove();
    this.room = null;
  }

  update() {
    const { view, way } = this;
    const { meetings, context } = way;
    if (view === undefined) {
      text(this.name, meetings.state.over[this.id] === "gone" ? w.gone : words.loading);
      show(this.next, false);
      this.#dropRoom();
      this.#drawClosed(undefined);
      return;
    }
    const { skew } = context.session.state;
    const now = meetings.now;
    const isIn = view.here === true && view.stage === "live";
    this.#drawHead(view, now);
    this.#drawNext(view, now, isIn);
    this.#drawClosed(view);
    this.element.toggleAttribute("data-in", isIn);
    const room = context.session.state.rooms[view.room];
    if (isIn) {
      this.script.update(view);
      this.people.update(byDevice(view, skew), room, now - skew);
      this.steering.update(view);
    }
    this.#drawRoom(view);
    this.#drawTabs(view);
    this.#tell(view, now);
  }

  /** @param {MeetingView} view @param {number} now */
  #drawHead(view, now) {
    const kind = kindOf(view);
    const left = leftOf(view, now);
    const isLive = view.stage === "live";
    text(this.name, view.name);
    text(this.phase, isLive ? phaseName(view.held === true ? "hold" : kind) : "");
    text(this.where, isLive ? w.part((view.phase ?? 0) + 1, view.phases.length) : "");
    const unit = kind === "gather" ? w.begins : w.left;
    text(this.clock, left === null ? "" : `${countdown(left)} ${unit}`);
    attr(this.clock, "aria-label", left === null ? null : leftWord(left));
    show(this.clock, left !== null);
    const holder = view.turn === undefined ? "" : nameOf(view, view.turn.holder);
    const said =
      view.held === true
        ? w.held
        : holder !== ""
          ? view.turn?.over === true
            ? w.finishing(holder)
            : w.holder(holder)
          : kind === "hands"
            ? w.noHands
            : view.host_lost === true && view.here !== true
              ? w.hostLost
              : "";
    text(this.note, said);
    show(this.note, said !== "" && isLive);
  }

  /** @param {MeetingView} view @param {number} now @param {boolean} isIn */
  #drawNext(view, now, isIn) {
    const { what, isOpen, why } = nextOf(view, now);
    show(this.next, isIn);
    text(this.what, view.held === true ? w.goOnLead : what);
    const word = this.next.querySelector(".host-next-word");
    if (word !== null) text(word, view.held === true ? w.goOn : w.next);
    attr(this.next, "aria-disabled", isOpen ? null : "true");
    this.next.classList.toggle("resting", !isOpen);
    text(this.why, why);
    show(this.why, isIn && why !== "");
  }

  async #next() {
    const { view, way } = this;
    if (view === undefined || this.next.getAttribute("aria-disabled") === "true") return;
    const now = way.meetings.now;
    if (view.held === true) {
      await this.trouble.around(() => way.meetings.act(view.id, "pause", { on: false }));
      return;
    }
    const seen = stepToSend(way.hosting, view, now);
    if (seen === null) return;
    way.do({ type: "pressed", meeting: view.id, step: seen, at: now });
    this.#rest();
    await this.trouble.around(() => way.meetings.act(view.id, "step", { seen }));
  }

  /** For a moment a second press is the same one, and the button shows that it was pressed. */
  #rest() {
    attr(this.next, "data-pressed", true);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => attr(this.next, "data-pressed", null), SAME_PRESS_MS);
  }

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    if (event.key !== "Enter" || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!event.repeat && !this.next.hidden) void this.#next();
  };

  /** What stands there instead of the console: the way in, or the end. @param {MeetingView | undefined} view */
  #drawClosed(view) {
    const { closed, way } = this;
    const isOver = view !== undefined && view.stage !== "live" && view.stage !== "announced";
    const isOut = view !== undefined && !isOver && view.here !== true;
    const key = isOver ? `over ${view.ending ?? ""}` : isOut ? `out ${view.may.includes("enter")}` : "";
    show(closed, key !== "");
    if (closed.dataset["key"] === key || view === undefined) return;
    closed.dataset["key"] = key;
    const enter = () => void this.trouble.around(() => way.meetings.goIn(this.id));
    const { skew } = way.context.session.state;
    const said = isOver
      ? [w.ended, ...endWords(byDevice(view, skew))]
      : [view.may.includes("enter") ? w.outside : w.doors];
    closed.replaceChildren(
      ...said.map((each) => h("p", { text: each })),
      h(
        "div",
        { class: "row" },
        isOut && view.may.includes("enter") && button(w.enter, enter, { class: "act" }),
        isOver && button(w.back, () => way.go({ name: "groups" }), { class: "act" }),
      ),
    );
  }

  /** The meeting's room, or the one that hosts have for themselves. @param {MeetingView} view */
  #drawRoom(view) {
    const { session } = this.way.context;
    const backstage = view.here === true && view.stage === "live" ? backstageOf(view) : undefined;
    if (backstage !== undefined) this.#join(backstage);
    const id = this.isBackstage && backstage !== undefined ? backstage : view.room;
    const isThere = session.state.rooms[id] !== undefined && view.here === true;
    if (this.room !== null && (this.room.id !== id || (!isThere && view.stage !== "ended"))) this.#dropRoom();
    if (isThere && this.room === null) {
      this.room = new HostRoom(this.way, view, id);
      this.roomPlace.append(this.room.element);
      this.room.update(session.state, view);
      this.room.shown();
      session.show(id);
      session.older(id).catch(() => 0);
    }
    this.room?.update(session.state, view);
    show(this.sides, backstage !== undefined);
    const unread = backstage === undefined ? 0 : (session.state.rooms[backstage]?.unread ?? 0);
    const [room, hosts] = this.sideButtons;
    attr(room, "aria-current", this.isBackstage ? null : "true");
    attr(hosts, "aria-current", this.isBackstage ? "true" : null);
    text(hosts, unread > 0 && !this.isBackstage ? w.backstageNew(unread) : w.backstage);
  }

  /** Be in the hosts' room; tried once on each connection. @param {string} room */
  #join(room) {
    const { session } = this.way.context;
    if (session.state.rooms[room] !== undefined || this.joinedOn === session.client.socket) return;
    this.joinedOn = session.client.socket;
    session.enter(room).then(
      () => this.update(),
      () => {},
    );
  }

  /** @param {boolean} isBackstage */
  #turnTo(isBackstage) {
    this.isBackstage = isBackstage;
    this.update();
  }

  /** @param {MeetingView} view */
  #drawTabs({ people = [], room, here }) {
    const unread = this.way.context.session.state.rooms[room]?.unread ?? 0;
    const labels = {
      script: w.script,
      people: w.peopleNow(people.length),
      room: unread > 0 && this.part !== "room" ? w.roomNew(unread) : w.room,
    };
    for (const tab of this.tabs ?? []) {
      const part = /** @type {keyof typeof labels} */ (tab.dataset["part"]);
      text(tab, labels[part]);
      attr(tab, "aria-current", part === this.part ? "true" : null);
      show(tab, here === true);
    }
  }

  /** @param {string} part */
  #turn(part) {
    this.part = part;
    attr(this.element, "data-part", part);
    this.update();
  }

  /** What is news is said, politely. @param {MeetingView} view @param {number} now */
  #tell(view, now) {
    const { told, way } = this;
    const { turn } = view;
    const isLong = turn === undefined || turn.ends_at - now > 120_000;
    const mark =
      turn !== undefined && !isLong && this.wasLong && turn.ends_at - turn.since > 130_000 && turn.over !== true
        ? words.news.twoMinutes(nameOf(view, turn.holder))
        : "";
    this.wasLong = isLong;
    this.told = view;
    const news = told === view ? "" : newsFor(told, view);
    if (news !== "" || mark !== "") way.context.say([news, mark].filter(Boolean).join(" "));
  }
}

/** The times of a view by this device's clock. @param {MeetingView} view @param {number} skew @returns {MeetingView} */
function byDevice(view, skew) {
  const { turn, forget_at: forget } = view;
  return {
    ...view,
    ...(turn !== undefined && { turn: { ...turn, since: turn.since - skew, ends_at: turn.ends_at - skew } }),
    ...(forget !== undefined && forget !== null && { forget_at: forget - skew }),
  };
}
