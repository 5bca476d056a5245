import assert from "node:assert/strict";
import { test } from "node:test";

import { isLocked } from "../../web/js/card/lock.js";
import { fresh, MOST_BYTES, withPart } from "../../web/js/card/model.js";
import { CardStore } from "../../web/js/card/store.js";
import { Vault } from "../../web/js/rooms/vault.js";
import { MemoryStorage } from "./kit.js";

const PHRASE = "river stone lamp";
const KEY = "chat.v1.card";

/** A tab on a shelf. What it does not hear by itself the test tells it. */
const tab = (shelf, name = "a") => new CardStore(new Vault(shelf, { tab: name }));
const textOf = ({ card }, id = "alone") => card.parts.find((part) => part.id === id)?.text;
const writeIn = (store, text, id = "alone") => store.change(withPart(store.card, id, { text }));
const stored = (shelf) => shelf.getItem(KEY);
const hear = (store, shelf) => store.heard(stored(shelf));

test("every letter is kept before anything else happens, and the next page finds it", () => {
  const shelf = new MemoryStorage();
  const store = tab(shelf);
  assert.equal(stored(shelf), null, "looking at it stores nothing");
  void writeIn(store, "a walk");
  assert.equal(textOf(tab(shelf, "b")), "a walk");
  assert.equal(store.isHolding, false);
});

test("a storage that is full or forbidden is admitted, and nothing is lost while the page is open", async () => {
  for (const shelf of [Object.assign(new MemoryStorage(), { full: true }), null]) {
    const store = tab(shelf);
    await writeIn(store, "a walk");
    assert.deepEqual([store.trouble, store.isHolding, textOf(store)], ["refused", true, "a walk"]);
  }
});

test("a storage that has room again takes what the page held", async () => {
  const shelf = Object.assign(new MemoryStorage(), { full: true });
  const store = tab(shelf);
  await writeIn(store, "a walk");
  shelf.full = false;
  await writeIn(store, "a walk, tea");
  assert.deepEqual([store.trouble, store.isHolding, textOf(tab(shelf, "b"))], ["", false, "a walk, tea"]);
});

test("what is more than fits stays in the page, and what was kept stays kept", async () => {
  const shelf = new MemoryStorage();
  const store = tab(shelf);
  await writeIn(store, "a walk");
  await writeIn(store, "x".repeat(MOST_BYTES));
  assert.deepEqual([store.trouble, store.isHolding, textOf(tab(shelf, "b"))], ["full", true, "a walk"]);
  await writeIn(store, "tea");
  assert.deepEqual([store.trouble, textOf(tab(shelf, "b"))], ["", "tea"]);
});

test("a tab follows the other, and of two changes at once both are kept", async () => {
  const shelf = new MemoryStorage();
  const [a, b] = [tab(shelf, "a"), tab(shelf, "b")];
  await writeIn(a, "a walk");
  await hear(b, shelf);
  assert.equal(textOf(b), "a walk");
  await writeIn(a, "a walk, tea");
  // It has not heard of that yet.
  await writeIn(b, "the cat", "worth");
  assert.deepEqual([textOf(b), textOf(b, "worth")], ["a walk, tea", "the cat"]);
  await hear(a, shelf);
  assert.deepEqual([textOf(a), textOf(a, "worth")], ["a walk, tea", "the cat"]);
});

test("two tabs that both begin a card lose nothing of either", async () => {
  const shelf = new MemoryStorage();
  const [a, b] = [tab(shelf, "a"), tab(shelf, "b")];
  await writeIn(a, "a walk");
  await writeIn(b, "music");
  assert.deepEqual(textOf(b).split("\n").sort(), ["a walk", "music"]);
});

test("a card that another tab removed is gone here, and that is said", async () => {
  const shelf = new MemoryStorage();
  const [a, b] = [tab(shelf, "a"), tab(shelf, "b")];
  await writeIn(a, "a walk");
  await hear(b, shelf);
  a.remove();
  await hear(b, shelf);
  assert.deepEqual([b.isGone, textOf(b), stored(shelf)], [true, "", null]);
  await writeIn(b, "begun anew");
  assert.deepEqual([b.isGone, textOf(tab(shelf, "c"))], [false, "begun anew"]);
});

test("locked, it is opened by its passphrase alone, and is kept locked from then on", async () => {
  const shelf = new MemoryStorage();
  const a = tab(shelf, "a");
  await a.lock(PHRASE, false);
  await writeIn(a, "nobody reads this");
  assert.ok(isLocked(stored(shelf)));
  assert.doesNotMatch(stored(shelf), /nobody/);
  const b = tab(shelf, "b");
  assert.deepEqual([b.isClosed, textOf(b)], [true, ""]);
  assert.equal(await b.unlock("another"), false);
  assert.equal(await b.unlock(PHRASE), true);
  assert.equal(textOf(b), "nobody reads this");
  await writeIn(b, "nor this");
  assert.doesNotMatch(stored(shelf), /nor this/);
  // The other tab has the key, and follows.
  await hear(a, shelf);
  assert.equal(textOf(a), "nor this");
});

