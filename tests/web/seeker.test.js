/** What somebody who asks for a listener needs of the server, asked for because the state changed. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { SeekerFetching } from "../../web/js/listening/seeker/fetching.js";
import { Vault } from "../../web/js/rooms/vault.js";
import { enterThin, frames, page, settled } from "./kit.js";

const ROOM = "s-1";

/** Of a session with a listener. */
const standing = (fields, talk = {}) => ({
  push: "standing",
  version: 3,
  open: true,
  session: { id: "1", room: ROOM, people: [], ...talk },
  ...fields,
});
const inSession = standing({ state: "session" });
const ended = (ending) => standing({ state: "ended", version: 4 }, { ending });

/** Something changes that concerns none of this. */
const change = (session) => session.do({ type: "busy", what: "help", on: session.state.place.busy.length === 0 });

async function seeker() {
  const p = await page();
  const fetching = new SeekerFetching(p.session);
  const joins = (socket = p.socket) => socket.of("join").filter(({ room }) => room === ROOM);
  return { ...p, fetching, joins };
}

const answerJoin = (socket, join) => {
  const { room, ...ok } = frames.replies.join_page.ok;
  socket.answer(join, { ...ok, room: { ...room, id: join.room } });
};

test("the room of a session is joined on every screen, and after a failure with the next change", async () => {
  const { session, socket, joins } = await seeker();
  socket.give(inSession);
  change(session);
  await settled();
  assert.equal(joins().length, 1);
  socket.refuse(joins()[0], { code: "room_full", temporary: true });
  await settled();
  assert.equal(joins().length, 1);
  change(session);
  await settled();
  assert.equal(joins().length, 2);
  answerJoin(socket, joins()[1]);
  await settled();
  change(session);
  await settled();
  assert.ok(session.state.rooms[ROOM]);
  assert.equal(joins().length, 2);
});

test("the room of a session that was refused for good is asked for again on the next connection only", async () => {
  const { clock, session, socket, sockets, joins } = await seeker();
  socket.give(inSession);
  await settled();
  socket.refuse(joins()[0], { code: "room_unknown" });
  await settled();
  change(session);
  await settled();
  assert.equal(joins().length, 1);
  socket.fail(1006);
  await clock.pass(1_000);
  const next = sockets.at(-1);
  next.open();
  await settled();
  next.answer(next.of("hello")[0], frames.replies.hello.ok);
  next.give(inSession);
  await settled();
  assert.equal(joins(next).length, 1);
});

test("how many wait is asked when the screen of one-to-one is shown, not before", async () => {
  const { socket, fetching } = await seeker();
  const before = socket.of("standing").length;
  fetching.look(true);
  await settled();
  assert.equal(socket.of("standing").length, before + 1);
  fetching.look(false);
  await settled();
  assert.equal(socket.of("standing").length, before + 1);
});

test("the last words are fetched where the listener ended it, and on that screen only", async () => {
  const { session, socket, fetching, joins } = await seeker();
  socket.give(ended("other"));
  await settled();
  assert.equal(joins().length, 0);
  fetching.look(true);
  change(session);
  await settled();
  assert.equal(joins().length, 1);
  answerJoin(socket, joins()[0]);
  await settled();
  change(session);
  await settled();
  assert.equal(session.state.rooms[ROOM].thin, false);
  assert.equal(joins().length, 1);
});

test("the last words are asked for where only the place in the room is kept", async () => {
  const { session, socket, fetching } = await seeker();
  fetching.look(true);
  session.vault.keepPlace(ROOM, { epoch: "e1", offset: 10 });
  socket.give(ended("other"));
  await enterThin(session, socket, ROOM);
  assert.deepEqual(
    socket.of("history").map(({ room }) => room),
    [ROOM],
  );
});

test("a session that ended in another way is not fetched", async () => {
  const { socket, fetching, joins } = await seeker();
  fetching.look(true);
  socket.give(ended("mine"));
  await settled();
  assert.equal(joins().length, 0);
});

test("last words that were refused are not asked for again until somebody comes back to the screen", async () => {
  const { session, socket, fetching, joins } = await seeker();
  fetching.look(true);
  socket.give(ended("other"));
  await settled();
  socket.refuse(joins()[0], { code: "room_unknown" });
  await settled();
  change(session);
  await settled();
  assert.equal(joins().length, 1);
  fetching.look(false);
  fetching.look(true);
  await settled();
  assert.equal(joins().length, 2);
});

test("last words that could not be given at the moment are asked for after the next change", async () => {
  const { session, socket, fetching, joins } = await seeker();
  fetching.look(true);
  socket.give(ended("other"));
  await settled();
  socket.refuse(joins()[0], { code: "room_full", temporary: true });
  await settled();
  change(session);
  await settled();
  assert.equal(joins().length, 2);
});

test("last words that the network lost are asked for on the next connection", async () => {
  const { clock, session, socket, sockets, fetching, joins } = await seeker();
  fetching.look(true);
  socket.give(ended("other"));
  await settled();
  assert.equal(joins().length, 1);
  socket.fail(1006);
  await clock.pass(1_000);
  const next = sockets.at(-1);
  next.open();
  await settled();
  next.answer(next.of("hello")[0], frames.replies.hello.ok);
  await settled();
  assert.equal(session.client.isOpen, true);
  assert.equal(joins(next).length, 1);
});

// ------------------------------------------------------------------------------ what was being written in a company

const TABLE = "c--1";
const waiting = (version) => ({ push: "standing", version, open: true, state: "waiting" });
const written = (text) => ({ text, warning: null, replyTo: null });

test("what was being written in a company that is over stays on the device until a listener comes", async () => {
  const { session, socket, shelf } = await seeker();
  session.stream(TABLE).keepDraft(written("I am so"));
  socket.give(waiting(4));
  change(session);
  await settled();
  assert.ok([...shelf.map.values()].some((kept) => kept.includes("I am so")));
  socket.give({ ...inSession, version: 5 });
  await settled();
  assert.equal(session.stream(ROOM).draft.text, "I am so");
  assert.equal(session.stream(TABLE).draft, null);
});

test("what another tab was writing in a company is left to it", async () => {
  const { session, socket, shelf } = await seeker();
  const other = new Vault(shelf, { tab: "other" });
  other.keepDraft(TABLE, written("In the other tab"));
  socket.give(inSession);
  await settled();
  assert.equal(other.draft(TABLE).text, "In the other tab");
  assert.equal(session.stream(ROOM).draft, null);
});

test("what was carried along is not for another time", async () => {
  const { session, socket } = await seeker();
  session.stream(TABLE).keepDraft(written("Hours ago"));
  socket.give({ ...waiting(4), state: "none" });
  await settled();
  socket.give({ ...inSession, version: 5 });
  await settled();
  assert.equal(session.stream(ROOM).draft, null);
});
