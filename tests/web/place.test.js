import assert from "node:assert/strict";
import { test } from "node:test";

import { words } from "../../web/js/locales/en-notices.js";
import { notesOf } from "../../web/js/rooms/notes.js";
import { nextMove, RoomMoves } from "../../web/js/rooms/room-moves.js";
import { RoomStream } from "../../web/js/rooms/room-stream.js";
import { reduce } from "../../web/js/rooms/state.js";
import { Vault } from "../../web/js/rooms/vault.js";
import { after, ANNE, BEN, frames, inRoom, MemoryStorage, NOW, pendingPost, push, settled } from "./kit.js";

const OPEN = { type: "link", link: { status: "open" } };
const SHOWN = { type: "opened", room: "sleep" };
const MOVED = {
  push: "moved",
  room: "sleep",
  to: { id: "sleep-2", name: "Awake, too", agreement_version: 1 },
  beside: [
    { id: "sleep", name: "Awake at night", agreement_version: 1 },
    { id: "sleep-2", name: "Awake, too", agreement_version: 1 },
  ],
  at: NOW,
};
const here = (...events) => inRoom(OPEN, SHOWN, ...events);
const move = (step, fields = {}) => ({ from: MOVED, at: "sleep", to: "sleep-2", step, ...fields });
const notes = (state, now = NOW, hasDraft = () => false) => notesOf(state, now, hasDraft);

test("a place that is elsewhere is followed from the room on the screen, once, over an open connection", () => {
  assert.equal(nextMove(here(push(MOVED))), "follow");
  assert.equal(nextMove(inRoom(OPEN, push(MOVED))), null);
  assert.equal(nextMove(inRoom(SHOWN, push(MOVED))), null);
  assert.equal(
    nextMove(here(push(MOVED), { type: "move", move: move("leaving") }, { type: "move", move: null })),
    null,
  );
});

test("nobody is taken away from the middle of something, nor from a post that is on its way", () => {
  const waiting = here(push(MOVED), { type: "move", move: move("waiting") });
  const busy = (state, what, on) => after(state, { type: "busy", what, on });
  assert.equal(nextMove(waiting), "go");
  const both = busy(busy(waiting, "report", true), "composer sleep", true);
  assert.equal(nextMove(both), null);
  assert.equal(nextMove(busy(both, "report", false)), null);
  assert.equal(nextMove(busy(busy(both, "report", false), "composer sleep", false)), "go");
  const writing = after(waiting, { type: "written", post: pendingPost({ status: "sending" }) });
  assert.equal(nextMove(writing), null);
  assert.equal(nextMove(after(writing, { type: "refused", id: "p1", why: "slow_mode" })), "go");
});

test("a move is dropped where their place became another one meanwhile", () => {
  assert.equal(nextMove(here(push(MOVED), { type: "move", move: move("waiting") }, push({ ...MOVED }))), "drop");
});

test("the room that was left is left for good only once what was written there is settled", () => {
  const going = here(push(MOVED), { type: "move", move: move("leaving") }, { type: "opened", room: "sleep-2" });
  assert.equal(nextMove(going), "leave");
  const acked = after(going, { type: "written", post: pendingPost({ status: "sent" }) });
  assert.equal(nextMove(acked), null);
  const refused = after(going, { type: "written", post: pendingPost({ status: "refused" }) });
  assert.equal(nextMove(refused), "stay");
  assert.equal(nextMove(after(going, SHOWN)), "stay");
});

test("what one was in the middle of ends with its screen, but for an answer to the moderators", () => {
  const state = here({ type: "busy", what: "report", on: true }, { type: "busy", what: "appeal m1", on: true });
  assert.deepEqual(after(state, { type: "opened", room: null }).place.busy, ["appeal m1"]);
  assert.deepEqual(after(state, push({ push: "matters", measures: [{ id: "m2" }], answers: [] })).place.busy, [
    "report",
  ]);
});

test("a lost seat is said until one is among those in the room again, after the others knew that one was not", () => {
  const presence = (came, went) => push({ push: "presence", channel: "room:sleep", here: 1, came, went });
  const lost = here(push({ push: "reading", channel: "room:sleep" }));
  const saysIt = (state) => notes(state).some(({ said }) => said === words.reading);
  assert.equal(saysIt(lost), true);
  const known = after(lost, presence([], [ANNE]));
  assert.equal(saysIt(known), true);
  assert.equal(saysIt(after(known, presence([{ id: BEN, name: "Ben" }], []))), true);
  assert.equal(saysIt(after(known, presence([{ id: ANNE, name: "Anne" }], []))), false);
  assert.equal(saysIt(after(lost, { type: "seated", room: "sleep" })), false);
});

test("an announcement is shown where it belongs, until it ends or is put away", () => {
  const notice = { id: "n1", text: "We are back at six.", at: NOW, until: NOW + 1_000, room: "sleep" };
  const state = here(push({ push: "notices", notices: [notice] }));
  const saysIt = (at, now = NOW) => notes(at, now).some(({ id }) => id === "n1");
  assert.equal(saysIt(state), true);
  assert.equal(saysIt(state, NOW + 1_000), false);
  assert.equal(saysIt(after(state, { type: "opened", room: null })), false);
  assert.equal(saysIt(after(state, { type: "put away", notice: "n1" })), false);
  assert.equal(saysIt(after(state, { type: "hello", ok: frames.replies.hello.ok, now: NOW })), false);
});

