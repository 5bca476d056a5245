import assert from "node:assert/strict";
import { test } from "node:test";

import { MemoryStorage, frames, page, settled } from "./kit.js";

const HALF = "I feel so alone \ud83d";
const WHOLE = "I feel so alone \ufffd";

const write = (session, text) => session.outgoing.write("sleep", { text, warning: null, replyTo: null });
const states = (session) => session.state.pending.map((p) => [p.text, p.status]);

test("half a character is made whole before it is kept and sent", async () => {
  const { session, shelf, socket } = await page();
  write(session, HALF);
  await settled();
  assert.equal(socket.of("post")[0].text, WHOLE);
  const kept = [...shelf.map].find(([key]) => key.includes(".out."));
  assert.equal(JSON.parse(kept[1]).text, WHOLE);
});

test("half a character that was kept before is whole when the page comes back", async () => {
  const shelf = new MemoryStorage();
  const first = await page(shelf);
  first.session.client.stop();
  write(first.session, "x");
  for (const [key, value] of shelf.map)
    if (key.includes(".out.")) shelf.map.set(key, JSON.stringify({ ...JSON.parse(value), text: HALF }));
  const { session, socket } = await page(shelf, first.clock);
  assert.equal(socket.of("post")[0].text, WHOLE);
  assert.deepEqual(states(session), [[WHOLE, "sending"]]);
});

test("a frame that could not be read is the oldest one that waits, and the next post goes", async () => {
  const { session, socket } = await page();
  write(session, "first");
  write(session, "second");
  await settled();
  assert.deepEqual(
    socket.of("post").map((p) => p.text),
    ["first"],
  );
  socket.give({ re: null, error: { code: "malformed", message: "", temporary: false } });
  await settled();
  assert.deepEqual(states(session), [
    ["first", "refused"],
    ["second", "sending"],
  ]);
  assert.deepEqual(
    socket.of("post").map((p) => p.text),
    ["first", "second"],
  );
});

/** Let each try of a post end unanswered, with pings answered meanwhile, until it is no longer sent. */
async function unanswered({ clock, socket }, seconds) {
  for (let s = 0; s < seconds; s += 1) {
    await clock.pass(1_000);
    for (const ping of socket.of("ping").splice(0)) socket.answer(ping);
  }
}

test("a post that is never answered becomes unsure after some tries, and lets later ones pass", async () => {
  const p = await page();
  write(p.session, "lost in the dark");
  write(p.session, "second");
  await unanswered(p, 40);
  assert.deepEqual(states(p.session), [
    ["lost in the dark", "sending"],
    ["second", "waiting"],
  ]);
  await unanswered(p, 70);
  assert.deepEqual(states(p.session), [
    ["lost in the dark", "unsure"],
    ["second", "sending"],
  ]);
  assert.equal(p.socket.of("post").filter((c) => c.text === "lost in the dark").length, 5);
  assert.equal(
    new Set(
      p.socket
        .of("post")
        .filter((c) => c.text === "lost in the dark")
        .map((c) => c.id),
    ).size,
    1,
  );
});

test("what is unsure stays so after a reload, and others pass it", async () => {
  const first = await page();
  write(first.session, "nobody knows");
  for (let i = 0; i < 5; i += 1) {
    await settled();
    first.socket.refuse(first.socket.of("post").at(-1), { code: "internal", temporary: true });
    for (let s = 0; s < 30 && first.socket.of("post").length === i + 1; s += 1) await unanswered(first, 1);
  }
  assert.deepEqual(states(first.session), [["nobody knows", "unsure"]]);
  const { session, socket } = await page(first.shelf, first.clock);
  assert.deepEqual(states(session), [["nobody knows", "unsure"]]);
  write(session, "and on");
  await settled();
  assert.deepEqual(
    socket.of("post").map((c) => c.text),
    ["and on"],
  );
  session.outgoing.drop(session.state.pending[0].id);
  assert.deepEqual(states(session), [["and on", "sending"]]);
});

test("tries are counted over reloads", async () => {
  const first = await page();
  write(first.session, "again and again");
  for (let i = 0; i < 4; i += 1) {
    await settled();
    first.socket.refuse(first.socket.of("post").at(-1), { code: "internal", temporary: true });
    for (let s = 0; s < 30 && first.socket.of("post").length === i + 1; s += 1) await unanswered(first, 1);
  }
  first.session.client.stop();
  const { session, socket } = await page(first.shelf, first.clock);
  socket.refuse(socket.of("post").at(-1), { code: "internal", temporary: true });
  await settled();
  assert.deepEqual(states(session), [["again and again", "unsure"]]);
});

test("a post that is unsure is tried again under its own id while the server knows it, then as a new one", async () => {
  const p = await page();
  write(p.session, "again");
  await settled();
  const { id } = p.socket.of("post")[0];
  p.session.outgoing.doubt(id);
  p.session.outgoing.retry(id);
  await settled();
  assert.deepEqual(
    p.socket.of("post").map((c) => c.id),
    [id, id],
  );
  p.session.outgoing.doubt(id);
  await settled();
  p.clock.at += 10 * 60_000;
  p.session.outgoing.retry(id);
  await settled();
  assert.equal(p.socket.of("post").length, 3);
  assert.notEqual(p.socket.of("post")[2].id, id);
});

test("a post for which the server closes the connection is not sent over and over", async () => {
  const p = await page();
  write(p.session, "too heavy to carry");
  await settled();
  p.socket.fail(1009);
  await settled();
  assert.deepEqual(states(p.session), [["too heavy to carry", "unsure"]]);
});

