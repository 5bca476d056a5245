/** A meeting's screen: the agreement before it, the meeting itself, and what stands there when it is over for somebody. */

/** @import {State, View} from "../types.js" */
/** @import {Way} from "./open.js" */

import { button, focusOn, h } from "../lib/dom.js";
import { words } from "../locales/en-meeting.js";
import { words as room } from "../locales/en-meeting-room.js";
import { troubleLine } from "../shell/trouble-line.js";
import { doorView } from "./door.js";
import { MeetingRoom } from "./room.js";
import { endWords } from "./telling.js";

const w = room.ended;

/** @param {Way} way @param {string} id @returns {View} */
export const meetingView = (way, id) => new MeetingScreen(way, id);

class MeetingScreen {
  named = "";
  isShown = false;
  /** @type {View | null} */
  stage = null;
  /** Nobody could be asked yet. */
  isAsked = false;
  element = h(
    "div",
    { class: "meeting-frame" },
    h("h1", { class: "unseen", text: words.title }),
    h("p", { class: "boot", text: words.loading }),
  );

  /** @param {Way} way @param {string} id */
  constructor(way, id) {
    this.way = way;
    this.id = id;
    this.trouble = troubleLine();
    this.element.append(this.trouble.element);
    this.stop = way.meetings.subscribe(() => this.update(way.context.session.state));
  }

  shown() {
    this.isShown = true;
    this.way.presence.look(this.id);
    this.stage?.shown?.();
    if (this.stage !== null) this.#focus();
  }

  gone() {
    this.stop();
    this.stage?.gone?.();
    this.way.presence.look("");
  }

  /** @param {State} state */
  update(state) {
    const { client } = this.way.context.session;
    if (!this.isAsked && client.isOpen && state.lobby !== null) void this.#ask();
    const next = this.#nameOf();
    if (next !== this.named) this.#turnTo(next);
    this.stage?.update?.(state);
  }

  /** Whoever is nothing to the meeting yet is led to its door. */
  async #ask() {
    this.isAsked = true;
    const { meetings } = this.way;
    const isThere = await this.trouble.around(async () => {
      await meetings.follow(this.id).catch((no) => {
        if (no.code !== "meeting_unknown") throw no;
      });
      // The agreement stands with the group, and whoever steps out is led there.
      const { groups, views } = meetings.state;
      if (groups === null || views[this.id]?.here !== true) await meetings.fetchGroups();
    });
    if (!isThere) this.isAsked = false;
    this.update(this.way.context.session.state);
  }

  /** What is to be shown; "" while nobody knows. */
  #nameOf() {
    const { views, over, groups } = this.way.meetings.state;
    const view = views[this.id];
    const isPlanned = groups?.some((group) => group.dates.some((date) => date.id === this.id)) ?? false;
    if (over[this.id] === "out") return "out";
    if (view?.stage === "cancelled") return "cancelled";
    if (view?.here === true) return "room";
    if (view?.stage === "ended") return "ended";
    if (over[this.id] === "gone" && this.named !== "" && this.named !== "door") return "gone";
    if (groups === null) return "";
    return isPlanned ? "door" : view === undefined ? "missing" : "ended";
  }

  /** @param {string} name */
  #turnTo(name) {
    if (name === "") return;
    const { session } = this.way.context;
    const isFirst = this.named === "";
    this.stage?.gone?.();
    this.named = name;
    this.stage = this.#make(name);
    const isRoom = name === "room";
    session.show(isRoom ? (this.way.meetings.state.views[this.id]?.room ?? null) : null);
    document.body.dataset["screen"] = isRoom ? "room" : "meetings";
    this.element.replaceChildren(this.stage.element);
    this.stage.update?.(session.state);
    if (!this.isShown) return;
    if (!isFirst) scrollTo(0, 0);
    this.#focus();
    this.stage.shown?.();
  }

  #focus() {
    const heading = this.element.querySelector("h1");
    if (heading !== null) focusOn(heading);
  }

  /** @param {string} name @returns {View} */
  #make(name) {
    const view = this.way.meetings.state.views[this.id];
    if (name === "room" && view !== undefined) return new MeetingRoom(this.way, view);
    if (name === "door") return doorView(this.way, this.id);
    // From here on they know.
    if (name === "cancelled") this.way.meetings.putAway(this.id);
    const said = {
      out: [w.out, w.outMore],
      cancelled: view?.why ? [words.why(view.why)] : [],
      ended: view === undefined ? [w.gone] : endWords(view),
      gone: [w.gone],
      missing: [w.missing],
    }[name] ?? [w.missing];
    return this.#card(name === "cancelled" ? w.cancelled : w.title, said);
  }

  /** @param {string} title @param {readonly string[]} said @returns {View} */
  #card(title, said) {
    const { context, open, meetings } = this.way;
    const group = meetings.state.views[this.id]?.group ?? "";
    return {
      element: h(
        "div",
        { class: "card narrow threshold" },
        h("h1", { text: title }),
        ...said.map((each) => h("p", { text: each })),
        h(
          "div",
          { class: "row" },
          button(w.again, () => open(group === "" ? "#groups" : group), { class: "act" }),
          button(w.listener, () => context.go({ name: "asking" }), { class: "act second" }),
          button(words.back, context.back, { class: "quiet" }),
        ),
      ),
    };
  }
}
