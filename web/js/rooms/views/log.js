/** The posts of a room, oldest first, and the place where one reads. */

/** @import {Session} from "../session.js" */
/** @import {Acts, Context, LogHow, PendingItem, Post, PostItem, RoomState, State} from "../../types.js" */
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

export class LogView {
  trouble = troubleLine();
  /** @type {import("./tools.js").PostTools | undefined} */
  tools;
  /** @type {Promise<typeof import("./contact.js") | null> | undefined} */
  contact;
  lastKey = "";
  isFetching = false;
  older = button(w.earlier, () => void this.#fetchOlder(), { class: "quiet earlier" });
  top = h("p", { class: "edge soft" });
  catching = h("p", { class: "edge soft", text: w.catching, hidden: true });
  newer = button(w.toNewest, () => this.#toEnd(), { class: "pill newer", hidden: true });
  rows = h("div", {
    class: "rows",
    role: "log",
    "aria-live": "polite",
    "aria-relevant": "additions",
    tabindex: -1,
  });

  /** @param {Context} context @param {string} id @param {Composer} write @param {LogHow} [how] */
  constructor(context, id, write, how = {}) {
    this.context = context;
    this.session = context.session;
    this.id = id;
    this.write = write;
    this.how = how;
    this.says = how.says ?? { ...w, posts: "" };
    this.place = new ReadingPlace(how.scroller ?? document.documentElement, this.rows, (isAtEnd) =>
      this.#sight(isAtEnd),
    );
    /** Something else on the page took or gave room. */
    this.settle = () => this.place.settle();
    this.resized = new ResizeObserver(this.settle);
    this.acts = {
      react: this.#react,
      jump: (/** @type {number} */ offset) => this.#jump(offset),
      menu: this.#menu,
      two: how.two,
    };
    const { rows, older, top, catching } = this;
    this.empty = h("p", { class: "empty", text: this.says.empty, hidden: true });
    this.element = h("div", { class: "log" }, h("div", { class: "edge" }, older), top, rows, this.empty, catching);
    rows.addEventListener("keydown", (event) => walk(event, rows));
    // Whoever scrolls or reads with care will have it, also where the network goes meanwhile.
    for (const near of ["pointerover", "focusin"])
      rows.addEventListener(near, () => void this.#fetchTools().catch(() => {}), { once: true });
    rows.addEventListener("focusin", (event) => mark(rows, event.target));
  }

  /** @param {State} state */
  update(state) {
    const room = state.rooms[this.id];
    if (room === undefined) return;
    const items = listed(state, this.id);
    const newestKey = items.at(-1)?.key ?? "";
    const isLonger = newestKey !== this.lastKey;
    const isOwn = items.at(-1)?.kind === "pending" && isLonger;
    this.lastKey = newestKey;
    attr(this.rows, "aria-label", this.says.posts || w.posts(room.room.name));
    const stay = this.place.hold();
    this.#drawRows(items);
    this.tools?.update(state);
    this.#explainContact(state);
    this.#keepStop(isLonger);
    this.#drawEdges(room, items.length > 0);
    if (stay(isOwn, this.isFetching) && isLonger) show(this.newer, true);
  }

  shown() {
    const { how, place, element, write, resized } = this;
    write.grow();
    place.shown();
    (how.scroller ?? window).addEventListener("scroll", place.scrolled, { passive: true });
    for (const part of [how.scroller ?? document.body, ...(how.scroller?.children ?? []), element, write.element])
      resized.observe(part);
    window.addEventListener("resize", this.settle);
    document.addEventListener("pointerdown", this.#press);
  }

  gone() {
    this.#tellSight(false);
    (this.how.scroller ?? window).removeEventListener("scroll", this.place.scrolled);
    window.removeEventListener("resize", this.settle);
    this.resized.disconnect();
    document.removeEventListener("pointerdown", this.#press);
  }

  /** @param {boolean} isAtEnd */
  #sight(isAtEnd) {
    if (isAtEnd) show(this.newer, false);
    // At the end of what is not laid out nobody reads.
    this.#tellSight(isAtEnd && this.rows.getClientRects().length > 0);
  }

  /** Tell the session whether the end is on the screen. @param {boolean} isInSight */
  #tellSight(isInSight) {
    const { session, id } = this;
    const room = session.state.rooms[id];
    session.do({ type: "in sight", room: id, offset: isInSight && room !== undefined ? newest(room) : null });
  }

  #toEnd() {
    this.place.toEnd();
    this.write.area.focus({ preventScroll: true });
  }

  /** @param {Item[]} items */
  #drawRows(items) {
    const { rows, acts, session } = this;
    if (items[0]?.key !== rows.firstElementChild?.getAttribute("data-key")) hush(rows);
    const handOver = leavePending(rows, items);
    keyed(
      rows,
      items,
      (item) => item.key,
      (item) => make(item, acts, session),
    );
    handOver();
  }

  /** Why posts with contact details were not sent. @param {State} state */
  #explainContact({ pending }) {
    if (!pending.some((p) => p.why === "contact_details")) return;
    const { context, session, id, rows, write } = this;
    this.contact ??= fetched(() => import("./contact.js"), "rooms/views/contact.js").catch(() => {
      this.contact = undefined;
      return null;
    });
    void this.contact.then((found) => found?.explain(context, session.state, id, rows, write) && this.settle());
  }

