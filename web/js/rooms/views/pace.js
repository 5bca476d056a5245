/**
 * How long until somebody may write again, in a room that takes it slowly or that no moderator is in. Said in the composer,
 * and counted down there. Fetched where a room is so.
 */

/** @import {Composer} from "./composer.js" */

import { ordered } from "../../lib/facts.js";
import { words as w } from "../../locales/en-pace.js";
import { refusalWord } from "../../locales/en.js";

/** @type {Record<string, number>} seconds, without a moderator */
const PACES = { slowed: 30, read_only: Infinity };

export class Pace {
  wasSlow = false;
  /** The next second of waiting. @type {ReturnType<typeof setTimeout> | undefined} */
  counting;

  /** @param {Composer} write */
  constructor(write) {
    this.write = write;
  }

  /** What is said while one has to wait; "" when one may write. @param {boolean} isChanging  a change of a post never waits */
  update(isChanging) {
    const { write, wasSlow } = this;
    const left = isChanging ? 0 : this.#left;
    if (wasSlow && left <= 0) write.context.say(w.slowOver);
    this.wasSlow = left > 0;
    clearTimeout(this.counting);
    if (left <= 0) return "";
    const next = () => write.element.isConnected && write.redraw();
    this.counting = setTimeout(next, (left % 1 || 1) * 1000);
    return left < Infinity ? w.slow(left) : refusalWord("unattended");
  }

  /** Seconds until one may write again. */
  get #left() {
    const { session, id } = this.write;
    const { rooms, pending, skew } = session.state;
    const room = rooms[id];
    if (room === undefined) return 0;
    const pace = Math.max(room.room.slow_mode, PACES[room.room.attendance] ?? 0, room.room.voice?.pace ?? 0);
    if (pace === 0) return 0;
    const own = ordered(room).filter((post) => room.me.includes(post.author));
    const sent = pending.filter((p) => p.room === id && p.status !== "refused").map((p) => p.at + skew);
    const last = Math.max(own.at(-1)?.at ?? 0, ...sent);
    return (last + pace * 1000 - (session.now() + skew)) / 1000;
  }
}
