import assert from "node:assert/strict";
import { test } from "node:test";

import { ordered } from "../../web/js/lib/facts.js";
import { RoomStream } from "../../web/js/rooms/room-stream.js";
import { initialState, reduce } from "../../web/js/rooms/state.js";
import { Vault } from "../../web/js/rooms/vault.js";
import { clientOf, Clock, frames, MemoryStorage, network, NOW, settled } from "./kit.js";

const ID = "sleep";
const PAGE = frames.replies.join_page.ok;
const { epoch, offset: LAST } = PAGE.position;

/** A page that follows one room over an open connection. Timers of the stream pass only with `t.mock.timers.tick`. */
async function page(t, vault = new Vault(new MemoryStorage(), { tab: "t" })) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const clock = new Clock();
  const { Socket, sockets } = network();
  const host = {
    vault,
    state: initialState(),
    released: [],
    do(event) {
      this.state = reduce(this.state, event);
    },
    joined(room) {
      this.released.push(room);
    },
    client: clientOf(Socket, clock, {}),
  };
  host.client.start();
  await settled();
  const socket = sockets[0];
  socket.open();
  await settled();
  socket.answer(socket.of("hello")[0], frames.replies.hello.ok);
  await settled();
  const stream = new RoomStream(ID, host);
  const push = (p) => {
    host.do({ type: "push", push: { channel: `room:${ID}`, ...p }, now: NOW });
    stream.pushed({ channel: `room:${ID}`, ...p });
  };
  const posted = (offset, text) =>
    push({ push: "posted", epoch, offset, at: NOW, post: { offset, author: "p_ben", name: "Ben", text, at: NOW } });
  const enter = async () => {
    const entered = stream.join();
    await settled();
    socket.answer(socket.of("join").at(-1), PAGE);
    await entered;
  };
  return { host, socket, stream, push, posted, enter, texts: () => ordered(stream.room).map((post) => post.text) };
}

test("a room is joined once at a time, and its gate is opened after it", async (t) => {
  const { host, socket, stream } = await page(t);
  const both = Promise.all([stream.join(), stream.join()]);
  await settled();
  assert.equal(socket.of("join").length, 1);
  assert.equal("since" in socket.of("join")[0], false);
  assert.deepEqual(host.released, []);
  socket.answer(socket.of("join")[0], PAGE);
  await both;
  assert.deepEqual(host.released, [ID]);
  assert.equal(stream.room.position, LAST);
});

test("what is skipped is asked for from the place that was reached, and never shown as whole", async (t) => {
  const { socket, stream, posted, enter, texts } = await page(t);
  await enter();
  const before = texts();
  posted(LAST + 2, "after the hole");
  assert.deepEqual(texts(), before);
  assert.equal(stream.room.hole, "since");
  t.mock.timers.tick(150);
  await settled();
  assert.deepEqual(socket.of("join").at(-1).since, { epoch, offset: LAST });
  const missed = [LAST + 1, LAST + 2].map((offset) => ({
    push: "posted",
    channel: `room:${ID}`,
    epoch,
    offset,
    at: NOW,
    post: { offset, author: "p_ben", name: "Ben", text: `missed ${offset}`, at: NOW },
  }));
  socket.answer(socket.of("join").at(-1), {
    ...PAGE,
    history: "exact",
    posts: [],
    missed,
    position: { epoch, offset: LAST + 2 },
  });
  await settled();
  assert.equal(stream.room.hole, "no");
  assert.deepEqual(texts().slice(-2), [`missed ${LAST + 1}`, `missed ${LAST + 2}`]);
});

test("a hole is asked for though what the page does after a join takes long", async (t) => {
  const { host, socket, stream, posted } = await page(t);
  host.joined = () => new Promise(() => {});
  void stream.join();
  await settled();
  socket.answer(socket.of("join")[0], PAGE);
  await settled();
  posted(LAST + 2, "after the hole");
  t.mock.timers.tick(150);
  await settled();
  assert.equal(socket.of("join").length, 2);
  assert.deepEqual(socket.of("join")[1].since, { epoch, offset: LAST });
});

