/** One post, a calm row. */

/** @import {Outgoing} from "../outgoing.js" */
/** @import {Acts, PendingItem, PostItem, Quote, Reaction} from "../../types.js" */

import { fetched } from "../../lib/api.js";
import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { avatar } from "../../lib/avatar.js";
import { excerpt } from "../../lib/text.js";
import { clock, iso } from "../../lib/time.js";
import { REACTIONS, refusalWord, words } from "../../locales/en.js";

const w = words.post;
/** Of all logs on the page. */
let rows = 0;

/** @param {PostItem} first @param {Acts} acts */
export const postRow = (first, acts) => new PostRow(first, acts);

class PostRow {
  isOpen = false;
  isVeiled = false;
  name = h("b");
  you = h("span", { class: "soft" });
  time = h("time", { class: "soft" });
  edited = h("span", { class: "soft" });
  role = h("span", { class: "role" });
  warning = h("p", { class: "warning" });
  chips = h("ul", { class: "chips", "aria-live": "off", hidden: true });

  /** @param {PostItem} first @param {Acts} acts */
  constructor(first, acts) {
    const { offset } = first.post;
    const id = `text-${(rows += 1)}`;
    this.acts = acts;
    this.offset = offset;
    this.words = h("p", { class: "text", id });
    this.quote = button("", () => acts.jump(first.post.reply_to ?? 0), { class: "quote", hidden: true });
    this.open = button(w.show, () => this.#unveil(!this.isOpen), {
      class: "quiet",
      "aria-expanded": "false",
      "aria-controls": id,
    });
    this.veil = h("div", { class: "veil", hidden: true }, this.warning, this.open);
    this.more = button("", () => acts.menu(offset, this.more), {
      class: "more",
      "aria-expanded": "false",
      "aria-live": "off",
    });
    this.more.append(h("span", { "aria-hidden": "true", text: "···" }));
    const when = h("span", { class: "when", "aria-live": "off" }, this.time, this.edited);
    const head = h("div", { class: "head" }, this.name, this.role, this.you, when);
    this.element = h(
      "article",
      { class: "post", "data-offset": offset, tabindex: -1 },
      avatar(first.post.name),
      h("div", { class: "body" }, head, this.quote, this.veil, this.words, this.chips),
      this.more,
    );
  }

  /** @param {PostItem} item */
  update({ post, mine, isMe, isJoined, quoted }) {
    const { element, acts } = this;
    const isRemoved = post.redacted === true;
    element.classList.toggle("mine", isMe);
    element.classList.toggle("joined", isJoined);
    element.classList.toggle("removed", isRemoved);
    this.#head(post, isMe, isRemoved);
    fill(this.words, isRemoved ? w.removed : post.text);
    this.isVeiled = !isRemoved && post.warning !== undefined && post.warning !== null;
    text(this.warning, this.isVeiled ? w.warning(post.warning ?? "") : "");
    show(this.veil, this.isVeiled);
    this.#unveil(this.isOpen);
    show(this.quote, quoted !== null && !isRemoved);
    if (quoted !== null) sayQuote(this.quote, quoted);
    attr(this.more, "aria-label", isRemoved ? w.report : w.more(post.name));
    attr(element, "aria-label", `${isRemoved ? w.removed : post.name}, ${clock(post.at)}`);
    // What was removed can be reported as long as it would have stood.
    show(this.more, !isRemoved || !(isMe || acts.two));
    const list = reactionsOf(post, mine);
    show(this.chips, list.length > 0 && !isRemoved);
    keyed(
      this.chips,
      list,
      (c) => c.reaction,
      (c) => chip(c.reaction, (on) => acts.react(this.offset, c.reaction, on)),
    );
  }

  /** @param {PostItem["post"]} post @param {boolean} isMe @param {boolean} isRemoved */
  #head(post, isMe, isRemoved) {
    // Whoever took a post back, or was erased, is not named there any more.
    text(this.name, isRemoved ? "" : post.name);
    text(this.role, isRemoved || !post.role ? "" : w.role);
    text(this.you, isMe && !isRemoved ? w.you : "");
    text(this.time, clock(post.at));
    attr(this.time, "datetime", iso(post.at));
    text(this.edited, post.edited_at !== undefined && post.edited_at !== null && !isRemoved ? w.edited : "");
  }

  /** @param {boolean} isNow */
  #unveil(isNow) {
    this.isOpen = isNow;
    text(this.open, isNow ? w.hide : w.show);
    attr(this.open, "aria-expanded", String(isNow));
    show(this.words, !this.isVeiled || isNow);
  }
}

