import assert from "node:assert/strict";
import { test } from "node:test";

import { Bell } from "../../web/js/shell/bell.js";
import { ListenerSession } from "../../web/js/listening/listener/session.js";
import { ownKey, PREFIX, NamespacedStorage } from "../../web/js/listening/listener/namespaced-storage.js";
import {
  handedOver,
  holds,
  leaseLeft,
  newer,
  seekerOf,
  talksOf,
  tidyProfile,
  untold,
} from "../../web/js/listening/listener/state.js";
import { Refused } from "../../web/js/lib/client.js";
import { keepLink, keptLink, linkIn } from "../../web/js/listening/listener/one-time-link.js";
import { refusalWord, words } from "../../web/js/locales/en-listener.js";
import { Vault } from "../../web/js/rooms/vault.js";
import { Clock, frames, network, NOW, settled, MemoryStorage } from "./kit.js";

const SEEKER = { id: "m_ann", name: "Quiet Wren", role: "seeker" };
const LISTENER = { id: "m_ben", name: "Soft Harbour", role: "listener" };
const COLLEAGUE = { id: "m_cleo", name: "Calm Heron", role: "listener" };

const talk = (id, fields = {}) => ({
  id,
  room: id,
  people: [SEEKER, LISTENER],
  started_at: NOW,
  ends_at: NOW + 45 * 60_000,
  idle_at: NOW + 600_000,
  can_extend: true,
  extension_minutes: 15,
  ...fields,
});
const view = (fields = {}) => ({
  version: 7,
  state: "free",
  wants: true,
  most_cap: 4,
  today: 0,
  day_cap: 8,
  week: 0,
  week_cap: 30,
  waiting: 0,
  languages: ["en"],
  profile: {
    languages: ["en"],
    traits: [],
    lived: [],
    not_topics: [],
    needs: ["listen"],
    most_minutes: null,
    cap: 2,
    openings: [],
  },
  ...fields,
});

// What follows from a view

test("the newest view is right, and an older one that comes late changes nothing", () => {
  const held = view({ version: 8 });
  assert.equal(newer(held, view({ version: 7 })), held);
  const same = view({ version: 8, state: "paused" });
  assert.equal(newer(held, same), same, "time alone changes a view, and its version stays");
  assert.equal(newer(null, held), held);
});

test("the lease is asked about in its last minute, and only of who wants to listen", () => {
  const until = NOW + 61_000;
  assert.equal(leaseLeft(view({ lease_until: until }), NOW), null);
  assert.equal(leaseLeft(view({ lease_until: until }), NOW + 1_000), 60);
  assert.equal(leaseLeft(view({ lease_until: until }), NOW + 60_500), 1);
  assert.equal(leaseLeft(view({ lease_until: until }), until), null);
  assert.equal(leaseLeft(view({ lease_until: until, wants: false }), NOW + 2_000), null);
  assert.equal(leaseLeft(view(), NOW), null);
});

test("conversations keep their places: live ones as they began, the ended after them", () => {
  const { live, ended } = talksOf(
    view({
      sessions: [
        talk("s-3", { started_at: NOW + 3 }),
        talk("s-1", { ended_at: NOW + 9 }),
        talk("s-2", { ended_at: NOW + 10 }),
        talk("s-4", { started_at: NOW + 1 }),
      ],
    }),
  );
  assert.deepEqual(
    live.map((each) => each.id),
    ["s-4", "s-3"],
  );
  assert.deepEqual(
    ended.map((each) => each.id),
    ["s-2", "s-1"],
  );
  assert.deepEqual(talksOf(view()), { live: [], ended: [] });
});

test("who asked, and who holds the conversation", () => {
  const both = talk("s-1", { me: "m_ben", people: [SEEKER, LISTENER, COLLEAGUE] });
  assert.equal(seekerOf(both).name, "Quiet Wren");
  assert.equal(holds(both), true);
  assert.equal(holds({ ...both, me: "m_cleo" }), false);
});

test("a conversation that was handed over is told; one that was only forgotten is not", () => {
  const invitation = { listener: COLLEAGUE, handover: true, waits_for: "listener" };
  const before = view({
    sessions: [
      talk("s-1", { invitation }),
      talk("s-2"),
      talk("s-3", { invitation, ended_at: NOW }),
      talk("s-4", { invitation }),
    ],
  });
  assert.deepEqual(
    handedOver(before, view({ sessions: [talk("s-4")] })).map((each) => each.id),
    ["s-1"],
  );
  assert.deepEqual(handedOver(null, before), []);
});

test("rooms of talks that the view no longer names are let go; other rooms stay", () => {
  assert.deepEqual(untold(["s-1", "s-2", "sleep"], view({ sessions: [talk("s-2")] })), ["s-1"]);
});

