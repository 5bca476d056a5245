/** The panel with what one can do with a post. Fetched when somebody first touches what is written. */

/** @import {Context, Post, Reaction, State} from "../../types.js" */
/** @import {Composer} from "./composer.js" */

import { fetched } from "../../lib/api.js";
import { attr, button, h, isComposing, show } from "../../lib/dom.js";
import { words as acts } from "../../locales/en-tools.js";
import { REACTIONS, words } from "../../locales/en.js";
import { troubleLine } from "../../shell/trouble-line.js";

const w = { ...words.post, ...acts };

/**
 * @param {Context} context @param {string} id
 * @param {Composer} write
 * @param {{react: import("../../types.js").Acts["react"], act: (offset: number, done: Promise<unknown>) => void}} how  both say what goes wrong
 * @param {boolean} [two]
 */
export function postTools(context, id, write, { react, act }, two = false) {
  const { session, say } = context;
  const trouble = troubleLine();
  const element = h("div", { class: "tools", role: "group", "aria-live": "off" });
  /** @type {{offset: number, from: HTMLElement, wasGone: boolean} | null} */
  let at = null;
  /** What that is an offset of. @type {string | undefined} */
  let epoch;

  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || isComposing(event)) return;
    event.stopPropagation();
    close(true);
  });

  /** @param {boolean} isReturning  the focus goes back to where it came from */
  function close(isReturning) {
    if (at === null) return;
    const { from } = at;
    at = null;
    session.do({ type: "busy", what: "report", on: false });
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
    const wasGone = post.redacted === true;
    at = { offset, from, wasGone };
    epoch = session.epoch(id);
    attr(element, "aria-label", wasGone ? w.report : w.menu(post.name));
    attr(from, "aria-expanded", "true");
    trouble.say("");
    element.replaceChildren(...contents(post), trouble.element);
    row.append(element);
    element.scrollIntoView({ block: "nearest" });
    element.querySelector("button")?.focus({ preventScroll: true });
  }

  /** @param {Post} post */
  function contents(post) {
    const { state } = session;
    const isMe = state.rooms[id]?.me.includes(post.author) === true;
    if (post.redacted === true)
      return [
        button(w.report, () => void report(post), { class: "quiet" }),
        button(w.close, () => close(true), { class: "quiet" }),
      ];
    const mine = state.rooms[id]?.mine[post.offset] ?? [];
    const reactions = /** @type {Reaction[]} */ (Object.keys(REACTIONS)).map((reaction) =>
      button(
        REACTIONS[reaction],
        () => {
          react(post.offset, reaction, !mine.includes(reaction), epoch);
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
      isMe &&
        isYoung &&
        button(w.edit, () => {
          close(false);
          write.change({ ...post, epoch });
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
    const yes = button(
      w.removeYes,
      () => {
        close(true);
        act(post.offset, session.redact(id, post.offset, epoch));
      },
      { class: "act danger" },
    );
    element.replaceChildren(
      h("p", { text: w.removeSure }),
      h(
        "div",
        { class: "row" },
        yes,
        button(w.keep, () => close(true), { class: "quiet" }),
      ),
    );
    yes.focus();
  }

  /** @param {Post} post */
  const report = ({ offset }) =>
    trouble.around(async () => {
      const { reportPanel } = await fetched(() => import("../report.js"), "rooms/report.js");
      // It was closed meanwhile, or opened for another post.
      if (at?.offset !== offset) return;
      const panel = reportPanel(context, id, { offset, epoch }, () => close(true));
      element.replaceChildren(panel.element);
      panel.focus();
    });

  /** @param {Post} post */
  const mute = (post) =>
    trouble.around(async () => {
      await session.mute(post.author, true);
      close(false);
      say(w.muted(post.name));
      write.area.focus();
    });

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
      // What is taken back can be reported all the same.
      const isTakenBack = post?.redacted === true && !at.wasGone && element.querySelector(".report-panel") === null;
      const isGone = post === undefined || isTakenBack || state.rooms[id]?.hidden.includes(post.author);
      if (isGone) close(element.contains(document.activeElement));
      show(element, true);
    },
  };
}
