/** Where one writes. It keeps its text through anything, and says what stops it from sending. */

/** @import {Context, Draft, EpochPost, State} from "../../types.js" */

import { fetched } from "../../lib/api.js";
import { attr, h, isComposing, show, text } from "../../lib/dom.js";
import { lengthOf } from "../../lib/text.js";
import { words } from "../../locales/en.js";

const w = words.composer;
const COUNT_BELOW = 200;
const TALLEST_PX = 220;
const AGAIN_MS = 3_000;
/** @type {Draft} */
const NOTHING = { text: "", warning: null, replyTo: null };

export class Composer {
  /** The post being changed. @type {EpochPost | null} */
  editing = null;
  /** What stood in the field before it. */
  kept = NOTHING;
  /** What came back to be written anew. */
  back = "";
  /** What stopped the last try to send, until something else is written. */
  why = "";
  /** A change on its way. @type {Draft["editing"]} */
  saving;
  /** @type {import("./about-post.js").AboutPost | null} */
  aboutPost = null;
  /** @type {import("./pace.js").Pace | null} */
  pace = null;
  /** The parts that are on their way. @type {Set<string>} */
  fetching = new Set();
  /** Somebody has written into the field since it was filled. */
  isWriting = false;
  label = h("label", { for: "writing", class: "unseen" });
  area = h("textarea", {
    id: "writing",
    rows: 1,
    placeholder: w.hint,
    autocomplete: "off",
    enterkeyhint: "enter",
    "aria-describedby": "writing-note writing-keys",
  });
  warnBox = h("input", { type: "checkbox", id: "warn" });
  about = h("div", { class: "about", hidden: true });
  note = h("p", { id: "writing-note", class: "note soft", hidden: true });
  offer = h("span");
  send = h("button", { type: "submit", class: "act send", text: w.send });

  /** @param {Context} context @param {string} id @param {() => string} [named]  for whom one writes, where it is not a room */
  constructor(context, id, named) {
    const { session } = context;
    const { draft } = session.stream(id);
    this.context = context;
    this.session = session;
    this.id = id;
    this.named = named;
    /** @type {number | null} */
    this.replyTo = draft?.replyTo ?? null;
    this.epoch = draft?.epoch;
    /** A change that was given up when the page went, until its post is here. @type {Draft["editing"]} */
    this.begun = draft?.editing;
    if (this.replyTo !== null) session.do({ type: "busy", what: `composer ${id}`, on: true });
    this.warnText = h("input", {
      type: "text",
      id: "warn-text",
      placeholder: w.warnHint,
      autocomplete: "off",
      maxlength: session.state.limits.warning_length,
    });
    const label = h("label", { for: "warn-text", text: w.warnLabel });
    this.warnField = h("div", { class: "field", hidden: true }, label, this.warnText);
    this.element = this.#form();
    this.fill(draft ?? NOTHING);
    this.#listen();
  }

  #form() {
    const { label, area, warnBox, note, offer, send } = this;
    return h(
      "form",
      { class: "composer", on: { submit: (/** @type {Event} */ event) => this.#submit(event) } },
      this.about,
      this.warnField,
      h("div", { class: "write-row" }, label, area, send),
      h(
        "div",
        { class: "under" },
        h("label", { class: "check", for: "warn" }, warnBox, h("span", { text: w.warnToggle })),
        note,
        offer,
      ),
      h("p", { id: "writing-keys", class: "unseen", text: isTouch() ? "" : w.enter }),
    );
  }

  #listen() {
    const { area, warnBox, warnText, session } = this;
    area.addEventListener("input", () => {
      this.isWriting = area.value !== "";
      this.grow();
      this.written();
      if (area.value.trim() !== "" && this.editing === null) session.typing(this.id);
    });
    area.addEventListener("keydown", (event) => this.#key(event));
    area.addEventListener("focus", () => void session.outgoing.crisis.parts().catch(() => {}), { once: true });
    warnBox.addEventListener("change", () => {
      show(this.warnField, warnBox.checked);
      if (warnBox.checked) warnText.focus();
      this.written();
    });
    warnText.addEventListener("input", () => this.written());
  }

  /** Something else is written now: what stopped the last try does so no longer. */
  written() {
    this.#goAhead();
    this.keep();
    this.redraw();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (isComposing(event)) return;
    if (event.key === "Escape" && (this.editing !== null || this.replyTo !== null)) {
      event.preventDefault();
      event.stopPropagation();
      if (this.aboutPost === null) this.answerNothing();
      else this.aboutPost.cancel();
    }
    // Alt+Enter is the facilitator's "Next".
    if (event.key !== "Enter" || event.altKey) return;
    const isSend = event.ctrlKey || event.metaKey || (!event.shiftKey && !isTouch());
    if (!isSend) return;
    event.preventDefault();
    // As the button does, so that whoever has a say in what is sent is asked. Older browsers have no `requestSubmit`.
    this.element.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  }

  /** @param {Pick<Draft, "text" | "warning">} draft */
  fill({ text: words, warning }) {
    this.area.value = words;
    this.warnBox.checked = warning !== null;
    this.warnText.value = warning ?? "";
    show(this.warnField, warning !== null);
  }

  /** What stands in the field. */
  get draft() {
    const { area, warnBox, warnText, replyTo, epoch } = this;
    return { text: area.value, warning: warnBox.checked ? warnText.value : null, replyTo, epoch };
  }

  keep() {
    const { session, id, editing, begun, saving } = this;
    const { text: words, warning } = this.draft;
    session.do({ type: "busy", what: `composer ${id}`, on: editing !== null || this.replyTo !== null });
    session
      .stream(id)
      .keepDraft(
        editing === null
          ? { ...this.draft, editing: begun ?? saving }
          : { ...this.kept, editing: { room: id, offset: editing.offset, epoch: editing.epoch, text: words, warning } },
      );
  }

  /** What is written is an answer to nothing any more. */
  answerNothing() {
    this.replyTo = null;
    this.keep();
    this.redraw();
  }

  /** What stopped it does so no longer. */
  #goAhead() {
    this.why = "";
    this.offer.replaceChildren();
  }

