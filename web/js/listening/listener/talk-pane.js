/** One conversation of the console: the talk itself, and what a listener can do in it. */

/** @import {Context, TalkView} from "../../types.js" */
/** @import {ConsoleView, ListenerApp} from "./types.js" */

import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { words } from "../../locales/en-listener.js";
import { Talk } from "../talk-view.js";
import { holds, seekerOf } from "./state.js";
import { ending, folding, moreMenu, nobodyThere } from "./talk-acts.js";
import { afterwards } from "./talk-after.js";

const w = words.talks;
const NEAR_END_PX = 120;
const NARROW = "(max-width: 59.99rem)";

/** @param {ListenerApp} app @param {Context} context @param {TalkView} first @param {() => void} putAway */
export const pane = (app, context, first, putAway) => new TalkPane(app, context, first, putAway);

class TalkPane {
  isSettled = false;
  isAtEnd = true;
  helping = h("p", { class: "soft small", hidden: true });
  about = folding(w.about, "about");

  /** @param {ListenerApp} app @param {Context} context @param {TalkView} first @param {() => void} putAway */
  constructor(app, context, first, putAway) {
    this.app = app;
    this.session = app.session;
    this.talk = first;
    this.openings = openingsMenu((line) => this.talkIn.takeBack(line));
    this.nobody = nobodyThere(app, first);
    this.more = moreMenu(app, first, () => this.talk);
    this.after = afterwards(app, first, putAway);
    const end = ending(app, first);
    const { helping, nobody, more, openings, about } = this;
    this.acts = [openings.button, about.button, more.button, end.first];
    const parts = [helping, nobody.element, more.state, openings.element, about.element, more.element, end.panel];
    this.panels = h("div", { class: "pane-panels" }, ...parts);
    const label = w.label(seekerOf(first).name);
    this.element = h("div", { class: "pane", role: "group", tabindex: -1, "aria-label": label });
    this.talkIn = new Talk(context, first, {
      acts: this.acts,
      cards: [this.panels],
      scroller: this.element,
      suffix: `-${first.id}`,
      heading: "h2",
    });
    this.element.append(this.talkIn.element, this.after.element);
    // What folds in or out, and a window that is made smaller, must not push the last words out of sight.
    this.toEnd = new ResizeObserver(() => {
      if (this.isAtEnd) this.element.scrollTop = this.element.scrollHeight;
    });
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  /** @param {TalkView} now @param {ConsoleView} view */
  update(now, view) {
    this.talk = now;
    const { element, about, helping } = this;
    const isOver = Boolean(now.ended_at);
    const isMine = holds(now);
    // What nobody sees is not read yet: where one conversation is on the screen, the others wait with their news.
    if (!this.isSettled || element.getClientRects().length > 0) this.talkIn.update(this.session.state, now);
    attr(element, "data-over", isOver ? "" : null);
    const holder = now.people.find((person) => person.role === "listener");
    text(helping, isMine ? "" : w.helping(holder?.name ?? ""));
    show(helping, !isMine && !isOver);
    show(this.panels, !isOver);
    for (const act of this.acts) show(act, !isOver);
    this.openings.update(view.profile.openings);
    this.more.update(now, view, isMine);
    this.nobody.update(now);
    if (about.element.childElementCount === 0) about.element.append(...aboutLines(now, this.session));
    show(about.button, about.element.childElementCount > 0 && !isOver);
    this.after.update(now);
  }

  /** It is on the screen again. @param {ConsoleView} view */
  refresh(view) {
    this.update(this.talk, view);
  }

  /** It stands on the page now, and can be measured. */
  settle() {
    if (this.isSettled) return;
    this.isSettled = true;
    this.talkIn.shown();
    for (const one of [this.element, this.panels]) this.toEnd.observe(one);
    this.app.say(w.label(seekerOf(this.talk).name));
  }

  /** Whether something is being done in it, so that it must not go by itself. */
  get isInUse() {
    const { element } = this;
    return element.contains(document.activeElement) || element.querySelector("form.panel:not([hidden])") !== null;
  }

  focus() {
    this.element.focus({ preventScroll: true });
    this.#intoView();
  }

  write() {
    this.#intoView();
    if (this.talk.ended_at) this.element.focus({ preventScroll: true });
    else this.talkIn.write.area.focus({ preventScroll: true });
  }

  gone() {
    this.toEnd.disconnect();
    this.nobody.gone();
    this.talkIn.gone();
  }

  #scrolled() {
    const { element } = this;
    this.isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
  }

  #intoView() {
    this.element.scrollIntoView({ block: matchMedia(NARROW).matches ? "start" : "nearest" });
  }
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
