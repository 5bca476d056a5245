/**
 * Everything the page knows, and how one happening changes it. Pure: no clock, no storage, no DOM.
 */

/** @import {Reader} from "../lib/facts.js" */
/** @import {Happening, Pending, Position, Push, RoomCard, RoomState, State} from "../types.js" */

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
    pending: [],
    standing: null,
  };
}

/**
 * The state after a happening. The same object where nothing changed.
 * @param {State} state @param {Happening} event @returns {State}
 */
export function reduce(state, event) {
  switch (event.type) {
    case "link": {
      const next = { ...state, link: { ...state.link, ...event.link } };
      const isLoss = state.link.status === "open" && next.link.status !== "open";
      return isLoss && state.open !== null ? onRoom(next, state.open, drawLine) : next;
    }
    case "hello": {
      const { member, has_code, muted, limits, now } = event.ok;
      // Views are numbered anew on each connection.
      const standing = state.standing && { ...state.standing, version: 0 };
      return { ...state, me: member, hasCode: has_code, muted, limits, skew: now - event.now, standing };
    }
    case "lobby":
      return { ...state, lobby: event.rooms };
    case "joined": {
      const joined = applyJoin(state.rooms[event.ok.room.id], event.ok, event.since, readerOf(state, event.ok.room.id));
      const room = state.away ? joined : dropIdleLine(joined);
      return settle(inLobby(withRoom(state, room), room.id, { here: room.here, agreed: true }), room.id);
    }
    case "left": {
      const { [event.room]: _, ...rooms } = state.rooms;
      const lobby = state.lobby?.map((card) => {
        if (card.id !== event.room) return card;
        const { unread: __, ...rest } = card;
        return rest;
      });
      return {
        ...state,
        rooms,
        lobby: lobby ?? null,
        open: state.open === event.room ? null : state.open,
        pending: state.pending.filter((p) => p.room !== event.room),
      };
    }
    case "history":
      return onRoom(state, event.room, (room) => applyHistory(room, event.ok));
    case "missing":
      return onRoom(state, event.room, (room) => (room.hole === "no" ? { ...room, hole: "since" } : room));
    case "trimmed":
      return onRoom(state, event.room, (room) => trimmed(room, event.most));
    case "push":
      return push(state, event.push, event.now);
    case "opened":
      return opened({ ...state, open: event.room });
    case "away": {
      const next = { ...state, away: event.away };
      return event.away && state.open !== null ? onRoom(next, state.open, drawLine) : next;
    }
    case "read":
      return onRoom(state, event.room, (room) => markRead(room, event.offset));
    case "mine":
      return onRoom(state, event.room, (room) => setMine(room, event.offset, event.reaction, event.on));
    case "named":
      return { ...state, names: { ...state.names, ...event.names } };
    case "me":
      return { ...state, me: event.member };
    case "code made":
      return { ...state, hasCode: true };
    case "tick":
      return tick(state, event.now);
    case "written":
      return state.pending.some((p) => p.id === event.post.id)
        ? state
        : { ...state, pending: [...state.pending, event.post].sort((a, b) => a.at - b.at) };
    case "sending":
      return onPending(state, event.id, (p) => ({ ...p, status: "sending", why: null, sentAt: p.sentAt ?? event.now }));
    case "trouble":
      return onPending(state, event.id, (p) => ({ ...p, status: "waiting", doubts: event.doubts }));
    case "again":
      return onPending(state, event.id, (p) => ({ ...p, status: "waiting", doubts: 0 }));
    case "refused":
      return onPending(state, event.id, (p) => ({ ...p, status: "refused", why: event.why, details: event.details }));
    case "unsure":
      return onPending(state, event.id, (p) => ({ ...p, status: "unsure" }));
    case "acked": {
      const { id, offset } = event;
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
    case "dropped":
      return drop(state, event.id);
  }
}

/**
 * The rooms one is in, for the list beside the room: those joined on this connection, and those known from the lobby.
 * @param {State} state @returns {{id: string, name: string, unread: number}[]}
 */
export function joinedRooms(state) {
  const held = Object.values(state.rooms)
    .filter((r) => !isTalk(r.id))
    .map((r) => ({ id: r.id, name: r.room.name, unread: r.unread }));
  const known = (state.lobby ?? [])
    .filter((card) => card.unread !== undefined && state.rooms[card.id] === undefined)
    .map((card) => ({ id: card.id, name: card.name, unread: card.unread ?? 0 }));
  const place = new Map((state.lobby ?? []).map((card, i) => [card.id, i]));
  return [...held, ...known].sort((a, b) => (place.get(a.id) ?? 999) - (place.get(b.id) ?? 999));
}

/** One-to-one. @param {string} room */
export const isTalk = (room) => room.startsWith("s-");

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
    case "room_changed": {
      const id = roomOf(p.channel);
      if (id === null || state.rooms[id] === undefined) return state;
      const changed = onRoom(state, id, (room) => applyLive(room, p, readerOf(state, id)));
      if (changed === state) return state;
      const named = p.push === "posted" ? remember(changed, p.post.author, p.post.name) : changed;
      return settle(named, id);
    }
    case "presence": {
      const id = roomOf(p.channel);
      if (id === null) return state;
      return inLobby(
        onRoom(state, id, (room) => applyPresence(room, p)),
        id,
        { here: p.here },
      );
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
    case "self": {
      /** @type {State} */
      const next = { ...state, me: p.member, muted: p.muted };
      return Object.entries(p.rooms).reduce(
        (s, [id, own]) => onRoom(s, id, (room) => withoutHidden({ ...room, ...own }, room.hidden)),
        next,
      );
    }
    case "standing":
      return (state.standing?.version ?? 0) > p.version ? state : { ...state, standing: p };
    case "draining":
      return { ...state, link: { ...state.link, why: "draining" } };
    default:
      // Of a newer server, or not for this part of the page.
      return state;
  }
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
  const read = Math.max(room.read, offset);
  const unread = ordered(room).filter(
    (p) => p.offset > read && !room.me.includes(p.author) && !p.redacted && !room.hidden.includes(p.author),
  ).length;
  return { ...room, read, unread };
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
