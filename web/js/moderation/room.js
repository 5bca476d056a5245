/** One room as a moderator is in it: what is written there, whole or with what is missing said, and a line to write. */

/** @import {Fact, JoinOk, Post, Reaction, RoomState} from "../types.js" */
/** @import {ModeratorApp} from "./types.js" */

import { attr, button, h, keyed, show, text } from "../lib/dom.js";
import { applyHistory, applyJoin, applyLive, ordered } from "../lib/facts.js";
import { excerpt } from "../lib/text.js";
import { clock } from "../lib/time.js";
import { troubleLine } from "../shell/fields.js";
import { refusalWord, words } from "../locales/en-moderate.js";
import { foldIfLong } from "../shell/fold.js";
import { postMenu } from "./acting.js";

const w = words.rooms;
const POSTS = 400;
const PAGE = 50;
const NEAR_END_PX = 80;
const HEAL_PATIENCE_MS = 150;
const HEAL_PAUSE_MS = 2_000;
const READER = { watching: true };
const FACTS = ["posted", "edited", "redacted", "reacted", "room_changed"];

/**
 * @typedef {object} Pane
 * @property {HTMLElement} element
 * @property {() => Promise<void>} again  be in the room again, with everything that was written meanwhile; rejects with Refused
 * @property {(push: any) => void} take
 * @property {() => void} shown
 * @property {(offset: number, epoch?: string) => void} show  one post, where it is still there
 * @property {() => void} gone  one is in the room no longer
 */

/**
 * @param {ModeratorApp} app @param {JoinOk} first @param {() => void} leave @param {() => void} back @returns {Pane}
 */
