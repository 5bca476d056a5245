import assert from "node:assert/strict";
import { test } from "node:test";

import { fromText, toText } from "../../web/js/card/file.js";
import { isLocked, keyOf, lock, unlock } from "../../web/js/card/lock.js";
import {
  added,
  dialled,
  fits,
  fresh,
  isEmpty,
  KINDS,
  merged,
  MOST_BYTES,
  moved,
  read,
  withItem,
  withKept,
  withNew,
  withoutItem,
  withoutPart,
  withPart,
  write,
} from "../../web/js/card/model.js";
import { keeping, parts, words } from "../../web/js/locales/en-card.js";
import { leave } from "../../web/js/quick-exit.js";
import { MemoryStorage } from "./kit.js";

const TITLES = Object.fromEntries(Object.entries(parts).map(([kind, { title }]) => [kind, title]));
const PHRASE = "river stone lamp";
let ids = 0;
const newId = () => `n${(ids += 1)}`;
const part = (card, id) => card.parts.find((each) => each.id === id);
const written = (text) => withPart(fresh(), "alone", { text });

test("every usual part has a title and a hint", () => {
  assert.deepEqual(Object.keys(parts), KINDS);
  for (const { title, hint } of Object.values(parts)) assert.ok(title !== "" && hint !== "");
});

test("a card that was written is read as it was", () => {
  const card = withItem(written("a walk\n\nbread \u{1f35e}"), "people", { id: "i1", text: "Sam", phone: "+49 30 123" });
  assert.deepEqual(read(write(card)), card);
});

test("what is no card is not taken for one", () => {
  const twice = { v: 1, parts: [fresh().parts[0], fresh().parts[0]] };
  const odd = ["", "{", "null", '{"v":2,"parts":[]}', '{"v":1}', '{"v":1,"parts":[{}]}', JSON.stringify(twice)];
  for (const text of odd) assert.equal(read(text), null, text);
});

test("parts move by one place, and not beyond the ends", () => {
  const order = (card) => card.parts.map(({ id }) => id);
  const usual = order(fresh());
  assert.deepEqual(order(moved(fresh(), "alone", -1)).slice(0, 2), ["alone", "signs"]);
  assert.deepEqual(order(moved(fresh(), "signs", 1)).slice(0, 2), ["alone", "signs"]);
  assert.deepEqual(order(moved(fresh(), "signs", -1)), usual);
  assert.deepEqual(order(moved(fresh(), "helpful", 1)), usual);
});

test("parts can be left out, put back, called otherwise, and added", () => {
  let card = withoutPart(fresh(), "safer");
  assert.equal(part(card, "safer"), undefined);
  card = withNew(card, "safer");
  assert.equal(card.parts.at(-1).kind, "safer");
  card = withPart(withNew(card, "own", "o1", "Mornings"), "o1", { name: "Evenings" });
  assert.deepEqual([part(card, "o1").kind, part(card, "o1").name], ["own", "Evenings"]);
});

test("words of a post go among the helpful things, also where that part was left out", () => {
  for (const card of [fresh(), withoutPart(fresh(), "helpful")])
    assert.deepEqual(part(withKept(card, "you matter", "k1"), "helpful").items, [{ id: "k1", text: "you matter" }]);
});

test("a part with nothing but blanks is empty", () => {
  assert.ok(isEmpty(part(withPart(fresh(), "alone", { text: " \n " }), "alone")));
  assert.ok(isEmpty(part(withItem(fresh(), "people", { id: "i", text: " ", phone: "" }), "people")));
  assert.ok(!isEmpty(part(withItem(fresh(), "people", { id: "i", text: "", phone: "1" }), "people")));
});

test("what is dialled is what a telephone knows", () => {
  assert.equal(dialled("+49 (0)30 / 12-34"), "+490301234");
  assert.equal(dialled("ask at the desk"), "");
  assert.equal(dialled("javascript:alert(1)"), "1");
});

test("a card holds 200 KB and not a byte more", () => {
  const room = MOST_BYTES - write(written("")).length;
  assert.ok(fits(written("x".repeat(room))));
  assert.ok(!fits(written("x".repeat(room + 1))));
  assert.ok(!fits(written("ü".repeat(room / 2 + 1))));
});

test("of two changes of different things both count", () => {
  const base = written("a walk");
  const mine = withItem(base, "people", { id: "p1", text: "Sam", phone: "1" });
  const theirs = moved(withPart(base, "worth", { text: "the cat" }), "signs", 1);
  const both = merged(base, mine, theirs);
  assert.deepEqual(part(both, "people").items, [{ id: "p1", text: "Sam", phone: "1" }]);
  assert.equal(part(both, "worth").text, "the cat");
  assert.deepEqual(
    both.parts.map(({ id }) => id),
    theirs.parts.map(({ id }) => id),
  );
});