test("every letter that is written while it is being locked is kept", async () => {
  const shelf = new MemoryStorage();
  const store = tab(shelf);
  await store.lock(PHRASE, false);
  const all = ["a", "a w", "a wa", "a wal", "a walk"].map((text) => writeIn(store, text));
  await Promise.all(all);
  const next = tab(shelf, "b");
  await next.unlock(PHRASE);
  assert.equal(textOf(next), "a walk");
  assert.equal(store.isHolding, false);
});

test("a tab without the passphrase never puts an open card over a locked one", async () => {
  const shelf = new MemoryStorage();
  const [a, b] = [tab(shelf, "a"), tab(shelf, "b")];
  await writeIn(a, "a walk");
  await hear(b, shelf);
  await a.lock(PHRASE, false);
  // It has not heard of the lock yet.
  await writeIn(b, "the cat", "worth");
  assert.ok(isLocked(stored(shelf)));
  assert.deepEqual([b.isClosed, b.isHolding], [true, true]);
  await b.unlock(PHRASE);
  assert.deepEqual([textOf(b), textOf(b, "worth"), b.isHolding], ["a walk", "the cat", false]);
  await hear(a, shelf);
  assert.equal(textOf(a, "worth"), "the cat");
  assert.doesNotMatch(stored(shelf), /cat/);
});

test("a lock that is put on while another tab writes stays on", async () => {
  const shelf = new MemoryStorage();
  const [a, b] = [tab(shelf, "a"), tab(shelf, "b")];
  await writeIn(a, "a walk");
  await hear(b, shelf);
  const locking = a.lock(PHRASE, true);
  await writeIn(b, "the cat", "worth");
  await locking;
  assert.ok(isLocked(stored(shelf)) && a.keeps);
  const next = tab(shelf, "c");
  await next.unlock(PHRASE);
  assert.equal(textOf(next, "worth"), "the cat");
});

test("it stays after leaving only with a passphrase, and not after that was taken off", async () => {
  const shelf = new MemoryStorage();
  const store = tab(shelf);
  await writeIn(store, "a walk");
  await store.keepWhenLeaving(true);
  assert.equal(store.keeps, false);
  await store.lock(PHRASE, true);
  assert.match(stored(shelf), /^\{"keep":1,/);
  await store.keepWhenLeaving(false);
  assert.match(stored(shelf), /^\{"keep":0,/);
  await store.keepWhenLeaving(true);
  await store.takeLockOff();
  assert.deepEqual([store.keeps, textOf(tab(shelf, "b"))], [false, "a walk"]);
});

test("closed, it keeps nothing of it in the page", async () => {
  const shelf = new MemoryStorage();
  const store = tab(shelf);
  await store.lock(PHRASE, false);
  await writeIn(store, "a walk");
  await store.close();
  assert.deepEqual([store.isClosed, store.key, textOf(store)], [true, null, ""]);
});

test("a card that was damaged is not written over", async () => {
  const shelf = new MemoryStorage();
  for (const damaged of ['{"v":1,"parts"', '{"keep":1,"v":1,"salt":"']) {
    shelf.setItem(KEY, damaged);
    const store = tab(shelf);
    assert.equal(store.isClosed, true);
    assert.equal(await store.unlock(PHRASE), false);
    assert.equal(stored(shelf), damaged);
  }
});

test("after everything was wiped no tab keeps anything, not even what is being locked", async () => {
  const shelf = new MemoryStorage();
  const store = tab(shelf);
  await store.lock(PHRASE, true);
  const late = writeIn(store, "typed a moment too late");
  store.vault.wipe();
  store.forget();
  await late;
  await writeIn(store, "and later");
  assert.equal(shelf.length, 0);
  assert.equal(store.isHolding, false);
});

test("another name in this browser leaves the card where it is", () => {
  const shelf = new MemoryStorage();
  const vault = new Vault(shelf, { tab: "a" });
  vault.belongTo("m_anne");
  void writeIn(new CardStore(vault), "a walk");
  vault.keepDraft("sleep", { text: "private", warning: null, replyTo: null });
  vault.belongTo("m_cleo");
  assert.equal(vault.draft("sleep"), null);
  assert.equal(textOf(tab(shelf, "b")), "a walk");
});

test("where another tab left, a locked card that shall stay is there, and any other is gone", async () => {
  for (const keeps of [true, false]) {
    const shelf = new MemoryStorage();
    const [a, b] = [tab(shelf, "a"), tab(shelf, "b")];
    await a.lock(PHRASE, keeps);
    await hear(b, shelf);
    b.vault.letGo();
    assert.equal(shelf.length, keeps ? 1 : 0);
    assert.equal(b.vault.keepCard("late"), false);
  }
});

test("lines that are filled in beforehand are not stored before something is written", () => {
  const shelf = new MemoryStorage();
  const line = { id: "x-0", text: "Line", phone: "1" };
  const store = new CardStore(new Vault(shelf, { tab: "a" }), () => fresh([line]));
  assert.deepEqual(store.card.parts.find(({ id }) => id === "lines").items, [line]);
  assert.equal(shelf.length, 0);
});
