/** The posts of a room, oldest first, and the place where one reads. */

/** @import {Session} from "../session.js" */
/** @import {Acts, Context, LogHow, PendingItem, Post, PostItem, State} from "../types.js" */
/** @import {Composer} from "./composer.js" */

import { attr, button, h, keyed, show, text } from "../lib/dom.js";
import { ordered } from "../lib/facts.js";
import { visiblePending } from "../lib/pending.js";
import { dayOf, dayWord } from "../lib/time.js";
import { refusalWord, words } from "../locales/en.js";
import { newest } from "../state.js";
import { troubleLine } from "./lobby.js";
import { pendingRow, postRow } from "./post.js";

const w = words.room;
const NEAR_END_PX = 120;
const JOINED_MS = 5 * 60 * 1000;
const QUIET_MS = 600;

/**
 * @typedef {PostItem | PendingItem | {kind: "day" | "line", key: string, words: string}} Item
 */

/**
 * @param {Context} context @param {string} id
 * @param {Composer} write
 * @param {LogHow} [how]
 */
export function logView(context, id, write, how = {}) {
  const { session, say, sayNow } = context;
  const { says = { ...w, posts: "" } } = how;
  const page = how.scroller ?? document.documentElement;
  const scroller = how.scroller ?? window;
  const trouble = troubleLine();
  const older = button(w.earlier, () => void fetchOlder(), { class: "quiet earlier" });
  const top = h("p", { class: "edge soft" });
  const empty = h("p", { class: "empty", text: says.empty, hidden: true });
  const catching = h("p", { class: "edge soft", text: w.catching, hidden: true });
  const rows = h("div", { class: "rows", role: "log", "aria-live": "polite", "aria-relevant": "additions", tabindex: -1 });
  const newer = button(w.toNewest, () => toEnd(), { class: "pill newer", hidden: true });
  const element = h("div", { class: "log" }, h("div", { class: "edge" }, older), top, rows, empty, catching);
  /** @type {ReturnType<typeof import("./tools.js").postTools> | undefined} */
  let tools;
  let isAtEnd = true;
  let isShown = false;
  let isFetching = false;
  let lastKey = "";

  const distanceToEnd = () => page.scrollHeight - page.scrollTop - page.clientHeight;
  const onScroll = () => {
    isAtEnd = distanceToEnd() < NEAR_END_PX;
    if (isAtEnd) seen();
  };
  /** @param {Event} event */
  const onPress = (event) => tools?.leave(event.target);
  rows.addEventListener("keydown", (event) => walk(event, rows));
  // Whoever scrolls or reads with care will have it, also where the network goes meanwhile.
  for (const near of ["pointerover", "focusin"]) rows.addEventListener(near, () => void fetchTools().catch(() => {}), { once: true });
  rows.addEventListener("focusin", (event) => mark(rows, event.target));

  function seen() {
    show(newer, false);
    if (!session.state.away) session.markRead(id);
  }

  function toEnd() {
    page.scrollTop = page.scrollHeight;
    write.area.focus({ preventScroll: true });
  }

  async function fetchOlder() {
    if (isFetching) return;
    isFetching = true;
    text(older, w.earlierBusy);
    const first = rows.querySelector(".post");
    try {
      const n = await session.older(id);
      say(w.earlierDone(n));
      if (first instanceof HTMLElement && document.activeElement === older) first.focus({ preventScroll: true });
    } catch (no) {
      sayNow(refusalWord(no));
    }
    isFetching = false;
    text(older, w.earlier);
  }

  /** @param {number} offset */
  function jump(offset) {
    const row = rows.querySelector(`[data-offset="${offset}"]`);
    if (!(row instanceof HTMLElement)) return say(words.post.quoteGone);
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
  }

  /** @type {Acts["react"]} */
  const react = (offset, reaction, on) => void session.react(id, offset, reaction, on).catch((no) => sayNow(refusalWord(no)));

  async function fetchTools() {
    const { postTools } = await import("./tools.js");
    return (tools ??= postTools(context, id, write, react, how.two));
  }

  /** @type {Acts["menu"]} */
  function menu(offset, from) {
    from.closest(".post")?.append(trouble.element);
    void trouble.around(async () => (await fetchTools()).toggle(offset, from));
  }

  const acts = { react, jump, menu };

  /** @param {State} state */
  function update(state) {
    const room = state.rooms[id];
    if (room === undefined) return;
    const items = listed(state, id);
    const newestKey = items.at(-1)?.key ?? "";
    const isLonger = newestKey !== lastKey;
    const isOwn = items.at(-1)?.kind === "pending" && isLonger;
    lastKey = newestKey;
    attr(rows, "aria-label", says.posts || w.posts(room.room.name));
    const anchor = firstInSight(rows);
    const before = anchor?.getBoundingClientRect().top ?? 0;
    if (items[0]?.key !== rows.firstElementChild?.getAttribute("data-key")) hush(rows);
    keyed(rows, items, (item) => item.key, (item) => make(item, acts, session));
    tools?.update(state);
    const isStopGone = rows.querySelector('.post[tabindex="0"]') === null;
    if (isStopGone || (isLonger && !rows.contains(document.activeElement))) mark(rows, rows.querySelector(".post:last-of-type"));
    for (const other of rows.querySelectorAll('.post[tabindex="-1"] button:not([tabindex])')) attr(other, "tabindex", -1);
    show(older, room.more && !room.thin);
    text(top, room.more || room.thin ? "" : room.gap ? w.gap : items.length > 0 ? says.begin : "");
    show(top, top.textContent !== "");
    show(empty, items.length === 0 && !room.thin);
    show(catching, room.hole !== "no" || room.thin);
    if (!isShown) return;
    if (isOwn || (isAtEnd && isLonger)) page.scrollTop = page.scrollHeight;
    else if (anchor?.isConnected) page.scrollTop += anchor.getBoundingClientRect().top - before;
    isAtEnd = distanceToEnd() < NEAR_END_PX;
    if (isAtEnd) seen();
    else if (isLonger) show(newer, true);
  }

  return {
    element,
    newer,
    update,
    shown() {
      isShown = true;
      write.grow();
      const line = rows.querySelector(".new-line");
      if (line !== null) line.scrollIntoView({ block: "center" });
      else if (rows.childElementCount > 0) page.scrollTop = page.scrollHeight;
      onScroll();
      scroller.addEventListener("scroll", onScroll, { passive: true });
      document.addEventListener("pointerdown", onPress);
    },
    gone() {
      scroller.removeEventListener("scroll", onScroll);
      document.removeEventListener("pointerdown", onPress);
    },
  };
}

