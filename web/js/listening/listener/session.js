/**
 * A listener's session with the server: the page's own, but who says hello is the staff's sign-in, and where others ask
 * how they stand, this asks for the console.
 */

/** @import {ClientOptions, Push, TalkView} from "../../types.js" */
/** @import {Vault} from "../../rooms/vault.js" */
/** @import {ConsoleView} from "./types.js" */

import { Client, Refused } from "../../lib/client.js";
import { newId, wellFormed } from "../../lib/text.js";
import { Session } from "../../rooms/session.js";
import { newer, talksOf, untold } from "./state.js";

const STILL_HERE_MS = 60_000;

export class ListenerSession extends Session {
  /**
   * @param {object} world
   * @param {Vault} world.vault
   * @param {() => number} world.now
   * @param {Omit<ClientOptions, "prepare" | "onOpen" | "onPush" | "onTrouble">} world.client
   */
  constructor({ vault, now, client }) {
    super({
      vault,
      now,
      connect: (options) =>
        new Client({
          ...options,
          ...client,
          hello: { staff: true },
          // Who this is stands in the sign-in's cookie.
          prepare: () => Promise.resolve(),
          onPush: (/** @type {any} */ push) => {
            if (push.push === "console") this.take(push);
            else if (push.push === "ring") this.onRing();
            else options.onPush(/** @type {Push} */ (push));
          },
        }),
    });
    /** @type {ConsoleView | null} null: not known yet, or no listener */
    this.view = null;
    this.isListener = true;
    /** @type {Set<string>} rooms of conversations that stand open here: those that go on, and the ended until they are put away */
    this.opened = new Set();
    this.toldAt = 0;
    /** @type {{room: string, text: string, id: string} | null} */
    this.lastLine = null;
    /** Whether something is being done in a session on the screen. @type {(id: string) => boolean} */
    this.isInUse = () => false;
    /** A listener calls for a moderator, who is here. */
    this.onRing = () => {};
  }

  /** Where somebody stands here is the console. @override */
  async stand() {
    try {
      const ok = await this.client.patient("console");
      this.view = null;
      this.take(ok);
      return ok;
    } catch (no) {
      if (!(no instanceof Refused) || no.code !== "not_allowed") throw no;
      this.isListener = false;
      this.tell();
      return { ok: "console" };
    }
  }

  /** @param {ConsoleView} view */
  take(view) {
    const before = this.view;
    this.view = newer(before, view);
    if (this.view === before) return;
    for (const { room, ended_at: ended } of this.view.sessions ?? []) {
      if (!ended) this.opened.add(room);
      if (this.opened.has(room) && this.state.rooms[room] === undefined) void this.#enterTalk(room);
    }
    for (const room of untold(Object.keys(this.state.rooms), this.view)) this.forgetTalk(room);
    this.tell();
  }

  /** The server's clock. */
  get serverNow() {
    return this.now() + this.state.skew;
  }

  /** Somebody is really doing something here. Told at most once a minute. */
  doing() {
    if (this.view?.wants !== true || this.now() - this.toldAt < STILL_HERE_MS) return;
    this.toldAt = this.now();
    this.client.command("still_here").catch(() => {
      this.toldAt = 0;
    });
  }

  /**
   * A last line, and the end. The line is durable before the session ends, so that nobody is left without it.
   * @param {{id: string, room: string}} talk @param {string} line
   */
  async endKindly({ id, room }, line) {
    const text = wellFormed(line);
    // Tried again, it is the same line, not a second one.
    if (this.lastLine?.room !== room || this.lastLine.text !== text) this.lastLine = { room, text, id: newId() };
    await this.client.fact("post", { room, text }, { gate: room, id: this.lastLine.id });
    await this.client.patient("end", { session: id });
  }

  /** An ended conversation makes room for the next; it can be looked at again as long as it is kept. @param {string} room */
  putAway(room) {
    this.client.command("leave", { room }).catch(() => {});
    this.forgetTalk(room);
  }

  /** @param {string} room */
  async lookBack(room) {
    this.opened.add(room);
    await this.enter(room);
    await this.older(room).catch(() => 0);
    this.tell();
  }

  /** What this browser kept of a conversation goes. @param {string} room */
  forgetTalk(room) {
    this.opened.delete(room);
    for (const name of [room, `${room}/end`]) this.vault.forgetRoom(name);
    this.dropRoom(room);
  }

  tell() {
    for (const listener of this.listeners) listener();
  }

  /** Who comes next finds the listener free: what has ended, and is not in use, is put away. @param {string} room  of who came */
  #makeRoom(room) {
    if (this.view === null) return;
    const { live, ended } = talksOf(this.view);
    if (!live.some((talk) => talk.room === room)) return;
    const isHeld = (/** @type {TalkView} */ talk) =>
      this.isInUse(talk.id) || this.state.pending.some((p) => p.room === talk.room);
    for (const talk of ended) if (this.opened.has(talk.room) && !isHeld(talk)) this.putAway(talk.room);
  }

  /** @param {string} room */
  async #enterTalk(room) {
    try {
      await this.enter(room);
      this.#makeRoom(room);
      await this.older(room).catch(() => 0);
    } catch {
      // Lost: the next hello joins again. Forgotten: the next view no longer names it.
    }
  }
}
