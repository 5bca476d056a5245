/**
 * What somebody writes about a post: an answer to it, or a change of one's own. Stands in the composer, and is fetched with
 * the tools of posts, or where an answer or a change was left unfinished.
 */

/** @import {Draft, EpochPost, Post, RoomState} from "../../types.js" */
/** @import {Composer} from "./composer.js" */

import { fetched } from "../../lib/api.js";
import { button, h, show, text } from "../../lib/dom.js";
import { excerpt } from "../../lib/text.js";
import { about as w } from "../../locales/en-tools.js";
import { refusalWord, words } from "../../locales/en.js";

export class AboutPost {
  said = h("span");

  /** @param {Composer} write */
  constructor(write) {
    this.write = write;
    this.session = write.session;
    this.id = write.id;
    write.about.replaceChildren(
      this.said,
      button(w.cancel, () => this.cancel(), { class: "quiet" }),
    );
  }

  /** @param {RoomState} room @returns {{label: string, send: string} | null} what the field and the button say of a change */
  update(room) {
    this.#goOn(room);
    const { editing, replyTo, about } = this.write;
    const answered = replyTo !== null ? room.posts[replyTo] : undefined;
    show(about, editing !== null || replyTo !== null);
    text(this.said, editing !== null ? w.editing : replyTo !== null ? aboutAnswer(answered) : "");
    return editing === null ? null : { label: w.editLabel, send: w.save };
  }

  /** @param {Post} post */
  answer(post) {
    const { write, session, id } = this;
    if (this.#isBusy()) return;
    if (write.editing !== null) write.reset(write.kept);
    write.replyTo = post.offset;
    write.epoch = session.epoch(id);
    write.keep();
    write.redraw();
    write.area.focus();
  }

  /** @param {EpochPost} post */
  change(post) {
    if (this.#isBusy()) return;
    this.#change(post);
    this.write.area.focus();
  }

  cancel() {
    const { write } = this;
    if (write.editing !== null) write.reset(write.kept);
    else write.answerNothing();
    write.area.focus();
  }

  /** Save a change. What is refused stands in the field again. @param {EpochPost} post  as it shall be @param {boolean} [anyway] */
  save(post, anyway = false) {
    const { write, session, id } = this;
    const { element } = write;
    const said = { text: post.text, warning: post.warning ?? null };
    const saved = { room: id, offset: post.offset, epoch: post.epoch, ...said };
    write.saving = saved;
    const end = () => {
      if (write.saving === saved) write.saving = undefined;
    };
    /** It needs to be kept no longer: it is safe. */
    const settled = () => {
      end();
      const now = session.stream(id).draft;
      if (element.isConnected) write.keep();
      else if (now?.editing?.text === post.text) session.stream(id).keepDraft({ ...now, editing: undefined });
    };
    session.edit(id, post, { ...said, ...(anyway && { anyway }) }).then(settled, (no) => {
      if (!element.isConnected) return;
      end();
      if (write.editing === null) this.#change(post);
      else write.takeBack(said);
      this.#sayRefused(post, no);
    });
    write.reset(write.kept);
  }

  /**
   * Go on with a change where it was left, once its post is here; without it, its words are a post like any other. It takes
   * nobody's field away while they write.
   * @param {RoomState} room
   */
  #goOn(room) {
    const { write, id } = this;
    const { begun } = write;
    if (begun === undefined || write.isWriting || room.thin || room.hole !== "no") return;
    const { offset, ...left } = begun;
    const post = left.room === id && left.epoch === room.epoch ? room.posts[offset] : undefined;
    write.begun = undefined;
    if (post !== undefined && room.me.includes(post.author) && !post.redacted)
      this.#change({ ...post, text: left.text, warning: left.warning ?? undefined });
    else write.takeBack(left);
  }

  /** @param {EpochPost} post */
  #change(post) {
    const { write, session, id } = this;
    if (write.editing === null) write.kept = write.draft;
    write.editing = { epoch: session.epoch(id), ...post };
    write.fill({ text: post.text, warning: post.warning ?? null });
    write.written();
    write.grow();
  }

  /** Nobody loses a change by pressing something else. @returns {boolean} whether there is one that was not saved */
  #isBusy() {
    const { write, session, id } = this;
    const { editing, draft } = write;
    if (editing === null) return false;
    const stands = session.state.rooms[id]?.posts[editing.offset];
    const isChanged = draft.text !== stands?.text || draft.warning !== (stands.warning ?? null);
    if (isChanged) write.stop(w.editFirst);
    return isChanged;
  }

  /** Why a change was not saved; where it has contact details, with what one can do. @param {Post} post @param {any} no */
  #sayRefused(post, no) {
    const { write } = this;
    const stop = (/** @type {string} */ reason) => write.stop(reason);
    const isThere = () => write.editing?.offset === post.offset && write.area.value === post.text;
    if (no.code !== "contact_details" || !isThere()) return stop(refusalWord(no));
    fetched(() => import("./contact.js"), "rooms/views/contact.js").then(
      (found) =>
        isThere() &&
        found.explainEdit(no, stop, write.offer, () => {
          this.save(post, true);
          write.area.focus();
        }),
      () => stop(refusalWord(no)),
    );
  }
}

/** @param {Post | undefined} post */
function aboutAnswer(post) {
  if (post === undefined) return words.post.quoteGone;
  return post.warning === undefined ? `${w.answering(post.name)}: ${excerpt(post.text, 60)}` : w.answering(post.name);
}