/** @param {State} state @param {string} id @returns {Item[]} */
function listed(state, id) {
  const room = state.rooms[id];
  const { me } = state;
  if (room === undefined || me === null) return [];
  /** @type {Item[]} */
  const items = [];
  /** @type {Post | null} */
  let last = null;
  let isLineDue = room.line !== null && newest(room) > room.line;
  for (const post of ordered(room)) {
    if (state.muted.includes(post.author)) continue;
    if (last === null || dayOf(last.at) !== dayOf(post.at)) {
      items.push({ kind: "day", key: `d${dayOf(post.at)}`, words: dayWord(post.at, Date.now() + state.skew, words.days) });
      last = null;
    }
    if (isLineDue && post.offset > (room.line ?? 0) && post.author !== me.id) {
      items.push({ kind: "line", key: "line", words: w.newLine });
      isLineDue = false;
      last = null;
    }
    const quoted = post.reply_to === undefined || post.reply_to === null ? null : room.posts[post.reply_to];
    items.push({
      kind: "post",
      key: `p${post.offset}`,
      post,
      mine: room.mine[post.offset] ?? [],
      isMe: post.author === me.id,
      isJoined: last !== null && isJoined(last, post),
      quoted: quoted === null ? null : { post: quoted, isHidden: quoted !== undefined && state.muted.includes(quoted.author) },
    });
    last = post;
  }
  for (const pending of visiblePending(state.pending, room, me.id)) {
    items.push({ kind: "pending", key: `w${pending.id}`, pending, me, isJoined: last?.author === me.id });
    last = { offset: 0, author: me.id, name: me.name, text: "", at: pending.at };
  }
  return items;
}

/** Posts that one person wrote in one go. @param {Post} last @param {Post} post */
function isJoined(last, post) {
  return last.author === post.author && last.name === post.name && post.at - last.at < JOINED_MS && !post.reply_to && !last.redacted;
}

/**
 * @param {Item} item @param {Acts} acts @param {Session} session
 * @returns {{element: HTMLElement, update: (item: any) => void}}
 */
function make(item, acts, session) {
  const row = item.kind === "post" ? postRow(item, acts) : item.kind === "pending" ? pendingRow(item, session.outgoing) : divider(item);
  row.element.setAttribute("data-key", item.key);
  return row;
}

/** @param {{kind: "day" | "line", words: string}} item */
function divider({ kind, words: said }) {
  const element = h("p", { class: kind === "line" ? "new-line" : "day" }, h("span", { text: said }));
  return { element, update() {} };
}

/** Older posts and whole pages are no news: let them in quietly. @param {HTMLElement} rows */
function hush(rows) {
  attr(rows, "aria-live", "off");
  setTimeout(() => attr(rows, "aria-live", "polite"), QUIET_MS);
}

/** The arrow keys go from post to post, and Tab goes on: the list is one stop. @param {KeyboardEvent} event @param {HTMLElement} rows */
function walk(event, rows) {
  if (!(event.target instanceof HTMLElement) || !event.target.classList.contains("post")) return;
  const posts = /** @type {HTMLElement[]} */ ([...rows.querySelectorAll(".post")]);
  const at = posts.indexOf(event.target);
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: posts.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = posts[Math.max(0, Math.min(posts.length - 1, to))];
  next?.focus();
}

/** Make one post the list's stop for Tab; only its own buttons are reached from it. @param {HTMLElement} rows @param {EventTarget | null} target */
function mark(rows, target) {
  const post = target instanceof Element ? target.closest(".post") : null;
  if (post === null) return;
  for (const other of rows.querySelectorAll('.post[tabindex="0"]')) {
    if (other === post) return;
    attr(other, "tabindex", -1);
    for (const inner of other.querySelectorAll("button")) attr(inner, "tabindex", -1);
  }
  attr(post, "tabindex", 0);
  for (const inner of post.querySelectorAll("button")) attr(inner, "tabindex", null);
}

/** @param {HTMLElement} rows @returns {Element | null} the first row that can be seen */
function firstInSight(rows) {
  for (const row of rows.children) if (row.getBoundingClientRect().bottom > 80) return row;
  return null;
}
