/**
 * One-to-one for whoever asks: what can be done, and the words on every screen that say where one stands.
 * Fetched when it is needed, with its style.
 */

/** @import {Context, Standing, State, View} from "../../types.js" */

import { fetched } from "../../lib/api.js";
import { button, h, show, text } from "../../lib/dom.js";
import { placeWord, words } from "../../locales/en-listening.js";
import { refusalWord } from "../../locales/en.js";
import { missed } from "../../shell/trouble-line.js";
import { announceSeldom, commands, partner } from "./commands.js";
import { SeekerFetching } from "./fetching.js";

const STYLE = "/css/listening.css";

/** Its style, once. */
function dress() {
  if (document.querySelector(`link[href="${STYLE}"]`) !== null) return Promise.resolve();
  return new Promise((done) => {
    const link = h("link", { rel: "stylesheet", href: STYLE, on: { load: () => done(null), error: () => done(null) } });
    document.head.append(link);
  });
}

/**
 * Where one stands, on every screen: a line under the head, the words of the link in it, and what is said aloud. And
 * the screen of one-to-one itself, in the frame that the page has for it.
 * @param {Context} context @param {HTMLElement} element @param {HTMLElement} link
 */
export async function standingLine(context, element, link) {
  await dress();
  return new StandingLine(context, element, link);
}

class StandingLine {
  dismissed = "";
  /** @type {Standing["state"] | null} */
  before = null;
  /** What the link says instead of its own words. */
  topped = "";
  said = h("span");
  act = button("", () => void this.#press(), { class: "quiet" });
  put = button("×", () => this.#dismiss(), { class: "quiet", "aria-label": "" });

  /** @param {Context} context @param {HTMLElement} element @param {HTMLElement} link */
  constructor(context, element, link) {
    this.context = context;
    this.session = context.session;
    this.element = element;
    this.link = link;
    this.own = [...link.childNodes];
    this.news = announceSeldom(context.say);
    this.frame = framed(context, new SeekerFetching(context.session));
    element.append(this.said, this.act, this.put);
  }

  /** @param {State} state @param {string} screen  the name of the one that is shown */
  update(state, screen) {
    const { standing } = state;
    this.frame.update(state, screen);
    if (standing === null) return this.#rest();
    const { state: at, session: talk } = standing;
    const isThere = screen === "asking";
    if (isThere && at === "ended") this.dismissed = talk?.id ?? "";
    const unread = talk === undefined ? 0 : (state.rooms[talk.room]?.unread ?? 0);
    this.#drawLine(standing, lineWord(standing, unread > 0, partner(talk)), isThere);
    this.#drawLink(standing);
    this.link.classList.toggle("calls", at === "session" && !isThere);
    document.title = document.title.replace(/^• /, "");
    if (at === "session" && (!isThere || document.hidden)) document.title = `• ${document.title}`;
    if (!isThere) this.#sayNews(standing);
    this.before = at;
  }

  /** @param {Standing} standing @param {string} line @param {boolean} isThere  its own screen is shown */
  #drawLine({ state: at, session: talk }, line, isThere) {
    const isSeen = at === "ended" && this.dismissed === talk?.id;
    const { see, takeBack, go, look, dismiss } = words.line;
    text(this.said, line);
    text(this.act, { waiting: see, lapsed: takeBack, session: go, ended: look, none: "" }[at]);
    show(this.put, at === "ended");
    this.put.setAttribute("aria-label", dismiss);
    this.element.classList.toggle("calls", at === "session");
    show(this.element, line !== "" && !isThere && !isSeen);
  }

  /** The words of the link to it. @param {Standing} standing */
  #drawLink(standing) {
    const top = topWords(standing);
    if (top === null) this.#restLink();
    else if (this.topped !== top.join("")) {
      const [before, middle, after] = top;
      const wide = (/** @type {string | undefined} */ said) => h("span", { class: "wide", text: said });
      this.link.replaceChildren(h("span", {}, wide(before), middle ?? "", wide(after)));
    }
    this.topped = top?.join("") ?? "";
  }

  /** @param {Standing} standing */
  #sayNews({ state: at, session: talk, place, listeners }) {
    if (this.before !== null && this.before !== at && at === "session")
      this.context.sayNow(words.waiting.came(partner(talk)));
    else if (at === "waiting")
      this.news(listeners === 0 ? words.waiting.alone : placeWord(place ?? 0), `${place} ${listeners === 0}`);
  }

  async #press() {
    const { session, context } = this;
    if (session.state.standing?.state !== "lapsed") return context.go({ name: "asking" });
    try {
      await commands(session).takeBack();
    } catch (no) {
      context.sayNow(refusalWord(no));
    }
    context.go({ name: "asking" });
  }

  #dismiss() {
    this.dismissed = this.session.state.standing?.session?.id ?? "";
    this.update(this.session.state, "");
  }

  #restLink() {
    if (this.topped !== "") this.link.replaceChildren(...this.own);
  }

  /** Nobody is known here: nothing is said of whoever was. */
  #rest() {
    show(this.element, false);
    this.#restLink();
    this.topped = "";
    this.link.classList.remove("calls");
    document.title = document.title.replace(/^• /, "");
    this.before = null;
  }
}

/** @param {Context} context @param {SeekerFetching} fetching */
function framed(context, fetching) {
  /** @type {Element | null} */
  let frame = null;
  /** @type {View | null} */
  let view = null;

  /** @param {Element} at */
  async function fill(at) {
    const found = await fetched(() => import("./asking.js"), "listening/seeker/asking.js").catch(() => null);
    if (frame !== at) return;
    if (found === null) return missed(at, () => void fill(at));
    fetching.look(true);
    view = found.askingView(context);
    at.replaceChildren(view.element);
    view.update?.(context.session.state);
    view.shown?.();
  }

  return {
    /** @param {State} state @param {string} screen */
    update(state, screen) {
      const at = screen === "asking" ? document.querySelector(".asking-frame") : null;
      if (at === frame) return view?.update?.(state);
      view?.gone?.();
      view = null;
      fetching.look(false);
      frame = at;
      if (at !== null) void fill(at);
    },
  };
}

/** @param {Standing} standing @param {boolean} hasUnread @param {string} name */
function lineWord({ state, place, kept_seconds: kept, listeners }, hasUnread, name) {
  switch (state) {
    case "none":
      return "";
    case "waiting":
      return words.line.waiting(place, kept, listeners);
    case "session":
      return hasUnread ? words.line.unread(name) : words.line.session;
    case "lapsed":
      return words.line.lapsed;
    case "ended":
      return words.line.ended;
  }
}

/** @param {Standing} standing */
function topWords({ state, place, listeners }) {
  if (state === "none" || state === "ended") return null;
  return state === "waiting" ? words.top.waiting(listeners === 0 ? undefined : place) : words.top[state];
}
