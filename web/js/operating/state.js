/** What follows from the load's messages and what was asked to be seen. Pure: no clock, no DOM. */

/** @import {Concern, LoadOk, LoadPush, Order, Picture, Room, Worker} from "./types.js" */

const KEPT = 60;

/** @param {LoadOk} ok @returns {Picture} */
export function whole(ok) {
  return {
    at: ok.at,
    places: new Map(ok.places.map((place) => [place.id, place])),
    rooms: new Map(ok.rooms.map((row) => [row.id, row])),
    history: new Map(Object.entries(ok.history)),
    step: ok.history_seconds * 1000,
    totals: ok.totals,
    workers: ok.workers,
    floor: ok.floor,
    attention: ok.attention,
    concerns: ok.concerns,
    changed: new Set(ok.places.map((place) => place.id)),
  };
}

/** The picture with a push laid over it. @param {Picture} picture @param {LoadPush} push @returns {Picture} */
export function laid(picture, push) {
  const places = new Map(picture.places);
  const rooms = new Map(picture.rooms);
  const changed = new Set();
  for (const place of push.places ?? []) {
    places.set(place.id, place);
    changed.add(place.id);
  }
  for (const row of push.rooms ?? []) {
    rooms.set(row.id, row);
    changed.add(row.id);
  }
  for (const id of push.gone ?? []) {
    places.delete(id);
    rooms.delete(id);
    changed.add(id);
  }
  const next = { ...picture, at: push.at, places, rooms, totals: push.totals, workers: push.workers, changed };
  if (push.floor !== undefined) next.floor = push.floor;
  if (push.attention !== undefined) next.attention = push.attention;
  next.concerns = push.concerns ?? 0;
  return Math.floor(push.at / picture.step) > Math.floor(picture.at / picture.step)
    ? remembered(next, picture.at)
    : next;
}

/** A half minute has passed: every room's history goes on by one. @param {Picture} picture @param {number} before */
function remembered(picture, before) {
  const missed = Math.min(KEPT, Math.floor(picture.at / picture.step) - Math.floor(before / picture.step)) - 1;
  /** @type {Map<string, readonly number[]>} */
  const history = new Map();
  const changed = new Set(picture.changed);
  for (const id of picture.places.keys()) {
    const row = picture.history.get(id) ?? [];
    const next = picture.rooms.get(id)?.members ?? 0;
    if (row.length === 0 && next === 0) continue;
    const grown = [...row, ...Array(missed).fill(row.at(-1) ?? next), next].slice(-KEPT);
    if (grown.some((count) => count > 0)) history.set(id, grown);
    changed.add(id);
  }
  return { ...picture, history, changed };
}

/** @param {Picture} picture @param {string} id @returns {Room | null} */
export function roomOf(picture, id) {
  const place = picture.places.get(id);
  if (place === undefined) return null;
  const row = picture.rooms.get(id) ?? { id };
  return {
    ...place,
    members: row.members ?? 0,
    writers: row.writers ?? 0,
    posts: row.posts ?? 0,
    reactions: row.reactions ?? 0,
    behind: row.behind ?? 0,
    outbox: row.outbox ?? 0,
    moderators: row.moderators ?? 0,
    p50: row.p50 ?? null,
    p99: row.p99 ?? null,
    isOpen: (place.status ?? "open") === "open",
  };
}

/**
 * The ids of the rooms that are asked for, in the order that is asked for. Rooms that are equal stand by their names.
 * @param {Picture} picture @param {string} filter @param {Order} order
 */
export function arranged(picture, filter, order) {
  const wanted = filter.trim().toLocaleLowerCase();
  const rooms = [];
  for (const [id, place] of picture.places) {
    if (wanted === "" || place.name.toLocaleLowerCase().includes(wanted) || id.includes(wanted)) {
      const room = roomOf(picture, id);
      if (room !== null) rooms.push(room);
    }
  }
  const sign = order.isDown ? -1 : 1;
  rooms.sort((a, b) => {
    const by = order.key === "name" ? 0 : weight(a, order.key) - weight(b, order.key);
    return by !== 0
      ? sign * by
      : (order.key === "name" ? sign : 1) * collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1);
  });
  return rooms.map((room) => room.id);
}

const collator = new Intl.Collator(undefined, { numeric: true });

/** @param {Room} room @param {string} key */
function weight(room, key) {
  if (key === "full") return room.members / Math.max(1, room.capacity);
  const value = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (room))[key];
  return typeof value === "number" ? value : -1;
}

/** Concerns of a room by its id, the worst of each. @param {readonly Concern[]} attention */
export function marks(attention) {
  /** @type {Map<string, Concern>} */
  const found = new Map();
  for (const concern of attention)
    if (concern.room !== undefined && !found.has(concern.room)) found.set(concern.room, concern);
  return found;
}

/** Urgent concerns that were not there before. @param {readonly Concern[]} before @param {readonly Concern[]} now */
export function news(before, now) {
  const key = (/** @type {Concern} */ each) => `${each.kind}/${each.room ?? each.worker ?? ""}`;
  const known = new Set(before.map(key));
  return now.filter((each) => each.urgent === true && !known.has(key(each)));
}

/** How the workers reach one another and the store. @param {readonly Worker[]} workers */
export function delivery(workers) {
  const sum = (/** @type {(worker: Worker) => number | undefined} */ of) =>
    workers.reduce((n, worker) => n + (of(worker) ?? 0), 0);
  const most = (/** @type {(worker: Worker) => number | undefined} */ of) =>
    workers.reduce((n, worker) => Math.max(n, of(worker) ?? 0), 0);
  return {
    deaf: workers.filter((worker) => worker.is_attached === false || worker.bus_ms === undefined),
    busMs: most((worker) => worker.bus_ms),
    dropped: sum((worker) => worker.dropped),
    healed: sum((worker) => worker.healed),
    mute: workers.filter((worker) => (worker.store ?? "ok") !== "ok"),
    storeMs: most((worker) => worker.store_ms),
    failures: sum((worker) => worker.store_failures),
  };
}

/**
 * A line through numbers, oldest first, in a box of `width` by `height`: as an SVG path, and the most that there was.
 * Fewer than `KEPT` numbers end at the right edge all the same: now is always there.
 * @param {readonly number[]} numbers @param {number} width @param {number} height
 */
export function sparkOf(numbers, width, height) {
  const most = Math.max(1, ...numbers);
  const step = width / (KEPT - 1);
  const from = width - (numbers.length - 1) * step;
  const points = numbers.map((n, i) => `${round(from + i * step)} ${round(height - 1 - (n / most) * (height - 2))}`);
  if (points.length === 0) return { line: "", area: "", most: 0, least: 0 };
  const line = points.length === 1 ? `M${points[0]}h-1` : `M${points.join("L")}`;
  const area = points.length === 1 ? "" : `M${round(from)} ${height}L${points.join("L")}L${width} ${height}z`;
  return { line, area, most: Math.max(...numbers), least: Math.min(...numbers) };
}

const round = (/** @type {number} */ n) => Math.round(n * 10) / 10;