  /** Words to be written anew come before what stands there already but after those that came back earlier, and never into a change of something else. @param {Pick<Draft, "text" | "warning">} words */
  takeBack({ text: words, warning }) {
    const now = this.editing === null ? this.draft : this.kept;
    const first = now.text.startsWith(this.back) ? this.back : "";
    const rest = first === "" ? now.text : now.text.slice(first.length).replace(/^\n/, "");
    const join = (/** @type {string[]} */ ...parts) => parts.filter((part) => part.trim() !== "").join("\n");
    this.back = join(first, words);
    const both = {
      ...now,
      text: join(this.back, rest),
      warning: now.warning ?? warning,
    };
    if (this.editing === null) this.fill(both);
    else this.kept = both;
    this.keep();
    this.redraw();
    this.grow();
  }

  grow() {
    const { area } = this;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, TALLEST_PX)}px`;
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const { session, id, area, editing, replyTo } = this;
    const words = area.value;
    const warning = this.warnBox.checked ? this.warnText.value.trim() || w.warnToggle : null;
    if (words.trim() === "") return this.stop(w.empty);
    if (lengthOf(words) > session.state.limits.text_length) return this.stop(w.tooLong);
    const wait = this.pace?.update(editing !== null) ?? "";
    if (wait !== "") {
      // How long counts down by itself.
      this.context.sayNow(wait);
      return area.focus();
    }
    if (editing !== null) this.aboutPost?.save({ ...editing, text: words, warning: warning ?? undefined });
    else {
      session.outgoing.write(id, { text: words, warning, replyTo });
      this.reset(NOTHING);
    }
    area.focus();
  }

  /** @param {string} reason */
  stop(reason) {
    const { note, area } = this;
    this.#goAhead();
    this.context.sayNow(reason);
    this.why = reason;
    text(note, reason);
    show(note, true);
    this.redraw();
    const held = document.activeElement;
    if (held === null || held === document.body || this.element.contains(held)) area.focus();
  }

  /** @param {Draft} next  what stands in the field afterwards */
  reset(next) {
    this.editing = null;
    this.replyTo = next.replyTo;
    this.epoch = next.epoch ?? this.epoch;
    this.kept = NOTHING;
    this.back = "";
    this.isWriting = false;
    this.fill(next);
    this.written();
    this.grow();
  }

  /** What one writes about a post with an answer or a change. Rejects with Refused. */
  async fetchAboutPost() {
    const { AboutPost } = await fetched(() => import("./about-post.js"), "rooms/views/about-post.js");
    return (this.aboutPost ??= new AboutPost(this));
  }

  async #fetchPace() {
    const { Pace } = await fetched(() => import("./pace.js"), "rooms/views/pace.js");
    this.pace ??= new Pace(this);
  }

  /** Draw again with a part that is fetched. What did not come is tried again a little later. @param {string} part @param {() => Promise<unknown>} fetch */
  #drawWith(part, fetch) {
    if (this.fetching.has(part)) return;
    this.fetching.add(part);
    const drawAgain = () => {
      this.fetching.delete(part);
      if (this.element.isConnected) this.redraw();
    };
    fetch().then(drawAgain, () => setTimeout(drawAgain, AGAIN_MS));
  }

  redraw() {
    this.update(this.session.state);
  }

  /** @param {State} state */
  update(state) {
    const room = state.rooms[this.id];
    if (room === undefined) return;
    if (room.epoch !== this.epoch && this.replyTo !== null) {
      this.replyTo = null;
      this.keep();
    }
    // An answer or a change that was left unfinished.
    if (this.aboutPost === null && (this.replyTo !== null || this.begun !== undefined))
      this.#drawWith("about", () => this.fetchAboutPost());
    if (this.pace === null && (room.room.slow_mode > 0 || room.room.attendance !== "attended" || room.room.voice?.pace))
      this.#drawWith("pace", () => this.#fetchPace());
    const change = this.aboutPost?.update(room);
    text(this.label, change?.label ?? this.named?.() ?? w.label(room.room.name));
    text(this.send, change?.send ?? w.send);
    this.#drawNote(state);
  }

  /** What stops one from sending, or soon will. @param {State} state */
  #drawNote(state) {
    const { session, note } = this;
    const left = state.limits.text_length - lengthOf(this.area.value);
    const slow = this.pace?.update(this.editing !== null) ?? "";
    const free = session.vault.isDurable ? "" : w.memoryOnly;
    const said = this.why || (left < COUNT_BELOW ? w.left(left) : slow || free);
    text(note, said);
    show(note, said !== "");
    note.classList.toggle("over", left < 0);
    attr(this.area, "aria-invalid", left < 0 ? "true" : null);
    this.send.classList.toggle("resting", slow !== "" || left < 0);
  }
}

/** A phone: its Enter key begins a new line, and the button sends. */
function isTouch() {
  return matchMedia("(pointer: coarse)").matches;
}
