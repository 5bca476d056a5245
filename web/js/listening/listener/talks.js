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
export function talksView(app, context) {
  const { session, say } = app;
  const title = h("h1", { class: "unseen", text: w.title });
  const tabs = h("div", { class: "tabs", role: "group", "aria-label": w.title, hidden: true });
  const panes = h("div", { class: "panes" });
  const empty = h(
    "div",
    { class: "card empty-desk" },
    h("h2", { text: w.none }),
    h("p", { class: "soft", text: w.noneLead }),
  );
  const news = h("p", { class: "done", hidden: true });
  const asked = invitationCard(app);
  const debrief = debriefCard(app);
  const kept = keptTalks(app);
  const left = h("ul", {});
  const leftCard = h(
    "section",
    { class: "card kept", "aria-label": w.leftTitle, hidden: true },
    h("h2", { text: w.leftTitle }),
    left,
  );
  const element = h(
    "div",
    { class: "talks" },
    title,
    news,
    asked.element,
    debrief.element,
    tabs,
    empty,
    panes,
    kept.element,
    leftCard,
  );
  /** @type {Map<string, ReturnType<typeof pane>>} */
  const open = new Map();
  /** @type {ConsoleView | null} */
  let last = null;
  let chosen = "";

  /** @param {ConsoleView} view */
  const listed = (view) => {
    const { live, ended } = talksOf(view);
    return [...live, ...ended.filter((talk) => session.opened.has(talk.room))].filter(
      (talk) => session.state.rooms[talk.room] !== undefined,
    );
  };

  /** @param {string} id */
  function choose(id) {
    chosen = id;
    for (const [other, one] of open) attr(one.element, "data-chosen", other === id ? "" : null);
    const talk = last?.sessions?.find((one) => one.id === id);
    if (talk !== undefined) session.show(talk.room);
    if (last === null) return;
    open.get(id)?.refresh(last);
    drawTabs(listed(last));
  }

  /** @param {TalkView} talk */
  function make(talk) {
    const one = pane(app, context, talk, () => {
      session.putAway(talk.room);
      if (last !== null) draw(last);
      document.getElementById("main")?.focus({ preventScroll: true });
    });
    one.element.addEventListener("focusin", () => chosen !== talk.id && choose(talk.id));
    open.set(talk.id, one);
    return { element: one.element, update: (/** @type {TalkView} */ now) => void now };
  }

  /** @param {TalkView[]} talks */
  function drawTabs(talks) {
    show(tabs, talks.length > 1);
    keyed(
      tabs,
      talks,
      (talk) => talk.id,
      (talk) => {
        const tab = button(
          "",
          () => {
            choose(talk.id);
            open.get(talk.id)?.focus();
          },
          { class: "pill tab" },
        );
        return {
          element: tab,
          update(/** @type {TalkView} */ now) {
            const unread = session.state.rooms[now.room]?.unread ?? 0;
            text(tab, w.tab(seekerOf(now).name, now.id === chosen ? 0 : unread));
            attr(tab, "aria-current", now.id === chosen ? "true" : null);
          },
        };
      },
    );
  }

  /** Whoever comes next finds the app free: what has ended, and is not in anybody's hands, goes to the kept. @param {ConsoleView} view */
  function makeRoom(view) {
    const { live, ended } = talksOf(view);
    if (!live.some((talk) => session.state.rooms[talk.room] !== undefined && !open.has(talk.id))) return;
    const isHeld = (/** @type {TalkView} */ talk) =>
      open.get(talk.id)?.isInUse === true || session.state.pending.some((p) => p.room === talk.room);
    for (const talk of ended) if (session.opened.has(talk.room) && !isHeld(talk)) session.putAway(talk.room);
  }

  /** @param {ConsoleView} view */
  function draw(view) {
    makeRoom(view);
    const talks = listed(view);
    const isNew = talks.find((talk) => !open.has(talk.id));
    for (const id of open.keys()) {
      if (talks.some((talk) => talk.id === id)) continue;
      open.get(id)?.gone();
      open.delete(id);
    }
    keyed(panes, talks, (talk) => talk.id, make);
    for (const talk of talks) open.get(talk.id)?.update(talk, view);
    panes.style.setProperty("--panes", String(Math.max(1, talks.length)));
    show(empty, talks.length === 0);
    if (isNew !== undefined) choose(isNew.id);
    else if (!open.has(chosen) && talks[0] !== undefined) choose(talks[0].id);
    drawTabs(talks);
    kept.draw(talksOf(view).ended.filter((talk) => !session.opened.has(talk.room)));
    if (isNew === undefined) return;
    show(news, false);
    for (const talk of talks) open.get(talk.id)?.settle();
    if (!isWriting()) open.get(isNew.id)?.focus();
  }

  return {
    element,
    update(view, now) {
      if (view === null) return;
      for (const talk of handedOver(last, view)) {
        text(news, w.handed(seekerOf(talk).name, talk.invitation?.listener.name ?? ""));
        show(news, true);
        say(news.textContent ?? "");
      }
      last = view;
      asked.update(view, now);
      debrief.update(view, now);
      keyed(
        left,
        view.left ?? [],
        (talk) => talk.id,
        (talk) => leftTalk(app, talk),
      );
      show(leftCard, (view.left ?? []).length > 0);
      draw(view);
    },
    open(at) {
      const talk = last === null ? undefined : listed(last)[at];
      if (talk === undefined) return;
      choose(talk.id);
      open.get(talk.id)?.write();
    },
    gone() {
      for (const one of open.values()) one.gone();
      open.clear();
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
