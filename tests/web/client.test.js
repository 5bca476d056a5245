import assert from "node:assert/strict";
import { test } from "node:test";

import { advice, delay } from "../../web/js/lib/backoff.js";
import { Client, Refused } from "../../web/js/lib/client.js";
import { Clock, frames, network, settled } from "./kit.js";

const HELLO = frames.replies.hello.ok;

/** A client on a network that the test plays. */
function house({ random = 0.5, prepare = async () => {} } = {}) {
  const clock = new Clock();
  const { Socket, sockets } = network();
  const seen = { opens: 0, pushes: [], troubles: [] };
  let ids = 0;
  const client = new Client({
    url: "ws://here/ws",
    WebSocket: Socket,
    timers: clock.timers,
    random: () => random,
    newId: () => `c${(ids += 1)}`,
    prepare,
    onOpen: () => (seen.opens += 1),
    onPush: (p) => seen.pushes.push(p),
    onTrouble: (t) => seen.troubles.push(t),
  });
  const last = () => sockets.at(-1);
  /** Answer the hello of the newest socket. */
  const welcome = async () => {
    await settled();
    last().open();
    last().answer(last().of("hello")[0], HELLO);
    await settled();
  };
  return { client, clock, sockets, seen, last, welcome };
}

const waiting = (seen) => seen.troubles.filter((t) => t.status === "waiting");

test("hello is the first word, and nothing is open before its answer", async () => {
  const h = house();
  h.client.start();
  await settled();
  assert.equal(h.last().protocol, "chat.v1.json");
  h.last().open();
  assert.deepEqual(
    h.last().sent.map((c) => c.cmd),
    ["hello"],
  );
  await assert.rejects(h.client.command("rooms"), (no) => no instanceof Refused && no.code === "lost" && no.temporary);
  h.last().answer(h.last().sent[0], HELLO);
  await settled();
  assert.equal(h.seen.opens, 1);
});

test("a reply settles the command whose id it carries", async () => {
  const h = house();
  h.client.start();
  await h.welcome();
  const first = h.client.command("rooms");
  const second = h.client.command("code");
  h.last().answer(h.last().of("code")[0], frames.replies.code.ok);
  h.last().refuse(h.last().of("rooms")[0], frames.errors.room_full.error);
  assert.equal((await second).code.split(" ").length, 6);
  await assert.rejects(
    first,
    (no) => no.code === "room_full" && no.details.rooms[0].id === "grief" && no.retryAfter === 60,
  );
});

test("a command without an answer ends, and the connection is asked whether it lives", async () => {
  const h = house();
  h.client.start();
  await h.welcome();
  const asked = assert.rejects(h.client.command("rooms"), (no) => no.code === "late");
  await h.clock.pass(10_000);
  await asked;
  assert.equal(h.last().of("ping").length, 1);
});

test("a connection that no longer answers is left, and a new one is made", async () => {
  const h = house();
  h.client.start();
  await h.welcome();
  await h.clock.pass(25_000);
  assert.equal(h.last().of("ping").length, 1);
  await h.clock.pass(8_000);
  assert.equal(h.sockets[0].closed, 1000);
  await h.clock.pass(500);
  assert.equal(h.sockets.length, 2);
});

test("anything that arrives is a sign of life", async () => {
  const h = house();
  h.client.start();
  await h.welcome();
  await h.clock.pass(25_000);
  h.last().give(frames.pushes.counts);
  await h.clock.pass(8_000);
  assert.equal(h.sockets.length, 1);
});

test("a page that is seen again asks at once", async () => {
  const h = house();
  h.client.start();
  await h.welcome();
  h.client.nudge();
  assert.equal(h.last().of("ping").length, 1);
  await h.clock.pass(4_000);
  assert.equal(h.last().closed, 1000);
});

test("a page that is seen again does not wait for the next attempt", async () => {
  const h = house({ random: 0.99 });
  h.client.start();
  await h.welcome();
  for (let i = 0; i < 6; i += 1) {
    h.last().fail(1006);
    await h.clock.pass(40_000);
  }
  const before = h.sockets.length;
  h.last().fail(1006);
  h.client.nudge();
  await settled();
  assert.equal(h.sockets.length, before + 1);
});

