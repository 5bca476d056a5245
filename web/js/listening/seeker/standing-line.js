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
  const { session, go, say, sayNow } = context;
  const own = [...link.childNodes];
  const said = h("span");
  const act = button("", () => void press(), { class: "quiet" });
  const put = button(
    "×",
    () => {
      dismissed = session.state.standing?.session?.id ?? "";
      update(session.state, "");
    },
    { class: "quiet", "aria-label": "" },
  );
  element.append(said, act, put);
  let dismissed = "";
  /** @type {Standing["state"] | null} */
  let before = null;
  let entering = "";
  /** What the link says instead of its own words. */
  let topped = "";
  const news = announceSeldom(say);
  const frame = framed(context);

  async function press() {
    if (session.state.standing?.state !== "lapsed") return go({ name: "asking" });
    try {
      await commands(session).takeBack();
    } catch (no) {
      sayNow(refusalWord(no));
    }
    go({ name: "asking" });
  }

  /** @param {State} state @param {string} screen  the name of the one that is shown */
  function update(state, screen) {
    const { standing } = state;
    frame.update(state, screen);
    if (standing === null) return rest();
    const { state: at, session: talk } = standing;
    const isThere = screen === "asking";
    if (at === "session" && talk !== undefined) enterRoom(talk.room);
    if (isThere && at === "ended") dismissed = talk?.id ?? "";
    const isSeen = at === "ended" && dismissed === talk?.id;
    const unread = talk === undefined ? 0 : (state.rooms[talk.room]?.unread ?? 0);
    const name = partner(talk);
    const line = lineWord(standing, unread > 0, name);
    text(said, line);
    text(
      act,
      {
        waiting: words.line.see,
        lapsed: words.line.takeBack,
        session: words.line.go,
        ended: words.line.look,
        none: "",
      }[at],
    );
    show(put, at === "ended");
    put.setAttribute("aria-label", words.line.dismiss);
    element.classList.toggle("calls", at === "session");
    show(element, line !== "" && !isThere && !isSeen);
    const top = topWords(standing);
    if (top === null) topped !== "" && link.replaceChildren(...own);
    else if (topped !== top.join("")) {
      const [before, middle, after] = top;
      link.replaceChildren(
        h(
          "span",
          {},
          h("span", { class: "wide", text: before }),
          middle ?? "",
          h("span", { class: "wide", text: after }),
        ),
      );
    }
    topped = top?.join("") ?? "";
    link.classList.toggle("calls", at === "session" && !isThere);
    document.title = document.title.replace(/^• /, "");
    if (at === "session" && (!isThere || document.hidden)) document.title = `• ${document.title}`;
    if (!isThere) {
      if (before !== null && before !== at && at === "session") sayNow(words.waiting.came(name));
      else if (at === "waiting")
        news(
          standing.listeners === 0 ? words.waiting.alone : placeWord(standing.place ?? 0),
          `${standing.place} ${standing.listeners === 0}`,
        );
    }
    before = at;
  }

  /** Nobody is known here: nothing is said of whoever was. */
  function rest() {
    show(element, false);
    if (topped !== "") link.replaceChildren(...own);
    topped = "";
    link.classList.remove("calls");
    document.title = document.title.replace(/^• /, "");
    before = null;
  }

  /** Be in the conversation's room also while another screen is shown. @param {string} room */
  function enterRoom(room) {
    if (session.state.rooms[room] !== undefined || entering === room) return;
    entering = room;
    session
      .enter(room)
      .catch(() => {})
      .finally(() => {
        entering = "";
      });
  }

  return { update };
}

/** @param {Context} context */
function framed(context) {
  /** @type {Element | null} */
  let frame = null;
  /** @type {View | null} */
  let view = null;

  /** @param {Element} at */
  async function fill(at) {
    const found = await fetched(() => import("./asking.js"), "listening/seeker/asking.js").catch(() => null);
    if (frame !== at) return;
    if (found === null) return missed(at, () => void fill(at));
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
