/** The lobby: who one is, the rooms one is in, and the others. */

/** @import {Context, RoomCard, State, View} from "../../types.js" */

import { fetched } from "../../lib/api.js";
import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { avatar } from "../../lib/avatar.js";
import { hereWord, unreadWord, words } from "../../locales/en.js";
import { troubleLine } from "../../shell/trouble-line.js";

const w = words.lobby;

/** Who one is here, and the way to one's own corner. @param {Context} context */
function youLine(context) {
  const trouble = troubleLine();
  const face = h("span", { class: "face" });
  const name = h("b");
  const element = h(
    "p",
    { class: "you-are", hidden: true },
    face,
    h("span", {}, w.youAre, " ", name),
    button(w.aboutYou, () => void trouble.around(open), { class: "quiet" }),
    trouble.element,
  );
  let shown = "";

  async function open() {
    const { youView } = await fetched(() => import("./you.js"), "rooms/views/you.js");
    if (element.isConnected) context.go({ name: "you", view: youView });
  }
  return {
    element,
    /** @param {State} state */
    update({ me }) {
      show(element, me !== null);
      if (me !== null && shown !== me.name) {
        shown = me.name;
        face.replaceChildren(avatar(shown));
      }
      text(name, me?.name ?? "");
    },
  };
}

/** @param {Context} context @returns {View} */
export function lobbyView(context) {
  const you = youLine(context);
  const wait = h("p", { class: "soft", text: w.loading });
  const none = h("p", { class: "soft", text: w.none, hidden: true });
  const mineTitle = h("h2", { text: w.yours, hidden: true });
  const mine = h("ul", { class: "cards", "aria-label": w.yours });
  const allTitle = h("h2", { text: w.rooms });
  const all = h("ul", { class: "cards", "aria-label": w.rooms });
  const ask = button(w.askGo, () => context.go({ name: "asking" }), { class: "quiet" });
  const element = h(
    "div",
    { class: "lobby" },
    h(
      "div",
      { class: "welcome" },
      h("h1", { text: w.title }),
      h("p", { class: "lead", text: w.lead }),
      you.element,
      groupsLine(context),
    ),
    mineTitle,
    mine,
    allTitle,
    wait,
    none,
    all,
    h("p", { class: "card" }, w.ask, " ", ask),
  );
  return {
    element,
    update(state) {
      you.update(state);
      const rooms = state.lobby ?? [];
      show(wait, state.lobby === null && state.link.status !== "stopped");
      show(none, state.lobby !== null && rooms.length === 0);
      const joined = rooms.filter((card) => isMine(card, state));
      const others = rooms.filter((card) => !isMine(card, state));
      show(mineTitle, joined.length > 0);
      show(mine, joined.length > 0);
      show(allTitle, others.length > 0 || joined.length === 0);
      show(all, others.length > 0);
      const rows = (/** @type {RoomCard[]} */ cards) => cards.map((card) => ({ card, unread: unreadOf(card, state) }));
      keyed(
        mine,
        rows(joined),
        ({ card }) => card.id,
        (item) => roomCard(context, item),
      );
      keyed(
        all,
        rows(others),
        ({ card }) => card.id,
        (item) => roomCard(context, item),
      );
    },
  };
}

/** The way to groups that meet. @param {Context} context */
function groupsLine(context) {
  const trouble = troubleLine();
  const go = button(w.groupsGo, () => void trouble.around(() => context.meet("#groups")), { class: "quiet" });
  return h("div", { class: "meet" }, h("span", { text: w.groups }), go, trouble.element);
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
  const enter = () =>
    trouble.around(async () => {
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
