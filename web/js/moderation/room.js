/** One room as a moderator is in it: what is written there, whole or with what is missing said, and a line to write. */

/** @import {Post} from "../types.js" */
/** @import {ModeratorApp} from "./types.js" */

import { button, h, keyed, show } from "../lib/dom.js";
import { ordered } from "../lib/facts.js";
import { troubleLine } from "../shell/fields.js";
import { refusalWord, words } from "../locales/en-moderate.js";
import { postRow } from "./room-post.js";

const w = words.rooms;
const NEAR_END_PX = 80;

export class RoomPane {
  /**
   * @param {ModeratorApp} app @param {string} id  of a room that one is in
   * @param {{leave: () => void, back: () => void}} acts
   */
  constructor(app, id, { leave, back }) {
    this.app = app;
    this.id = id;
    this.name = app.session.state.rooms[id]?.room.name ?? id;
    this.isAtEnd = true;
    /** The menu of a post, where one is open. @type {import("./room-post.js").Menu | null} */
    this.menu = null;
    this.trouble = troubleLine(refusalWord);
    this.older = button(w.earlier, () => void this.trouble.around(() => this.#fetchOlder()), { class: "quiet" });
    this.missing = h("p", { class: "soft", role: "status", text: w.missing, hidden: true });
    this.expired = h("p", { class: "soft", text: w.expired, hidden: true });
    this.log = h("ol", { class: "room-log", tabindex: 0, "aria-label": this.name });
    this.empty = h("p", { class: "soft", text: w.quiet });
    this.area = h("textarea", { id: `say-${id}`, rows: 2, maxlength: 2000 });
    this.element = h(
      "section",
      { class: "card in-room", "aria-labelledby": `in-${id}` },
      button(w.back, back, { class: "quiet back-to-queue" }),
      h("h1", { id: `in-${id}`, text: this.name }),
      h("p", { class: "soft", text: w.youAre(app.me.name) }),
      this.older,
      this.expired,
      this.empty,
      this.log,
      this.missing,
      this.#form(leave),
    );
    const { log } = this;
    const scrolled = () => this.#stay(log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX);
    log.addEventListener("scroll", scrolled, { passive: true });
    this.update();
  }

  get room() {
    return this.app.session.state.rooms[this.id];
  }

  /** The room changed. */
  update() {
    const { room, log } = this;
    if (room === undefined) return;
    const posts = ordered(room);
    keyed(
      log,
      posts,
      (post) => String(post.offset),
      () => postRow(this),
    );
    show(this.older, room.more);
    show(this.expired, room.gap);
    show(this.missing, room.hole !== "no");
    show(this.empty, posts.length === 0);
    // Nothing runs away under the hands of whoever acts on a post.
    if (this.isAtEnd && this.menu?.element.isConnected !== true) this.toEnd();
  }

  /** Somebody else wrote just now. @param {Post} post */
  heard(post) {
    if (this.element.isConnected) this.app.say(w.said(post.name, post.text));
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    this.#stay(true);
  }

  /** Show one post, where it is still there. @param {number} offset @param {string} [epoch] */
  show(offset, epoch) {
    const { room } = this;
    if (room === undefined || (epoch !== undefined && epoch !== room.epoch)) return;
    const found = this.log.children[ordered(room).findIndex((post) => post.offset === offset)];
    if (!(found instanceof HTMLElement)) return;
    this.#stay(false);
    found.tabIndex = -1;
    found.scrollIntoView({ block: "center" });
    found.focus({ preventScroll: true });
  }

  /** @param {() => void} leave */
  #form(leave) {
    return h(
      "form",
      { class: "stack", on: { submit: (/** @type {Event} */ event) => this.#submit(event) } },
      h("label", { for: this.area.id, text: w.write(this.name) }),
      this.area,
      this.trouble.element,
      h(
        "div",
        { class: "row" },
        h("button", { type: "submit", class: "act", text: w.send }),
        button(w.leave, leave, { class: "quiet" }),
      ),
    );
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const { app, area, id } = this;
    const written = area.value.trim();
    if (written === "") return;
    void this.trouble.around(async () => {
      await app.fact("post", { room: id, text: written }, id);
      if (area.value.trim() === written) area.value = "";
      area.focus();
    });
  }

  async #fetchOlder() {
    const { log } = this;
    const top = log.scrollHeight - log.scrollTop;
    this.#stay(false);
    await this.app.session.streams.get(this.id)?.older();
    this.update();
    log.scrollTop = log.scrollHeight - top;
    log.focus({ preventScroll: true });
  }

  /** At the end, or back in what was written before, where nothing may be let go. @param {boolean} atEnd */
  #stay(atEnd) {
    this.isAtEnd = atEnd;
    const { reading } = this.app.session;
    if (atEnd) reading.delete(this.id);
    else reading.add(this.id);
  }
}