test("where both changed the same, nothing of either is lost", () => {
  const base = withItem(written("a walk"), "people", { id: "p1", text: "Sam", phone: "1" });
  const mine = withItem(withPart(base, "alone", { text: "a walk\ntea" }), "people", {
    id: "p1",
    text: "Samuel",
    phone: "1",
  });
  const theirs = withItem(withPart(base, "alone", { text: "a walk\nmusic" }), "people", {
    id: "p1",
    text: "Sam",
    phone: "22",
  });
  const both = merged(base, mine, theirs);
  for (const each of ["a walk", "tea", "music"]) assert.ok(part(both, "alone").text.split("\n").includes(each));
  const [sam] = part(both, "people").items;
  assert.match(sam.text, /Samuel/);
  assert.match(sam.phone, /22/);
});

test("what one took out is gone, unless the other changed it", () => {
  const base = withItem(written("a walk"), "people", { id: "p1", text: "Sam", phone: "1" });
  const without = withoutPart(withoutItem(base, "people", "p1"), "alone");
  const quiet = merged(base, without, base);
  assert.deepEqual([part(quiet, "alone"), part(quiet, "people").items], [undefined, []]);
  const changed = withPart(base, "alone", { text: "a long walk" });
  for (const both of [merged(base, without, changed), merged(base, changed, without)])
    assert.equal(part(both, "alone").text, "a long walk");
});

test("a merge with itself, or with nothing new, changes nothing", () => {
  const base = written("a walk");
  const mine = withPart(base, "alone", { text: "tea" });
  assert.deepEqual(merged(base, mine, mine), mine);
  assert.deepEqual(merged(base, mine, base), mine);
  assert.deepEqual(merged(base, base, mine), mine);
});

/** A card without its ids, and without what says nothing. */
const bare = (card) =>
  card.parts
    .filter((each) => !isEmpty(each))
    .map(({ kind, name, text, items }) => ({
      kind,
      name,
      text,
      items: items.filter(says).map(({ id, ...more }) => more),
    }));
const says = ({ text, phone = "" }) => text + phone !== "";

test("a card that was taken along comes back as it was", () => {
  let card = written("== not a title ==\n• no thing\n\n\\ neither\n  indented");
  card = withPart(card, "worth", { name: "Reasons: (mine) == all", text: "the cat" });
  card = withItem(card, "people", { id: "1", text: "Sam: at work", phone: "+49 30 / 123-4" });
  card = withItem(card, "people", { id: "2", text: "", phone: "112" });
  card = withItem(card, "places", { id: "3", text: "Awake (at night)", room: "sleep-2" });
  card = withItem(card, "helpful", { id: "4", text: "first\n\n  second\n== third ==" });
  card = withPart(withNew(card, "own", "o", "Mornings"), "o", { text: "open the window" });
  const text = toText(card, TITLES);
  assert.deepEqual(bare(fromText(text, TITLES, "x", newId)), bare(card));
  assert.deepEqual(bare(fromText(text.replaceAll("\n", "\r\n"), TITLES, "x", newId)), bare(card));
  assert.equal(read(write(fromText(text, TITLES, "x", newId))) === null, false);
});

test("thousands of odd cards come back as they were", () => {
  const bits = ["==", " ", "\n", "•", "☎", "→", "\\", ":", "(", ")", "a", "b c", "== x ==", "\u{1f35e}", "  ", "Lines"];
  let seed = 7;
  const chance = (n) => (seed = (seed * 48271) % 2147483647) % n;
  const some = (n, without = /$^/g) =>
    Array.from({ length: chance(n) }, () => bits[chance(bits.length)])
      .join("")
      .replace(without, " ")
      .split("\n")
      .map((line) => line.trimEnd())
      .join("\n")
      .replace(/\s+/g, (gap) => (gap.includes("\n") ? "\n".repeat(gap.split("\n").length - 1) : gap))
      .trim();
  for (let n = 0; n < 3000; n += 1) {
    let card = withPart(fresh(), "alone", { text: some(12) });
    card = withPart(card, "words", { text: some(6) });
    card = withItem(card, "words", { id: "w1", text: some(9) });
    card = withItem(card, "people", { id: "p1", text: some(6, /\s/g).replace(/\s+/g, " ").trim(), phone: "1 2" });
    const text = toText(card, TITLES);
    assert.deepEqual(bare(fromText(text, TITLES, "x", newId)), bare(card), text);
  }
});