export function paneView(app, first, leave, back) {
  const { id, name } = first.room;
  /** @type {RoomState} */
  let room = applyJoin(undefined, first, null, READER);
  let isAtEnd = true;
  let isGone = false;
  /** @type {ReturnType<typeof setTimeout> | null} */
  let healing = null;
  /** @type {ReturnType<typeof postMenu> | null} */
  let menu = null;

  const older = button(w.earlier, () => void trouble.around(fetchOlder), { class: "quiet" });
  const missing = h("p", { class: "soft", role: "status", text: w.missing, hidden: true });
  const expired = h("p", { class: "soft", text: w.expired, hidden: true });
  const log = h("ol", { class: "room-log", tabindex: 0, "aria-label": name });
  const empty = h("p", { class: "soft", text: w.quiet });
  const area = h("textarea", { id: `say-${id}`, rows: 2, maxlength: 2000 });
  const trouble = troubleLine(refusalWord);
  const form = h(
    "form",
    { class: "stack", on: { submit } },
    h("label", { for: `say-${id}`, text: w.write(name) }),
    area,
    trouble.element,
    h(
      "div",
      { class: "row" },
      h("button", { type: "submit", class: "act", text: w.send }),
      button(w.leave, leave, { class: "quiet" }),
    ),
  );
  const element = h(
    "section",
    { class: "card in-room", "aria-labelledby": `in-${id}` },
    button(w.back, back, { class: "quiet back-to-queue" }),
    h("h1", { id: `in-${id}`, text: name }),
    h("p", { class: "soft", text: w.youAre(app.me.name) }),
    older,
    expired,
    empty,
    log,
    missing,
    form,
  );
  log.addEventListener(
    "scroll",
    () => {
      isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
    },
    { passive: true },
  );

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    const written = area.value.trim();
    if (written === "") return;
    void trouble.around(async () => {
      await app.fact("post", { room: id, text: written }, id);
      if (area.value.trim() === written) area.value = "";
      area.focus();
    });
  }

  async function again() {
    const since = room.hole === "fresh" ? null : { epoch: room.epoch, offset: room.position };
    const ok = /** @type {JoinOk} */ (
      await app.ask("join", { room: id, ...(since !== null && { since }) }).catch((no) => {
        if (no.temporary === true) {
          // It is not heard here what is written meanwhile.
          if (room.hole === "no") room = { ...room, hole: "since" };
          draw();
          heal(HEAL_PAUSE_MS);
        }
        throw no;
      })
    );
    room = applyJoin(room, ok, since, READER);
    app.release(id);
    draw();
    if (room.hole !== "no") heal(HEAL_PAUSE_MS);
  }

  /** A hole is never shown as whole: what is missing is asked for. @param {number} ms */
  function heal(ms) {
    if (healing !== null || isGone) return;
    healing = setTimeout(() => {
      healing = null;
      if (room.hole !== "no") again().catch(() => {});
    }, ms);
  }

  async function fetchOlder() {
    const top = log.scrollHeight - log.scrollTop;
    const oldest = ordered(room)[0]?.offset ?? room.position + 1;
    const ok = await app.ask("history", { room: id, before: Math.max(1, oldest), epoch: room.epoch, limit: PAGE });
    room = applyHistory(room, ok);
    draw();
    log.scrollTop = log.scrollHeight - top;
    log.focus({ preventScroll: true });
  }

  function toEnd() {
    log.scrollTop = log.scrollHeight;
    isAtEnd = true;
  }

  /** @param {any} push */
  function take(push) {
    if (push.push === "gap") room = { ...room, hole: "fresh", gap: true };
    else if (FACTS.includes(push.push)) {
      const before = room.position;
      room = applyLive(room, /** @type {Fact} */ (push), READER);
      if (
        push.push === "posted" &&
        room.position > before &&
        !room.me.includes(push.post.author) &&
        element.isConnected
      )
        app.say(w.said(push.post.name, push.post.text));
    } else return;
    if (isAtEnd) trim();
    if (room.hole !== "no") heal(HEAL_PATIENCE_MS);
    draw();
  }

  /** Let go of the oldest. They can be asked for again. */
  function trim() {
    const all = ordered(room);
    if (all.length <= POSTS) return;
    room = { ...room, posts: Object.fromEntries(all.slice(-POSTS).map((post) => [post.offset, post])), more: true };
  }

  function draw() {
    keyed(log, ordered(room), (post) => String(post.offset), row);
    show(older, room.more);
    show(expired, room.gap);
    show(missing, room.hole !== "no");
    show(empty, ordered(room).length === 0);
    // Nothing runs away under the hands of whoever acts on a post.
    if (isAtEnd && menu?.element.isConnected !== true) toEnd();
  }

  function row() {
    /** @type {Post} */
    let shown;
    const who = h("b");
    const when = h("span", { class: "soft" });
    const quote = h("p", { class: "soft small quoted" });
    const warning = h("p", { class: "soft" });
    const what = h("p", { class: "said" });
    const role = h("span", { class: "role" });
    const act = button("", () => open(), { class: "quiet more-acts", "aria-expanded": "false" });
    act.append(h("span", { "aria-hidden": "true", text: "···" }));
    const element = h(
      "li",
      {},
      h("div", { class: "said-head" }, h("p", {}, who, " ", role, " ", when), act),
      quote,
      warning,
      what,
    );

    function open() {
      const isOpen = menu?.element.parentElement === element;
      menu?.close();
      menu = null;
      if (isOpen) return act.focus();
      menu = postMenu(
        app,
        { name: shown.name, member: shown.author, room: id, offset: shown.offset, epoch: room.epoch },
        shown.redacted === true,
        act,
      );
      element.append(menu.element);
      menu.element.scrollIntoView({ block: "nearest" });
      menu.focus();
    }

    return {
      element,
      /** @param {Post} post */
      update(post) {
        shown = post;
        const answered = post.reply_to === undefined || post.reply_to === null ? undefined : room.posts[post.reply_to];
        text(who, post.name);
        text(role, post.role ? w.role : "");
        text(when, clock(post.at));
        text(
          quote,
          answered === undefined
            ? ""
            : w.answers(answered.name, answered.redacted === true ? w.redacted : excerpt(answered.text)),
        );
        show(quote, answered !== undefined);
        text(warning, post.warning === undefined ? "" : w.warning(post.warning));
        show(warning, post.warning !== undefined);
        text(what, post.redacted === true ? w.redacted : post.text);
        what.classList.toggle("soft", post.redacted === true);
        attr(act, "aria-label", w.actOn(post.name));
        show(act, !room.me.includes(post.author));
        foldIfLong(what);
      },
    };
  }

  app.release(id);
  draw();
  if (room.hole !== "no") heal(HEAL_PATIENCE_MS);
  return {
    element,
    again,
    take,
    shown: toEnd,
    gone() {
      isGone = true;
      if (healing !== null) clearTimeout(healing);
    },
    show(offset, epoch = room.epoch) {
      if (epoch !== room.epoch) return;
      const at = ordered(room).findIndex((post) => post.offset === offset);
      const found = log.children[at];
      if (!(found instanceof HTMLElement)) return;
      isAtEnd = false;
      found.tabIndex = -1;
      found.scrollIntoView({ block: "center" });
      found.focus({ preventScroll: true });
    },
  };
}
