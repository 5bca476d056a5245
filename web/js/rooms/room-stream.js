/**
 * One room as a page follows it: joined, healed where facts are missing, read back, and marked as read. What is known of a
 * room stands in the state; this asks for what the state lacks. Members, listeners and moderators all use it. No DOM.
 */

/** @import {Client} from "../lib/client.js" */
/** @import {Draft, Happening, JoinOk, Person, Push, State} from "../types.js" */
/** @import {Vault} from "./vault.js" */

import { fetched } from "../lib/api.js";
import { newest } from "./state.js";

const READ_AFTER_MS = 1_000;
const READ_AGAIN_MS = 5_000;
const HEAL_PATIENCE_MS = 150;
const HEAL_PAUSE_MS = 1_000;
const HEAL_FAILED_PAUSE_MS = 2_000;
const PAGE = 50;

/**
 * @typedef {object} RoomHost  what a stream needs of its page
 * @property {Client} client
 * @property {Vault | null} vault  keeps positions and drafts; null: nothing is kept
 * @property {State} state  as it is at this moment
 * @property {(event: Happening) => void} do
 * @property {(room: string) => Promise<void> | void} joined  called after each join. It opens the room's gate.
 *
 * @typedef {object} JoinHow
 * @property {number | null} [agreement]  the version that the person has just accepted
 * @property {boolean} [exact]  this very room, not one beside it
 * @property {string} [insteadOf]  a room whose seat is given up for this one
 */

export class RoomStream {
  /** @param {string} id @param {RoomHost} host */
  constructor(id, host) {
    this.id = id;
    this.host = host;
    /** @type {Promise<void> | null} one join at a time */
    this.joining = null;
    /** The newest join, and what the page does after it. @type {Promise<void>} */
    this.entering = Promise.resolve();
    /** What the server knows as read; null: not known. @type {number | null} */
    this.readAt = null;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.reading = null;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.healing = null;
    /** @type {Promise<number> | null} the first page of posts on its way */
    this.filling = null;
    /** The connection on which the room was joined last. @type {WebSocket | null} */
    this.socket = null;
    this.isClosed = false;
  }

  /** The room, or undefined before the first join and after `left`. */
  get room() {
    return this.host.state.rooms[this.id];
  }

