/**
 * Everything the page knows, and how one happening changes it. Pure: no clock, no storage, no DOM.
 */

/** @import {Reader} from "../lib/facts.js" */
/** @import {Fact, Happening, Pending, Position, Push, RoomCard, RoomState, State} from "../types.js" */

import {
  applyHistory,
  applyJoin,
  applyLive,
  applyPresence,
  fade,
  ordered,
  roomOf,
  setMine,
  trimmed,
} from "../lib/facts.js";
import {
  forgetTold,
  initialPlace,
  keepAppeals,
  leaveScreen,
  loseSeat,
  moveFailed,
  moveOn,
  occupy,
  putAway,
  seen,
  takeSeat,
} from "./place.js";

const TYPING_MS = 6_000;

/** @returns {State} */
export function initialState() {
  return {
    link: { status: "starting", why: "", retryAt: null, back: false },
    me: null,
    hasCode: false,
    muted: [],
    names: {},
    limits: {
      frame_bytes: 16_384,
      text_length: 2_000,
      warning_length: 80,
      rooms_per_connection: 20,
      edit_seconds: 600,
      ping_seconds: 25,
    },
    skew: 0,
    lobby: null,
    rooms: {},
    open: null,
    away: false,
    inSight: {},
    pending: [],
    standing: null,
    decisions: null,
    place: initialPlace(),
  };
}

/**
 * What each happening does. A happening that is not here cannot happen.
 * @type {{[K in Happening["type"]]: (state: State, event: Extract<Happening, {type: K}>) => State}}
 */
const AFTER = {
  link: (state, event) => {
    const next = { ...state, link: { ...state.link, ...event.link } };
    const isLoss = state.link.status === "open" && next.link.status !== "open";
    return isLoss && state.open !== null ? onRoom(next, state.open, drawLine) : next;
  },
  hello: (state, { ok, now: at }) => {
    const { member, has_code, muted, limits, now } = ok;
    // Views are numbered anew on each connection.
    const standing = state.standing && { ...state.standing, version: 0 };
    return forgetTold({ ...state, me: member, hasCode: has_code, muted, limits, skew: now - at, standing });
  },
  lobby: (state, { rooms }) => ({ ...state, lobby: rooms }),
  joined: (state, { ok, since }) => {
    const { id } = ok.room;
    const joined = applyJoin(state.rooms[id], ok, since, readerOf(state, id));
    const room = state.away ? joined : dropIdleLine(joined);
    return seen(settle(inLobby(withRoom(state, room), id, { here: room.here, agreed: true }), id), id);
  },
  left,
  history: (state, { room: id, ok }) => onRoom(state, id, (room) => applyHistory(room, ok)),
  missing: (state, { room: id }) =>
    onRoom(state, id, (room) => (room.hole === "no" ? { ...room, hole: "since" } : room)),
  trimmed: (state, { room: id, most }) => onRoom(state, id, (room) => trimmed(room, most)),
  push: (state, event) => push(state, event.push, event.now),
  opened: (state, { room }) => opened(leaveScreen({ ...state, open: room })),
  away: (state, { away }) => {
    const next = { ...state, away };
    return away && state.open !== null ? onRoom(next, state.open, drawLine) : next;
  },
  "in sight": (state, { room, offset }) => {
    const { [room]: before, ...others } = state.inSight;
    if ((before ?? null) === offset) return state;
    return { ...state, inSight: offset === null ? others : { ...others, [room]: offset } };
  },
  read: (state, { room: id, offset }) => onRoom(state, id, (room) => markRead(room, offset)),
  mine: (state, { room: id, offset, reaction, on }) => onRoom(state, id, (room) => setMine(room, offset, reaction, on)),
  named: (state, { names }) => ({ ...state, names: { ...state.names, ...names } }),
  me: (state, { member }) => ({ ...state, me: member }),
  "code made": (state) => ({ ...state, hasCode: true }),
  tick: (state, { now }) => tick(state, now),
  "put away": (state, { notice }) => putAway(state, notice),
  move: moveOn,
  "move failed": (state, { move }) => moveFailed(state, move),
  "no seat": (state, { trouble }) => ({ ...state, place: { ...state.place, trouble } }),
  seated: (state, { room }) => takeSeat(state, room),
  busy: (state, { what, on }) => occupy(state, what, on),
  written: (state, { post }) =>
    state.pending.some((p) => p.id === post.id)
      ? state
      : { ...state, pending: [...state.pending, post].sort((a, b) => a.at - b.at) },
  sending: (state, { id, now }) =>
    onPending(state, id, (p) => ({ ...p, status: "sending", why: null, sentAt: p.sentAt ?? now })),
  trouble: (state, { id, doubts }) => onPending(state, id, (p) => ({ ...p, status: "waiting", doubts })),
  again: (state, { id }) => onPending(state, id, (p) => ({ ...p, status: "waiting", doubts: 0 })),
  refused: (state, { id, why, details }) => onPending(state, id, (p) => ({ ...p, status: "refused", why, details })),
  unsure: (state, { id }) => onPending(state, id, (p) => ({ ...p, status: "unsure" })),
  acked,
  dropped: (state, { id }) => drop(state, id),
};

