/** What the session asks for by itself, because the state changed. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { enterThin, frames, NOW, page, settled } from "./kit.js";

const { history } = frames.replies;
const LAST = frames.replies.join_page.ok.position.offset;

/** Something changes that concerns none of this. */
const change = (session) => session.do({ type: "busy", what: "help", on: session.state.place.busy.length === 0 });

/** Ben writes in the room "sleep". */
const posted = (socket, offset) =>
  socket.give({
    push: "posted",
    channel: "room:sleep",
    epoch: "e1",
    offset,
    at: NOW,
    post: { offset, author: "p_ben", name: "Ben", text: `number ${offset}`, at: NOW },
  });

/** Lose the connection, and be back. */
async function reconnect({ clock, sockets, arrive }) {
  sockets.at(-1).fail(1006);
  await clock.pass(1_000);
  const socket = await arrive();
  await settled();
  return socket;
}

// A page of posts

test("the room on the screen has a page of posts, and a failure is tried again after the next change", async () => {
  const { session, socket } = await page();
  await enterThin(session, socket, "grief");
  assert.equal(socket.of("history").length, 0, "not on the screen");
  session.show("grief");
  change(session);
  await settled();
  assert.equal(socket.of("history").length, 1, "one at a time");
  socket.refuse(socket.of("history")[0], { code: "internal" });
  await settled();
  assert.equal(session.state.rooms.grief.thin, true);
  assert.equal(socket.of("history").length, 1);
  change(session);
  await settled();
  assert.equal(socket.of("history").length, 2);
  socket.answer(socket.of("history")[1], history.ok);
  await settled();
  change(session);
  await settled();
  assert.equal(session.state.rooms.grief.thin, false);
  assert.equal(socket.of("history").length, 2);
});

test("a room that is entered on the screen is asked for its page once", async () => {
  const { session, socket } = await page();
  session.show("grief");
  await enterThin(session, socket, "grief");
  assert.equal(socket.of("history").length, 1);
});

test("a post goes out of a room whose page could not be fetched", async () => {
  const { session, socket } = await page();
  session.show("grief");
  await enterThin(session, socket, "grief");
  socket.refuse(socket.of("history")[0], { code: "internal" });
  await settled();
  session.outgoing.write("grief", { text: "here I am", warning: null, replyTo: null });
  await settled();
  assert.deepEqual(
    socket.of("post").map(({ room, text }) => [room, text]),
    [["grief", "here I am"]],
  );
});

test("a page of posts is asked for on a new connection only once the room is joined there", async () => {
  const p = await page();
  await enterThin(p.session, p.socket, "grief");
  p.session.show("grief");
  await settled();
  assert.equal(p.socket.of("history").length, 1);
  // The room is not there any more.
  const socket = await reconnect(p);
  change(p.session);
  await settled();
  assert.equal(p.session.state.rooms.grief.thin, true);
  assert.equal(socket.of("history").length, 0);
});

// What was read

test("posts are read as far as they are in sight, and not while the page is hidden", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { session, socket } = await page();
  const unread = () => session.state.rooms.sleep.unread;
  posted(socket, LAST + 1);
  posted(socket, LAST + 2);
  assert.equal(unread(), 2);
  session.do({ type: "in sight", room: "sleep", offset: LAST + 1 });
  assert.equal(unread(), 1);
  session.do({ type: "away", away: true });
  session.do({ type: "in sight", room: "sleep", offset: LAST + 2 });
  assert.equal(unread(), 1);
  session.do({ type: "away", away: false });
  assert.equal(unread(), 0);
  t.mock.timers.tick(1_000);
  assert.deepEqual(
    socket.of("read").map(({ room, offset }) => [room, offset]),
    [["sleep", LAST + 2]],
  );
});

test("what is out of sight stays unread", async () => {
  const { session, socket } = await page();
  session.do({ type: "in sight", room: "sleep", offset: LAST });
  session.do({ type: "in sight", room: "sleep", offset: null });
  posted(socket, LAST + 1);
  assert.equal(session.state.rooms.sleep.unread, 1);
});

test("what was read is told again after a connection that lost it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const p = await page();
  p.session.do({ type: "in sight", room: "sleep", offset: LAST });
  t.mock.timers.tick(1_000);
  assert.equal(p.socket.of("read").length, 1);
  const socket = await reconnect(p);
  t.mock.timers.tick(1_000);
  assert.deepEqual(
    socket.of("read").map(({ offset }) => offset),
    [LAST],
  );
});