test("a profile is sent without empty first words, and for both needs where none was chosen", () => {
  const { profile } = view();
  const tidy = tidyProfile({ ...profile, needs: [], openings: ["  Hello. ", "", "   "] });
  assert.deepEqual(tidy.openings, ["Hello."]);
  assert.deepEqual(tidy.needs, ["listen", "think"]);
});

test("a link is found whatever a mail program puts behind it, and what is not whole is said", () => {
  const secret = "lrqFEEg9UXxBUvPN1OFKN85gzuv6uolNbrEXuDsh9_I";
  for (const behind of ["", ".", ",", ")", ">", "%0A", "%3D", "%23", "&x", "._", " ", "-"]) {
    assert.deepEqual(linkIn(`#invite=${secret}${behind}`), { kind: "invite", secret });
    assert.deepEqual(linkIn(`#reset=${secret}${behind}`), { kind: "reset", secret });
  }
  assert.deepEqual(linkIn(`#invite%3D${secret}`), { kind: "invite", secret });
  assert.deepEqual(linkIn("", `?invite=${secret}&from=mail`), { kind: "invite", secret });
  assert.deepEqual(linkIn("", `?from=mail&reset%3D${secret}`), { kind: "reset", secret });
  for (const hash of ["#invite=", "#invite=<b>", `#invite=${secret.slice(1)}`])
    assert.deepEqual(linkIn(hash), { kind: "invite", secret: "" });
  for (const hash of ["", "#help", "#invite", `#uninvited=${secret}`, secret]) assert.equal(linkIn(hash), null);
});

test("a link survives a reload of its tab until it is used", () => {
  const storage = /** @type {any} */ (new MemoryStorage());
  const link = linkIn("#reset=lrqFEEg9UXxBUvPN1OFKN85gzuv6uolNbrEXuDsh9_I");
  keepLink(storage, link);
  assert.deepEqual(keptLink(storage), link);
  keepLink(storage, null);
  assert.equal(keptLink(storage), null);
  assert.equal(keptLink(null), null);
});

// Words

/** Every string that the words can say. */
function* said(node = words) {
  if (typeof node === "string") yield node;
  else if (typeof node === "function") yield node.length === 0 ? node() : node(...saying(node));
  else for (const inner of Object.values(node)) yield* said(inner);
}

/** Something likely for each parameter: a name or a time where the words are about somebody. */
const saying = (node) => {
  try {
    node(3, 2, 1, 4);
    return [3, 2, 1, 4];
  } catch {
    return ["two minutes", "two", 2, 4];
  }
};

test("the console's words are kind: no cold words, no exclamation marks", () => {
  for (const sentence of said())
    assert.doesNotMatch(String(sentence), /\b(error|invalid|user|submit|oops|failed)\b|!/i);
});

test("a refusal is told by its reason before its code, and what is unknown kindly all the same", () => {
  const no = (code, details = {}) => new Refused({ code, message: "", temporary: false, details });
  assert.match(refusalWord(no("sign_in_refused")), /don't fit together/);
  assert.match(refusalWord(no("sign_in_refused", { why: "code" })), /six digits/);
  assert.match(refusalWord(no("password_weak", { why: "short" })), /12/);
  assert.match(refusalWord(no("not_allowed", { why: "last_operator" })), /one operator/);
  assert.match(refusalWord(no("name_refused", { why: "login" })), /sign-in name/);
  assert.match(refusalWord(no("room_full")), /full/);
  assert.match(refusalWord(no("something_new")), /not your doing/);
});

// Its own part of the browser's storage

test("who listens and who sits in the rooms keep their words apart in one browser", () => {
  const shared = new MemoryStorage();
  const rooms = new Vault(shared, { tab: "a" });
  const desk = new Vault(new NamespacedStorage(shared), { tab: "b" });
  rooms.belongTo("m_ann");
  desk.belongTo("m_ben");
  rooms.keepDraft("sleep", { text: "mine", warning: null, replyTo: null });
  desk.keepDraft("s-1", { text: "theirs", warning: null, replyTo: null });
  assert.equal(rooms.draft("s-1"), null);
  assert.equal(desk.draft("sleep"), null);
  desk.wipe();
  assert.equal(rooms.draft("sleep")?.text, "mine");
  assert.deepEqual(
    [...shared.map.keys()].filter((key) => key.startsWith(PREFIX)),
    [],
  );
});

test("a change in the storage is about the desk's shelf, the rooms', or everything", () => {
  assert.equal(ownKey(`${PREFIX}chat.v1.who`), "chat.v1.who");
  assert.equal(ownKey("chat.v1.who"), undefined);
  assert.equal(ownKey(null), null);
});

// Sounds

test("the call sounds unless it was turned off, the question only once it was turned on; both are remembered", () => {
  const tones = [];
  const part = () => ({
    frequency: {},
    gain: { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} },
    connect: (next) => next,
    start: (at) => tones.push(at),
    stop() {},
  });
  const audio = { state: "running", currentTime: 1, destination: {}, createOscillator: part, createGain: part };
  const shelf = new MemoryStorage();
  const bell = new Bell(shelf, () => audio);
  bell.ring("ask");
  assert.equal(tones.length, 0);
  bell.ring("call");
  assert.equal(tones.length, 3);
  bell.set("call", false);
  bell.set("ask", true);
  const later = new Bell(shelf, () => audio);
  later.ring("call");
  assert.equal(tones.length, 3);
  later.ring("ask");
  assert.equal(tones.length, 5);
});

