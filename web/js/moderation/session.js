/** The rooms that a moderator is in: the same state and the same streams as members have. Nothing is kept in the browser. */

/** @import {Client} from "../lib/client.js" */
/** @import {Happening, HelloOk, Post, Push} from "../types.js" */

import { Refused } from "../lib/client.js";
import { roomOf } from "../lib/facts.js";
import { RoomStream } from "../rooms/room-stream.js";
import { initialState, reduce } from "../rooms/state.js";

const RETURN_PAUSE_MS = 2_000;
/** Posts that are held of a room while its end is on the screen. Older ones can be asked for again. */
const MOST_POSTS = 400;

export class ModeratorSession {
  vault = null;

  /** @param {{client: Client, now: () => number}} world */
  constructor({ client, now }) {
    this.client = client;
    this.now = now;
    this.state = initialState();
    /** @type {Map<string, RoomStream>} the rooms that one is in */
    this.streams = new Map();
    /** Rooms whose end is not on the screen: what is read there stays. @type {Set<string>} */
    this.reading = new Set();
    /** The state changed. */
    this.changed = () => {};
    /** Somebody else wrote. @type {(room: string, post: Post) => void} */
    this.heard = () => {};
    /** One is in a room no longer, for this reason. @type {(room: string, why: Refused | null) => void} */
    this.left = () => {};
  }

  /** @param {Happening} event */
  do(event) {
    const before = this.state;
    this.state = reduce(before, event);
    if (this.state !== before) this.changed();
  }

  /** The connection is there, perhaps again: be where one was. @param {HelloOk} ok */
  async opened(ok) {
    this.do({ type: "hello", ok, now: this.now() });
    for (const room of [...this.streams.keys()]) await this.#return(room);
    await this.look();
  }

  /** The rooms that there are. */
  async look() {
    try {
      const { rooms } = await this.client.patient("rooms", { watch: true });
      this.do({ type: "lobby", rooms });
    } catch {
      // The connection went; the next one asks anew.
    }
  }

  /** Rejects with Refused. @param {string} room @param {number | null} agreement  the version that was accepted just now */
  async enter(room, agreement) {
    const stream = this.streams.get(room) ?? new RoomStream(room, this);
    await stream.join({ agreement });
    this.streams.set(room, stream);
  }

  /** @param {string} room */
  async leave(room) {
    await this.client.patient("leave", { room });
    this.#drop(room, null);
  }

  /** The rooms' part of what is pushed. @param {Push} push */
  take(push) {
    if (push.push === "left") return this.#drop(push.room, null);
    const id = "channel" in push ? (roomOf(push.channel) ?? "") : "";
    const before = this.state.rooms[id]?.position ?? 0;
    this.do({ type: "push", push, now: this.now() });
    const room = this.state.rooms[id];
    if (room === undefined) return;
    const isNew = push.push === "posted" && room.position > before;
    if (isNew && !this.reading.has(id)) this.do({ type: "trimmed", room: id, most: MOST_POSTS });
    if (isNew && !room.me.includes(push.post.author)) this.heard(id, push.post);
    this.streams.get(id)?.pushed(push);
  }

  /** A room was joined. @param {string} room */
  joined(room) {
    this.client.release(room);
  }

  /** @param {string} room */
  async #return(room) {
    const stream = this.streams.get(room);
    try {
      await stream?.join();
    } catch (no) {
      if (no instanceof Refused && !no.temporary) return this.#drop(room, no);
      // What is written meanwhile is not heard here. It is tried again, and by the next connection.
      this.do({ type: "missing", room });
      stream?.heal(RETURN_PAUSE_MS);
    }
  }

  /** @param {string} room @param {Refused | null} why */
  #drop(room, why) {
    this.streams.get(room)?.close();
    this.streams.delete(room);
    this.do({ type: "left", room });
    this.left(room, why);
  }
}