  /** One post is the list's stop for Tab: the newest, until somebody is at another. @param {boolean} isLonger */
  #keepStop(isLonger) {
    const { rows } = this;
    const isStopGone = rows.querySelector('.post[tabindex="0"]') === null;
    if (isStopGone || (isLonger && !rows.contains(document.activeElement)))
      mark(rows, rows.querySelector(".post:last-of-type"));
    for (const other of rows.querySelectorAll('.post[tabindex="-1"] button:not([tabindex])'))
      attr(other, "tabindex", -1);
  }

  /** What stands before and after the posts. @param {RoomState} room @param {boolean} isAny */
  #drawEdges(room, isAny) {
    const { top } = this;
    show(this.older, room.more && !room.thin);
    text(top, room.more || room.thin ? "" : room.gap ? w.gap : isAny ? this.says.begin : "");
    show(top, top.textContent !== "");
    show(this.empty, !isAny && !room.thin);
    show(this.catching, room.hole !== "no" || room.thin);
  }

  async #fetchOlder() {
    if (this.isFetching) return;
    const { older, trouble } = this;
    this.isFetching = true;
    trouble.say("");
    text(older, w.earlierBusy);
    const first = this.rows.querySelector(".post");
    try {
      const n = await this.session.older(this.id);
      this.context.say(w.earlierDone(n));
      if (first instanceof HTMLElement && document.activeElement === older) first.focus({ preventScroll: true });
    } catch (no) {
      older.after(trouble.element);
      trouble.say(refusalWord(no));
    }
    this.isFetching = false;
    text(older, w.earlier);
  }

  /** @param {number} offset */
  #row(offset) {
    return this.rows.querySelector(`[data-offset="${offset}"]`);
  }

  /** @param {number} offset */
  #jump(offset) {
    const row = this.#row(offset);
    if (!(row instanceof HTMLElement)) return this.context.say(words.post.quoteGone);
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
  }

  /** Do something with a post; what goes wrong is said under it. @param {number} offset @param {Promise<unknown>} done */
  #act = (offset, done) =>
    void done.catch((no) => {
      this.#row(offset)?.append(this.trouble.element);
      this.trouble.say(refusalWord(no));
    });

  /** @type {Acts["react"]} */
  #react = (offset, ...what) => this.#act(offset, this.session.react(this.id, offset, ...what));

  /** @type {Acts["menu"]} */
  #menu = (offset, from) => {
    from.closest(".post")?.append(this.trouble.element);
    void this.trouble.around(async () => (await this.#fetchTools()).toggle(offset, from));
  };

  /** @param {Event} event */
  #press = (event) => this.tools?.leave(event.target);

  async #fetchTools() {
    const [{ PostTools }, about] = await Promise.all([
      fetched(() => import("./tools.js"), "rooms/views/tools.js"),
      this.write.fetchAboutPost(),
    ]);
    const how = { react: this.#react, act: this.#act };
    return (this.tools ??= new PostTools(this.context, this.id, about, how, this.how.two));
  }
}

