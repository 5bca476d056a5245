/** What is to be said above the place where one writes: from the state, in words, with what can be done about it. Pure. */

/** @import {Moved, Room, State} from "../types.js" */

import { clock } from "../lib/time.js";
import { words as w } from "../locales/en-notices.js";
import { isMeeting, isTalk } from "./state.js";

const WAYS = 2;

/**
 * @typedef {{do: "hide", notice: string} | {do: "enter", room: string} | {do: "ask"} | {do: "sit", room: string}
 *   | {do: "fine"} | {do: "move", from: Moved, at: string, to: string}} Act
 * @typedef {{id: string, said: string, more?: string, acts: [string, Act][]}} Note  of ids that begin alike only the
 *   first is news: what stands after a space is no news
 */

/**
 * @param {State} state @param {number} now  by the server's clock, ms
 * @param {(room: string) => boolean} hasDraft  whether something was being written there
 * @returns {Note[]}
 */
export function notesOf(state, now, hasDraft) {
  const { open, rooms, place } = state;
  // A conversation of two and a meeting have their own words for how they stand, and for their end.
  const room = open === null || isTalk(open) || isMeeting(open) ? undefined : rooms[open]?.room;
  const isOpen = room?.status === "open";
  return [
    ...(isOpen && place.led?.to === room.id ? [ledNote(state, place.led.from, room.id, hasDraft)] : []),
    ...(room?.status === "closed" ? [closedNote(state, room)] : []),
    ...(isOpen ? attendanceNotes(state, room) : []),
    ...(isOpen && room.id in place.seatless ? [seatNote(state, room.id, hasDraft)] : []),
    ...quietNotes(state, now),
    ...announcements(state, now),
  ];
}

/** @param {State} state @param {Moved} from @param {string} to @param {(room: string) => boolean} hasDraft @returns {Note} */
function ledNote({ place }, from, to, hasDraft) {
  const name = (/** @type {string} */ id) => from.beside.find((each) => each.id === id)?.name ?? id;
  const beside = from.beside.filter((each) => each.id !== to);
  return {
    id: `moved-${to}`,
    said: w.moved(name(from.room), name(to)),
    more: troubleWord(place.trouble) || (hasDraft(to) ? w.kept : ""),
    acts: [
      [w.fine, { do: "fine" }],
      ...beside.map(
        ({ id, name: label }) =>
          /** @type {[string, Act]} */ ([
            id === from.room ? w.stay(label) : w.rather(label),
            { do: "move", from, at: to, to: id },
          ]),
      ),
    ],
  };
}

/** @param {State} state @param {Room} room @returns {Note} */
function closedNote({ lobby }, { id, split_of: root }) {
  if (root === undefined || root === null) return { id: `closed-${id}`, said: w.closed, acts: [] };
  const name = lobby?.find((card) => card.id === root)?.name ?? root;
  return { id: `closed-${id}`, said: w.closedBeside, acts: [[w.toRoot(name), { do: "enter", room: root }]] };
}

/** A room that needs a moderator and has none. @param {State} state @param {Room} room @returns {Note[]} */
function attendanceNotes({ lobby }, { id, attendance }) {
  if (attendance === "slowed") return [{ id: `slowed-${id}`, said: w.slowed, acts: [] }];
  if (attendance !== "read_only") return [];
  const attended = (lobby ?? []).filter(
    (card) => card.attended === true && card.here < card.capacity && card.id !== id,
  );
  const there = attended.slice(0, WAYS);
  return [
    {
      id: `read_only-${id} ${there.map((card) => card.id).join(" ")}`,
      said: w.alone,
      acts: [
        ...there.map((card) => /** @type {[string, Act]} */ ([w.toStaffed(card.name), { do: "enter", room: card.id }])),
        [w.toListeners, { do: "ask" }],
      ],
    },
  ];
}

/** A full room where somebody else has one's seat now. @param {State} state @param {string} id @param {(room: string) => boolean} hasDraft @returns {Note} */
function seatNote({ place }, id, hasDraft) {
  return {
    id: `reading-${id}`,
    said: w.reading,
    more: troubleWord(place.trouble) || (hasDraft(id) ? w.readingMore : ""),
    acts: [[w.writeAgain, { do: "sit", room: id }]],
  };
}

/** Who is new reads first. @param {State} state @param {number} now @returns {Note[]} */
function quietNotes({ open, pending, skew }, now) {
  const waiting = pending.find((post) => post.room === open && post.why === "read_only");
  const until = Number(waiting?.details?.["until"] ?? 0);
  return until > now ? [{ id: `quiet-${until}`, said: w.quiet(clock(until - skew)), acts: [] }] : [];
}

/** @param {State} state @param {number} now @returns {Note[]} */
function announcements({ open, place }, now) {
  const isHere = (/** @type {string | null | undefined} */ room) =>
    room === undefined || room === null || room === open;
  return place.notices
    .filter(({ id, room, until }) => isHere(room) && until > now && !place.putAway.includes(id))
    .map(({ id, text }) => ({ id, said: text, more: w.label, acts: [[w.hide, { do: "hide", notice: id }]] }));
}

/** @param {State["place"]["trouble"]} trouble */
function troubleWord(trouble) {
  return { "": "", failed: w.failed, "no seat": w.noSeat }[trouble];
}