test("any other text is a part of its own", () => {
  const { parts: all } = fromText("bread\nmilk\n", TITLES, "From a file", newId);
  assert.deepEqual(
    all.map(({ kind, name, text }) => [kind, name, text]),
    [["own", "From a file", "bread\nmilk"]],
  );
  assert.deepEqual(fromText("\n \n", TITLES, "x", newId).parts, []);
});

test("a file that is read in adds what is new, and overwrites nothing", () => {
  const here = withItem(written("a walk"), "people", { id: "p1", text: "Sam", phone: "1" });
  const file = withItem(withPart(here, "alone", { text: "tea\na walk" }), "people", {
    id: "p9",
    text: "Kim",
    phone: "2",
  });
  const both = added(here, fromText(toText(file, TITLES), TITLES, "x", newId), newId);
  assert.equal(part(both, "alone").text, "a walk\ntea");
  assert.deepEqual(
    part(both, "people").items.map(({ text }) => text),
    ["Sam", "Kim"],
  );
  assert.deepEqual(added(both, fromText(toText(both, TITLES), TITLES, "x", newId), newId), both);
});

test("a passphrase opens what it locked, and nothing of it can be read before", async () => {
  const text = write(written("nobody reads this"));
  const stored = await lock(await keyOf(PHRASE), text, false);
  assert.ok(isLocked(stored) && !isLocked(text));
  assert.doesNotMatch(stored, /nobody|alone/);
  const opened = await unlock(stored, ` ${PHRASE} `);
  assert.equal(opened.text, text);
  assert.equal((await unlock(stored, opened.key)).text, text);
});

test("no two locked cards are alike, nor two keys of one passphrase", async () => {
  const key = await keyOf(PHRASE);
  const [one, two] = [JSON.parse(await lock(key, "x", false)), JSON.parse(await lock(key, "x", false))];
  assert.equal(one.salt, two.salt);
  assert.notEqual(one.iv, two.iv);
  assert.notEqual((await keyOf(PHRASE)).salt, key.salt);
  assert.equal(atob(one.salt).length, 16);
  assert.equal(atob(one.iv).length, 12);
});

test("a wrong passphrase and damage look alike", async () => {
  const key = await keyOf(PHRASE);
  const stored = await lock(key, "x".repeat(99), true);
  const box = JSON.parse(stored);
  const flipped = `${box.data.startsWith("A") ? "B" : "A"}${box.data.slice(1)}`;
  const damaged = [
    { ...box, data: flipped },
    { ...box, iv: box.salt },
    { ...box, salt: 7 },
    { ...box, v: 2 },
    {},
    null,
  ];
  assert.equal(await unlock(stored, "river stone lamb"), null);
  for (const each of damaged) assert.equal(await unlock(JSON.stringify(each), key), null);
  assert.equal(await unlock(stored.slice(0, -20), PHRASE), null);
});

test("the key is made in 600,000 rounds of SHA-256, as decision 0240 says", async () => {
  const { key, salt } = await keyOf(PHRASE, btoa("0123456789abcdef"));
  const { pbkdf2Sync, createCipheriv } = await import("node:crypto");
  const bytes = pbkdf2Sync(PHRASE, atob(salt), 600_000, 32, "sha256");
  const box = JSON.parse(await lock({ key, salt }, "the same", false));
  const cipher = createCipheriv("aes-256-gcm", bytes, Buffer.from(box.iv, "base64")).setAAD(
    Buffer.from("chat.v1.card"),
  );
  const plain = Buffer.concat([cipher.update("the same"), cipher.final(), cipher.getAuthTag()]);
  assert.equal(plain.toString("base64"), box.data);
});

/** Leave, with this card in the storage. @returns what is in it afterwards */
function leftWith(card) {
  const [local, session] = [new MemoryStorage(), new MemoryStorage()];
  local.setItem("chat.v1.card", card);
  local.setItem("chat.v1.draft.a.sleep", "{}");
  const document = {
    documentElement: { classList: { add() {} } },
    body: { replaceChildren() {} },
    querySelector: () => null,
  };
  leave({ document, local, session, location: { replace() {} }, page: { dispatchEvent() {} } }, { tellOthers: true });
  return [...local.map];
}

test("leaving removes the card, but for a locked one that shall stay", async () => {
  const key = await keyOf(PHRASE);
  const stays = await lock(key, "x", true);
  assert.deepEqual(leftWith(stays), [["chat.v1.card", stays]]);
  assert.deepEqual(leftWith(await lock(key, "x", false)), []);
  assert.deepEqual(leftWith(write(written('{"keep":1,'))), []);
});

test("the words are kind: no cold words, no exclamation marks", () => {
  const said = JSON.stringify([parts, words, keeping], (_, each) => (typeof each === "function" ? each(2, 3) : each));
  assert.doesNotMatch(said, /\b(error|invalid|user|submit|oops|failed)\b|!/i);
});
