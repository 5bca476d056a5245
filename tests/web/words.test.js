import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused } from "../../web/js/lib/client.js";
import { recipe } from "../../web/js/lib/avatar.js";
import { bare, excerpt, json, lengthOf, newId } from "../../web/js/lib/text.js";
import { clock, dayOf, dayWord, iso } from "../../web/js/lib/time.js";
import { duration, hereWord, refusalWord, typingWord, unreadWord, words } from "../../web/js/locales/en.js";
import { words as full } from "../../web/js/locales/en-full.js";
import { words as link } from "../../web/js/locales/en-link.js";
import { words as pace } from "../../web/js/locales/en-pace.js";
import { about, people, words as acts } from "../../web/js/locales/en-tools.js";
import { words as own } from "../../web/js/locales/en-you.js";
import { NOW } from "./kit.js";

/** Every string that the words can say, functions called with something likely. */
function* said(node = words) {
  if (typeof node === "string") yield node;
  else if (typeof node === "function") yield node(node.length > 1 ? "with you" : 3, 2, true);
  else for (const inner of Object.values(node)) yield* said(inner);
}

test("the words are kind: no cold words, no exclamation marks", () => {
  for (const sentence of [words, own, acts, about, people, full, pace, link].flatMap((each) => [...said(each)]))
    assert.doesNotMatch(String(sentence), /\b(error|invalid|user|submit|oops|failed)\b|!/i);
});

test("how many are here, in words", () => {
  assert.deepEqual([0, 1, 4, 5, 12].map(hereWord), [
    "quiet just now",
    "someone is here",
    "a few people here",
    "5 here",
    "12 here",
  ]);
});

test("how much is new, in words", () => {
  assert.deepEqual([1, 2, 34, 100].map(unreadWord), [
    "One new post",
    "Two new posts",
    "34 new posts",
    "many new posts",
  ]);
});

test("who is writing, in words", () => {
  assert.equal(typingWord([]), "");
  assert.equal(typingWord(["Ann"]), "Ann is writing…");
  assert.equal(typingWord([""]), "Somebody is writing…");
  assert.equal(typingWord(["Ann", "Ben"]), "Ann and Ben are writing…");
  assert.equal(typingWord(["Ann", "Ben", "Cleo"]), "A few people are writing…");
});

test("how long, in words", () => {
  assert.deepEqual([0.2, 1, 12.1, 60, 600, 86_400, 7 * 86_400].map(duration), [
    "one second",
    "one second",
    "13 seconds",
    "one minute",
    "10 minutes",
    "24 hours",
    "seven days",
  ]);
  assert.deepEqual([75, 90, 110, 119].map(duration), ["90 seconds", "90 seconds", "two minutes", "two minutes"]);
  assert.deepEqual(
    [45, 60, 75, 90, 119, 120, 150, 600].map((minutes) => duration(minutes * 60)),
    [
      "45 minutes",
      "one hour",
      "75 minutes",
      "90 minutes",
      "119 minutes",
      "two hours",
      "two and a half hours",
      "10 hours",
    ],
  );
  assert.deepEqual(
    [47, 48, 60, 84, 240].map((hours) => duration(hours * 3600)),
    ["47 hours", "two days", "two and a half days", "three and a half days", "10 days"],
  );
});

test("a refusal is said by its code, and an unknown one all the same", () => {
  assert.match(refusalWord(new Refused({ code: "name_taken", message: "x", temporary: false })), /this name/);
  assert.equal(refusalWord(new TypeError("x is not a function")), words.refusalOther);
  assert.equal(refusalWord("too_large"), words.refusals.too_large);
});

test("times are said in the reader's day", () => {
  assert.equal(dayOf(Date.UTC(2026, 0, 2, 23), "UTC"), "2026-01-02");
  const now = Date.UTC(2026, 0, 3, 1);
  const say = (at) => dayWord(at, now, words.days, "UTC");
  assert.equal(say(now), "Today");
  assert.equal(say(now - 3 * 3_600_000), "Yesterday");
  assert.match(say(now - 50 * 3_600_000), /1/);
  assert.equal(clock(Date.UTC(2026, 0, 3, 1, 9), "UTC").replace(/\s/, " "), "1:09 AM");
  assert.equal(iso(NOW), new Date(NOW).toISOString());
});

test("yesterday is the day before, also where a day has 23 or 25 hours", () => {
  const zone = "Europe/Berlin";
  const say = (at, now) => dayWord(Date.parse(at), Date.parse(now), words.days, zone);
  // The clocks went forward on 29 March 2026, and back on 25 October.
  assert.equal(say("2026-03-29T12:00+02:00", "2026-03-30T00:30+02:00"), "Yesterday");
  assert.doesNotMatch(say("2026-03-28T23:45+01:00", "2026-03-30T00:30+02:00"), /day$/);
  assert.equal(say("2026-10-24T12:00+02:00", "2026-10-25T23:30+01:00"), "Yesterday");
  assert.equal(say("2026-10-25T00:10+02:00", "2026-10-25T23:30+01:00"), "Today");
});

test("the same person has the same shape everywhere, and people differ", () => {
  assert.deepEqual(recipe("m_anne"), recipe("m_anne"));
  assert.deepEqual(recipe("m_anne"), { ...recipe("m_anne"), back: recipe("m_anne").back });
  const many = new Set(
    Array.from({ length: 200 }, (_, i) => JSON.stringify(recipe(`m_${i.toString(36).padStart(16, "a")}`))),
  );
  assert.ok(many.size > 180, `only ${many.size} shapes for 200 people`);
});

test("text is cleaned as the server cleans it", () => {
  assert.equal(bare("  a\r\nb\rc\u0007\u0085\td \n\u200b\u200fe\u0301"), "abcde");
  assert.equal(
    json({ text: "half \ud83d an emoji, a whole \ud83d\ude00", n: null, a: ["\udc00"] }),
    '{"text":"half \ufffd an emoji, a whole \ud83d\ude00","n":null,"a":["\ufffd"]}',
  );
  assert.equal(lengthOf("a😀b"), 3);
  assert.equal(excerpt("one\n two   three", 100), "one two three");
  assert.equal(excerpt("😀".repeat(50), 10), `${"😀".repeat(9)}…`);
});

test("ids are 128 random bits", () => {
  assert.match(newId(), /^[0-9a-f]{32}$/);
  assert.notEqual(newId(), newId());
});
