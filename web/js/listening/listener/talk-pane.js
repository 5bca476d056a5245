/** One conversation of the console: the talk itself, and what a listener can do in it. */

/** @import {Context, TalkView} from "../../types.js" */
/** @import {ConsoleView, ListenerApp} from "./types.js" */

import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { words } from "../../locales/en-listener.js";
import { talkView } from "../talk-view.js";
import { holds, seekerOf } from "./state.js";
import { ending, folding, moreMenu, nobodyThere } from "./talk-acts.js";
import { afterwards } from "./talk-after.js";

const w = words.talks;
const NEAR_END_PX = 120;
const NARROW = "(max-width: 59.99rem)";

/** @param {ListenerApp} app @param {Context} context @param {TalkView} first @param {() => void} putAway */
export function pane(app, context, first, putAway) {
  const { session, say } = app;
  let talk = first;
  const { id } = first;
  const openings = openingsMenu((line) => talkIn.write.takeBack(line));
  const end = ending(app, first);
  const nobody = nobodyThere(app, first);
  const more = moreMenu(app, first, () => talk);
  const about = folding(w.about, "about");
  const helping = h("p", { class: "soft small", hidden: true });
  const acts = [openings.button, about.button, more.button, end.first];
  const panels = h(
    "div",
    { class: "pane-panels" },
    helping,
    nobody.element,
    more.state,
    openings.element,
    about.element,
    more.element,
    end.panel,
  );
  const element = h("div", { class: "pane", role: "group", tabindex: -1, "aria-label": w.label(seekerOf(first).name) });
  const after = afterwards(app, first, putAway);
  const talkIn = talkView(context, first, {
    acts,
    cards: [panels],
    scroller: element,
    suffix: `-${id}`,
    heading: "h2",
  });
  element.append(talkIn.element, after.element);
  let isSettled = false;
  let isAtEnd = true;
  // What folds in or out, and a window that is made smaller, must not push the last words out of sight.
  const toEnd = new ResizeObserver(() => {
    if (isAtEnd) element.scrollTop = element.scrollHeight;
  });
  element.addEventListener(
    "scroll",
    () => {
      isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
    },
    { passive: true },
  );

  function intoView() {
    element.scrollIntoView({ block: matchMedia(NARROW).matches ? "start" : "nearest" });
  }

  /** @param {TalkView} now @param {ConsoleView} view */
  function update(now, view) {
    talk = now;
    const isOver = Boolean(now.ended_at);
    const isMine = holds(now);
    // What nobody sees is not read yet: where one conversation is on the screen, the others wait with their news.
    if (!isSettled || element.getClientRects().length > 0) talkIn.update(session.state, now);
    attr(element, "data-over", isOver ? "" : null);
    const holder = now.people.find((person) => person.role === "listener");
    text(helping, isMine ? "" : w.helping(holder?.name ?? ""));
    show(helping, !isMine && !isOver);
    show(panels, !isOver);
    for (const act of acts) show(act, !isOver);
    openings.update(view.profile.openings);
    more.update(now, view, isMine);
    nobody.update(now);
    if (about.element.childElementCount === 0) about.element.append(...aboutLines(now, session));
    show(about.button, about.element.childElementCount > 0 && !isOver);
    after.update(now);
  }

  return {
    element,
    update,
    /** It is on the screen again. @param {ConsoleView} view */
    refresh: (view) => update(talk, view),
    /** It stands on the page now, and can be measured. */
    settle() {
      if (isSettled) return;
      isSettled = true;
      talkIn.shown();
      for (const one of [element, panels]) toEnd.observe(one);
      say(w.label(seekerOf(talk).name));
    },
    /** Whether something is being done in it, so that it must not go by itself. */
    get isInUse() {
      return element.contains(document.activeElement) || element.querySelector("form.panel:not([hidden])") !== null;
    },
    focus() {
      element.focus({ preventScroll: true });
      intoView();
    },
    write() {
      intoView();
      if (talk.ended_at) element.focus({ preventScroll: true });
      else talkIn.write.focus({ preventScroll: true });
    },
    gone() {
      toEnd.disconnect();
      nobody.gone();
      talkIn.gone();
    },
  };
}

/** What they said when they asked. @param {TalkView} talk @param {ListenerApp["session"]} session */
function aboutLines(talk, session) {
  const rooms = new Map((session.state.lobby ?? []).map((card) => [card.id, card.name]));
  const p = words.proposal;
  const lines = [
    (talk.topics ?? []).length > 0
      ? `${p.topics}: ${(talk.topics ?? []).map((topic) => rooms.get(topic) ?? topic).join(", ")}`
      : "",
    talk.need ? p.need[talk.need] : "",
    talk.heavy ? p.heavy(talk.heavy) : "",
    ...(talk.why ?? []).map(words.whyWord),
  ].filter((line) => line !== "");
  return lines.length === 0 ? [] : [h("ul", { class: "facts" }, ...lines.map((line) => h("li", { text: line })))];
}

/** First words of one's own. @param {(line: string) => void} use */
function openingsMenu(use) {
  const list = h("ul", { class: "openings" });
  const none = h("p", { class: "soft", text: w.openingsNone });
  const fold = folding(w.openings, "openings");
  fold.element.append(none, list);
  return {
    ...fold,
    /** @param {string[]} openings */
    update(openings) {
      show(none, openings.length === 0);
      keyed(
        list,
        openings,
        (line) => line,
        (line) => ({
          element: h(
            "li",
            {},
            button(
              line,
              () => {
                fold.close();
                use(line);
              },
              { class: "pill opening" },
            ),
          ),
          update() {},
        }),
      );
    },
  };
}
