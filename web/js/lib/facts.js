/**
 * How one room's facts become what is on the screen. Pure, and the same rules as `evolve` on the server: a fact is
 * applied once, in the order of offsets, and applying it again changes nothing.
 *
 * @typedef {{watching: boolean}} Reader  `watching`: the room is on the screen, in sight
 */

/** @import {PresencePush} from "wire" */
/** @import {Fact, HistoryOk, JoinOk, Position, Post, Reaction, Room, RoomState} from "../types.js" */

const AHEAD_LIMIT = 500;
const PEOPLE_LIMIT = 200;

/** @param {string} channel @returns {string | null} the room behind a channel */
export function roomOf(channel) {
  return channel.startsWith("room:") ? channel.slice(5) : null;
}

/**
 * A live fact. One that was applied changes nothing; one that skips an offset is kept aside and opens a hole.
 * @param {RoomState} room @param {Fact} fact @param {Reader} reader @returns {RoomState}
 */
export function applyLive(room, fact, reader) {
  if (fact.epoch !== room.epoch) return { ...room, hole: "since" };
  if (fact.offset <= room.position || room.ahead[fact.offset] !== undefined) return room;
  if (fact.offset > room.position + 1) {
    const full = Object.keys(room.ahead).length >= AHEAD_LIMIT;
    const hole = room.hole === "no" ? "since" : room.hole;
    return full ? { ...room, hole } : { ...room, hole, ahead: { ...room.ahead, [fact.offset]: fact } };
  }
  return drain(applyNext(room, fact, reader), reader);
}

/**
 * The answer to a join. `since` is what was asked for, if anything.
 * @param {RoomState | undefined} before @param {JoinOk} ok @param {Position | null} since
 * @param {Reader} reader @returns {RoomState}
 */
export function applyJoin(before, ok, since, reader) {
  const settings = {
    room: ok.room,
    here: ok.here,
    people: ok.people,
    read: before?.epoch === ok.position.epoch ? Math.max(before.read, ok.read) : ok.read,
    unread: ok.unread,
    retention: ok.retention_seconds,
    me: ok.me,
    hidden: ok.hidden,
  };
  if (ok.history === "exact" && since !== null) {
    let room = { ...(before ?? emptyRoom(ok.room.id, ok.room, since)), ...settings };
    for (const fact of ok.missed) {
      if (fact.offset > room.position + 1 && !ok.folded) return { ...room, hole: "fresh" };
      if (fact.offset > room.position) room = applyNext(room, fact, { watching: true });
    }
    room = drain({ ...room, hole: "no" }, reader);
    return room.position < ok.position.offset ? { ...room, hole: "fresh" } : room;
  }
  const position = ok.position.offset;
  /** @type {RoomState} */
  const room = {
    ...emptyRoom(ok.room.id, ok.room, ok.position),
    ...settings,
    posts: byOffset(ok.posts),
    mine: numbered(ok.mine),
    more: ok.more,
    thin: false,
    gap: ok.history === "gap" || (before?.gap ?? false),
    line: before?.line ?? null,
    typing: before?.typing ?? {},
    ahead: Object.fromEntries(
      Object.values(before?.ahead ?? {})
        .filter((fact) => fact.epoch === ok.position.epoch && fact.offset > position)
        .map((fact) => [fact.offset, fact]),
    ),
  };
  return drain(room, reader);
}

/**
 * Older posts, before those that are shown. They are as new as all that came before them.
 * @param {RoomState} room @param {HistoryOk} ok @returns {RoomState}
 */
export function applyHistory(room, ok) {
  return {
    ...room,
    posts: { ...byOffset(ok.posts), ...room.posts },
    mine: { ...numbered(ok.mine), ...room.mine },
    more: ok.more,
    thin: false,
  };
}

/**
 * Who came and went, or the whole list anew. Not a fact: the newest count is right.
 * @param {RoomState} room @param {PresencePush} push @returns {RoomState}
 */
export function applyPresence(room, push) {
  const changed = new Set([...push.went, ...push.came.map((p) => p.id)]);
  const people = push.people ?? [...room.people.filter((p) => !changed.has(p.id)), ...push.came];
  const typing = Object.fromEntries(Object.entries(room.typing).filter(([id]) => !push.went.includes(id)));
  return { ...room, here: push.here, people: people.slice(0, PEOPLE_LIMIT), typing };
}

/**
 * Posts fade here when they fade on the server.
 * @param {RoomState} room @param {number} now  server time, ms @returns {RoomState}
 */
export function fade(room, now) {
  if (room.retention <= 0) return room;
  const oldest = now - room.retention * 1000;
  const kept = Object.values(room.posts).filter((post) => post.at >= oldest);
  if (kept.length === Object.keys(room.posts).length) return room;
  return { ...room, posts: byOffset(kept), more: false };
}

