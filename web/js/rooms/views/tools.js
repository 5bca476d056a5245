/** The panel with what one can do with a post. Fetched when somebody first touches what is written. */

/** @import {Context, Post, Reaction, State} from "../../types.js" */
/** @import {AboutPost} from "./about-post.js" */

import { fetched } from "../../lib/api.js";
import { attr, button, h, isComposing, show } from "../../lib/dom.js";
import { words as acts } from "../../locales/en-tools.js";
import { REACTIONS, words } from "../../locales/en.js";
import { troubleLine } from "../../shell/trouble-line.js";

const w = { ...words.post, ...acts };

/** @typedef {{react: import("../../types.js").Acts["react"], act: (offset: number, done: Promise<unknown>) => void}} ToolsHow  both say what goes wrong */

export class PostTools {
  trouble = troubleLine();
  element = h("div", { class: "tools", role: "group", "aria-live": "off" });
  /** @type {{offset: number, from: HTMLElement, wasGone: boolean} | null} */
  at = null;
  /** What that is an offset of. @type {string | undefined} */
  epoch;

  /** @param {Context} context @param {string} id @param {AboutPost} about @param {ToolsHow} how @param {boolean} [two] */
  constructor(context, id, about, how, two = false) {
    this.context = context;
    this.session = context.session;
    this.id = id;
    this.about = about;
    this.how = how;
    this.two = two;
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || isComposing(event)) return;
      event.stopPropagation();
      this.#close(true);
    });
  }

  /** @param {number} offset @param {HTMLElement} from */
  toggle(offset, from) {
    const { element, session, id, trouble } = this;
    const isOpen = this.at?.offset === offset;
    this.#close(isOpen);
    const post = session.state.rooms[id]?.posts[offset];
    const row = from.closest(".post");
    if (isOpen || post === undefined || row === null) return;
    const wasGone = post.redacted === true;
    this.at = { offset, from, wasGone };
    this.epoch = session.epoch(id);
    attr(element, "aria-label", wasGone ? w.report : w.menu(post.name));
    attr(from, "aria-expanded", "true");
    trouble.say("");
    element.replaceChildren(...this.#contents(post), trouble.element);
    row.append(element);
    element.scrollIntoView({ block: "nearest" });
    element.querySelector("button")?.focus({ preventScroll: true });
  }

  /** A click somewhere else. @param {EventTarget | null} target */
  leave(target) {
    const { at, element } = this;
    if (at === null || !(target instanceof Node) || element.contains(target) || at.from.contains(target)) return;
    this.#close(false);
  }

  /** The post it was for is gone or changed. @param {State} state */
  update(state) {
    const { at, element, id } = this;
    if (at === null) return;
    const post = state.rooms[id]?.posts[at.offset];
    // What is taken back can be reported all the same.
    const isTakenBack = post?.redacted === true && !at.wasGone && element.querySelector(".report-panel") === null;
    const isGone = post === undefined || isTakenBack || state.rooms[id]?.hidden.includes(post.author);
    if (isGone) this.#close(element.contains(document.activeElement));
    show(element, true);
  }

  /** @param {boolean} isReturning  the focus goes back to where it came from */
  #close(isReturning) {
    if (this.at === null) return;
    const { from } = this.at;
    this.at = null;
    this.session.do({ type: "busy", what: "report", on: false });
    this.element.remove();
    attr(from, "aria-expanded", "false");
    if (isReturning) from.focus();
  }

  /** @param {Post} post */
  #contents(post) {
    if (post.redacted === true)
      return [
        button(w.report, () => void this.#report(post), { class: "quiet" }),
        button(w.close, () => this.#close(true), { class: "quiet" }),
      ];
    return [
      h("div", { class: "chips", role: "group", "aria-label": w.react }, ...this.#reactions(post)),
      h("div", { class: "row" }, ...this.#acts(post)),
    ];
  }

  /** @param {Post} post */
  #reactions({ offset }) {
    const mine = this.session.state.rooms[this.id]?.mine[offset] ?? [];
    return /** @type {Reaction[]} */ (Object.keys(REACTIONS)).map((reaction) => {
      const isOn = mine.includes(reaction);
      const react = () => {
        this.how.react(offset, reaction, !isOn, this.epoch);
        this.#close(true);
      };
      return button(REACTIONS[reaction], react, { class: "chip", "aria-pressed": String(isOn) });
    });
  }

  /** @param {Post} post */
  #acts(post) {
    const { session, about, two } = this;
    const { state } = session;
    const isMe = state.rooms[this.id]?.me.includes(post.author) === true;
    const isYoung = session.now() + state.skew - post.at < state.limits.edit_seconds * 1000;
    const acts = [
      button(w.reply, () => {
        this.#close(false);
        about.answer(post);
      }),
      isMe &&
        isYoung &&
        button(w.edit, () => {
          this.#close(false);
          about.change({ ...post, epoch: this.epoch });
        }),
      isMe && button(w.remove, () => this.#askToRemove(post), { class: "danger" }),
      !isMe && !two && button(w.report, () => void this.#report(post)),
      !isMe && !two && button(w.mute(post.name), () => void this.#mute(post), { title: w.muteHint }),
      button(w.keepIt, () => void this.#keep(post)),
      button(w.close, () => this.#close(true)),
    ].filter((act) => act !== false);
    for (const act of acts) act.classList.add("quiet");
    return acts;
  }

  /** @param {Post} post */
  #askToRemove({ offset }) {
    const remove = () => {
      this.#close(true);
      this.how.act(offset, this.session.redact(this.id, offset, this.epoch));
    };
    const yes = button(w.removeYes, remove, { class: "act danger" });
    const no = button(w.keep, () => this.#close(true), { class: "quiet" });
    this.element.replaceChildren(h("p", { text: w.removeSure }), h("div", { class: "row" }, yes, no));
    yes.focus();
  }

  /** @param {Post} post */
  #report({ offset }) {
    return this.trouble.around(async () => {
      const { reportPanel } = await fetched(() => import("../report.js"), "rooms/report.js");
      // It was closed meanwhile, or opened for another post.
      if (this.at?.offset !== offset) return;
      const { context, id, epoch } = this;
      const panel = reportPanel(context, id, { offset, epoch }, () => this.#close(true));
      this.element.replaceChildren(panel.element);
      panel.focus();
    });
  }

  /** A copy of its words on one's own card, which only this browser has. @param {Post} post */
  #keep({ offset, text: words }) {
    return this.trouble.around(async () => {
      const { keepWords } = await fetched(() => import("../../card/open.js"), "card/open.js");
      if (this.at?.offset !== offset) return;
      const ask = (/** @type {HTMLElement} */ asked) => {
        this.element.replaceChildren(asked);
        asked.querySelector("input")?.focus();
      };
      await keepWords(this.context, words, ask, () => this.#close(true));
    });
  }

  /** @param {Post} post */
  #mute(post) {
    return this.trouble.around(async () => {
      await this.session.mute(post.author, true);
      this.#close(false);
      this.context.say(w.muted(post.name));
      this.about.write.area.focus();
    });
  }
}