/**
 * The state after a happening. The same object where nothing changed.
 * @param {State} state @param {Happening} event @returns {State}
 */
export function reduce(state, event) {
  const after = /** @type {(state: State, event: Happening) => State} */ (AFTER[event.type]);
  return after(state, event);
}

/** @param {State} state @param {{room: string}} event @returns {State} */
function left(state, { room: id }) {
  const { [id]: _, ...rooms } = state.rooms;
  const lobby = state.lobby?.map((card) => {
    if (card.id !== id) return card;
    const { unread: __, ...rest } = card;
    return rest;
  });
  return {
    ...state,
    rooms,
    lobby: lobby ?? null,
    open: state.open === id ? null : state.open,
    pending: state.pending.filter((p) => p.room !== id),
  };
}

/** @param {State} state @param {{id: string, offset: number | null}} event @returns {State} */
function acked(state, { id, offset }) {
  const post = state.pending.find((p) => p.id === id);
  if (post === undefined || offset === null) return drop(state, id);
  const isShown = (state.rooms[post.room]?.position ?? offset) >= offset;
  // What is not sent yet is later than this: the same words, written twice, are two posts.
  const pending = state.pending.map((p) =>
    p.room === post.room && p.sentAt === null ? { ...p, after: Math.max(p.after, offset) } : p,
  );
  const next = { ...state, pending };
  return isShown ? drop(next, id) : onPending(next, id, (p) => ({ ...p, status: "sent", offset }));
}

/**
 * The rooms one is in, for the list beside the room: those joined on this connection, and those known from the lobby.
 * @param {State} state @returns {{id: string, name: string, unread: number}[]}
 */
export function joinedRooms(state) {
  const held = Object.values(state.rooms)
    .filter((r) => !isTalk(r.id) && !isCompany(r.id))
    .map((r) => ({ id: r.id, name: r.room.name, unread: r.unread }));
  const known = (state.lobby ?? [])
    .filter((card) => card.unread !== undefined && state.rooms[card.id] === undefined)
    .map((card) => ({ id: card.id, name: card.name, unread: card.unread ?? 0 }));
  const place = new Map((state.lobby ?? []).map((card, i) => [card.id, i]));
  return [...held, ...known].sort((a, b) => (place.get(a.id) ?? 999) - (place.get(b.id) ?? 999));
}

/** One-to-one. @param {string} room */
export const isTalk = (room) => room.startsWith("s-");

/** A company of people who wait. @param {string} room */
export const isCompany = (room) => room.startsWith("c--");

/** A meeting of a support group. @param {string} room */
export const isMeeting = (room) => room.startsWith("m--");

/** The newest post's offset. @param {RoomState} room @returns {number} */
export function newest(room) {
  return ordered(room).at(-1)?.offset ?? 0;
}

/** @param {State} state @param {Push} p @param {number} now @returns {State} */
function push(state, p, now) {
  switch (p.push) {
    case "posted":
    case "edited":
    case "redacted":
    case "reacted":
    case "room_changed":
      return fact(state, p);
    case "presence": {
      const id = roomOf(p.channel);
      if (id === null) return state;
      const present = onRoom(state, id, (room) => applyPresence(room, p));
      return seen(inLobby(present, id, { here: p.here }), id);
    }
    case "typing": {
      const id = roomOf(p.channel);
      if (id === null) return state;
      return onRoom(state, id, (r) =>
        r.me.includes(p.member) ? r : { ...r, typing: { ...r.typing, [p.member]: now + TYPING_MS } },
      );
    }
    case "counts":
      return Object.entries(p.here).reduce((s, [id, here]) => inLobby(s, id, { here }), state);
    case "read":
      // On another page of one's own. Where no posts are held, nobody can count what is left.
      return onRoom(state, p.room, (room) => (room.thin && p.offset < room.position ? room : markRead(room, p.offset)));
    case "gap": {
      const id = roomOf(p.channel);
      return id === null ? state : onRoom(state, id, (room) => ({ ...room, hole: "fresh", gap: true }));
    }
    case "notices":
      return { ...state, place: { ...state.place, notices: p.notices } };
    case "moved":
      return { ...state, place: { ...state.place, moved: p } };
    case "reading":
      return loseSeat(state, roomOf(p.channel) ?? "");
    case "matters":
      return keepAppeals(
        { ...state, decisions: p },
        p.measures.map((one) => one.id),
      );
    case "self":
      return self(state, p);
    case "standing":
      return (state.standing?.version ?? 0) > p.version ? state : { ...state, standing: p };
    case "draining":
      return { ...state, link: { ...state.link, why: "draining" } };
    default:
      // Of a newer server, or not for this part of the page.
      return state;
  }
}

