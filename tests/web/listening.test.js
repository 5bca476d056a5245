import assert from "node:assert/strict";
import { test } from "node:test";

import { announceSeldom, partner } from "../../web/js/listening/seeker/commands.js";
import {
  estimateWord,
  languageWord,
  momentWord,
  placeWord,
  presenceWord,
  words,
} from "../../web/js/locales/en-listening.js";
import { refusalWord } from "../../web/js/locales/en.js";
import { initialState, isTalk, joinedRooms } from "../../web/js/rooms/state.js";
import { after, frames, inRoom, NOW, push } from "./kit.js";

const standing = (fields = {}) => ({
  push: "standing",
  version: 3,
  state: "waiting",
  open: true,
  listeners: 1,
  waiting: 2,
  kept_seconds: 180,
  length_minutes: 45,
  idle_minutes: 10,
  languages: ["en"],
  place: 2,
  ...fields,
});

/** Every string that the words can say, functions called with something likely. */
function* said(node = words) {
  if (typeof node === "string") yield node;
  else if (typeof node === "function") yield* said(node.length > 1 ? node("Calm Heron", "an hour") : node(["a link"]));
  else for (const inner of Object.values(node)) yield* said(inner);
}

test("the words of one-to-one are kind: no cold words, no exclamation marks", () => {
  for (const sentence of said()) assert.doesNotMatch(sentence, /\b(error|invalid|user|submit|oops|failed|queue)\b|!/i);
});

test("the newest word on where one stands is right, and an older one changes nothing", () => {
  const state = after(initialState(), push(standing()));
  assert.equal(state.standing.place, 2);
  assert.equal(after(state, push(standing({ version: 2, place: 5 }))), state);
  assert.equal(after(state, push(standing({ place: 1 }))).standing.place, 1, "what ages has the same version");
});

test("a conversation is no room of the list beside a room", () => {
  const talk = { ...frames.replies.join_page.ok, room: { ...frames.replies.join_page.ok.room, id: "s-abc" } };
  const state = inRoom({ type: "joined", ok: talk, since: null });
  assert.ok(state.rooms["s-abc"]);
  assert.ok(isTalk("s-abc") && !isTalk("sleep"));
  assert.ok(!joinedRooms(state).some(({ id }) => id === "s-abc"));
});

test("a place is said in words as long as one can count it at a glance", () => {
  assert.deepEqual([1, 3, 10, 11].map(placeWord), [
    "You're next.",
    "You're third.",
    "You're tenth.",
    "There are 10 people before you.",
  ]);
});

test("an estimate says what it goes by, and what nobody knows is said", () => {
  assert.equal(estimateWord(undefined, undefined), "We can't tell yet how long it will take.");
  assert.equal(estimateWord(240, 0), "We can't tell yet how long it will take.");
  assert.equal(estimateWord(30, 4), "Less than a minute, going by the last hour.");
  assert.equal(estimateWord(240, 4), "About four minutes, going by the last hour.");
});

test("how many are here and wait", () => {
  assert.equal(presenceWord(0, 0), "No listener is here at this moment, and nobody is waiting.");
  assert.equal(presenceWord(1, 1, 1), "One listener is free, and one person is waiting.");
  assert.equal(presenceWord(3, 2, 3), "3 listeners are free, and 2 people are waiting.");
  assert.equal(presenceWord(3, 2, 0), "No listener is free at this moment, and 2 people are waiting.");
});

test("a moment to come is said in the reader's own days", () => {
  const noon = new Date(2026, 2, 4, 12).getTime();
  assert.match(momentWord(noon + 3_600_000, noon), /^today at /);
  assert.match(momentWord(noon + 24 * 3_600_000, noon), /^tomorrow at /);
  assert.match(momentWord(noon - 24 * 3_600_000, noon), /^yesterday at /);
  assert.match(momentWord(noon, noon).replace(/\s/g, " "), /^today at 1?\d:\d\d [AP]M$/);
  assert.match(momentWord(noon + 72 * 3_600_000, noon), /7.* at /);
});

test("a language is called as those call it who speak it", () => {
  assert.equal(languageWord("de"), "Deutsch");
  assert.equal(languageWord("x_y"), "x_y");
});

test("refusals of one-to-one have words once it is in use, and rooms keep theirs", () => {
  assert.equal(refusalWord("place_gone"), words.refusals.place_gone);
  assert.equal(refusalWord("room_closed"), "This room is closed for now.");
});

test("changes are announced, but not more often than every half a minute, and then the newest", () => {
  const heard = [];
  let now = NOW;
  const news = announceSeldom(
    (what) => heard.push(what),
    () => now,
  );
  for (const [ms, place] of [
    [0, 5],
    [1, 5],
    [2, 4],
    [31_000, 3],
    [32_000, 2],
    [33_000, 1],
    [63_000, 1],
  ]) {
    now = NOW + ms;
    news(placeWord(place), String(place));
  }
  assert.deepEqual(heard, ["You're third.", "You're next."]);
});

test("whom one talks with are the listeners, never oneself", () => {
  const people = [
    { id: "me", name: "Ann", role: "seeker" },
    { id: "l1", name: "Calm Heron", role: "listener" },
    { id: "l2", name: "Kind Wren", role: "listener" },
  ];
  assert.equal(partner({ people, me: "me" }), "Calm Heron & Kind Wren");
  assert.equal(partner(undefined), "");
});