test("a room that rests names two others where a moderator is and a place is free", () => {
  const { rooms } = inRoom();
  const rest = { ...rooms.sleep.room, attendance: "read_only" };
  const card = (id, fields) => ({ id, name: id, here: 1, capacity: 2, attended: true, ...fields });
  const cards = [
    card("sleep"),
    card("full", { here: 2 }),
    card("a"),
    card("b", { attended: false }),
    card("c"),
    card("d"),
  ];
  const fact = { push: "room_changed", channel: "room:sleep", epoch: "e1", offset: 4, at: NOW, room: rest };
  const [note] = notes(here(push(fact), { type: "lobby", rooms: cards }));
  assert.equal(note.said, words.alone);
  assert.deepEqual(
    note.acts.map(([, act]) => act),
    [{ do: "enter", room: "a" }, { do: "enter", room: "c" }, { do: "ask" }],
  );
});

/** A session as room moves need it; what it asks is answered by the test. */
function session(state, { fails = 0 } = {}) {
  const asked = [];
  const said = [];
  const shown = [];
  const one = {
    state,
    vault: new Vault(new MemoryStorage(), { tab: "t" }),
    listeners: [],
    now: () => NOW,
    subscribe: (listener) => one.listeners.push(listener),
    do(event) {
      const before = one.state;
      one.state = reduce(before, event);
      if (one.state !== before) for (const listener of one.listeners) listener();
    },
    stream: (room) => new RoomStream(room, one),
    async enter(...how) {
      asked.push(["enter", ...how]);
      if (fails-- > 0) throw new Error("not now");
    },
    ask: async (...what) => void asked.push(what),
    leaveRoom: async (...what) => void asked.push(["leave", ...what]),
    watch: (on) => void asked.push(["watch", on]),
  };
  const context = {
    session: one,
    say: (what) => void said.push(what),
    go: (screen) => {
      shown.push(screen);
      one.do({ type: "opened", room: screen.room });
    },
  };
  globalThis.document = { activeElement: null, getElementById: () => null };
  return { one, asked, said, shown, moves: new RoomMoves(context) };
}

test("a place is followed with what was being written, and the old room is left without being forgotten elsewhere", async () => {
  const { one, asked, said, shown } = session(here());
  one.stream("sleep").keepDraft({ text: "half a thought", warning: null, replyTo: 2 });
  one.do(push(MOVED));
  await settled();
  assert.deepEqual(asked, [
    ["enter", "sleep-2", 1, true],
    ["settle", { room: "sleep", to: "sleep-2" }],
    ["leave", "sleep", true],
  ]);
  assert.deepEqual(shown, [{ name: "room", room: "sleep-2" }]);
  assert.deepEqual(said, [words.moved("Awake at night", "Awake, too")]);
  assert.deepEqual(one.stream("sleep-2").draft?.text, "half a thought");
  assert.equal(one.stream("sleep").draft, null);
  assert.equal(one.state.place.move, null);
  assert.deepEqual(one.state.place.led, { from: MOVED, to: "sleep-2" });
});

test("a move that failed is tried again a while later, and not at once", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { one, asked } = session(here(), { fails: 1 });
  one.do(push(MOVED));
  await settled();
  t.mock.timers.tick(1_999);
  await settled();
  assert.equal(asked.length, 1);
  t.mock.timers.tick(1);
  await settled();
  assert.deepEqual(asked.at(-1), ["leave", "sleep", true]);
});

test("a room that could not be left is left later, and nobody is told that they were not led", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { one } = session(here());
  const left = [];
  one.leaveRoom = async (room) => {
    left.push(room);
    if (left.length === 1) throw Object.assign(new Error("lost"), { temporary: true });
  };
  one.do(push(MOVED));
  await settled();
  assert.deepEqual(left, ["sleep"]);
  assert.equal(one.state.place.trouble, "");
  one.do({ type: "link", link: { status: "lost" } });
  t.mock.timers.tick(2_000);
  await settled();
  assert.deepEqual(left, ["sleep"]);
  one.do(OPEN);
  await settled();
  assert.deepEqual(left, ["sleep", "sleep"]);
  assert.equal(one.state.place.move, null);
});

test("who chooses to go back is not led away again, and hears nothing of it", async () => {
  const { one, asked, said, moves } = session(here());
  one.do(push(MOVED));
  await settled();
  moves.choose(MOVED, "sleep-2", "sleep");
  await settled();
  assert.deepEqual(asked.slice(3), [
    ["enter", "sleep", 1, true],
    ["settle", { room: "sleep", to: "sleep" }],
    ["leave", "sleep-2", true],
  ]);
  assert.equal(one.state.place.led, null);
  assert.equal(one.state.open, "sleep");
  assert.equal(said.length, 1);
});

test("rooms with a moderator are asked for where one may only read, and not with every change", () => {
  const { rooms } = inRoom();
  const rest = { ...rooms.sleep.room, attendance: "read_only" };
  const fact = { push: "room_changed", channel: "room:sleep", epoch: "e1", offset: 4, at: NOW, room: rest };
  const { one, asked } = session(here());
  assert.deepEqual(asked, []);
  one.do(push(fact));
  one.do({ type: "away", away: true });
  assert.deepEqual(asked, [["watch", false]]);
});

test("of a conversation of two that has ended nothing is said as of a room", () => {
  const talk = { ...frames.replies.join_page.ok, room: { ...frames.replies.join_page.ok.room, id: "s-1" } };
  const joined = { type: "joined", ok: talk, since: null };
  const closed = here(joined, { type: "opened", room: "s-1" });
  closed.rooms["s-1"].room = { ...closed.rooms["s-1"].room, status: "closed" };
  assert.deepEqual(notes(closed), []);
});