test("the wait before an attempt is spread over the whole range, which grows up to half a minute", () => {
  assert.equal(delay("come back now", 0, 0), 0);
  assert.equal(delay("come back now", 0, 0.999) < 500, true);
  assert.equal(delay("come back now", 3, 0.5), 2_000);
  assert.equal(delay("come back now", 50, 1), 30_000);
  assert.equal(delay("come back now", 50, 1, 10_000), 5_000, "ten seconds away are no reason to wait for thirty");
  assert.equal(delay("come back now", 50, 1, 0), 1_000);
  assert.equal(delay("come back now", 50, 1, 600_000), 30_000);
  assert.equal(delay("back off", 0, 0), 10_000);
  assert.equal(delay("back off", 50, 1), 130_000);
});

test("whoever loses a server for ten seconds is back within fifteen, however long they happen to wait", () => {
  for (const random of [0.1, 0.5, 0.9, 0.999]) {
    let now = 0;
    for (let attempt = 0; now < 10_000; attempt += 1) now += delay("come back now", attempt, random, now) + 1;
    assert.ok(now <= 15_000, `${random}: ${now} ms`);
  }
});

test("close codes say what to do, by their range", () => {
  for (const code of [1000, 1001, 1006, 1011, 1012, 4000, 4001, 4199]) assert.equal(advice(code), "come back now");
  for (const code of [4200, 4201, 4202, 4399]) assert.equal(advice(code), "back off");
  for (const code of [1002, 1003, 1007, 1008, 1009, 4400, 4401, 4599]) assert.equal(advice(code), "stay away");
});

test("who is told to back off waits at least ten seconds, also when the page is seen again", async () => {
  const h = house({ random: 0 });
  h.client.start();
  await h.welcome();
  h.last().fail(4201);
  h.client.nudge();
  await h.clock.pass(9_900);
  assert.equal(h.sockets.length, 1);
  assert.equal(waiting(h.seen)[0].why, "busy");
  await h.clock.pass(200);
  assert.equal(h.sockets.length, 2);
});

test("who is told to stay away stays away", async () => {
  const h = house();
  h.client.start();
  await h.welcome();
  h.last().fail(4401);
  await h.clock.pass(3_600_000);
  assert.equal(h.sockets.length, 1);
  assert.deepEqual(h.seen.troubles.at(-1), { status: "stopped", why: "identity" });
});

test("a server that drains says when to come back, and is obeyed", async () => {
  const h = house({ random: 0 });
  h.client.start();
  await h.welcome();
  h.last().give(frames.pushes.draining);
  h.last().fail(1012);
  assert.equal(waiting(h.seen).at(-1).why, "draining");
  await h.clock.pass(3_200);
  assert.equal(h.sockets.length, 1);
  await h.clock.pass(100);
  assert.equal(h.sockets.length, 2);
});

test("a fact waits for its room and goes again with the same id until it is answered", async () => {
  const h = house();
  h.client.start();
  await h.welcome();
  const notes = [];
  const fact = h.client.fact(
    "post",
    { room: "sleep", text: "hi" },
    { gate: "sleep", id: "mine", onSending: () => notes.push("sending"), onWaiting: () => notes.push("waiting") },
  );
  assert.equal(h.last().of("post").length, 0);
  h.client.release("grief");
  assert.equal(h.last().of("post").length, 0);
  h.client.release("sleep");
  assert.deepEqual(h.last().of("post"), [{ cmd: "post", id: "mine", room: "sleep", text: "hi" }]);
  h.last().fail(1006);
  await h.clock.pass(1_000);
  await h.welcome();
  assert.equal(h.last().of("post").length, 0, "not before the room is joined again");
  h.client.release("sleep");
  h.client.release("sleep");
  assert.deepEqual(
    h
      .last()
      .of("post")
      .map((c) => c.id),
    ["mine"],
  );
  h.last().answer(h.last().of("post")[0], frames.replies.fact.ok);
  assert.equal((await fact).offset, 11);
  assert.deepEqual(notes, ["waiting", "sending", "waiting", "sending"]);
  h.last().fail(1006);
  await h.clock.pass(1_000);
  await h.welcome();
  h.client.release("sleep");
  assert.equal(h.last().of("post").length, 0, "what is answered is not sent again");
});

test("a fact that is refused for a while goes again after the time the server named", async () => {
  const h = house({ random: 0 });
  h.client.start();
  await h.welcome();
  h.client.release("sleep");
  const fact = h.client.fact("post", { room: "sleep", text: "hi" }, { gate: "sleep", id: "mine" });
  h.last().refuse(h.last().of("post")[0], frames.errors.slow_mode.error);
  await h.clock.pass(7_400);
  assert.equal(h.last().of("post").length, 1);
  await h.clock.pass(200);
  assert.equal(h.last().of("post").length, 2);
  assert.equal(h.last().of("post")[1].id, "mine");
  h.last().answer(h.last().of("post")[1], frames.replies.fact.ok);
  await fact;
});

