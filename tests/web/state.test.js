import assert from "node:assert/strict";
import { test } from "node:test";

import { ordered } from "../../web/js/lib/facts.js";
import { afterReturn, visiblePending } from "../../web/js/rooms/outgoing.js";
import { initialState, joinedRooms } from "../../web/js/rooms/state.js";
import { after, ANNE, BEN, frames, inRoom, joined, NOW, pendingPost, push } from "./kit.js";

const facts = frames.facts;
const room = (state) => state.rooms.sleep;
const texts = (state) => ordered(room(state)).map((post) => post.text);
const shown = (state) => visiblePending(state.pending, room(state)).map((p) => p.id);

test("hello tells who one is and how far the clocks are apart", () => {
  const state = inRoom();
  assert.equal(state.me.name, "Quiet Otter");
  assert.equal(state.skew, 0);
  assert.equal(state.limits.text_length, 2000);
});

test("a first join shows the newest page with one's own reactions", () => {
  const state = inRoom();
  assert.deepEqual(texts(state), ["The house is so quiet.", "Hello.", "Hello, Ben."]);
  assert.deepEqual(room(state).mine[2], ["hug"]);
  assert.equal(room(state).position, 3);
  assert.equal(room(state).more, true);
});

test("facts change the posts in the order of their offsets", () => {
  const state = inRoom(...facts.map((f) => push(f)));
  assert.deepEqual(texts(state), [
    "The house is so quiet.",
    "",
    "Hello, Ben.",
    "Same fridge.",
    "It is a year today.",
    "Good night.",
  ]);
  assert.equal(room(state).posts[2].redacted, true);
  assert.equal(room(state).posts[4].reply_to, 1);
  assert.equal(room(state).posts[4].edited_at, facts[3].edited_at);
  assert.deepEqual(room(state).posts[5].reactions, { with_you: 1 });
  assert.equal(room(state).room.topic, "Rain");
  assert.equal(room(state).position, 10);
});

test("a fact that comes again changes nothing", () => {
  const state = inRoom(...facts.map((f) => push(f)));
  for (const fact of facts) assert.equal(after(state, push(fact)), state);
});

test("facts that arrive in any order end in the same room, and none is shown before what precedes it", () => {
  const straight = inRoom(...facts.map((f) => push(f)));
  for (let turn = 0; turn < 20; turn += 1) {
    const mixed = [...facts].sort((a, b) => ((a.offset * (turn + 3)) % 11) - ((b.offset * (turn + 3)) % 11));
    let state = inRoom();
    for (const fact of mixed) {
      state = after(state, push(fact));
      const held = Object.keys(room(state).posts).map(Number);
      assert.ok(Math.max(...held) <= room(state).position, "a post beyond the position is shown");
    }
    assert.deepEqual(texts(state), texts(straight));
    assert.equal(room(state).hole, "no");
    assert.deepEqual(room(state).room, room(straight).room);
  }
});

test("a skipped offset opens a hole, and the answer to a join closes it", () => {
  const holed = inRoom(push(facts[0]), push(facts[6]));
  assert.equal(room(holed).hole, "since");
  assert.equal(texts(holed).includes("Good night."), false);
  const healed = after(holed, joined("join_exact", { epoch: "e1", offset: 4 }));
  assert.equal(room(healed).hole, "no");
  assert.equal(room(healed).position, 10);
  assert.equal(texts(healed).at(-1), "Good night.");
});

test("a recovery with a hole in it is not believed", () => {
  const ok = structuredClone(frames.replies.join_exact.ok);
  ok.missed.splice(2, 1);
  const state = inRoom({ type: "joined", ok, since: { epoch: "e1", offset: 3 } });
  assert.equal(room(state).hole, "fresh");
  assert.equal(room(state).position, 5);
  const short = structuredClone(frames.replies.join_exact.ok);
  short.missed.pop();
  assert.equal(room(inRoom({ type: "joined", ok: short, since: { epoch: "e1", offset: 3 } })).hole, "fresh");
});

test("a return after a reload knows that no page was fetched yet", () => {
  const state = after(
    initialState(),
    { type: "hello", ok: frames.replies.hello.ok, now: NOW },
    joined("join_exact", { epoch: "e1", offset: 3 }),
  );
  assert.equal(room(state).thin, true);
  const whole = after(state, { type: "history", room: "sleep", ok: frames.replies.history.ok });
  assert.equal(room(whole).thin, false);
  assert.equal(room(whole).more, false);
  assert.equal(room(whole).posts[2].redacted, true, "what was removed is removed in an older page");
});

test("a gap is said, and what stands before it is let go", () => {
  const state = inRoom(joined("join_gap", { epoch: "e1", offset: 3 }));
  assert.equal(room(state).gap, true);
  assert.deepEqual(texts(state), ["Still here.", "Still."]);
  assert.equal(room(state).unread, 9);
});

test("a gap push asks for the newest page", () => {
  const state = inRoom(push(frames.pushes.gap));
  assert.equal(room(state).hole, "fresh");
  assert.equal(room(state).gap, true);
});