test("a store that is away for long makes no post unsure", async () => {
  const p = await page();
  write(p.session, "kept");
  for (let i = 0; i < 12; i += 1) {
    await settled();
    p.socket.refuse(p.socket.of("post").at(-1), { code: "storage_unavailable", temporary: true, retry_after: 2 });
    await p.clock.pass(6_000);
  }
  assert.equal(p.socket.of("post").length, 13);
  assert.deepEqual(states(p.session), [["kept", "sending"]]);
});

test("whoever comes next in the same page can write, and nothing of the one before goes out under their name", async () => {
  const { session, clock, sockets, socket, arrive } = await page();
  write(session, "mine, never answered");
  session.react("sleep", 9, "hug", true).catch(() => {});
  await settled();
  assert.equal(socket.of("post").length, 1);
  session.outgoing.crisis.due = { care: "abuse", room: "sleep" };
  session.startOver();
  assert.equal(session.outgoing.crisis.due, null);
  session.client.start();
  await arrive();
  await clock.pass(1_000);
  assert.deepEqual(session.state.pending, []);
  assert.ok(session.state.rooms["sleep"]);
  write(session, "somebody else's");
  await settled();
  assert.deepEqual(
    sockets
      .at(-1)
      .of("post")
      .map((c) => c.text),
    ["somebody else's"],
  );
  assert.deepEqual(sockets.at(-1).of("react"), []);
});

test("a post that another tab has removed holds up no other", async () => {
  const { session, shelf, socket } = await page();
  write(session, "gone elsewhere");
  await settled();
  shelf.removeItem(`chat.v1.out.${session.state.pending[0].id}`);
  await session.shared("chat.v1.out.x", null);
  assert.deepEqual(session.state.pending, []);
  write(session, "next");
  await settled();
  assert.deepEqual(
    socket.of("post").map((c) => c.text),
    ["gone elsewhere", "next"],
  );
});

test("what moderators lifted while one was away holds no more, and what they say at a return is kept", async () => {
  const { session, clock, socket, sockets, arrive } = await page();
  const mute = {
    push: "matters",
    measures: [{ id: "m1", kind: "mute", reason: "A breath.", until: clock.at + 3_600_000 }],
    answers: [],
  };
  socket.give(mute);
  socket.fail(1006);
  await clock.pass(1_000);
  await arrive();
  assert.deepEqual(session.state.decisions.measures, []);
  sockets.at(-1).give(mute);
  sockets.at(-1).fail(1006);
  await clock.pass(1_000);
  await settled();
  const next = sockets.at(-1);
  next.open();
  await settled();
  next.answer(next.of("hello").at(-1), frames.replies.hello.ok);
  await settled();
  next.give({ ...mute, measures: [{ ...mute.measures[0], id: "m2" }] });
  await settled();
  next.refuse(next.of("standing").at(-1), { code: "not_allowed" });
  next.answer(next.of("rooms").at(-1), frames.replies.rooms.ok);
  await settled();
  assert.deepEqual(
    session.state.decisions.measures.map((one) => one.id),
    ["m2"],
  );
});

/** A page whose posts are answered with an offer of help, and the kinds of notes that it has shown. */
async function caredFor() {
  const p = await page();
  const shown = [];
  const { crisis } = p.session.outgoing;
  crisis.parts = async () => async (care) => shown.push(care) > 0;
  const say = async (text, care) => {
    write(p.session, text);
    await settled();
    p.socket.answer(p.socket.of("post").at(-1), { ...frames.replies.fact.ok, ...(care === undefined ? {} : { care }) });
    await settled();
  };
  return { ...p, crisis, shown, say };
}

test("help of one kind is offered once in half an hour, and of another kind at once", async () => {
  const { clock, shown, say } = await caredFor();
  await say("first", "self_harm");
  await say("second", "self_harm");
  await say("nothing heavy");
  await say("third", "abuse");
  assert.deepEqual(shown, ["self_harm", "abuse"]);
  clock.at += 30 * 60 * 1000;
  await say("fourth", "self_harm");
  assert.deepEqual(shown, ["self_harm", "abuse", "self_harm"]);
});

test("a guess is offered once, not at every sentence, and not beside help that was offered a while ago", async () => {
  const { clock, shown, say, socket } = await caredFor();
  const guess = async () => {
    socket.give({ push: "care", room: "sleep", care: "self_harm" });
    await settled();
  };
  await say("first", "abuse");
  await guess();
  assert.deepEqual(shown, ["abuse"]);
  clock.at += 30 * 60 * 1000;
  await guess();
  await guess();
  clock.at += 24 * 60 * 60 * 1000;
  await guess();
  assert.deepEqual(shown, ["abuse", "guess"]);
  await say("second", "self_harm");
  assert.deepEqual(shown, ["abuse", "guess", "self_harm"], "the lists are surer than a guess");
});

test("a guess that was not meant is not made again, and is to the next person in it", async () => {
  const { crisis, shown, session } = await caredFor();
  crisis.guess("sleep");
  await settled();
  crisis.unwanted("guess");
  crisis.guess("sleep");
  await settled();
  assert.deepEqual(shown, ["guess"]);
  session.startOver();
  crisis.guess("sleep");
  await settled();
  assert.deepEqual(shown, ["guess", "guess"]);
});

test("help that was not meant is not offered again in this page, and is to the next person in it", async () => {
  const { clock, crisis, shown, say, session } = await caredFor();
  await say("the song is called that", "self_harm");
  crisis.unwanted("self_harm");
  clock.at += 60 * 60 * 1000;
  await say("and so is the record", "self_harm");
  await say("he shouts", "abuse");
  assert.deepEqual(shown, ["self_harm", "abuse"]);
  session.startOver();
  crisis.offer({ care: "self_harm" }, "sleep");
  await settled();
  assert.deepEqual(shown, ["self_harm", "abuse", "self_harm"]);
});
