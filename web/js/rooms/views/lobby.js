/** The lobby, the agreement that stands before a room, and what is always there: connection line and helplines. */

/** @import {Context, Link, RoomCard, Screen, State, View} from "../../types.js" */

import { fetched } from "../../lib/api.js";
import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { avatar } from "../../lib/avatar.js";
import { clock } from "../../lib/time.js";
import { hereWord, refusalWord, unreadWord, words } from "../../locales/en.js";

const w = words.lobby;
const BACK_MS = 5_000;
/** What few ever see; its words are fetched when it is so. */
const isRare = (/** @type {string} */ why) => !["", "network", "draining", "busy"].includes(why);

/** Why there is no connection, in words, where that is rare. @param {string} why @param {number | null} until */
export async function rareWord(why, until) {
  const found = isRare(why)
    ? await fetched(() => import("../../locales/en-link.js"), "locales/en-link.js").catch(() => null)
    : null;
  return found?.whyWord(why, clock(until ?? Date.now()), location.host) ?? null;
}

/** @param {Context} context @param {HTMLElement} element */
export function linkLine({ session, go }, element) {
  const message = h("span");
  const now = button(words.link.tryNow, () => session.client.tryNow(), { class: "quiet" });
  const reload = button(words.link.reload, () => location.reload(), { class: "quiet" });
  const anew = button(
    words.link.anew,
    () => {
      session.beginAnew();
      go({ name: "lobby" });
    },
    { class: "quiet" },
  );
  element.append(message, now, reload, anew);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let fading;
  /** The words for what is rare, once they are here. */
  let rare = "";
  let rareFor = "";

  /** @param {Link} link */
  function rareWords({ why, retryAt }) {
    if (rareFor !== `${why} ${retryAt}`) {
      if (!rareFor.startsWith(why)) rare = "";
      rareFor = `${why} ${retryAt}`;
      void rareWord(why, retryAt).then((said) => {
        rare = said ?? (retryAt === null ? words.refusalOther : "");
        update(session.state);
      });
    }
    return rare || (retryAt === null ? "" : words.link.away);
  }

  /** @param {State} state */
  function update({ link, me }) {
    const isStopped = link.status === "stopped";
    const said =
      link.status !== "open" && isRare(link.why)
        ? rareWords(link)
        : wordsFor(link, session.vault.isDurable, me !== null && session.wasLost);
    text(message, said);
    show(now, link.retryAt !== null && link.retryAt - Date.now() > 3_000 && !isStopped);
    show(reload, isStopped && (link.why === "refused" || link.why === "cookies" || said === words.refusalOther));
    show(anew, isStopped && (link.why === "identity" || link.why === "out"));
    element.classList.toggle("well", link.back);
    element.classList.toggle("soon", link.status === "lost");
    show(element, said !== "");
    if (link.back && fading === undefined) {
      fading = setTimeout(() => {
        fading = undefined;
        session.do({ type: "link", link: { back: false } });
      }, BACK_MS);
    }
  }
  return { update };
}

/** @param {Link} link @param {boolean} isDurable @param {boolean} wasOpen  there was a connection that could drop */
function wordsFor(link, isDurable, wasOpen) {
  if (link.status === "open") return link.back ? words.link.back : "";
  if (link.status === "starting" && link.retryAt === null) return "";
  if (!isDurable) return words.link.memoryOnly;
  if (!navigator.onLine) return words.link.offline;
  if (link.why === "draining") return words.link.draining;
  if (link.why === "busy") return words.link.busy;
  return wasOpen ? words.link.network : words.link.away;
}

/** @param {HTMLElement} link @param {HTMLElement} section */
export function helpDialog(link, section) {
  const dialog = document.createElement("dialog");
  dialog.className = "sheet help-sheet";
  dialog.setAttribute("aria-labelledby", "help-title");
  const close = button(words.help.close, () => dialog.close(), { class: "quiet close" });
  // The way out is in sight here too, as the sheet stands over the head of the page.
  dialog.append(close, document.querySelector("a[data-exit]")?.cloneNode(true) ?? "", section);
  document.body.append(dialog);
  link.setAttribute("aria-haspopup", "dialog");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => link.focus());
}

/** @param {Context} context @returns {View} */
export function lobbyView(context) {
  const trouble = troubleLine();
  const face = h("span", { class: "face" });
  const name = h("b");
  const you = h(
    "p",
    { class: "you-are", hidden: true },
    face,
    h("span", {}, w.youAre, " ", name),
    button(w.aboutYou, () => void trouble.around(openOwn), { class: "quiet" }),
    trouble.element,
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
    h(
      "p",
      { class: "card" },
      w.ask,
      " ",
      button(w.askGo, () => context.go({ name: "asking" }), { class: "quiet" }),
    ),
  );
  let shown = "";

  async function openOwn() {
    const { youView } = await fetched(() => import("./you.js"), "rooms/views/you.js");
    if (element.isConnected) context.go({ name: "you", view: youView });
  }

  return {
    element,
    update(state) {
      show(you, state.me !== null);
      if (state.me !== null && shown !== state.me.name) {
        shown = state.me.name;
        face.replaceChildren(avatar(shown));
      }
      text(name, state.me?.name ?? "");
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

/** Instead of what could not be fetched: that it is so, and a second try. @param {Element} at @param {() => void} again */
export function missed(at, again) {
  const before = at.querySelector(".trouble");
  if (before instanceof HTMLElement) return show(before, true);
  const said = h("p", { class: "trouble", role: "alert", text: refusalWord("unfetched") });
  at.append(
    said,
    button(
      words.status.again,
      () => {
        show(said, false);
        again();
      },
      { class: "act" },
    ),
  );
}

/** @param {string} long */
export function paragraphs(long) {
  return long
    .split(/\n+/)
    .filter((line) => line.trim() !== "")
    .map((line) => h("p", { text: line }));
}