test("a fact of another epoch is not applied", () => {
  const state = inRoom(push({ ...facts[0], epoch: "e2" }));
  assert.equal(room(state).hole, "since");
  assert.equal(room(state).position, 3);
});

test("posts of others count as unread unless the room is in sight", () => {
  const elsewhere = inRoom(push(facts[0]), push(facts[1]));
  assert.equal(room(elsewhere).unread, 1, "one's own post is not news");
  const here = inRoom({ type: "opened", room: "sleep" }, push(facts[0]));
  assert.equal(room(here).unread, 0);
  const away = inRoom({ type: "opened", room: "sleep" }, { type: "away", away: true }, push(facts[0]));
  assert.equal(room(away).unread, 1);
  assert.equal(room(away).line, 3, "the line stands where one looked away");
});

test("a hidden person's posts are no news", () => {
  const state = inRoom(push(frames.pushes.self), push(facts[0]));
  assert.deepEqual(room(state).hidden, [BEN]);
  assert.equal(room(state).unread, 0);
});

test("reading clears what is unread and never goes back", () => {
  const state = inRoom(
    push(facts[0]),
    { type: "read", room: "sleep", offset: 4 },
    { type: "read", room: "sleep", offset: 2 },
  );
  assert.equal(room(state).unread, 0);
  assert.equal(room(state).read, 4);
});

test("nothing is read in a room whose page was not fetched", () => {
  const { ok } = frames.replies.join_exact;
  const state = after(
    initialState(),
    { type: "hello", ok: frames.replies.hello.ok, now: NOW },
    { type: "joined", ok: { ...ok, unread: 2, missed: [] }, since: { epoch: "e1", offset: ok.position.offset } },
    { type: "read", room: "sleep", offset: 0 },
  );
  assert.equal(room(state).unread, 2);
});

test("what was read on another page is unread here no more", () => {
  const before = inRoom(
    push(facts[0]),
    push({ ...facts[3], push: "posted", offset: 5, post: { ...facts[0].post, offset: 5, text: "and more" } }),
  );
  assert.equal(room(before).unread, 2);
  const some = after(before, push({ push: "read", room: "sleep", offset: 4 }));
  assert.deepEqual([room(some).read, room(some).unread], [4, 1]);
  const all = after(some, push({ push: "read", room: "sleep", offset: 5 }));
  assert.equal(room(all).unread, 0);
  assert.equal(after(all, push({ push: "read", room: "sleep", offset: 2 })), all, "it never goes back");
  assert.equal(after(all, push({ push: "read", room: "elsewhere", offset: 2 })), all);
});

test("what somebody wrote who is hidden from now on is unread no more", () => {
  const before = inRoom(push(facts[0]));
  assert.equal(room(before).unread, 1);
  assert.equal(room(after(before, push(frames.pushes.self))).unread, 0);
});

test("opening a room with something unread draws the line after what was read", () => {
  const state = inRoom(push(facts[0]), { type: "opened", room: "sleep" });
  assert.equal(room(state).line, 0);
  assert.equal(room(inRoom({ type: "opened", room: "sleep" })).line, null);
});

test("one's own post is shown once when the push comes before the ack", () => {
  const before = inRoom(...facts.map((f) => push(f)), { type: "written", post: pendingPost() });
  assert.deepEqual(shown(before), ["p1"]);
  const pushed = after(before, push(frames.pushes.own));
  assert.deepEqual(shown(pushed), []);
  const acked = after(pushed, { type: "acked", id: "p1", offset: 11 });
  assert.deepEqual(acked.pending, []);
  assert.equal(texts(acked).filter((t) => t === "I am still up.").length, 1);
});

test("one's own post is shown once when the ack comes before the push", () => {
  const before = inRoom(...facts.map((f) => push(f)), { type: "written", post: pendingPost() });
  const acked = after(before, { type: "acked", id: "p1", offset: 11 });
  assert.deepEqual(shown(acked), ["p1"]);
  assert.equal(acked.pending[0].status, "sent");
  const pushed = after(acked, push(frames.pushes.own));
  assert.deepEqual(pushed.pending, []);
  assert.equal(texts(pushed).at(-1), "I am still up.");
});

test("two posts with the same words are both shown, whichever is known first", () => {
  const two = inRoom(
    ...facts.map((f) => push(f)),
    { type: "written", post: pendingPost() },
    { type: "written", post: pendingPost({ id: "p2", at: NOW + 1, sentAt: null, status: "waiting" }) },
    push(frames.pushes.own),
  );
  assert.deepEqual(shown(two), ["p2"]);
  const acked = after(two, { type: "acked", id: "p1", offset: 11 }, { type: "sending", id: "p2", now: NOW + 2 });
  assert.deepEqual(shown(acked), ["p2"]);
  assert.equal(afterReturn(acked.pending[0], room(acked), acked.pending, NOW + 1_800_000), "send");
});

