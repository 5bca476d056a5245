/** The posts of a room, oldest first, and the place where one reads. */

/** @import {Session} from "../session.js" */
/** @import {Acts, Context, LogHow, PendingItem, Post, PostItem, State} from "../../types.js" */
/** @import {Composer} from "./composer.js" */

import { fetched } from "../../lib/api.js";
import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { ordered } from "../../lib/facts.js";
import { dayOf, dayWord } from "../../lib/time.js";
import { refusalWord, words } from "../../locales/en.js";
import { visiblePending } from "../outgoing.js";
import { newest } from "../state.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { pendingRow, postRow } from "./post.js";

const w = words.room;
const NEAR_END_PX = 120;
const JOINED_MS = 5 * 60 * 1000;
const QUIET_MS = 600;
/** Below the head of the page and of the room. */
const TOP_PX = 140;

/**
 * @typedef {PostItem | PendingItem | {kind: "day" | "line", key: string, words: string}} Item
 */

/**
 * @param {Context} context @param {string} id
 * @param {Composer} write
 * @param {LogHow} [how]
 */
export function logView(context, id, write, how = {}) {
  const { session, say } = context;
  const { says = { ...w, posts: "" } } = how;
  const page = how.scroller ?? document.documentElement;
  const scroller = how.scroller ?? window;
  const trouble = troubleLine();
  const older = button(w.earlier, () => void fetchOlder(), { class: "quiet earlier" });
  const top = h("p", { class: "edge soft" });
  const empty = h("p", { class: "empty", text: says.empty, hidden: true });
  const catching = h("p", { class: "edge soft", text: w.catching, hidden: true });
  const rows = h("div", {
    class: "rows",
    role: "log",
    "aria-live": "polite",
    "aria-relevant": "additions",
    tabindex: -1,
  });
  const newer = button(w.toNewest, () => toEnd(), { class: "pill newer", hidden: true });
  const element = h("div", { class: "log" }, h("div", { class: "edge" }, older), top, rows, empty, catching);
  /** @type {ReturnType<typeof import("./tools.js").postTools> | undefined} */
  let tools;
  let isAtEnd = true;
  /** How far one could scroll when that was last looked at. */
  let lastWay = 0;
  let isShown = false;
  let hasLanded = false;
  let isFetching = false;
  let lastKey = "";
  /** @type {Promise<typeof import("./contact.js") | null> | undefined} */
  let contact;

  const distanceToEnd = () => page.scrollHeight - page.scrollTop - page.clientHeight;
  /** Whoever was at the end leaves it by scrolling, not by what takes room. */
  const onScroll = () => {
    const way = page.scrollHeight - page.clientHeight;
    if (!isAtEnd || way === lastWay) isAtEnd = distanceToEnd() < NEAR_END_PX;
    if (isAtEnd) seen();
  };
  const resized = new ResizeObserver(() => settle());
  /** @param {Event} event */
  const onPress = (event) => tools?.leave(event.target);
  rows.addEventListener("keydown", (event) => walk(event, rows));
  // Whoever scrolls or reads with care will have it, also where the network goes meanwhile.
  for (const near of ["pointerover", "focusin"])
    rows.addEventListener(near, () => void fetchTools().catch(() => {}), { once: true });
  rows.addEventListener("focusin", (event) => mark(rows, event.target));

  function seen() {
    show(newer, false);
    if (!session.state.away) session.markRead(id);
  }

  /** Whoever is at the end stays there; but what has the focus stays in sight. */
  function settle() {
    lastWay = page.scrollHeight - page.clientHeight;
    if (!hasLanded || !isAtEnd) return;
    page.scrollTop = page.scrollHeight;
    const held = document.activeElement;
    const above = held !== null && rows.contains(held) && held !== rows ? TOP_PX - held.getBoundingClientRect().top : 0;
    if (above > 0) page.scrollTop -= above;
    onScroll();
  }

  /** Go to the first post that was not read, or to the end, once there are posts. */
  function land() {
    if (!isShown || hasLanded || rows.childElementCount === 0) return;
    hasLanded = true;
    const line = rows.querySelector(".new-line");
    if (line === null) page.scrollTop = page.scrollHeight;
    else line.scrollIntoView({ block: "center" });
    isAtEnd = line === null;
    lastWay = page.scrollHeight - page.clientHeight;
    onScroll();
  }

  function toEnd() {
    page.scrollTop = page.scrollHeight;
    write.area.focus({ preventScroll: true });
  }

  async function fetchOlder() {
    if (isFetching) return;
    isFetching = true;
    trouble.say("");
    text(older, w.earlierBusy);
    const first = rows.querySelector(".post");
    try {
      const n = await session.older(id);
      say(w.earlierDone(n));
      if (first instanceof HTMLElement && document.activeElement === older) first.focus({ preventScroll: true });
    } catch (no) {
      older.after(trouble.element);
      trouble.say(refusalWord(no));
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

  /** Do something with a post; what goes wrong is said under it. @param {number} offset @param {Promise<unknown>} done */
  const act = (offset, done) =>
    void done.catch((no) => {
      rows.querySelector(`[data-offset="${offset}"]`)?.append(trouble.element);
      trouble.say(refusalWord(no));
    });

  /** @type {Acts["react"]} */
  const react = (offset, ...what) => act(offset, session.react(id, offset, ...what));

  async function fetchTools() {
    const { postTools } = await fetched(() => import("./tools.js"), "rooms/views/tools.js");
    return (tools ??= postTools(context, id, write, { react, act }, how.two));
  }

  /** @type {Acts["menu"]} */
  function menu(offset, from) {
    from.closest(".post")?.append(trouble.element);
    void trouble.around(async () => (await fetchTools()).toggle(offset, from));
  }

  const acts = { react, jump, menu, two: how.two };

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
    keyed(
      rows,
      items,
      (item) => item.key,
      (item) => make(item, acts, session),
    );
    tools?.update(state);
    if (state.pending.some((p) => p.why === "contact_details")) {
      contact ??= fetched(() => import("./contact.js"), "rooms/views/contact.js").catch(() => {
        contact = undefined;
        return null;
      });
      void contact.then((found) => found?.explain(context, session.state, id, rows, write) && settle());
    }
    const isStopGone = rows.querySelector('.post[tabindex="0"]') === null;
    if (isStopGone || (isLonger && !rows.contains(document.activeElement)))
      mark(rows, rows.querySelector(".post:last-of-type"));
    for (const other of rows.querySelectorAll('.post[tabindex="-1"] button:not([tabindex])'))
      attr(other, "tabindex", -1);
    show(older, room.more && !room.thin);
    text(top, room.more || room.thin ? "" : room.gap ? w.gap : items.length > 0 ? says.begin : "");
    show(top, top.textContent !== "");
    show(empty, items.length === 0 && !room.thin);
    show(catching, room.hole !== "no" || room.thin);
    if (!isShown) return;
    if (!hasLanded) return land();
    isAtEnd ||= isOwn;
    if (isAtEnd && !isFetching) settle();
    else if (anchor?.isConnected) page.scrollTop += anchor.getBoundingClientRect().top - before;
    onScroll();
    if (!isAtEnd && isLonger) show(newer, true);
  }

  return {
    element,
    newer,
    update,
    /** Something else on the page took or gave room. */
    settle,
    shown() {
      isShown = true;
      write.grow();
      land();
      scroller.addEventListener("scroll", onScroll, { passive: true });
      for (const part of [how.scroller ?? document.body, ...(how.scroller?.children ?? []), element, write.element])
        resized.observe(part);
      window.addEventListener("resize", settle);
      document.addEventListener("pointerdown", onPress);
    },
    gone() {
      scroller.removeEventListener("scroll", onScroll);
      window.removeEventListener("resize", settle);
      resized.disconnect();
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
    if (room.hidden.includes(post.author)) continue;
    if (last === null || dayOf(last.at) !== dayOf(post.at)) {
      items.push({
        kind: "day",
        key: `d${dayOf(post.at)}`,
        words: dayWord(post.at, Date.now() + state.skew, words.days),
      });
      last = null;
    }
    if (isLineDue && post.offset > (room.line ?? 0) && !room.me.includes(post.author)) {
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
      isMe: room.me.includes(post.author),
      isJoined: last !== null && isJoined(last, post),
      quoted:
        quoted === null
          ? null
          : { post: quoted, isHidden: quoted !== undefined && room.hidden.includes(quoted.author) },
    });
    last = post;
  }
  for (const pending of visiblePending(state.pending, room)) {
    items.push({ kind: "pending", key: `w${pending.id}`, pending, me, isJoined: room.me.includes(last?.author ?? "") });
    last = { offset: 0, author: room.me[0] ?? "", name: me.name, text: "", at: pending.at };
  }
  return items;
}

/** Posts that one person wrote in one go. @param {Post} last @param {Post} post */
function isJoined(last, post) {
  return (
    last.author === post.author &&
    last.name === post.name &&
    last.role === post.role &&
    post.at - last.at < JOINED_MS &&
    !post.reply_to &&
    !last.redacted
  );
}

/**
 * @param {Item} item @param {Acts} acts @param {Session} session
 * @returns {{element: HTMLElement, update: (item: any) => void}}
 */
function make(item, acts, session) {
  const row =
    item.kind === "post"
      ? postRow(item, acts)
      : item.kind === "pending"
        ? pendingRow(item, session.outgoing)
        : divider(item);
  row.element.setAttribute("data-key", item.key);
  return row;
}

/** @param {{kind: "day" | "line", words: string}} item */
function divider({ kind, words: said }) {
  const name = h("span", { text: said });
  const element = h("p", { class: kind === "line" ? "new-line" : "day" }, name);
  return { element, update: (/** @type {{words: string}} */ next) => text(name, next.words) };
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