  /** Be in the room, with everything that was missed. Rejects with Refused. @param {JoinHow} [how] */
  join(how = {}) {
    if (this.joining === null) {
      const joining = this.#join(how).finally(() => {
        this.joining = null;
      });
      this.joining = joining;
      // That may take long. What is missing meanwhile is asked for all the same.
      this.entering = joining.then(() => (this.isClosed ? undefined : this.host.joined(this.id)));
    }
    return this.entering;
  }

  /** Something of this room was pushed, and stands in the state now. @param {Push} push */
  pushed(push) {
    const { room } = this;
    if (room === undefined) return;
    if (room.hole !== "no") this.heal();
    else if ("offset" in push) this.#keepPlace();
  }

  /**
   * A hole is never shown as whole: ask for what is missing, unless it comes by itself. Tried until it is whole, while
   * there is a connection; the next connection joins anyway.
   * @param {number} [ms]
   */
  heal(ms = HEAL_PATIENCE_MS) {
    if (this.healing !== null || this.isClosed) return;
    this.healing = setTimeout(() => {
      this.healing = null;
      const hole = this.room?.hole ?? "no";
      if (hole === "no" || this.joining !== null) return;
      this.join().catch(() => this.host.client.isOpen && this.heal(HEAL_FAILED_PAUSE_MS));
    }, ms);
  }

  /** Fetch a page of older posts. Rejects with Refused. @returns {Promise<number>} how many came */
  async older() {
    const { id, room } = this;
    if (room === undefined) return 0;
    const before = Math.max(1, Math.min(room.position + 1, ...Object.keys(room.posts).map(Number)));
    const ok = await this.host.client.patient("history", { room: id, epoch: room.epoch, before, limit: PAGE });
    this.host.do({ type: "history", room: id, ok });
    return ok.posts.length;
  }

  /**
   * Have a page of posts, in a room of which none was fetched: asked for once at a time, and only after the join. Rejects
   * with Refused.
   */
  async fill() {
    if (this.room?.thin !== true || this.socket !== this.host.client.socket) return;
    this.filling ??= this.older().finally(() => {
      this.filling = null;
    });
    await this.filling;
  }

  /** What is held up to a post has been seen. The server is told a moment later, once for many. @param {number} seen */
  markRead(seen) {
    const { id, room } = this;
    if (room === undefined || this.host.state.away) return;
    const offset = Math.min(seen, newest(room));
    const isKnown = offset <= (this.readAt ?? room.read) && (this.readAt !== null || room.unread === 0);
    if (!isKnown) this.readAt = offset;
    this.host.do({ type: "read", room: id, offset });
    if (!isKnown) this.reading ??= setTimeout(() => void this.#tellRead(), READ_AFTER_MS);
  }

  /** What somebody was writing here. @returns {Draft | null} */
  get draft() {
    return this.host.vault?.draft(this.id) ?? null;
  }

  /** @param {Draft} draft */
  keepDraft(draft) {
    this.host.vault?.keepDraft(this.id, draft);
  }

  /** One is in the room no longer: nothing more is asked for. */
  close() {
    this.isClosed = true;
    if (this.healing !== null) clearTimeout(this.healing);
    if (this.reading !== null) clearTimeout(this.reading);
  }

  /** @param {JoinHow} how */
  async #join({ agreement = null, exact = false, insteadOf }) {
    const { id, room, host } = this;
    const place = room === undefined ? (host.vault?.place(id) ?? null) : { epoch: room.epoch, offset: room.position };
    const since = room?.hole === "fresh" ? null : place;
    const ok = await this.#ask({
      room: id,
      exact: exact || insteadOf !== undefined,
      ...(agreement !== null && { agreement }),
      ...(since !== null && { since }),
      ...(insteadOf !== undefined && { instead_of: insteadOf }),
    });
    if (this.isClosed) return;
    // Before the state is told, since what is read follows from that.
    this.readAt = ok.read;
    this.socket = host.client.socket;
    host.do({ type: "joined", ok, since });
    host.do({ type: "named", names: Object.fromEntries(ok.people.map((/** @type {Person} */ p) => [p.id, p.name])) });
    this.#keepPlace();
    if (this.room !== undefined && this.room.hole !== "no") this.heal(HEAL_PAUSE_MS);
  }

  /** Join; of a room under protection, with the proof of work that the server asks for. @param {object} fields @returns {Promise<JoinOk>} */
  async #ask(fields) {
    const { client } = this.host;
    try {
      return await client.patient("join", fields);
    } catch (no) {
      const { code, details } = /** @type {import("../lib/client.js").Refused} */ (no);
      if (code !== "challenge") throw no;
      const { solve } = await fetched(() => import("./proof-of-work.js"), "rooms/proof-of-work.js");
      return client.patient("join", { ...fields, proof: await solve(/** @type {any} */ (details)) });
    }
  }

  #keepPlace() {
    const { id, room } = this;
    if (room !== undefined) this.host.vault?.keepPlace(id, { epoch: room.epoch, offset: room.position });
  }

  async #tellRead() {
    this.reading = null;
    const { id, readAt: offset } = this;
    if (offset === null || offset < 1) return;
    try {
      await this.host.client.command("read", { room: id, offset, epoch: this.room?.epoch });
    } catch (no) {
      // After a lost connection the server says at the next join what it knows.
      const { code, temporary } = /** @type {import("../lib/client.js").Refused} */ (no);
      if (code === "lost" || !temporary) this.readAt = null;
      else if (!this.isClosed) this.reading ??= setTimeout(() => void this.#tellRead(), READ_AGAIN_MS);
    }
  }
}
