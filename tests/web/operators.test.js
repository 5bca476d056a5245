import assert from "node:assert/strict";
import { test } from "node:test";

import { ADVICE, milliseconds, size, span } from "../../web/js/locales/en-operators.js";
import { arranged, laid, marks, news, delivery, roomOf, sparkOf, whole } from "../../web/js/operating/state.js";

const AT = 1_767_225_600_000;
const TOTALS = {
  members: 0,
  connections: 0,
  posts: 0,
  reactions: 0,
  behind: 0,
  outbox: 0,
  occupied: 0,
  workers: 1,
  p50: null,
  p99: null,
};
const FLOOR = {
  waiting: 0,
  oldest_wait_ms: 0,
  estimate: null,
  estimate_from: 0,
  proposals: 0,
  sessions: 0,
  is_open: true,
  listeners: {},
  near_cap: 0,
  idle_ms: 0,
  broken: {},
};
const place = (id, name, fields = {}) => ({ id, name, capacity: 20, ...fields });
const ok = (fields = {}) => ({
  at: AT,
  here: "a",
  places: [place("grief", "Grief"), place("sleep", "Sleep")],
  rooms: [{ id: "grief", members: 3, posts: 2 }, { id: "sleep" }],
  totals: TOTALS,
  workers: [],
  floor: FLOOR,
  attention: [],
  concerns: 0,
  history: { grief: [1, 2] },
  history_seconds: 30,
  ...fields,
});
const push = (fields = {}) => ({ at: AT + 1_000, totals: TOTALS, workers: [], ...fields });

// Pushes over the picture

test("a push replaces the rows that it holds, and leaves the picture before it as it was", () => {
  const before = whole(ok());
  const after = laid(before, push({ rooms: [{ id: "grief", members: 4 }] }));
  assert.deepEqual(after.rooms.get("grief"), { id: "grief", members: 4 });
  assert.deepEqual(before.rooms.get("grief"), { id: "grief", members: 3, posts: 2 });
  assert.deepEqual([...after.changed], ["grief"]);
});

test("what a push does not speak of stays", () => {
  const attention = [{ kind: "room_full", words: "Grief is full.", urgent: true, room: "grief" }];
  const before = whole(ok({ attention, concerns: 1 }));
  const after = laid(before, push({ concerns: 1 }));
  assert.equal(after.attention, before.attention);
  assert.equal(after.floor, before.floor);
  assert.equal(after.concerns, 1);
  assert.deepEqual(laid(before, push({ attention: [] })).attention, []);
});

test("rooms come, change their names and go", () => {
  let picture = whole(ok());
  picture = laid(
    picture,
    push({ places: [place("new", "New"), place("sleep", "Can't sleep")], rooms: [{ id: "new" }] }),
  );
  assert.equal(roomOf(picture, "sleep")?.name, "Can't sleep");
  assert.equal(roomOf(picture, "new")?.members, 0);
  picture = laid(picture, push({ gone: ["new"] }));
  assert.equal(roomOf(picture, "new"), null);
  assert.ok(picture.changed.has("new"));
});

// Histories

test("a history goes on whenever a half minute has passed, as the server's does", () => {
  let picture = whole(ok());
  picture = laid(picture, push({ at: AT + 29_000, rooms: [{ id: "grief", members: 7 }] }));
  assert.deepEqual(picture.history.get("grief"), [1, 2]);
  picture = laid(picture, push({ at: AT + 30_050, rooms: [{ id: "sleep", members: 1 }] }));
  assert.deepEqual(picture.history.get("grief"), [1, 2, 7]);
  assert.deepEqual(picture.history.get("sleep"), [1]);
  assert.ok(picture.changed.has("grief"));
});

test("half minutes without a push are as the one before, and half an hour is what is kept", () => {
  let picture = whole(ok());
  picture = laid(picture, push({ at: AT + 95_000 }));
  assert.deepEqual(picture.history.get("grief"), [1, 2, 2, 2, 3]);
  for (let n = 4; n < 80; n += 1) picture = laid(picture, push({ at: AT + n * 30_000 }));
  assert.equal(picture.history.get("grief")?.length, 60);
});

test("a line ends at the right edge, and says what it shows", () => {
  assert.deepEqual(sparkOf([], 96, 28), { line: "", area: "", most: 0, least: 0 });
  const spark = sparkOf([0, 4], 59, 30);
  assert.equal(spark.line, "M58 29L59 1");
  assert.deepEqual([spark.least, spark.most], [0, 4]);
  assert.ok(sparkOf([2], 96, 28).line.startsWith("M96 "));
});

// What is asked to be seen

test("rooms are found by their names in any case, and stand in the order that is asked for", () => {
  const places = [place("a", "Room 10"), place("b", "Room 9"), place("c", "Anxiety", { capacity: 4 })];
  const rooms = [
    { id: "a", members: 3 },
    { id: "b", members: 3, p99: 20 },
    { id: "c", members: 2 },
  ];
  const picture = whole(ok({ places, rooms }));
  assert.deepEqual(arranged(picture, " rOOm ", { key: "members", isDown: true }), ["b", "a"]);
  assert.deepEqual(arranged(picture, "", { key: "members", isDown: true }), ["b", "a", "c"]);
  assert.deepEqual(arranged(picture, "", { key: "members", isDown: false }), ["c", "b", "a"]);
  assert.deepEqual(arranged(picture, "", { key: "name", isDown: true }), ["a", "b", "c"]);
  assert.deepEqual(arranged(picture, "", { key: "full", isDown: true }), ["c", "b", "a"]);
  assert.deepEqual(arranged(picture, "", { key: "p99", isDown: true }), ["b", "c", "a"]);
});

test("a room is marked with its worst concern, and only what is new and urgent is told aloud", () => {
  const full = { kind: "room_full", words: "3 are here", urgent: true, room: "grief" };
  const busy = { kind: "room_busy", words: "60 posts", room: "grief" };
  assert.equal(marks([full, busy]).get("grief"), full);
  assert.deepEqual(news([], [full, busy]), [full]);
  assert.deepEqual(news([full], [{ ...full, words: "4 are here" }, busy]), []);
});

test("the slowest worker speaks for Redis and the store", () => {
  const workers = [
    { id: "a", bus_ms: 0.4, store_ms: 2, dropped: 1, healed: 2, store_failures: 0 },
    { id: "b", is_attached: false, bus_ms: 9, store: "takes no writes", store_failures: 3 },
    { id: "c", store_ms: 8 },
  ];
  const how = delivery(workers);
  assert.deepEqual(
    how.deaf.map((each) => each.id),
    ["b", "c"],
  );
  assert.deepEqual(
    how.mute.map((each) => each.id),
    ["b"],
  );
  assert.deepEqual([how.busMs, how.storeMs, how.dropped, how.healed, how.failures], [9, 8, 1, 2, 3]);
});

// Words

test("numbers are told in the units that one reads at a glance", () => {
  assert.deepEqual([milliseconds(0.62), milliseconds(42.4), milliseconds(1_530)], ["0.6 ms", "42 ms", "1.5 s"]);
  assert.deepEqual([size(999), size(12_400), size(1_250_000), size(92_000_000)], ["999 B", "12 kB", "1.3 MB", "92 MB"]);
  assert.deepEqual(
    [span(1_000), span(60_000), span(7_200_000), span(3 * 86_400_000)],
    ["1 second", "1 minute", "2 hours", "3 days"],
  );
});

test("every reason says what to do", () => {
  for (const said of Object.values(ADVICE)) assert.ok(said.endsWith(".") || said.endsWith("?"));
});
