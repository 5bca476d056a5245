/** The panel with what one can do with a post. Fetched when somebody first touches what is written. */

/** @import {Acts, Context, Post, Reaction, State} from "../types.js" */
/** @import {Composer} from "./composer.js" */

import { attr, button, h, show } from "../lib/dom.js";
import { REACTIONS, refusalWord, words } from "../locales/en.js";

const w = words.post;

/**
 * @param {Context} context @param {string} id
 * @param {Composer} write @param {Acts["react"]} react @param {boolean} [two]
 */
export function postTools(context, id, write, react, two = false) {
  const { session, say, sayNow } = context;
  const element = h("div", { class: "tools", role: "group", "aria-live": "off" });
  /** @type {{offset: number, from: HTMLElement} | null} */
  let at = null;

  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close(true);
  });

  /** @param {boolean} isReturning  the focus goes back to where it came from */
  function close(isReturning) {
    if (at === null) return;
    const { from } = at;
    at = null;
    element.remove();
    attr(from, "aria-expanded", "false");
    if (isReturning) from.focus();
  }

  /** @param {number} offset @param {HTMLElement} from */
  function toggle(offset, from) {
    const isOpen = at?.offset === offset;
    close(isOpen);
    const post = session.state.rooms[id]?.posts[offset];
    const row = from.closest(".post");
    if (isOpen || post === undefined || row === null) return;
    at = { offset, from };
    attr(element, "aria-label", w.menu(post.name));
    attr(from, "aria-expanded", "true");
    element.replaceChildren(...contents(post));
    row.append(element);
    element.scrollIntoView({ block: "nearest" });
    element.querySelector("button")?.focus({ preventScroll: true });
  }

  /** @param {Post} post */
  function contents(post) {
    const { state } = session;
    const isMe = post.author === state.me?.id;
    const mine = state.rooms[id]?.mine[post.offset] ?? [];
    const reactions = /** @type {Reaction[]} */ (Object.keys(REACTIONS)).map((reaction) =>
      button(
        REACTIONS[reaction],
        () => {
          react(post.offset, reaction, !mine.includes(reaction));
          close(true);
        },
        { class: "chip", "aria-pressed": String(mine.includes(reaction)) },
      ),
    );
    const isYoung = session.now() + state.skew - post.at < state.limits.edit_seconds * 1000;
    const acts = [
      button(w.reply, () => {
        close(false);
        write.answer(post);
      }),
      isMe && isYoung && button(w.edit, () => {
        close(false);
        write.change(post);
      }),
      isMe && button(w.remove, () => ask(post), { class: "danger" }),
      !isMe && !two && button(w.report, () => void report(post)),
      !isMe && !two && button(w.mute(post.name), () => void mute(post), { title: w.muteHint }),
      button(w.close, () => close(true)),
    ].filter((act) => act !== false);
    for (const act of acts) act.classList.add("quiet");
    return [
      h("div", { class: "chips", role: "group", "aria-label": w.react }, ...reactions),
      h("div", { class: "row" }, ...acts),
    ];
  }

  /** @param {Post} post */
  function ask(post) {
    const yes = button(w.removeYes, () => {
      close(true);
      session.redact(id, post.offset).catch((no) => sayNow(refusalWord(no)));
    }, { class: "act danger" });
    element.replaceChildren(h("p", { text: w.removeSure }), h("div", { class: "row" }, yes, button(w.keep, () => close(true), { class: "quiet" })));
    yes.focus();
  }

  /** @param {Post} post */
  async function report({ offset }) {
    try {
      const { reportPanel } = await import("../report.js");
      const panel = reportPanel(context, id, { offset }, () => close(true));
      element.replaceChildren(panel.element);
      panel.focus();
    } catch {
      sayNow(refusalWord("lost"));
    }
  }

  /** @param {Post} post */
  async function mute(post) {
    try {
      await session.mute(post.author, post.name, true);
      close(false);
      say(w.muted(post.name));
      write.area.focus();
    } catch (no) {
      sayNow(refusalWord(no));
    }
  }

  return {
    toggle,
    /** A click somewhere else. @param {EventTarget | null} target */
    leave(target) {
      if (at === null || !(target instanceof Node) || element.contains(target) || at.from.contains(target)) return;
      close(false);
    },
    /** The post it was for is gone or changed. @param {State} state */
    update(state) {
      if (at === null) return;
      const post = state.rooms[id]?.posts[at.offset];
      const isGone = post === undefined || post.redacted === true || state.muted.includes(post.author);
      if (isGone) close(element.contains(document.activeElement));
      show(element, true);
    },
  };
}