test("after a return facts of one kind go one after the other in each room, and nothing passes one that has to wait", async () => {
  const h = house({ random: 0 });
  h.client.start();
  await h.welcome();
  const facts = [];
  for (let n = 1; n <= 30; n += 1)
    facts.push(h.client.fact("react", { room: "sleep", offset: n }, { gate: "sleep", id: `r${n}` }));
  void h.client.fact("redact", { room: "sleep", offset: 3 }, { gate: "sleep", id: "gone" });
  void h.client.fact("react", { room: "grief", offset: 9 }, { gate: "grief", id: "elsewhere" });
  h.client.release("sleep");
  h.client.release("grief");
  const reacted = () =>
    h
      .last()
      .of("react")
      .map((c) => c.id);
  assert.deepEqual(reacted(), ["r1", "elsewhere"]);
  assert.deepEqual(
    h
      .last()
      .of("redact")
      .map((c) => c.id),
    ["gone"],
    "what is taken back waits for no reaction",
  );
  h.last().answer(h.last().of("react")[0], frames.replies.fact.ok);
  await settled();
  assert.deepEqual(reacted(), ["r1", "elsewhere", "r2"]);
  h.last().refuse(h.last().of("react")[2], { code: "rate_limited", temporary: true, retry_after: 2 });
  h.client.forget("r7");
  await h.clock.pass(1_900);
  assert.deepEqual(reacted(), ["r1", "elsewhere", "r2"]);
  await h.clock.pass(200);
  assert.deepEqual(reacted(), ["r1", "elsewhere", "r2", "r2"]);
  h.last().refuse(h.last().of("react")[3], { code: "post_unknown" });
  await assert.rejects(facts[1], (no) => no.code === "post_unknown");
  assert.deepEqual(reacted().slice(4), ["r3"]);
  h.client.forget("r3");
  assert.deepEqual(reacted().slice(4), ["r3", "r4"], "what is forgotten holds nothing up");
});

test("facts that are all forgotten are never sent, whoever comes next", async () => {
  const h = house();
  h.client.start();
  await h.welcome();
  void h.client.fact("react", { room: "sleep", offset: 1 }, { gate: "sleep" });
  void h.client.fact("react", { room: "sleep", offset: 2 }, { gate: "sleep" });
  h.client.forgetAll();
  h.client.release("sleep");
  assert.equal(h.last().of("react").length, 0);
});

test("a fact that is refused for good says why", async () => {
  const h = house();
  h.client.start();
  await h.welcome();
  h.client.release("sleep");
  const fact = h.client.fact("post", { room: "sleep", text: "" }, { gate: "sleep" });
  h.last().refuse(h.last().of("post")[0], frames.errors.text_too_long.error);
  await assert.rejects(fact, (no) => no.code === "text_too_long" && no.details.limit === 2000);
});

test("a forgotten fact is not sent again", async () => {
  const h = house();
  h.client.start();
  await h.welcome();
  void h.client.fact("post", { room: "sleep", text: "hi" }, { gate: "sleep", id: "mine" });
  h.client.forget("mine");
  h.client.release("sleep");
  assert.equal(h.last().of("post").length, 0);
});

test("a patient command waits as long as it is asked to", async () => {
  const h = house({ random: 0 });
  h.client.start();
  await h.welcome();
  const rooms = h.client.patient("rooms");
  h.last().refuse(h.last().of("rooms")[0], { code: "rate_limited", temporary: true, retry_after: 2 });
  await h.clock.pass(2_000);
  h.last().answer(h.last().of("rooms")[1], frames.replies.rooms.ok);
  assert.equal((await rooms).rooms.length, 2);
});

test("without an identity no socket is opened, and it is tried again", async () => {
  let tries = 0;
  const h = house({
    random: 0,
    prepare: async () => {
      tries += 1;
      if (tries === 1) throw new Refused({ code: "rate_limited", message: "", temporary: true, retry_after: 20 });
    },
  });
  h.client.start();
  await settled();
  assert.equal(h.sockets.length, 0);
  await h.clock.pass(19_000);
  assert.equal(tries, 1);
  await h.clock.pass(1_100);
  await h.welcome();
  assert.equal(h.seen.opens, 1);
});

test("a stop is a stop, and a late frame of an old socket is not heard", async () => {
  const h = house();
  h.client.start();
  await h.welcome();
  const old = h.last();
  h.client.stop();
  old.give(frames.pushes.counts);
  await h.clock.pass(600_000);
  assert.equal(h.sockets.length, 1);
  assert.deepEqual(h.seen.pushes, []);
});
