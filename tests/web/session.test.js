/** What the session asks for by itself, because the state changed. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { enterThin, frames, page, settled } from "./kit.js";

const { history } = frames.replies;

/** Something changes that concerns none of this. */
const change = (session) => session.do({ type: "busy", what: "help", on: session.state.place.busy.length === 0 });

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