test("a lost connection draws the line, and a return that missed nothing takes it away", () => {
  const there = inRoom({ type: "link", link: { status: "open" } }, { type: "opened", room: "sleep" });
  const lost = after(there, { type: "link", link: { status: "lost" } });
  assert.equal(room(lost).line, 3);
  const back = structuredClone(frames.replies.join_exact.ok);
  back.missed = [];
  back.position.offset = 3;
  assert.equal(room(after(lost, { type: "joined", ok: back, since: { epoch: "e1", offset: 3 } })).line, null);
  assert.equal(room(after(lost, joined("join_exact", { epoch: "e1", offset: 3 }))).line, 3);
});

test("an older post with the same words hides nothing", () => {
  const state = inRoom({ type: "written", post: pendingPost({ text: "Hello, Ben.", after: 3 }) });
  assert.deepEqual(shown(state), ["p1"]);
});

test("a post that was never sent, or was refused, is always shown", () => {
  const base = inRoom(...facts.map((f) => push(f)), push(frames.pushes.own));
  assert.deepEqual(shown(after(base, { type: "written", post: pendingPost({ sentAt: null, status: "waiting" }) })), [
    "p1",
  ]);
  const refused = after(
    base,
    { type: "written", post: pendingPost() },
    { type: "refused", id: "p1", why: "too_large" },
  );
  assert.deepEqual(shown(refused), ["p1"]);
  assert.equal(refused.pending[0].why, "too_large");
});

test("after a return a post goes again, is done, or must be asked about", () => {
  const state = inRoom(...facts.map((f) => push(f)), push(frames.pushes.own));
  const ask = (post, r = room(state), now = NOW) => afterReturn(post, r, [post], now);
  const minutes = (n) => NOW + n * 60_000;
  assert.equal(ask(pendingPost({ sentAt: null })), "send");
  assert.equal(ask(pendingPost(), room(state), minutes(5)), "send", "the server still knows the id");
  assert.equal(ask(pendingPost(), room(state), minutes(30)), "done", "it came back by recovery");
  assert.equal(
    ask(pendingPost({ text: "Other words." }), room(state), minutes(30)),
    "send",
    "it is certain that it never arrived",
  );
  const gapped = room(after(state, joined("join_gap", { epoch: "e1", offset: 3 })));
  assert.equal(ask(pendingPost({ text: "Other words." }), gapped, minutes(30)), "ask");
});

test("who comes and goes changes the roster, and whoever went writes no more", () => {
  const state = inRoom(push(frames.pushes.typing), push(frames.pushes.presence));
  assert.deepEqual(
    room(state).people.map((p) => p.id),
    [ANNE, "p_cleo"],
  );
  assert.deepEqual(room(state).typing, {});
});

test("a whole roster replaces the one that was there", () => {
  const state = inRoom(push(frames.pushes.presence_whole));
  assert.deepEqual(
    room(state).people.map((p) => p.id),
    [ANNE, "p_cleo"],
  );
});

test("writing is forgotten after six seconds, and when the post comes", () => {
  const state = inRoom(push(frames.pushes.typing));
  assert.deepEqual(Object.keys(room(state).typing), [BEN]);
  assert.deepEqual(room(after(state, push(facts[0]))).typing, {});
  assert.deepEqual(Object.keys(room(after(state, { type: "tick", now: NOW + 5_000 })).typing), [BEN]);
  assert.deepEqual(room(after(state, { type: "tick", now: NOW + 6_001 })).typing, {});
});

test("posts fade from the page when they fade from the server", () => {
  const day = 86_400_000;
  assert.deepEqual(texts(inRoom({ type: "tick", now: NOW + day + 2_500 })), ["Hello, Ben."]);
});

test("counts change the lobby's cards", () => {
  const state = inRoom(push(frames.pushes.counts));
  assert.deepEqual(
    state.lobby.map((card) => card.here),
    [12, 4],
  );
});

test("a change on another device changes the name and the hidden", () => {
  const state = inRoom(push(frames.pushes.self));
  assert.equal(state.me.name, "Loud Otter");
  assert.deepEqual(state.muted, [{ id: "p_list_ben", name: "Slow Heron" }]);
});

test("what one wrote under an earlier name stays one's own", () => {
  const state = inRoom(push(frames.pushes.self));
  assert.deepEqual(room(state).me, ["p_anne2", ANNE]);
  const later = after(state, push({ ...facts[0], post: { ...facts[0].post, author: "p_anne2" } }), push(facts[1]));
  assert.equal(room(later).unread, 0, "neither under the new name nor under the old one is it news");
  const typing = after(state, push({ ...frames.pushes.typing, member: "p_anne2" }));
  assert.deepEqual(Object.keys(room(typing).typing), []);
});

test("the rooms one is in are listed in the lobby's order, with what is unread", () => {
  assert.deepEqual(joinedRooms(inRoom(push(facts[0]))), [{ id: "sleep", name: "Awake at night", unread: 1 }]);
  assert.deepEqual(joinedRooms(inRoom({ type: "left", room: "sleep" })), []);
});
