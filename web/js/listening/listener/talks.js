/** Conversations side by side, or one at a time where the screen is narrow. */

/** @import {Context, TalkView} from "../../types.js" */
/** @import {ConsoleView, ListenerApp, Part} from "./types.js" */

import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { clock } from "../../lib/time.js";
import { words } from "../../locales/en-listener.js";
import { debriefCard, invitationCard } from "./invitation-cards.js";
import { leftTalk } from "./talk-acts.js";
import { pane } from "./talk-pane.js";
import { isWriting, troubleLine } from "../../shell/fields.js";
import { handedOver, seekerOf, talksOf } from "./state.js";

const w = words.talks;

/** @param {ListenerApp} app @param {Context} context @returns {Part & {open: (at: number) => void}} */
export const talksView = (app, context) => new TalksView(app, context);

class TalksView {
  /** @type {Map<string, ReturnType<typeof pane>>} */
  panesById = new Map();
  /** @type {ConsoleView | null} */
  last = null;
  chosen = "";
  tabs = h("div", { class: "tabs", role: "group", "aria-label": w.title, hidden: true });
  panes = h("div", { class: "panes" });
  empty = h("div", { class: "card no-talks" }, h("h2", { text: w.none }), h("p", { class: "soft", text: w.noneLead }));
  news = h("p", { class: "done", hidden: true });

  /** @param {ListenerApp} app @param {Context} context */
  constructor(app, context) {
    this.app = app;
    this.context = context;
    this.session = app.session;
    app.session.isInUse = (id) => this.panesById.get(id)?.isInUse === true;
    this.asked = invitationCard(app);
    this.debrief = debriefCard(app);
    this.kept = keptTalks(app);
    this.left = leftTalks(app);
    this.element = h(
      "div",
      { class: "talks" },
      h("h1", { class: "unseen", text: w.title }),
      this.news,
      this.asked.element,
      this.debrief.element,
      this.tabs,
      this.empty,
      this.panes,
      this.kept.element,
      this.left.element,
    );
  }

  /** @param {ConsoleView | null} view @param {number} now */
  update(view, now) {
    if (view === null) return;
    for (const talk of handedOver(this.last, view)) {
      text(this.news, w.handed(seekerOf(talk).name, talk.invitation?.listener.name ?? ""));
      show(this.news, true);
      this.app.say(this.news.textContent ?? "");
    }
    this.last = view;
    this.asked.update(view, now);
    this.debrief.update(view, now);
    this.left.draw(view.left ?? []);
    this.#draw(view);
  }

  /** @param {number} at */
  open(at) {
    const talk = this.last === null ? undefined : this.#listed(this.last)[at];
    if (talk === undefined) return;
    this.#choose(talk.id);
    this.panesById.get(talk.id)?.write();
  }

  gone() {
    for (const one of this.panesById.values()) one.gone();
    this.panesById.clear();
  }

