/**
 * One's own posts on their way. The vault is written before the socket, so that a post survives whatever happens next;
 * it is let go at the ack. Posts of one room go one after the other, so that they arrive in the order of writing.
 */

/** @import {Session} from "./session.js" */
/** @import {Draft, FactOk, Pending, RoomState} from "../types.js" */

import { fetched } from "../lib/api.js";
import { Refused } from "../lib/client.js";
import { bare, newId, wellFormed } from "../lib/text.js";

/** It waits for its writer: to try it again, or to remove it. @param {Pending} post */
export const isStuck = ({ status }) => status === "refused" || status === "unsure";

/** In the place of what it is about: the server is not sure enough to say. */
const GUESS = "guess";
const OWED_MS = 3_000;
const NOTE_AGAIN_MS = 30 * 60 * 1000;
/** A minute less than the server knows an id. */
const REPEAT_IS_SAFE_MS = 9 * 60 * 1000;

/**
 * Help for somebody whose words sounded as if they needed it. It is due until it stands on the page, and is not offered
 * again for a while: never, if they said that they meant something else. Only this page knows of that, until it is left.
 */
export class CrisisNotes {
  /** @type {{care: string, room: string} | null} */
  due = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  next;
  /** @type {Map<string, number>} until when help of a kind is not offered again */
  quiet = new Map();

  /** @param {() => number} now */
  constructor(now) {
    this.now = now;
  }

  /** Fetched when somebody begins to write, and so here when the network is not. */
  async parts() {
    const [{ crisisNote, dress }, { words }] = await Promise.all([
      fetched(() => import("./crisis-note.js"), "rooms/crisis-note.js"),
      fetched(() => import("../locales/en-crisis-note.js"), "locales/en-crisis-note.js"),
    ]);
    void dress();
    return (/** @type {string} */ care, /** @type {string} */ room) =>
      crisisNote(care, room, words, () => this.unwanted(care));
  }

  /** The newest is shown, to nobody else. @param {FactOk} ok @param {string} room */
  offer({ care }, room) {
    if (care === undefined || this.now() < (this.quiet.get(care) ?? 0)) return;
    this.quiet.set(care, this.now() + NOTE_AGAIN_MS);
    this.due = { care, room };
    void this.showDue();
  }

  /**
   * The server guesses from somebody's words that help is needed, and is less sure of it: it is offered once on this
   * page, and not where it was offered a short while ago. @param {string} room
   */
  guess(room) {
    const now = this.now();
    const isOffered = this.due !== null || [...this.quiet.values()].some((until) => now < until && until !== Infinity);
    if (isOffered || this.quiet.has(GUESS)) return;
    this.quiet.set(GUESS, Infinity);
    this.due = { care: GUESS, room };
    void this.showDue();
  }

  /** They meant something else. @param {string} care */
  unwanted(care) {
    this.quiet.set(care, Infinity);
  }

  async showDue() {
    clearTimeout(this.next);
    const { due } = this;
    if (due === null) return;
    const isShown = await this.parts()
      .then((note) => note(due.care, due.room))
      .catch(() => false);
    if (this.due !== due) return;
    if (isShown) this.due = null;
    else this.next = setTimeout(() => void this.showDue(), OWED_MS);
  }

  /** It is nobody else's. */
  dropDue() {
    clearTimeout(this.next);
    this.due = null;
    this.quiet.clear();
  }
}

