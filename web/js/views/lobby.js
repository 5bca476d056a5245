/** The lobby, and the agreement that stands before a room. */

/** @import {Context, RoomCard, Screen, State, View} from "../types.js" */

import { attr, button, h, keyed, show, text } from "../lib/dom.js";
import { shape } from "../lib/shape.js";
import { hereWord, refusalWord, unreadWord, words } from "../locales/en.js";

const w = words.lobby;

/** @param {Context} context @returns {View} */
export function lobbyView(context) {
  const face = h("span", { class: "face" });
  const name = h("b");
  const you = h(
    "p",
    { class: "you-are", hidden: true },
    face,
    h("span", {}, w.youAre, " ", name),
    button(w.aboutYou, () => context.go({ name: "you" }), { class: "quiet" }),
  );
  const wait = h("p", { class: "soft", text: w.loading });
  const none = h("p", { class: "soft", text: w.none, hidden: true });
  const mineTitle = h("h2", { text: w.yours, hidden: true });
  const mine = h("ul", { class: "cards", "aria-label": w.yours });
  const allTitle = h("h2", { text: w.rooms });
  const all = h("ul", { class: "cards", "aria-label": w.rooms });
  const element = h(
    "div",
    { class: "lobby" },
    h("div", { class: "welcome" }, h("h1", { text: w.title }), h("p", { class: "lead", text: w.lead }), you),
    mineTitle,
    mine,
    allTitle,
    wait,
    none,
    all,
    h("p", { class: "card" }, w.ask, " ", button(w.askGo, () => context.go({ name: "asking" }), { class: "quiet" })),
  );
  let shown = "";

  return {
    element,
    update(state) {
      show(you, state.me !== null);
      if (state.me !== null && shown !== state.me.id) {
        shown = state.me.id;
        face.replaceChildren(shape(state.me.id));
      }
      text(name, state.me?.name ?? "");
      const rooms = state.lobby ?? [];
      show(wait, state.lobby === null);
      show(none, state.lobby !== null && rooms.length === 0);
      const joined = rooms.filter((card) => isMine(card, state));
      const others = rooms.filter((card) => !isMine(card, state));
      show(mineTitle, joined.length > 0);
      show(mine, joined.length > 0);
      show(allTitle, others.length > 0 || joined.length === 0);
      show(all, others.length > 0);
      const rows = (/** @type {RoomCard[]} */ cards) => cards.map((card) => ({ card, unread: unreadOf(card, state) }));
      keyed(mine, rows(joined), ({ card }) => card.id, (item) => roomCard(context, item));
      keyed(all, rows(others), ({ card }) => card.id, (item) => roomCard(context, item));
    },
  };
}

/** @param {RoomCard} card @param {State} state */
function isMine(card, state) {
  return card.unread !== undefined || state.rooms[card.id] !== undefined;
}

/** @param {RoomCard} card @param {State} state */
function unreadOf(card, state) {
  return state.rooms[card.id]?.unread ?? card.unread ?? 0;
}

/** @param {Context} context @param {{card: RoomCard, unread: number}} first */
function roomCard(context, first) {
  const id = first.card.id;
  const name = h("span", { class: "card-name" });
  const about = h("span", { class: "card-about" });
  const here = h("span", { class: "here" });
  const slow = h("span", { class: "soft", text: w.slow });
  const unread = h("span", { class: "unread" });
  const trouble = troubleLine();
  const go = h(
    "button",
    { type: "button", class: "room-card", on: { click: () => void enter() } },
    name,
    about,
    h("span", { class: "card-foot" }, here, unread, slow),
  );
  const element = h("li", {}, go, trouble.element);
  const enter = () => trouble.around(async () => {
    attr(go, "aria-busy", true);
    await context.enter(id).finally(() => attr(go, "aria-busy", null));
  });

  return {
    element,
    /** @param {{card: RoomCard, unread: number}} item */
    update({ card, unread: n }) {
      text(name, card.name);
      text(about, card.about);
      text(here, card.here >= card.capacity ? `${hereWord(card.here)}, ${w.full}` : hereWord(card.here));
      here.classList.toggle("someone", card.here > 0);
      show(slow, card.slow_mode > 0);
      text(unread, n > 0 ? unreadWord(n) : "");
      show(unread, n > 0);
    },
  };
}

/** @param {Context} context @param {Extract<Screen, {name: "agreement"}>} screen */
export function agreementView(context, { room, title, text: agreement, version, again }) {
  const w = words.agreement;
  const trouble = troubleLine();
  const accept = button(w.accept, () => trouble.around(() => context.enter(room, version)), { class: "act" });
  return {
    element: h(
      "div",
      { class: "card narrow threshold" },
      h("h1", { text: w.title(title) }),
      h("p", { class: "lead", text: again ? w.changed : w.lead }),
      h("div", { class: "agreement" }, ...paragraphs(agreement)),
      trouble.element,
      h("div", { class: "row" }, accept, button(w.back, context.back, { class: "quiet" })),
    ),
  };
}

/** A line that says why something did not work, and a way of doing things that fills it. */
export function troubleLine() {
  const element = h("p", { class: "trouble", role: "alert", hidden: true });
  let isBusy = false;
  return {
    element,
    /** @param {string} what */
    say(what) {
      text(element, what);
      show(element, what !== "");
    },
    /** @param {() => Promise<unknown>} act @returns {Promise<boolean>} whether it worked */
    async around(act) {
      if (isBusy) return false;
      isBusy = true;
      this.say("");
      try {
        await act();
        return true;
      } catch (no) {
        this.say(refusalWord(no));
        return false;
      } finally {
        isBusy = false;
      }
    },
  };
}

/**
 * What must not happen by a slip: the first touch asks, the second does it.
 * @param {{ask: string, look?: string, lead?: string, yes: string, no: string, act: () => Promise<void>}} how
 */
export function twice({ ask, look = "act second", lead, yes, no, act }) {
  const trouble = troubleLine();
  const first = button(ask, () => turn(true), { class: look });
  const second = button(yes, () => void trouble.around(act), { class: "act danger" });
  const panel = h("div", { hidden: true }, lead !== undefined && h("p", { text: lead }), h("div", { class: "row" }, second, button(no, () => turn(false), { class: "quiet" })));
  /** @param {boolean} isAsking */
  function turn(isAsking) {
    show(panel, isAsking);
    show(first, !isAsking);
    (isAsking ? second : first).focus();
  }
  return [first, panel, trouble.element];
}

/** @param {string} long */
export function paragraphs(long) {
  return long
    .split(/\n+/)
    .filter((line) => line.trim() !== "")
    .map((line) => h("p", { text: line }));
}
