/** Where one writes. It keeps its text through anything, and says what stops it from sending. */

/** @import {Session} from "../session.js" */
/** @import {Context, Post, State} from "../types.js" */

import { attr, button, h, show, text } from "../lib/dom.js";
import { excerpt, lengthOf } from "../lib/text.js";
import { refusalWord, words } from "../locales/en.js";
import { ordered } from "../lib/facts.js";

const w = words.composer;
const COUNT_BELOW = 200;
const TALLEST_PX = 220;
/** @type {Record<string, number>} seconds, without a moderator */
const PACES = { slowed: 30, read_only: Infinity };

/**
 * @typedef {ReturnType<typeof composer>} Composer
 */

/** @param {Context} context @param {string} id @param {() => string} [named]  for whom one writes, where it is not a room */
export function composer(context, id, named) {
  const { session, say, sayNow } = context;
  const draft = session.vault.draft(id);
  /** @type {number | null} */
  let replyTo = draft?.replyTo ?? null;
  /** @type {Post | null} the post being changed */
  let editing = null;
  let kept = "";
  let wasSlow = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} the next second of waiting in a slow room */
  let counting;

  const label = h("label", { for: "writing", class: "unseen" });
  const area = h("textarea", { id: "writing", rows: 1, placeholder: w.hint, autocomplete: "off", enterkeyhint: "enter", "aria-describedby": "writing-note writing-keys" });
  const warnBox = h("input", { type: "checkbox", id: "warn" });
  const warnText = h("input", { type: "text", id: "warn-text", placeholder: w.warnHint, autocomplete: "off", maxlength: session.state.limits.warning_length });
  const warnField = h("div", { class: "field", hidden: true }, h("label", { for: "warn-text", text: w.warnLabel }), warnText);
  const aboutText = h("span");
  const about = h("div", { class: "about", hidden: true }, aboutText, button(w.cancel, () => cancel(), { class: "quiet" }));
  const note = h("p", { id: "writing-note", class: "note soft", hidden: true });
  const keys = h("p", { id: "writing-keys", class: "unseen", text: isTouch() ? "" : w.enter });
  const send = h("button", { type: "submit", class: "act send", text: w.send });
  const element = h(
    "form",
    { class: "composer", on: { submit } },
    about,
    warnField,
    h("div", { class: "write-row" }, label, area, send),
    h("div", { class: "under" }, h("label", { class: "check", for: "warn" }, warnBox, h("span", { text: w.warnToggle })), note),
    keys,
  );

  area.value = draft?.text ?? "";
  if (draft !== null && draft.warning !== null) {
    warnBox.checked = true;
    warnText.value = draft.warning;
    show(warnField, true);
  }

  area.addEventListener("input", () => {
    grow();
    keep();
    if (area.value.trim() !== "" && editing === null) session.typing(id);
    update(session.state);
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && (editing !== null || replyTo !== null)) {
      event.preventDefault();
      event.stopPropagation();
      cancel();
    }
    if (event.key !== "Enter" || event.isComposing) return;
    const isSend = event.ctrlKey || event.metaKey || (!event.shiftKey && !isTouch());
    if (!isSend) return;
    event.preventDefault();
    element.requestSubmit();
  });
  warnBox.addEventListener("change", () => {
    show(warnField, warnBox.checked);
    if (warnBox.checked) warnText.focus();
    keep();
  });
  warnText.addEventListener("input", keep);

  function keep() {
    if (editing !== null) return;
    session.vault.keepDraft(id, { text: area.value, warning: warnBox.checked ? warnText.value : null, replyTo });
  }

  function grow() {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, TALLEST_PX)}px`;
  }

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    const { limits } = session.state;
    const written = area.value;
    const warning = warnBox.checked ? warnText.value.trim() || w.warnToggle : null;
    if (written.trim() === "") return stop(w.empty);
    if (lengthOf(written) > limits.text_length) return stop(w.tooLong);
    const wait = editing === null ? slowFor(session, id) : 0;
    if (wait > 0) return stop(slowWord(wait));
    if (editing !== null) {
      const { offset } = editing;
      const post = { ...editing, text: written };
      session.edit(id, offset, { text: written, warning }).catch((no) => {
        if (editing === null) change(post);
        stop(refusalWord(no));
      });
      reset(kept);
    } else {
      session.outgoing.write(id, { text: written, warning, replyTo });
      reset("");
    }
    area.focus();
  }

  /** @param {string} why */
  function stop(why) {
    sayNow(why);
    text(note, why);
    show(note, true);
    area.focus();
  }

  /** @param {string} next  what stands in the field afterwards */
  function reset(next) {
    editing = null;
    replyTo = null;
    kept = "";
    area.value = next;
    warnBox.checked = false;
    warnText.value = "";
    show(warnField, false);
    keep();
    update(session.state);
    grow();
  }

  function cancel() {
    if (editing !== null) reset(kept);
    else {
      replyTo = null;
      keep();
      update(session.state);
    }
    area.focus();
  }

  /** @param {Post} post */
  function change(post) {
    if (editing === null) kept = area.value;
    editing = post;
    area.value = post.text;
    warnBox.checked = post.warning !== undefined;
    warnText.value = post.warning ?? "";
    show(warnField, warnBox.checked);
    update(session.state);
    grow();
    area.focus();
  }

  /** @param {State} state */
  function update(state) {
    const room = state.rooms[id];
    if (room === undefined) return;
    text(label, editing !== null ? w.editLabel : (named?.() ?? w.label(room.room.name)));
    text(send, editing !== null ? w.save : w.send);
    const answered = replyTo !== null ? room.posts[replyTo] : undefined;
    const isAnswering = editing === null && replyTo !== null;
    show(about, editing !== null || isAnswering);
    text(aboutText, editing !== null ? w.editing : isAnswering ? aboutAnswer(answered) : "");
    const left = state.limits.text_length - lengthOf(area.value);
    const slow = editing === null ? slowFor(session, id) : 0;
    if (wasSlow && slow <= 0) say(w.slowOver);
    wasSlow = slow > 0;
    const said = left < COUNT_BELOW ? w.left(left) : slow > 0 ? slowWord(slow) : session.vault.isDurable ? "" : w.memoryOnly;
    text(note, said);
    show(note, said !== "");
    note.classList.toggle("over", left < 0);
    attr(area, "aria-invalid", left < 0 ? "true" : null);
    send.classList.toggle("resting", slow > 0 || left < 0);
    clearTimeout(counting);
    if (slow > 0) counting = setTimeout(() => element.isConnected && update(session.state), (slow % 1 || 1) * 1000);
  }

  return {
    element,
    update,
    grow,
    /** @param {Post} post */
    answer(post) {
      if (editing !== null) reset(kept);
      replyTo = post.offset;
      keep();
      update(session.state);
      area.focus();
    },
    change,
    area,
  };
}

/** @param {Post | undefined} post */
function aboutAnswer(post) {
  if (post === undefined) return words.post.quoteGone;
  return post.warning === undefined ? `${w.answering(post.name)}: ${excerpt(post.text, 60)}` : w.answering(post.name);
}

/** @param {number} s */
const slowWord = (s) => (s < Infinity ? w.slow(s) : refusalWord("unattended"));

/** Seconds until one may write again in a slow room. @param {Session} session @param {string} id */
function slowFor(session, id) {
  const { state } = session;
  const room = state.rooms[id];
  if (room === undefined) return 0;
  const pace = Math.max(room.room.slow_mode, PACES[room.room.attendance] ?? 0);
  if (pace === 0) return 0;
  const own = ordered(room).filter((post) => post.author === state.me?.id);
  const sent = state.pending.filter((p) => p.room === id && p.status !== "refused").map((p) => p.at + state.skew);
  const last = Math.max(own.at(-1)?.at ?? 0, ...sent);
  return (last + pace * 1000 - (session.now() + state.skew)) / 1000;
}

/** A phone: its Enter key begins a new line, and the button sends. */
function isTouch() {
  return matchMedia("(pointer: coarse)").matches;
}