test("a machine without sound, or a page that nobody touched, stays quiet and goes on", () => {
  new Bell(null, () => {
    throw new DOMException("no audio device", "NotSupportedError");
  }).ring("call");
  new Bell(null, () => ({ state: "suspended", resume: () => Promise.reject(new Error("touch me first")) })).ring(
    "call",
  );
});

// The session with the server

async function desk() {
  const clock = new Clock();
  const { Socket, sockets } = network();
  let id = 0;
  const session = new ListenerSession({
    vault: new Vault(new MemoryStorage(), { tab: "t" }),
    now: () => clock.at,
    client: {
      url: "ws://here/ws",
      WebSocket: Socket,
      timers: clock.timers,
      random: () => 0.5,
      newId: () => `c${(id += 1)}`,
    },
  });
  await session.start();
  await settled();
  const open = async (answers) => {
    const socket = sockets.at(-1);
    socket.open();
    await settled();
    socket.answer(socket.of("hello").at(-1), frames.replies.hello.ok);
    await settled();
    socket.answer(socket.of("rooms").at(-1), frames.replies.rooms.ok);
    answers(socket, socket.of("console").at(-1));
    await settled();
    return socket;
  };
  return { clock, session, sockets, open };
}

const console_ = (fields) => ({ ok: "console", ...view(fields) });

test("hello is said as staff, and where one stands is the console", async () => {
  const { session, open } = await desk();
  const socket = await open((s, asked) => s.answer(asked, console_({})));
  assert.equal(socket.of("hello")[0].staff, true);
  assert.equal(socket.of("standing").length, 0);
  assert.equal(session.view.version, 7);
  socket.give({ push: "console", ...view({ version: 9, waiting: 2 }) });
  socket.give({ push: "console", ...view({ version: 8, waiting: 5 }) });
  assert.equal(session.view.waiting, 2);
});

test("somebody of the staff who does not listen has no console, and stays connected", async () => {
  const { session, open } = await desk();
  await open((s, asked) => s.refuse(asked, { code: "not_allowed" }));
  assert.equal(session.isListener, false);
  assert.equal(session.view, null);
  assert.equal(session.client.isOpen, true);
});

test("each conversation's room is joined, and let go of with all that was kept when the view no longer names it", async () => {
  const { session, open } = await desk();
  const socket = await open((s, asked) => s.answer(asked, console_({ sessions: [talk("s-1")] })));
  const join = socket.of("join").find((each) => each.room === "s-1");
  const ok = structuredClone(frames.replies.join_page.ok);
  ok.room.id = "s-1";
  socket.answer(join, ok);
  await settled();
  assert.ok(session.state.rooms["s-1"]);
  session.vault.keepDraft("s-1/end", { text: "Take care.", warning: null, replyTo: null });
  socket.give({ push: "console", ...view({ version: 9 }) });
  assert.equal(session.state.rooms["s-1"], undefined);
  assert.equal(session.vault.draft("s-1/end"), null);
});

test("doing is told at most once a minute, and not by who does not listen", async () => {
  const { clock, session, open } = await desk();
  const socket = await open((s, asked) => s.answer(asked, console_({})));
  session.doing();
  session.doing();
  clock.at += 59_000;
  session.doing();
  assert.equal(socket.of("still_here").length, 1);
  socket.answer(socket.of("still_here")[0]);
  clock.at += 1_500;
  session.doing();
  assert.equal(socket.of("still_here").length, 2);
  socket.give({ push: "console", ...view({ version: 9, wants: false }) });
  clock.at += 120_000;
  session.doing();
  assert.equal(socket.of("still_here").length, 2);
});

test("a conversation ends only after its last line is durable", async () => {
  const { session, open } = await desk();
  const socket = await open((s, asked) => s.answer(asked, console_({})));
  session.client.release("s-1");
  const ending = session.endKindly({ id: "s-1", room: "s-1" }, "Be gentle with yourself.");
  await settled();
  assert.equal(socket.of("post").at(-1).text, "Be gentle with yourself.");
  assert.equal(socket.of("end").length, 0);
  socket.answer(socket.of("post").at(-1), { ok: "fact", at: NOW, epoch: "e1", offset: 4 });
  await settled();
  assert.deepEqual(
    socket.of("end").map((each) => each.session),
    ["s-1"],
  );
  socket.answer(socket.of("end").at(-1));
  await ending;
});