test("what came by itself is not asked for", async (t) => {
  const { socket, posted, enter } = await page(t);
  await enter();
  posted(LAST + 2, "second");
  posted(LAST + 1, "first");
  t.mock.timers.tick(10_000);
  await settled();
  assert.equal(socket.of("join").length, 1);
});

test("after a gap the whole page is asked for, again and again until it comes", async (t) => {
  const { socket, stream, push, posted, enter } = await page(t);
  await enter();
  push({ push: "gap", position: { epoch, offset: 900 } });
  posted(901, "nine hundred and one");
  t.mock.timers.tick(150);
  await settled();
  assert.equal(socket.of("join").length, 2);
  assert.equal("since" in socket.of("join")[1], false);
  socket.refuse(socket.of("join")[1], { code: "room_full", temporary: true });
  await settled();
  t.mock.timers.tick(2_000);
  await settled();
  assert.equal(socket.of("join").length, 3);
  assert.equal(stream.room.gap, true);
});

test("nothing is asked for in a room that one left", async (t) => {
  const { socket, stream, posted, enter } = await page(t);
  await enter();
  posted(LAST + 2, "after the hole");
  stream.close();
  t.mock.timers.tick(10_000);
  await settled();
  assert.equal(socket.of("join").length, 1);
});

test("older posts are asked for from the oldest that is held", async (t) => {
  const { socket, stream, enter, texts } = await page(t);
  await enter();
  const oldest = ordered(stream.room)[0].offset;
  const came = stream.older();
  await settled();
  assert.equal(socket.of("history")[0].before, oldest);
  const older = { offset: oldest - 1, author: "p_ben", name: "Ben", text: "long ago", at: NOW - 1 };
  socket.answer(socket.of("history")[0], {
    ok: "history",
    posts: [older],
    mine: {},
    more: false,
    position: PAGE.position,
  });
  assert.equal(await came, 1);
  assert.equal(texts()[0], "long ago");
});

test("what was read is told once for many, a second later, and not while the page is hidden", async (t) => {
  const { host, socket, stream, posted, enter } = await page(t);
  await enter();
  host.do({ type: "away", away: true });
  posted(LAST + 1, "one");
  stream.markRead(LAST + 9);
  assert.equal(stream.room.unread > 0, true);
  host.do({ type: "away", away: false });
  stream.markRead(LAST + 9);
  posted(LAST + 2, "two");
  stream.markRead(LAST + 9);
  assert.equal(stream.room.unread, 0);
  t.mock.timers.tick(999);
  assert.equal(socket.of("read").length, 0);
  t.mock.timers.tick(1);
  assert.deepEqual(
    socket.of("read").map(({ room, offset }) => [room, offset]),
    [[ID, LAST + 2]],
  );
});

test("what was read is told again if the server could not note it, and not if it refused for good", async (t) => {
  const { socket, stream, posted, enter } = await page(t);
  await enter();
  posted(LAST + 1, "one");
  stream.markRead(LAST + 1);
  t.mock.timers.tick(1_000);
  socket.refuse(socket.of("read")[0], { code: "storage_unavailable", temporary: true });
  await settled();
  posted(LAST + 2, "two");
  stream.markRead(LAST + 2);
  t.mock.timers.tick(5_000);
  assert.deepEqual(
    socket.of("read").map(({ offset }) => offset),
    [LAST + 1, LAST + 2],
  );
  socket.refuse(socket.of("read")[1], { code: "invalid" });
  await settled();
  t.mock.timers.tick(60_000);
  assert.equal(socket.of("read").length, 2);
});

test("the place and what was being written outlast the page where there is a vault", async (t) => {
  const storage = new MemoryStorage();
  const { stream, enter } = await page(t, new Vault(storage, { tab: "t" }));
  await enter();
  stream.keepDraft({ text: "half a thought", warning: null, replyTo: null });
  const later = new Vault(storage, { tab: "t" });
  assert.deepEqual(later.place(ID), { epoch, offset: LAST });
  assert.equal(new RoomStream(ID, { ...stream.host, vault: later }).draft?.text, "half a thought");
  assert.equal(new RoomStream(ID, { ...stream.host, vault: null }).draft, null);
});
