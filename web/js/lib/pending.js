/**
 * One's own posts on their way. Each is shown once, although push and ack may come in either order, or the ack be lost
 * and the post come back by recovery.
 */

/** @import {Pending, RoomState} from "../types.js" */

import { cleanText } from "./text.js";

/** The server knows a repeated id for ten minutes; a minute is left for clocks and the way. */
const REPEAT_IS_SAFE_MS = 9 * 60 * 1000;

/**
 * The pending posts of one room that came back in its posts, by id: they are hidden, and dropped at the ack.
 * @param {Pending[]} pending @param {RoomState} room @param {string} me
 * @returns {Map<string, number>} id to offset
 */
export function returned(pending, room, me) {
  /** @type {Map<string, number>} */
  const found = new Map();
  const own = Object.values(room.posts).filter((post) => post.author === me && !post.edited_at);
  const claimed = new Set(pending.map((p) => p.offset).filter((offset) => offset !== null));
  for (const p of pending) {
    if (p.room !== room.id || p.offset !== null || p.sentAt === null || p.status === "refused") continue;
    if (p.epoch !== null && p.epoch !== room.epoch) continue;
    const text = cleanText(p.text);
    const match = own.find((post) => post.offset > p.after && !claimed.has(post.offset) && post.text === text);
    if (match === undefined) continue;
    claimed.add(match.offset);
    found.set(p.id, match.offset);
  }
  return found;
}

/**
 * The pending posts to show under a room's posts, oldest first.
 * @param {Pending[]} pending @param {RoomState} room @param {string} me
 */
export function visiblePending(pending, room, me) {
  const back = returned(pending, room, me);
  return pending.filter(
    (p) => p.room === room.id && !back.has(p.id) && !(p.offset !== null && p.offset <= room.position),
  );
}

/**
 * What to do with a pending post after a return to its room: `send` it (again), it is `done`, or `ask` the person,
 * because it is too old for the server to recognise and part of the room's history is not known.
 * @param {Pending} post @param {RoomState} room @param {Pending[]} pending @param {string} me @param {number} now
 */
export function afterReturn(post, room, pending, me, now) {
  if (post.sentAt === null || now - post.sentAt < REPEAT_IS_SAFE_MS) return "send";
  if (returned(pending, room, me).has(post.id)) return "done";
  const isKnown = post.epoch === room.epoch && !room.gap && !room.thin && reaches(room, post.after);
  return isKnown ? "send" : "ask";
}

/** Whether every post after an offset is held. @param {RoomState} room @param {number} after */
function reaches(room, after) {
  if (!room.more) return true;
  const offsets = Object.keys(room.posts).map(Number);
  return offsets.length > 0 && Math.min(...offsets) <= after;
}