/**
 * Without the oldest posts. They can be asked for again.
 * @param {RoomState} room @param {number} most @returns {RoomState}
 */
export function trimmed(room, most) {
  const all = ordered(room);
  return all.length <= most ? room : { ...room, posts: byOffset(all.slice(-most)), more: true };
}

/**
 * Posts in their order. The result is the same array for the same posts.
 * @param {RoomState} room @returns {Post[]}
 */
export function ordered(room) {
  let list = orders.get(room.posts);
  if (list === undefined) {
    list = Object.values(room.posts).sort((a, b) => a.offset - b.offset);
    orders.set(room.posts, list);
  }
  return list;
}

/** @type {WeakMap<Record<number, Post>, Post[]>} */
const orders = new WeakMap();

/** @param {RoomState} room @param {Fact} fact @param {Reader} reader @returns {RoomState} */
function applyNext(room, fact, reader) {
  return { ...change(room, fact, reader), position: fact.offset };
}

/** @param {RoomState} room @param {Reader} reader @returns {RoomState} */
function drain(room, reader) {
  let drained = room;
  for (let next = room.ahead[room.position + 1]; next !== undefined; next = drained.ahead[drained.position + 1]) {
    drained = applyNext(drained, next, reader);
  }
  const left = Object.values(drained.ahead).filter((fact) => fact.offset > drained.position);
  if (left.length === Object.keys(drained.ahead).length) return drained;
  const hole = left.length > 0 ? drained.hole : "no";
  return { ...drained, hole, ahead: Object.fromEntries(left.map((fact) => [fact.offset, fact])) };
}

/**
 * What a fact does to posts.
 * @param {RoomState} room @param {Fact} fact @param {Reader} reader @returns {RoomState}
 */
function change(room, fact, reader) {
  switch (fact.push) {
    case "posted": {
      const post = { ...fact.post, offset: fact.offset };
      const isNews =
        !reader.watching &&
        !room.me.includes(post.author) &&
        !post.redacted &&
        fact.offset > room.read &&
        !room.hidden.includes(post.author);
      const typing = Object.fromEntries(Object.entries(room.typing).filter(([id]) => id !== post.author));
      const posts = { ...room.posts, [fact.offset]: post };
      return { ...room, posts, typing, unread: room.unread + (isNews ? 1 : 0) };
    }
    case "edited":
      return edit(room, fact.target, (post) => {
        const { warning: _, ...rest } = post;
        const edited = { ...rest, text: fact.text, edited_at: fact.edited_at };
        return fact.warning === undefined || fact.warning === null ? edited : { ...edited, warning: fact.warning };
      });
    case "redacted":
      return edit(room, fact.target, (post) => {
        const { warning: _, ...rest } = post;
        return { ...rest, text: "", redacted: true, reactions: {} };
      });
    case "reacted": {
      const next = edit(room, fact.target, (post) => ({ ...post, reactions: fact.counts }));
      return room.me.includes(fact.by) ? setMine(next, fact.target, fact.reaction, fact.on) : next;
    }
    case "room_changed":
      return { ...room, room: fact.room };
  }
}

/** @param {RoomState} room @param {number} target @param {(post: Post) => Post} how @returns {RoomState} */
function edit(room, target, how) {
  const post = room.posts[target];
  if (post === undefined || post.redacted) return room;
  return { ...room, posts: { ...room.posts, [target]: how(post) } };
}

/**
 * One's own reaction on a post.
 * @param {RoomState} room @param {number} target @param {Reaction} reaction @param {boolean} on @returns {RoomState}
 */
export function setMine(room, target, reaction, on) {
  const held = room.mine[target] ?? [];
  if (held.includes(reaction) === on) return room;
  const mine = on ? [...held, reaction] : held.filter((r) => r !== reaction);
  return { ...room, mine: { ...room.mine, [target]: mine } };
}

/**
 * @param {string} id @param {Room} room @param {Position} position
 * @returns {RoomState}
 */
function emptyRoom(id, room, position) {
  return {
    id,
    room,
    epoch: position.epoch,
    position: position.offset,
    posts: {},
    mine: {},
    more: true,
    thin: true,
    gap: false,
    hole: "no",
    ahead: {},
    here: 0,
    people: [],
    read: 0,
    unread: 0,
    line: null,
    typing: {},
    retention: 0,
    me: [],
    hidden: [],
  };
}

/** @param {Post[]} posts @returns {Record<number, Post>} */
function byOffset(posts) {
  return Object.fromEntries(posts.map((post) => [post.offset, post]));
}

/** @param {Record<string, Reaction[]>} mine @returns {Record<number, Reaction[]>} */
function numbered(mine) {
  return Object.fromEntries(Object.entries(mine).map(([offset, list]) => [Number(offset), list]));
}