/** How often each reaction was given; one's own among them. @param {PostItem["post"]} post @param {Reaction[]} mine */
function reactionsOf(post, mine) {
  const counts = Object.entries(post.reactions ?? {}).filter(([reaction]) => reaction in REACTIONS);
  for (const own of mine) if (!counts.some(([reaction]) => reaction === own)) counts.push([own, 1]);
  return counts.map(([reaction, n]) => ({
    reaction: /** @type {Reaction} */ (reaction),
    n,
    on: mine.includes(/** @type {Reaction} */ (reaction)),
  }));
}

/** What folds long texts, once it is here: from then on it is done at once. @type {typeof import("../../shell/fold.js") | undefined} */
let folds;

/** @param {HTMLElement} element @param {string} said */
function fill(element, said) {
  text(element, said);
  if (said.length < 400 && !/(\n.*){12}/.test(said)) return;
  if (folds !== undefined) return folds.foldIfLong(element);
  fetched(() => import("../../shell/fold.js"), "shell/fold.js").then(
    (found) => (folds = found).foldIfLong(element),
    () => {},
  );
}

/** @param {HTMLElement} quote @param {Quote} quoted */
function sayQuote(quote, { post, isHidden }) {
  const isGone = post === undefined || post.redacted === true;
  const said = isGone ? w.quoteGone : isHidden ? w.quoteMuted : w.quoted(post.name);
  const bit = isGone || isHidden ? "" : post.warning !== undefined ? w.warning(post.warning) : excerpt(post.text);
  text(quote, bit === "" ? said : `${said}: ${bit}`);
  attr(quote, "disabled", isGone || isHidden);
}

/** @param {Reaction} reaction @param {(on: boolean) => void} act */
function chip(reaction, act) {
  const word = h("span", { text: REACTIONS[reaction] });
  const number = h("span", { class: "soft" });
  let isOn = false;
  const toggle = h("button", { type: "button", class: "chip", on: { click: () => act(!isOn) } }, word, number);
  return {
    element: h("li", {}, toggle),
    /** @param {{n: number, on: boolean}} c */
    update({ n, on }) {
      isOn = on;
      attr(toggle, "aria-pressed", String(on));
      attr(toggle, "aria-label", w.reaction(REACTIONS[reaction], n, on));
      text(number, n > 1 ? String(n) : "");
    },
  };
}

/** One's own post on its way. @param {PendingItem} first @param {Outgoing} outgoing */
export function pendingRow(first, outgoing) {
  const { pending, me } = first;
  const status = h("span");
  /** What was pressed goes; whoever uses the keyboard stays in the list. @param {() => void} act */
  const leaving = (act) => () => {
    if (line.contains(document.activeElement))
      /** @type {HTMLElement | null} */ (element.closest(".rows"))?.focus({ preventScroll: true });
    act();
  };
  const again = button(
    words.status.again,
    leaving(() => outgoing.retry(pending.id)),
    { class: "quiet" },
  );
  const remove = button(
    words.status.remove,
    leaving(() => outgoing.drop(pending.id)),
    { class: "quiet" },
  );
  const words_ = h("p", { class: "text" });
  const line = h("p", { class: "status soft", "aria-live": "off" }, status, again, remove);
  const body = h(
    "div",
    { class: "body" },
    h("div", { class: "head" }, h("b", { text: me.name }), h("span", { class: "soft", text: w.you })),
    pending.warning !== null && h("p", { class: "warning", text: w.warning(pending.warning) }),
    words_,
    line,
  );
  fill(words_, pending.text);
  const element = h(
    "article",
    { class: "post mine pending", tabindex: -1, "aria-label": w.you },
    avatar(me.name),
    body,
  );
  return {
    element,
    /** @param {PendingItem} item */
    update({ pending: p, isJoined }) {
      element.classList.toggle("joined", isJoined);
      const isStuck = p.status === "refused" || p.status === "unsure";
      const why =
        p.status === "refused" ? `${words.status.refused} ${refusalWord(p.why ?? "")}` : words.status[p.status];
      text(status, why);
      line.classList.toggle("stuck", isStuck);
      show(again, isStuck);
      show(remove, isStuck || p.status === "waiting");
    },
  };
}