/** @param {State} state @param {Fact} p @returns {State} */
function fact(state, p) {
  const id = roomOf(p.channel);
  if (id === null || state.rooms[id] === undefined) return state;
  const changed = onRoom(state, id, (room) => applyLive(room, p, readerOf(state, id)));
  if (changed === state) return state;
  const named = p.push === "posted" ? remember(changed, p.post.author, p.post.name) : changed;
  return settle(named, id);
}

/** Who one is, and whom one hides, everywhere. @param {State} state @param {Extract<Push, {push: "self"}>} p @returns {State} */
function self(state, p) {
  /** @type {State} */
  const next = { ...state, me: p.member, muted: p.muted };
  return Object.entries(p.rooms).reduce((s, [id, own]) => {
    const changed = onRoom(s, id, (room) => withoutHidden({ ...room, ...own }, room.hidden));
    return seen(changed, id);
  }, next);
}

/** Own posts that were acknowledged before they came back are here now. @param {State} state @param {string} id */
function settle(state, id) {
  const room = state.rooms[id];
  const left = state.pending.filter(
    (p) => p.room !== id || p.offset === null || room === undefined || p.offset > room.position,
  );
  return left.length === state.pending.length ? state : { ...state, pending: left };
}

/** @param {State} state @returns {State} */
function opened(state) {
  if (state.open === null) return state;
  return onRoom(state, state.open, (room) => ({ ...room, line: room.unread > 0 ? room.read : null }));
}

/** From here on things are new. An earlier line with something unread behind it stays. @param {RoomState} room */
function drawLine(room) {
  return room.line !== null && room.unread > 0 ? room : { ...room, line: newest(room) };
}

/** Nothing was missed: what comes from here on is not new since anything. @param {RoomState} room */
function dropIdleLine(room) {
  return room.line !== null && newest(room) <= room.line ? { ...room, line: null } : room;
}

/** @param {RoomState} room @param {number} offset @returns {RoomState} */
function markRead(room, offset) {
  if (offset <= room.read && room.unread === 0) return room;
  // Without its page, nobody has seen what is unread in it.
  if (room.thin && offset < room.position) return room;
  const read = Math.max(room.read, offset);
  const unread = ordered(room).filter(
    (p) => p.offset > read && !room.me.includes(p.author) && !p.redacted && !room.hidden.includes(p.author),
  ).length;
  return read === room.read && unread === room.unread ? room : { ...room, read, unread };
}

/** What somebody wrote who is hidden now is not unread any more. @param {RoomState} room @param {string[]} before  whom one hid */
function withoutHidden(room, before) {
  const n = ordered(room).filter(
    (p) => p.offset > room.read && !p.redacted && room.hidden.includes(p.author) && !before.includes(p.author),
  ).length;
  return { ...room, unread: Math.max(0, room.unread - n) };
}

/** @param {State} state @param {number} now @returns {State} */
function tick(state, now) {
  return Object.values(state.rooms).reduce((s, room) => {
    const writing = Object.entries(room.typing).filter(([, until]) => until > now);
    const isQuieter = writing.length < Object.keys(room.typing).length;
    const faded = fade(isQuieter ? { ...room, typing: Object.fromEntries(writing) } : room, now + state.skew);
    return faded === room ? s : withRoom(s, faded);
  }, state);
}

/** @param {State} state @param {string} member @param {string} name @returns {State} */
function remember(state, member, name) {
  return state.names[member] === name ? state : { ...state, names: { ...state.names, [member]: name } };
}

/** @param {State} state @param {string} id @returns {Reader} */
function readerOf(state, id) {
  return { watching: state.open === id && !state.away };
}

/** @param {State} state @param {string} id @param {Partial<RoomCard>} fields @returns {State} */
function inLobby(state, id, fields) {
  if (state.lobby === null) return state;
  return { ...state, lobby: state.lobby.map((card) => (card.id === id ? { ...card, ...fields } : card)) };
}

/** @param {State} state @param {RoomState} room @returns {State} */
function withRoom(state, room) {
  return { ...state, rooms: { ...state.rooms, [room.id]: room } };
}

/** @param {State} state @param {string} id @param {(room: RoomState) => RoomState} how @returns {State} */
function onRoom(state, id, how) {
  const room = state.rooms[id];
  if (room === undefined) return state;
  const next = how(room);
  return next === room ? state : withRoom(state, next);
}

/** @param {State} state @param {string} id @param {(post: Pending) => Pending} how @returns {State} */
function onPending(state, id, how) {
  return { ...state, pending: state.pending.map((p) => (p.id === id ? how(p) : p)) };
}

/** @param {State} state @param {string} id @returns {State} */
function drop(state, id) {
  return { ...state, pending: state.pending.filter((p) => p.id !== id) };
}