/** Where somebody reads: at the end, and kept there, or further up, where nothing moves under their eyes. */
class ReadingPlace {
  isAtEnd = true;
  isShown = false;
  hasLanded = false;
  /** How far one could scroll when that was last looked at. */
  lastWay = 0;

  /** @param {HTMLElement} page  what scrolls @param {HTMLElement} rows @param {(isAtEnd: boolean) => void} moved  called whenever somebody may be elsewhere than before */
  constructor(page, rows, moved) {
    this.page = page;
    this.rows = rows;
    this.moved = moved;
  }

  /** How far one can scroll. */
  get way() {
    return this.page.scrollHeight - this.page.clientHeight;
  }

  shown() {
    this.isShown = true;
    this.#land();
  }

  toEnd() {
    this.page.scrollTop = this.page.scrollHeight;
  }

  /** Whoever was at the end leaves it by scrolling, not by what takes room. */
  scrolled = () => {
    const { way } = this;
    if (!this.isAtEnd || way === this.lastWay) this.isAtEnd = way - this.page.scrollTop < NEAR_END_PX;
    this.moved(this.isAtEnd);
  };

  /** Whoever is at the end stays there; but what has the focus stays in sight. */
  settle() {
    const { page, rows } = this;
    this.lastWay = this.way;
    if (!this.hasLanded || !this.isAtEnd) return;
    this.toEnd();
    const held = document.activeElement;
    const above = held !== null && rows.contains(held) && held !== rows ? TOP_PX - held.getBoundingClientRect().top : 0;
    if (above > 0) page.scrollTop -= above;
    this.scrolled();
  }

  /**
   * Hold the place while rows are drawn. What it returns is called afterwards, and tells whether there may be something
   * new below the screen.
   */
  hold() {
    const anchor = firstInSight(this.rows);
    const top = () => anchor?.getBoundingClientRect().top ?? 0;
    const before = top();
    return (/** @type {boolean} */ isOwn, /** @type {boolean} */ isFetching) => {
      if (!this.isShown) return false;
      if (!this.hasLanded) return this.#land();
      this.isAtEnd ||= isOwn;
      if (this.isAtEnd && !isFetching) this.settle();
      else if (anchor?.isConnected) this.page.scrollTop += top() - before;
      this.scrolled();
      return !this.isAtEnd;
    };
  }

  /** Go to the first post that was not read, or to the end, once there are posts. */
  #land() {
    if (!this.isShown || this.hasLanded || this.rows.childElementCount === 0) return false;
    this.hasLanded = true;
    const line = this.rows.querySelector(".new-line");
    if (line === null) this.toEnd();
    else line.scrollIntoView({ block: "center" });
    this.isAtEnd = line === null;
    this.lastWay = this.way;
    this.scrolled();
    return false;
  }
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

/**
 * A post that is safe has another row than it had on its way. What somebody did with the old row holds for the new one:
 * it stays unfolded, and has the focus. Returns what to call once the rows are drawn.
 * @param {HTMLElement} rows @param {Item[]} items
 */
function leavePending(rows, items) {
  const held = document.activeElement;
  const before = [...rows.querySelectorAll(".pending")];
  const rowOf = (/** @type {Item} */ { key }) => rows.querySelector(`[data-key="${key}"]`);
  const said = (/** @type {Element | null} */ row) => row?.querySelector(".text")?.textContent;
  const isNew = (/** @type {Item} */ item) => item.kind === "post" && item.isMe && rowOf(item) === null;
  const fresh = before.length === 0 ? [] : items.filter(isNew);
  return () => {
    const after = fresh.map(rowOf);
    for (const row of before.filter((each) => !each.isConnected)) {
      const same = after.findIndex((each) => said(each) === said(row));
      const [next] = after.splice(Math.max(0, same), 1);
      const unfold = next?.querySelector(".unfold");
      if (row.querySelector(".text.open") && unfold instanceof HTMLElement) unfold.click();
      if (!row.contains(held)) continue;
      const buttons = [...(next?.querySelectorAll("button") ?? [])];
      const to = buttons.find((each) => each.textContent === held?.textContent) ?? next ?? rows;
      /** @type {HTMLElement} */ (to).focus({ preventScroll: true });
    }
  };
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