  /** @param {ConsoleView} view */
  #listed(view) {
    const { opened, state } = this.session;
    const { live, ended } = talksOf(view);
    return [...live, ...ended.filter((talk) => opened.has(talk.room))].filter(
      (talk) => state.rooms[talk.room] !== undefined,
    );
  }

  /** @param {ConsoleView} view */
  #draw(view) {
    const { panesById, panes, session } = this;
    const talks = this.#listed(view);
    const isNew = talks.find((talk) => !panesById.has(talk.id));
    this.#drop(talks);
    keyed(
      panes,
      talks,
      (talk) => talk.id,
      (talk) => this.#pane(talk),
    );
    for (const talk of talks) panesById.get(talk.id)?.update(talk, view);
    panes.style.setProperty("--panes", String(Math.max(1, talks.length)));
    show(this.empty, talks.length === 0);
    if (isNew !== undefined) this.#choose(isNew.id);
    else if (!panesById.has(this.chosen) && talks[0] !== undefined) this.#choose(talks[0].id);
    this.#drawTabs(talks);
    this.kept.draw(talksOf(view).ended.filter((talk) => !session.opened.has(talk.room)));
    if (isNew === undefined) return;
    show(this.news, false);
    for (const talk of talks) panesById.get(talk.id)?.settle();
    if (!isWriting()) panesById.get(isNew.id)?.focus();
  }

  /** Those that are no longer listed. @param {TalkView[]} talks */
  #drop(talks) {
    for (const id of this.panesById.keys()) {
      if (talks.some((talk) => talk.id === id)) continue;
      this.panesById.get(id)?.gone();
      this.panesById.delete(id);
    }
  }

  /** @param {string} id */
  #choose(id) {
    const { panesById, last, session } = this;
    this.chosen = id;
    for (const [other, one] of panesById) attr(one.element, "data-chosen", other === id ? "" : null);
    const talk = last?.sessions?.find((one) => one.id === id);
    if (talk !== undefined) session.show(talk.room);
    if (last === null) return;
    panesById.get(id)?.refresh(last);
    this.#drawTabs(this.#listed(last));
  }

  /** @param {TalkView} talk */
  #pane(talk) {
    const one = pane(this.app, this.context, talk, () => {
      this.session.putAway(talk.room);
      if (this.last !== null) this.#draw(this.last);
      document.getElementById("main")?.focus({ preventScroll: true });
    });
    one.element.addEventListener("focusin", () => this.chosen !== talk.id && this.#choose(talk.id));
    this.panesById.set(talk.id, one);
    return { element: one.element, update: (/** @type {TalkView} */ now) => void now };
  }

  /** @param {TalkView[]} talks */
  #drawTabs(talks) {
    show(this.tabs, talks.length > 1);
    keyed(
      this.tabs,
      talks,
      (talk) => talk.id,
      (talk) => this.#tab(talk.id),
    );
  }

  /** @param {string} id */
  #tab(id) {
    const turn = () => {
      this.#choose(id);
      this.panesById.get(id)?.focus();
    };
    const tab = button("", turn, { class: "pill tab" });
    return {
      element: tab,
      update: (/** @type {TalkView} */ now) => {
        const unread = this.session.state.rooms[now.room]?.unread ?? 0;
        text(tab, w.tab(seekerOf(now).name, id === this.chosen ? 0 : unread));
        attr(tab, "aria-current", id === this.chosen ? "true" : null);
      },
    };
  }
}

/** Those who went while they talked, as long as something can be done for them. @param {ListenerApp} app */
function leftTalks(app) {
  const list = h("ul", {});
  const element = h(
    "section",
    { class: "card kept", "aria-label": w.leftTitle, hidden: true },
    h("h2", { text: w.leftTitle }),
    list,
  );
  return {
    element,
    /** @param {NonNullable<ConsoleView["left"]>} talks */
    draw(talks) {
      show(element, talks.length > 0);
      keyed(
        list,
        talks,
        (talk) => talk.id,
        (talk) => leftTalk(app, talk),
      );
    },
  };
}

/** What has ended and was put away, as long as it is kept. @param {ListenerApp} app */
function keptTalks({ session }) {
  const trouble = troubleLine();
  const list = h("ul", { class: "row" });
  const element = h(
    "section",
    { class: "card kept", "aria-label": w.kept, hidden: true },
    h("h2", { text: w.kept }),
    h("p", { class: "soft small", text: w.shelfLead }),
    list,
    trouble.element,
  );
  return {
    element,
    /** @param {TalkView[]} talks */
    draw(talks) {
      show(element, talks.length > 0);
      keyed(
        list,
        talks,
        (talk) => talk.id,
        (talk) => {
          const look = button("", () => void trouble.around(() => session.lookBack(talk.room)), { class: "pill" });
          return {
            element: h("li", {}, look),
            update: (/** @type {TalkView} */ now) =>
              text(
                look,
                w.lookBack(seekerOf(now).name, now.forget_at ? clock(now.forget_at - session.state.skew) : ""),
              ),
          };
        },
      );
    },
  };
}
