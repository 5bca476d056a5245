/** Where one writes. It keeps its text through anything, and says what stops it from sending. */

/** @import {Session} from "../session.js" */
/** @import {Context, Draft, EpochPost, Post, State} from "../../types.js" */

import { fetched } from "../../lib/api.js";
import { attr, button, h, isComposing, show, text } from "../../lib/dom.js";
import { excerpt, lengthOf } from "../../lib/text.js";
import { refusalWord, words } from "../../locales/en.js";
import { ordered } from "../../lib/facts.js";

const w = words.composer;
const COUNT_BELOW = 200;
const TALLEST_PX = 220;
/** @type {Draft} */
const NOTHING = { text: "", warning: null, replyTo: null };
/** @type {Record<string, number>} seconds, without a moderator */
const PACES = { slowed: 30, read_only: Infinity };

/**
 * @typedef {ReturnType<typeof composer>} Composer
 */

/** @param {Context} context @param {string} id @param {() => string} [named]  for whom one writes, where it is not a room */
export function composer(context, id, named) {
  const { session, say, sayNow } = context;
  const draft = session.stream(id).draft;
  /** @type {number | null} */
  let replyTo = draft?.replyTo ?? null;
  let epoch = draft?.epoch;
  if (replyTo !== null) session.do({ type: "busy", what: `composer ${id}`, on: true });
  /** @type {EpochPost | null} the post being changed */
  let editing = null;
  /** What stood in the field before it. */
  let kept = NOTHING;
  /** What stopped the last try to send, until something else is written. */
  let why = "";
  /** A change that was given up when the page went, until its post is here. @type {Draft["editing"]} */
  let begun = draft?.editing;
  /** A change on its way. @type {Draft["editing"]} */
  let saving;
  let wasSlow = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} the next second of waiting in a slow room */
  let counting;

  const label = h("label", { for: "writing", class: "unseen" });
  const area = h("textarea", {
    id: "writing",
    rows: 1,
    placeholder: w.hint,
    autocomplete: "off",
    enterkeyhint: "enter",
    "aria-describedby": "writing-note writing-keys",
  });
  const warnBox = h("input", { type: "checkbox", id: "warn" });
  const warnText = h("input", {
    type: "text",
    id: "warn-text",
    placeholder: w.warnHint,
    autocomplete: "off",
    maxlength: session.state.limits.warning_length,
  });
  const warnField = h(
    "div",
    { class: "field", hidden: true },
    h("label", { for: "warn-text", text: w.warnLabel }),
    warnText,
  );
  const aboutText = h("span");
  const about = h(
    "div",
    { class: "about", hidden: true },
    aboutText,
    button(w.cancel, () => cancel(), { class: "quiet" }),
  );
  const note = h("p", { id: "writing-note", class: "note soft", hidden: true });
  const offer = h("span");
  const keys = h("p", { id: "writing-keys", class: "unseen", text: isTouch() ? "" : w.enter });
  const send = h("button", { type: "submit", class: "act send", text: w.send });
  const element = h(
    "form",
    { class: "composer", on: { submit } },
    about,
    warnField,
    h("div", { class: "write-row" }, label, area, send),
    h(
      "div",
      { class: "under" },
      h("label", { class: "check", for: "warn" }, warnBox, h("span", { text: w.warnToggle })),
      note,
      offer,
    ),
    keys,
  );

  /** @param {Draft} words */
  function fill({ text: words, warning }) {
    area.value = words;
    warnBox.checked = warning !== null;
    warnText.value = warning ?? "";
    show(warnField, warning !== null);
  }
  fill(draft ?? NOTHING);

  area.addEventListener("input", () => {
    grow();
    goAhead();
    keep();
    if (area.value.trim() !== "" && editing === null) session.typing(id);
    update(session.state);
  });
  area.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    if (event.key === "Escape" && (editing !== null || replyTo !== null)) {
      event.preventDefault();
      event.stopPropagation();
      cancel();
    }
    if (event.key !== "Enter") return;
    const isSend = event.ctrlKey || event.metaKey || (!event.shiftKey && !isTouch());
    if (!isSend) return;
    event.preventDefault();
    // As the button does, so that whoever has a say in what is sent is asked. Older browsers have no `requestSubmit`.
    element.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  });
  area.addEventListener("focus", () => void session.outgoing.crisis.parts().catch(() => {}), { once: true });
  warnBox.addEventListener("change", () => {
    show(warnField, warnBox.checked);
    if (warnBox.checked) warnText.focus();
    goAhead();
    keep();
    update(session.state);
  });
  warnText.addEventListener("input", () => {
    goAhead();
    keep();
    update(session.state);
  });

  const written = () => ({ text: area.value, warning: warnBox.checked ? warnText.value : null, replyTo, epoch });

  function keep() {
    const { text: words, warning } = written();
    session.do({ type: "busy", what: `composer ${id}`, on: editing !== null || replyTo !== null });
    session
      .stream(id)
      .keepDraft(
        editing === null
          ? { ...written(), editing: begun ?? saving }
          : { ...kept, editing: { room: id, offset: editing.offset, epoch: editing.epoch, text: words, warning } },
      );
  }

  /** What stopped it does so no longer. */
  function goAhead() {
    why = "";
    offer.replaceChildren();
  }

  /** Go on with a change where it was left, once its post is here; without it, its words are a post like any other. */
  function goOn() {
    const room = session.state.rooms[id];
    if (begun === undefined || room === undefined || room.thin || room.hole !== "no") return;
    const { offset, ...left } = begun;
    const post = left.room === id && left.epoch === room.epoch ? room.posts[offset] : undefined;
    begun = undefined;
    if (post !== undefined && room.me.includes(post.author) && !post.redacted) {
      change({ ...post, text: left.text, warning: left.warning ?? undefined }, false);
    } else takeBack(left);
  }

  /** Words to be written anew come before what stands there already, and never into a change of something else. @param {Pick<Draft, "text" | "warning">} words */
  function takeBack({ text: words, warning }) {
    const now = editing === null ? written() : kept;
    const both = {
      ...now,
      text: [words, now.text].filter((part) => part.trim() !== "").join("\n"),
      warning: now.warning ?? warning,
    };
    if (editing === null) fill(both);
    else kept = both;
    keep();
    update(session.state);
    grow();
  }

  function grow() {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, TALLEST_PX)}px`;
  }

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    const { limits } = session.state;
    const words = area.value;
    const warning = warnBox.checked ? warnText.value.trim() || w.warnToggle : null;
    if (words.trim() === "") return stop(w.empty);
    if (lengthOf(words) > limits.text_length) return stop(w.tooLong);
    const wait = editing === null ? slowFor(session, id) : 0;
    if (wait > 0) {
      // How long counts down by itself.
      sayNow(slowWord(wait));
      return area.focus();
    }
    if (editing !== null) save({ ...editing, text: words, warning: warning ?? undefined });
    else {
      session.outgoing.write(id, { text: words, warning, replyTo });
      reset(NOTHING);
    }
    area.focus();
  }

  /** Save a change. What is refused stands in the field again. @param {EpochPost} post  as it shall be @param {boolean} [anyway] */
  function save(post, anyway = false) {
    const said = { text: post.text, warning: post.warning ?? null };
    const saved = { room: id, offset: post.offset, epoch: post.epoch, ...said };
    saving = saved;
    /** It needs to be kept no longer: it is safe. */
    const settled = () => {
      if (saving === saved) saving = undefined;
      const now = session.stream(id).draft;
      if (element.isConnected) keep();
      else if (now?.editing?.text === post.text) session.stream(id).keepDraft({ ...now, editing: undefined });
    };
    session.edit(id, post, { ...said, ...(anyway && { anyway }) }).then(settled, (no) => {
      if (!element.isConnected) return;
      if (saving === saved) saving = undefined;
      if (editing === null) change(post, false);
      else takeBack(said);
      const isThere = () => editing?.offset === post.offset && area.value === post.text;
      if (no.code !== "contact_details" || !isThere()) return stop(refusalWord(no));
      fetched(() => import("./contact.js"), "rooms/views/contact.js").then(
        (found) =>
          isThere() &&
          found.explainEdit(no, stop, offer, () => {
            save(post, true);
            area.focus();
          }),
        () => stop(refusalWord(no)),
      );
    });
    reset(kept);
  }

  /** @param {string} reason */
  function stop(reason) {
    goAhead();
    sayNow(reason);
    why = reason;
    text(note, reason);
    show(note, true);
    update(session.state);
    const held = document.activeElement;
    if (held === null || held === document.body || element.contains(held)) area.focus();
  }

  /** @param {Draft} next  what stands in the field afterwards */
  function reset(next) {
    editing = null;
    replyTo = next.replyTo;
    epoch = next.epoch ?? epoch;
    kept = NOTHING;
    fill(next);
    goAhead();
    keep();
    update(session.state);
    grow();
  }

  /** Nobody loses a change by pressing something else. @returns {boolean} whether there is one that was not saved */
  function isBusy() {
    if (editing === null) return false;
    const stands = session.state.rooms[id]?.posts[editing.offset];
    const isChanged = area.value !== stands?.text || written().warning !== (stands.warning ?? null);
    if (isChanged) stop(w.editFirst);
    return isChanged;
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

  /** @param {EpochPost} post @param {boolean} [isAsked]  somebody has just pressed it */
  function change(post, isAsked = true) {
    if (editing === null) kept = written();
    editing = { epoch: session.epoch(id), ...post };
    fill({ ...NOTHING, text: post.text, warning: post.warning ?? null });
    goAhead();
    keep();
    update(session.state);
    grow();
    if (isAsked) area.focus();
  }

  /** @param {State} state */
  function update(state) {
    const room = state.rooms[id];
    if (room === undefined) return;
    if (room.epoch !== epoch && replyTo !== null) {
      replyTo = null;
      keep();
    }
    goOn();
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
    const said =
      why !== ""
        ? why
        : left < COUNT_BELOW
          ? w.left(left)
          : slow > 0
            ? slowWord(slow)
            : session.vault.isDurable
              ? ""
              : w.memoryOnly;
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
    takeBack,
    /** @param {Post} post */
    answer(post) {
      if (isBusy()) return;
      if (editing !== null) reset(kept);
      replyTo = post.offset;
      epoch = session.epoch(id);
      keep();
      update(session.state);
      area.focus();
    },
    /** @param {EpochPost} post */
    change(post) {
      if (!isBusy()) change(post);
    },
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
  const own = ordered(room).filter((post) => room.me.includes(post.author));
  const sent = state.pending.filter((p) => p.room === id && p.status !== "refused").map((p) => p.at + state.skew);
  const last = Math.max(own.at(-1)?.at ?? 0, ...sent);
  return (last + pace * 1000 - (session.now() + state.skew)) / 1000;
}

/** A phone: its Enter key begins a new line, and the button sends. */
function isTouch() {
  return matchMedia("(pointer: coarse)").matches;
}
