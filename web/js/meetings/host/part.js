/** The facilitator's part of the staff page: their groups, a form, dates, and the console of a meeting, one at a time. */

/** @import {Context} from "../../types.js" */
/** @import {ListenerApp, Part} from "../../listening/listener/types.js" */
/** @import {HostHappening, HostScreen, Hosting} from "./state.js" */

import { focusOn, h } from "../../lib/dom.js";
import { drawnSoon } from "../../shell/page.js";
import { Ticking } from "../ticking.js";
import { planView } from "./plan.js";
import { consoleView } from "./console.js";
import { groupForm } from "./form.js";
import { groupList } from "./list.js";
import { HostMeetings } from "./meetings.js";
import { initialHosting, reduce } from "./state.js";

/**
 * @typedef {object} Way  what each screen is given
 * @property {Context} context
 * @property {HostMeetings} meetings
 * @property {Hosting} hosting  as it is at this moment
 * @property {(event: HostHappening) => void} do
 * @property {(screen: HostScreen) => void} go
 * @property {(news: string) => void} tell  what was done, on the next screen
 * @property {string} news
 *
 * @typedef {{element: HTMLElement, update: () => void, shown?: () => void, gone?: () => void}} Screen
 */

/** What outlives a look at another part of the page. @type {WeakMap<object, {meetings: HostMeetings, hosting: Hosting}>} */
const kept = new WeakMap();

/** @param {ListenerApp} app @param {Context} context @returns {Part} */
export const groupsPart = (app, context) => new HostPart(app, context);

class HostPart {
  ended = new AbortController();
  shownKey = "";
  news = "";
  element = h("div", { class: "hosting" });
  /** @type {Screen | null} */
  screen = null;

  /** @param {ListenerApp} app @param {Context} context */
  constructor({ session }, context) {
    const held = kept.get(session) ?? { meetings: new HostMeetings(session), hosting: initialHosting() };
    kept.set(session, held);
    this.held = held;
    this.context = context;
    this.meetings = held.meetings;
    this.draw = drawnSoon(() => this.#draw(), this.ended.signal);
    this.unsubscribe = held.meetings.subscribe(() => this.draw());
    this.ticking = new Ticking(held.meetings, () => {});
    held.meetings.isListShown = true;
    this.ticking.start();
    void held.meetings.begin();
    this.#draw();
  }

  get hosting() {
    return this.held.hosting;
  }

  /** @param {HostHappening} event */
  do(event) {
    const before = this.held.hosting;
    this.held.hosting = reduce(before, event);
    if (this.held.hosting !== before) this.draw();
  }

  /** @param {HostScreen} screen */
  go(screen) {
    this.do({ type: "go", screen });
    this.#draw();
  }

  /** @param {string} news */
  tell(news) {
    this.news = news;
    this.context.say(news);
  }

  update() {
    this.screen?.update();
  }

  gone() {
    this.ended.abort();
    this.unsubscribe();
    this.ticking.stop();
    this.meetings.isListShown = false;
    this.screen?.gone?.();
  }

  #draw() {
    const present = this.meetings.present;
    if (present !== undefined && !this.hosting.isSettled) this.do({ type: "found", meeting: present.id });
    const { screen } = this.hosting;
    const key = JSON.stringify(screen);
    if (key !== this.shownKey) {
      const isFirst = this.shownKey === "";
      this.shownKey = key;
      this.screen?.gone?.();
      this.screen = this.#made(screen);
      this.news = "";
      this.element.replaceChildren(this.screen.element);
      this.screen.update();
      this.screen.shown?.();
      const title = this.element.querySelector("h1");
      if (!isFirst) scrollTo(0, 0);
      if (title !== null && !isFirst) focusOn(title);
      return;
    }
    this.screen?.update();
  }

  /** @param {HostScreen} screen @returns {Screen} */
  #made(screen) {
    switch (screen.name) {
      case "form":
        return groupForm(this, screen.group, screen.template);
      case "plan":
        return planView(this, screen.group);
      case "meeting":
        return consoleView(this, screen.meeting);
      default:
        return groupList(this);
    }
  }
}
