/** A post in a room as a moderator sees it, with the menu of what can be done about it. */

/** @import {Post} from "../types.js" */
/** @import {RoomPane} from "./room.js" */

import { attr, button, h, show, text } from "../lib/dom.js";
import { excerpt } from "../lib/text.js";
import { clock } from "../lib/time.js";
import { words } from "../locales/en-moderate.js";
import { foldIfLong } from "../shell/fold.js";
import { postMenu } from "./acting.js";

const w = words.rooms;

/** @typedef {ReturnType<typeof postMenu>} Menu */

/** @param {RoomPane} pane */
export function postRow(pane) {
  /** @type {Post} */
  let shown;
  const who = h("b");
  const when = h("span", { class: "soft" });
  const quote = h("p", { class: "soft small quoted" });
  const warning = h("p", { class: "soft" });
  const what = h("p", { class: "said" });
  const role = h("span", { class: "role" });
  const act = button("", () => openMenu(pane, shown, element, act), {
    class: "quiet more-acts",
    "aria-expanded": "false",
  });
  act.append(h("span", { "aria-hidden": "true", text: "···" }));
  const head = h("div", { class: "said-head" }, h("p", {}, who, " ", role, " ", when), act);
  const element = h("li", {}, head, quote, warning, what);
  return {
    element,
    /** @param {Post} post */
    update(post) {
      shown = post;
      text(who, post.name);
      text(role, post.role ? w.role : "");
      text(when, clock(post.at));
      const answered = answeredBy(pane, post);
      text(quote, answered);
      show(quote, answered !== "");
      text(warning, post.warning === undefined ? "" : w.warning(post.warning));
      show(warning, post.warning !== undefined);
      text(what, post.redacted === true ? w.redacted : post.text);
      what.classList.toggle("soft", post.redacted === true);
      attr(act, "aria-label", w.actOn(post.name));
      show(act, pane.room?.me.includes(post.author) !== true);
      foldIfLong(what);
    },
  };
}

/** What a post answers, where that is still here. @param {RoomPane} pane @param {Post} post */
function answeredBy({ room }, post) {
  const answered = post.reply_to === undefined || post.reply_to === null ? undefined : room?.posts[post.reply_to];
  if (answered === undefined) return "";
  return w.answers(answered.name, answered.redacted === true ? w.redacted : excerpt(answered.text));
}

/** Open a post's menu, or close it. @param {RoomPane} pane @param {Post} post @param {HTMLElement} row @param {HTMLElement} act */
function openMenu(pane, post, row, act) {
  const isOpen = pane.menu?.element.parentElement === row;
  pane.menu?.close();
  pane.menu = null;
  if (isOpen) return act.focus();
  const { offset } = post;
  const target = { name: post.name, member: post.author, room: pane.id, offset, epoch: pane.room?.epoch };
  pane.menu = postMenu(pane.app, target, post.redacted === true, act);
  row.append(pane.menu.element);
  pane.menu.element.scrollIntoView({ block: "nearest" });
  pane.menu.focus();
}
