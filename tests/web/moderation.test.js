import assert from "node:assert/strict";
import { test } from "node:test";

import { words } from "../../web/js/locales/en-moderate.js";
import { RoomsView } from "../../web/js/moderation/rooms.js";
import { ModeratorSession } from "../../web/js/moderation/session.js";
import { useDom } from "./dom.js";
import { clientOf, Clock, frames, network, NOW, settled } from "./kit.js";

useDom();

const ID = "sleep";
const PAGE = { ...frames.replies.join_page.ok, me: ["p_mod"] };
const { epoch, offset: LAST } = PAGE.position;
const post = (offset, text, more = {}) => ({ offset, author: "p_ben", name: "Ben", text, at: NOW, ...more });

/** A moderator's page with the room "sleep" on the screen. Timers of its stream pass only with `t.mock.timers.tick`. */
async function page(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const clock = new Clock();
  const { Socket, sockets } = network();
  const client = clientOf(Socket, clock, {
    onOpen: (ok) => void session.opened(ok),
    onPush: (push) => session.take(push),
  });
  const session = new ModeratorSession({ client, now: () => clock.at });
  const said = [];
  const app = { session, me: { id: "m_mod", name: "Mod" }, say: (what) => said.push(what) };
  const view = new RoomsView(app, () => view.update());
  session.changed = () => view.update();
  async function connect() {
    const socket = sockets.at(-1);
    socket.open();
    await settled();
    socket.answer(socket.of("hello")[0], frames.replies.hello.ok);
    await settled();
    return socket;
  }
  /** The connection is lost; the client opens the next one. */
  async function reconnect() {
    const before = sockets.length;
    sockets.at(-1).fail(1006);
    while (sockets.length === before) await clock.pass(500);
    return connect();
  }
  client.start();
  await settled();
  const socket = await connect();
  socket.answer(socket.of("rooms")[0], frames.replies.rooms.ok);
  await settled();
  const push = (p, at = sockets.at(-1)) => at.give({ channel: `room:${ID}`, epoch, at: NOW, ...p });
  const opened = view.open(ID);
  await settled();
  socket.answer(socket.of("join")[0], PAGE);
  await opened;
  return {
    push,
    reconnect,
    said,
    session,
    socket,
    view,
    log: () => view.element.texts("said"),
    isMissing: () => view.element.texts("soft").includes(words.rooms.missing),
  };
}

test("after a gap the moderators' log asks for the room anew and says meanwhile that something is missing", async (t) => {
  const { socket, push, log, isMissing } = await page(t);
  push({ push: "posted", offset: LAST + 1, post: post(LAST + 1, "second") });
  assert.equal(log().at(-1), "second");
  assert.equal(isMissing(), false);
  push({ push: "gap", position: { epoch, offset: 900 } });
  push({ push: "posted", offset: 901, post: post(901, "nine hundred and one") });
  assert.equal(log().includes("nine hundred and one"), false);
  assert.equal(isMissing(), true);
  t.mock.timers.tick(150);
  await settled();
  assert.equal(socket.of("join").length, 2);
  assert.equal("since" in socket.of("join")[1], false);
  socket.answer(socket.of("join")[1], {
    ...PAGE,
    history: "gap",
    posts: [post(900, "nine hundred"), post(901, "nine hundred and one")],
    position: { epoch, offset: 901 },
  });
  await settled();
  assert.deepEqual(log(), ["nine hundred", "nine hundred and one"]);
  assert.equal(isMissing(), false);
});

test("a fact that skips an offset is not shown before what is between", async (t) => {
  const { socket, push, log, isMissing } = await page(t);
  const before = log();
  push({ push: "posted", offset: LAST + 2, post: post(LAST + 2, "later") });
  assert.deepEqual(log(), before);
  assert.equal(isMissing(), true);
  t.mock.timers.tick(150);
  await settled();
  assert.deepEqual(socket.of("join").at(-1).since, { epoch, offset: LAST });
  push({ push: "posted", offset: LAST + 1, post: post(LAST + 1, "between") });
  assert.deepEqual(log().slice(-2), ["between", "later"]);
  assert.equal(isMissing(), false);
});

test("an edit takes its warning with it, and the one that there was", async (t) => {
  const { push, view } = await page(t);
  const warnings = () =>
    view.element.texts("soft").filter((text) => text.includes("heavy") || text.includes("heavier"));
  push({ push: "posted", offset: LAST + 1, post: post(LAST + 1, "hard to read", { warning: "heavy" }) });
  assert.equal(warnings().length, 1);
  push({ push: "edited", offset: LAST + 2, target: LAST + 1, text: "harder", edited_at: NOW, warning: "heavier" });
  assert.deepEqual(warnings(), [words.rooms.warning("heavier")]);
  push({ push: "edited", offset: LAST + 3, target: LAST + 1, text: "easy", edited_at: NOW });
  assert.deepEqual(warnings(), []);
  assert.equal(view.element.texts("said").at(-1), "easy");
});

test("after a lost connection the room is joined again from where it was, and what was missed is not read aloud", async (t) => {
  const { push, reconnect, said, log } = await page(t);
  push({ push: "posted", offset: LAST + 1, post: post(LAST + 1, "heard") });
  assert.deepEqual(said.slice(-1), [words.rooms.said("Ben", "heard")]);
  const next = await reconnect();
  assert.deepEqual(next.of("join")[0].since, { epoch, offset: LAST + 1 });
  const missed = {
    push: "posted",
    channel: `room:${ID}`,
    epoch,
    offset: LAST + 2,
    at: NOW,
    post: post(LAST + 2, "missed"),
  };
  next.answer(next.of("join")[0], {
    ...PAGE,
    history: "exact",
    posts: [],
    missed: [missed],
    position: { epoch, offset: LAST + 2 },
  });
  await settled();
  assert.equal(log().at(-1), "missed");
  assert.deepEqual(said.slice(-1), [words.rooms.said("Ben", "heard")]);
});

test("a room that refuses for good is left, and says why; one that refuses for now is tried again", async (t) => {
  const { reconnect, session, view, isMissing } = await page(t);
  const next = await reconnect();
  next.refuse(next.of("join")[0], { code: "room_full", temporary: true });
  await settled();
  assert.equal(isMissing(), true);
  t.mock.timers.tick(2_000);
  await settled();
  next.refuse(next.of("join")[1], { code: "room_full", temporary: true });
  await settled();
  const last = await reconnect();
  last.refuse(last.of("join")[0], { code: "room_unknown" });
  await settled();
  assert.equal(session.state.rooms[ID], undefined);
  assert.equal(view.inside.size, 0);
  assert.equal(view.trouble.element.hidden, false);
});

test("only so many posts are held while the end is read, and all of them while one reads back", async (t) => {
  const { push, session } = await page(t);
  session.changed = () => {};
  const count = () => Object.keys(session.state.rooms[ID].posts).length;
  const write = (from, to) => {
    for (let offset = from; offset <= to; offset += 1)
      push({ push: "posted", offset, post: post(offset, "on and on") });
  };
  write(LAST + 1, 500);
  assert.equal(count(), 400);
  assert.equal(session.state.rooms[ID].more, true);
  session.reading.add(ID);
  write(501, 520);
  assert.equal(count(), 420);
  session.reading.clear();
  write(521, 521);
  assert.equal(count(), 400);
});
