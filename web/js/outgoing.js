/**
 * One's own posts on their way. The vault is written before the socket, so that a post survives whatever happens next;
 * it is let go at the ack. Posts of one room go one after the other, so that they arrive in the order of writing.
 */

/** @import {Session} from "./session.js" */
/** @import {Draft, FactOk, Pending} from "./types.js" */

import { Refused } from "./lib/client.js";
import { afterReturn } from "./lib/pending.js";
import { newId } from "./lib/text.js";

/** Help, shown to nobody else, where words sound as if it were needed. @param {FactOk} ok @param {string} room */
export function offerCare({ care }, room) {
  if (care !== undefined) import("./care.js").then((found) => found.careNote(care, room), () => null);
}

export class Outgoing {
  /** @param {Pick<Session, "state" | "do" | "vault" | "client" | "now">} session */
  constructor(session) {
    this.s = session;
    /** @type {Set<string>} rooms whose posts are being sent */
    this.flowing = new Set();
    /** @type {Map<string, () => void>} by id: stop waiting for this post's answer */
    this.letGo = new Map();
  }

  /** @param {string} room @param {Draft} draft */
  write(room, draft) {
    const at = this.s.state.rooms[room];
    /** @type {Pending} */
    const post = {
      ...draft,
      id: newId(),
      room,
      at: this.s.now(),
      epoch: at?.epoch ?? null,
      after: at?.position ?? 0,
      sentAt: null,
      status: "waiting",
      why: null,
      offset: null,
    };
    this.s.vault.keep(post);
    this.s.do({ type: "written", post });
    void this.flow(room);
  }

  /** Try a refused post again: as a new one, for the old id has its answer. @param {string} id @param {boolean} [anyway] */
  retry(id, anyway = false) {
    const post = this.#post(id);
    if (post === undefined) return;
    this.drop(id);
    this.write(post.room, { text: post.text, warning: post.warning, replyTo: post.replyTo, ...(anyway && { anyway }) });
  }

  /** It is not to be sent, or need not be. @param {string} id */
  drop(id) {
    this.s.vault.drop(id);
    this.s.do({ type: "dropped", id });
    this.#stopWaiting(id);
  }

  /** It cannot be sent. @param {string} id @param {string} why  the refusal's code @param {object} [details] */
  refuse(id, why, details) {
    this.s.do({ type: "refused", id, why, details });
    this.#keep(id);
    this.#stopWaiting(id);
  }

  /**
   * After a return to a room: posts that were on their way are here, may go again, or the person must say.
   * @param {string} id
   */
  review(id) {
    const { state } = this.s;
    const room = state.rooms[id];
    if (room === undefined) return;
    for (const p of state.pending.filter((q) => q.room === id && q.offset === null)) {
      if (p.status === "refused" || p.status === "unsure") continue;
      const what = afterReturn(p, room, state.pending, state.me?.id ?? "", this.s.now());
      if (what === "done") this.drop(p.id);
      else if (what === "ask") {
        this.s.do({ type: "unsure", id: p.id });
        this.#stopWaiting(p.id);
      }
    }
  }

  /** Send a room's waiting posts. @param {string} room */
  async flow(room) {
    if (this.flowing.has(room)) return;
    this.flowing.add(room);
    try {
      for (let next = this.#next(room); next !== undefined; next = this.#next(room)) await this.#send(next);
    } finally {
      this.flowing.delete(room);
    }
  }

  /** @param {string} room */
  #next(room) {
    return this.s.state.pending.find((p) => p.room === room && (p.status === "waiting" || p.status === "sending"));
  }

  /** @param {string} id */
  #post(id) {
    return this.s.state.pending.find((p) => p.id === id);
  }

  /** @param {Pending} post */
  async #send({ id, room, text, warning, replyTo, anyway }) {
    const released = new Promise((done) => this.letGo.set(id, () => done(null)));
    const answered = this.s.client.fact(
      "post",
      { room, text, ...(warning !== null && { warning }), ...(replyTo !== null && { reply_to: replyTo }), ...(anyway && { anyway }) },
      {
        gate: room,
        id,
        onSending: () => {
          this.s.do({ type: "sending", id, now: this.s.now() });
          this.#keep(id);
        },
        onWaiting: () => this.s.do({ type: "trouble", id }),
      },
    );
    try {
      const ok = await Promise.race([answered, released]);
      if (ok === null) return;
      this.s.vault.drop(id);
      this.s.do({ type: "acked", id, offset: /** @type {FactOk} */ (ok).offset ?? null });
      offerCare(ok, room);
    } catch (no) {
      if (!(no instanceof Refused)) throw no;
      this.refuse(id, no.code, no.details);
    } finally {
      this.letGo.delete(id);
    }
  }

  /** @param {string} id */
  #keep(id) {
    const post = this.#post(id);
    if (post !== undefined) this.s.vault.keep(post);
  }

  /** @param {string} id */
  #stopWaiting(id) {
    this.s.client.forget(id);
    this.letGo.get(id)?.();
  }
}