export class Outgoing {
  /** @param {Pick<Session, "state" | "do" | "vault" | "client" | "now">} session */
  constructor(session) {
    this.s = session;
    this.crisis = new CrisisNotes(session.now);
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
      text: wellFormed(draft.text),
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

  /**
   * Try a post again that is stuck: as the same one while the server knows its id, so that it cannot be there twice;
   * else, and after a refusal, as a new one. @param {string} id @param {boolean} [anyway]
   */
  retry(id, anyway = false) {
    const post = this.#post(id);
    if (post === undefined) return;
    if (post.status === "unsure" && isRepeatSafe(post, this.s.now())) {
      this.s.do({ type: "again", id });
      void this.flow(post.room);
      return;
    }
    this.drop(id);
    const { room, text, warning } = post;
    const replyTo = post.epoch === this.s.state.rooms[room]?.epoch ? post.replyTo : null;
    this.write(room, { text, warning, replyTo, ...(anyway && { anyway }) });
  }

  /** It is not to be sent, or need not be. @param {string} id */
  drop(id) {
    this.s.vault.drop(id);
    this.s.do({ type: "dropped", id });
    this.#stopWaiting(id);
  }

  /** Nobody is known here any more: nothing goes out under the name of whoever comes next. @param {Pending[]} pending */
  startOver(pending) {
    this.crisis.dropDue();
    this.s.client.forgetAll();
    for (const { id } of pending) this.#stopWaiting(id);
  }

  /** Nobody can say whether it arrived. @param {string} id */
  doubt(id) {
    this.s.do({ type: "unsure", id });
    this.#keep(id);
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
      if (p.status === "refused") continue;
      const what = afterReturn(p, room, state.pending, this.s.now());
      if (what === "done") this.drop(p.id);
      else if (what === "ask" && p.status !== "unsure") this.doubt(p.id);
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
  async #send({ id, room, text, warning, replyTo, epoch, anyway, doubts }) {
    const released = new Promise((done) => this.letGo.set(id, () => done(null)));
    const answered = this.s.client.fact(
      "post",
      {
        room,
        text,
        ...(warning !== null && { warning }),
        ...(replyTo !== null && { reply_to: replyTo, epoch }),
        ...(anyway && { anyway }),
      },
      {
        gate: room,
        id,
        doubts,
        onSending: () => {
          this.s.do({ type: "sending", id, now: this.s.now() });
          this.#keep(id);
        },
        onWaiting: (n) => {
          this.s.do({ type: "trouble", id, doubts: n });
          this.#keep(id);
        },
      },
    );
    try {
      const ok = await Promise.race([answered, released]);
      if (ok === null) return;
      this.s.vault.drop(id);
      this.s.do({ type: "acked", id, offset: /** @type {FactOk} */ (ok).offset ?? null });
      this.crisis.offer(/** @type {FactOk} */ (ok), room);
    } catch (no) {
      if (!(no instanceof Refused)) throw no;
      if (no.code === "unsure") this.doubt(id);
      else this.refuse(id, no.code, no.details);
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

/**
 * Those that came back in a room's posts.
 * @param {Pending[]} pending @param {RoomState} room
 * @returns {Map<string, number>} id to offset
 */
export function returned(pending, room) {
  /** @type {Map<string, number>} */
  const found = new Map();
  const own = Object.values(room.posts).filter((post) => room.me.includes(post.author) && !post.edited_at);
  const claimed = new Set(pending.map((p) => p.offset).filter((offset) => offset !== null));
  for (const p of pending) {
    if (p.room !== room.id || p.offset !== null || p.sentAt === null || p.status === "refused") continue;
    if (p.epoch !== null && p.epoch !== room.epoch) continue;
    const text = bare(p.text);
    const match = own.find((post) => post.offset > p.after && !claimed.has(post.offset) && bare(post.text) === text);
    if (match === undefined) continue;
    claimed.add(match.offset);
    found.set(p.id, match.offset);
  }
  return found;
}

/**
 * Those to show under a room's posts.
 * @param {Pending[]} pending @param {RoomState} room
 */
export function visiblePending(pending, room) {
  const back = returned(pending, room);
  return pending.filter(
    (p) => p.room === room.id && !back.has(p.id) && !(p.offset !== null && p.offset <= room.position),
  );
}

/** Whether the server still knows the id that this was sent with. @param {Pending} post @param {number} now */
export const isRepeatSafe = ({ sentAt }, now) => sentAt === null || now - sentAt < REPEAT_IS_SAFE_MS;

/**
 * After a return to a room: `send` a post (again), it is `done`, or `ask` the person, because nobody knows.
 * @param {Pending} post @param {RoomState} room @param {Pending[]} pending @param {number} now
 */
export function afterReturn(post, room, pending, now) {
  if (post.status !== "unsure" && isRepeatSafe(post, now)) return "send";
  if (returned(pending, room).has(post.id)) return "done";
  const isKnown = post.epoch === room.epoch && !room.gap && !room.thin && reaches(room, post.after);
  return isKnown ? "send" : "ask";
}

/** Whether every post after an offset is held. @param {RoomState} room @param {number} after */
function reaches(room, after) {
  if (!room.more) return true;
  const offsets = Object.keys(room.posts).map(Number);
  return offsets.length > 0 && Math.min(...offsets) <= after;
}
