import assert from "node:assert/strict";
import { test } from "node:test";

import { Vault } from "../../web/js/rooms/vault.js";
import { Locks, pendingPost, settled, MemoryStorage } from "./kit.js";

const tab = (shelf, name, locks = null) => new Vault(shelf, { tab: name, locks });

test("a post is kept until it is dropped, and the next page finds it", async () => {
  const shelf = new MemoryStorage();
  tab(shelf, "a").keep(pendingPost());
  const [found] = await tab(shelf, "b").adopt();
  assert.deepEqual(found, pendingPost());
  tab(shelf, "b").drop("p1");
  assert.deepEqual(await tab(shelf, "c").adopt(), []);
});

test("posts come back in the order of writing", async () => {
  const shelf = new MemoryStorage();
  const first = tab(shelf, "a");
  first.keep(pendingPost({ id: "z", at: 1 }));
  first.keep(pendingPost({ id: "a", at: 2 }));
  assert.deepEqual(
    (await tab(shelf, "b").adopt()).map((p) => p.id),
    ["z", "a"],
  );
});

test("a living tab keeps its posts to itself, and a dead one leaves them to exactly one other", async () => {
  const shelf = new MemoryStorage();
  const locks = new Locks();
  const [a, b, c] = ["a", "b", "c"].map((name) => tab(shelf, name, locks));
  await Promise.all([a.live(), b.live(), c.live()]);
  a.keep(pendingPost());
  assert.deepEqual(await b.adopt(), []);
  locks.die("a");
  const taken = await Promise.all([b.adopt(), c.adopt()]);
  assert.equal(taken.flat().length, 1);
  await settled();
});

test("without locks what is there is taken once, when the page loads", async () => {
  const shelf = new MemoryStorage();
  const b = tab(shelf, "b");
  assert.deepEqual(await b.adopt(), []);
  tab(shelf, "a").keep(pendingPost());
  assert.deepEqual(await b.adopt(), []);
});

test("locks that are refused do not keep the page from starting", async () => {
  const vault = tab(new MemoryStorage(), "a", {
    request: async () => {
      throw new DOMException("no", "SecurityError");
    },
  });
  await vault.live();
  assert.deepEqual(await vault.adopt(), []);
});

test("drafts and positions survive, and an empty draft leaves nothing", async () => {
  const shelf = new MemoryStorage();
  const vault = tab(shelf, "a");
  vault.keepDraft("sleep", { text: "half a sent", warning: "loss", replyTo: 3 });
  vault.keepPlace("sleep", { epoch: "e1", offset: 9 });
  const next = tab(shelf, "b");
  await next.adopt();
  assert.deepEqual(next.draft("sleep"), { text: "half a sent", warning: "loss", replyTo: 3 });
  assert.deepEqual(next.place("sleep"), { epoch: "e1", offset: 9 });
  next.keepDraft("sleep", { text: "", warning: null, replyTo: null });
  assert.equal(next.draft("sleep"), null);
});

const written = (text) => ({ text, warning: null, replyTo: null });

test("each tab has its own draft of a room, and what one sends takes nothing from another", () => {
  const shelf = new MemoryStorage();
  const [a, b] = [tab(shelf, "a"), tab(shelf, "b")];
  a.keepDraft("sleep", written("a long letter"));
  assert.equal(b.draft("sleep"), null);
  b.keepDraft("sleep", written("short"));
  b.keepDraft("sleep", written(""));
  assert.equal(a.draft("sleep")?.text, "a long letter");
});

test("a draft is adopted from a tab that is gone, by a page that has just come, and only once", async () => {
  const shelf = new MemoryStorage();
  const locks = new Locks();
  const [a, b] = [tab(shelf, "a", locks), tab(shelf, "b", locks)];
  for (const vault of [a, b]) await vault.live();
  a.keepDraft("sleep", written("a long letter"));
  await b.adopt();
  assert.equal(b.draft("sleep"), null, "its tab lives");
  locks.die("a");
  await b.adopt();
  assert.equal(b.draft("sleep"), null, "somebody may be writing here");
  const [c, d] = [tab(shelf, "c", locks), tab(shelf, "d", locks)];
  for (const vault of [c, d]) await vault.live();
  await Promise.all([c.adopt(), d.adopt()]);
  assert.deepEqual(
    [c, d].map((vault) => vault.draft("sleep")?.text),
    ["a long letter", undefined],
  );
});

test("of two drafts of one room each comes to a page of its own", async () => {
  const shelf = new MemoryStorage();
  const locks = new Locks();
  tab(shelf, "a", locks).keepDraft("sleep", written("one"));
  tab(shelf, "b", locks).keepDraft("sleep", written("two"));
  const [c, d] = [tab(shelf, "c", locks), tab(shelf, "d", locks)];
  for (const vault of [c, d]) await vault.live();
  await Promise.all([c.adopt(), d.adopt()]);
  assert.deepEqual(new Set([c, d].map((vault) => vault.draft("sleep")?.text)), new Set(["one", "two"]));
});

test("a room that is left is forgotten in every tab", () => {
  const shelf = new MemoryStorage();
  const [a, b] = [tab(shelf, "a"), tab(shelf, "b")];
  for (const vault of [a, b]) vault.keepDraft("s-1", written("private"));
  a.keepDraft("s-1/end", written("good night"));
  a.forgetRoom("s-1");
  assert.deepEqual([a.draft("s-1"), b.draft("s-1"), a.draft("s-1/end")?.text], [null, null, "good night"]);
});

test("a post on its way to a room that is left goes too, and one to another room stays", async () => {
  const shelf = new MemoryStorage();
  const gone = tab(shelf, "gone");
  gone.keep(pendingPost());
  gone.keep(pendingPost({ id: "p2", room: "grief" }));
  tab(shelf, "a").forgetRoom("sleep");
  assert.deepEqual(
    (await tab(shelf, "b").adopt()).map((post) => post.id),
    ["p2"],
  );
});

test("a room from which one was moved is forgotten in this tab alone: another follows with its own draft", () => {
  const shelf = new MemoryStorage();
  const [a, b] = [tab(shelf, "a"), tab(shelf, "b")];
  a.keepDraft("sleep", written("one"));
  b.keepDraft("sleep", written("two"));
  a.forgetRoom("sleep", false);
  assert.deepEqual([a.draft("sleep"), b.draft("sleep")?.text], [null, "two"]);
});

test("a change under way is kept with what it changes", () => {
  const vault = tab(new MemoryStorage(), "a");
  const editing = { room: "sleep", offset: 4, text: "better words", warning: null };
  vault.keepDraft("sleep", { ...written(""), editing });
  assert.deepEqual(vault.draft("sleep")?.editing, editing);
});

test("a position never goes back within its epoch", () => {
  const vault = tab(new MemoryStorage(), "a");
  vault.keepPlace("sleep", { epoch: "e1", offset: 9 });
  vault.keepPlace("sleep", { epoch: "e1", offset: 4 });
  assert.equal(vault.place("sleep").offset, 9);
  vault.keepPlace("sleep", { epoch: "e2", offset: 1 });
  assert.deepEqual(vault.place("sleep"), { epoch: "e2", offset: 1 });
});

test("without storage everything is kept in memory, and that is admitted", () => {
  for (const shelf of [null, Object.assign(new MemoryStorage(), { full: true })]) {
    const vault = tab(shelf, "a");
    assert.equal(vault.isDurable, false);
    vault.keepDraft("sleep", { text: "still here", warning: null, replyTo: null });
    assert.equal(vault.draft("sleep").text, "still here");
  }
});

test("a storage that fills up on the way is admitted too, and nothing is lost", async () => {
  const shelf = new MemoryStorage();
  const vault = tab(shelf, "a");
  assert.equal(vault.isDurable, true);
  shelf.full = true;
  vault.keepDraft("sleep", { text: "still here", warning: null, replyTo: null });
  assert.equal(vault.isDurable, false);
  assert.equal(vault.draft("sleep").text, "still here");
});

test("another person's things are never shown to the next", () => {
  const shelf = new MemoryStorage();
  const vault = tab(shelf, "a");
  vault.belongTo("m_anne");
  vault.keepDraft("sleep", { text: "private", warning: null, replyTo: null });
  vault.belongTo("m_anne");
  assert.equal(vault.draft("sleep").text, "private");
  vault.belongTo("m_cleo");
  assert.equal(vault.draft("sleep"), null);
});

test("a wiped vault leaves nothing and keeps nothing any more", () => {
  const shelf = new MemoryStorage();
  shelf.setItem("chat.look.theme", "dark");
  const vault = tab(shelf, "a");
  vault.keep(pendingPost());
  vault.wipe();
  vault.keepDraft("sleep", { text: "late", warning: null, replyTo: null });
  assert.equal(shelf.length, 0);
});

test("rubbish in the storage is stepped over", async () => {
  const shelf = new MemoryStorage();
  shelf.setItem("chat.v1.out.x", "{");
  shelf.setItem("chat.v1.out.y", "null");
  shelf.setItem("chat.v1.place.sleep", '{"epoch":1}');
  const vault = tab(shelf, "a");
  assert.deepEqual(await vault.adopt(), []);
  assert.equal(vault.place("sleep"), null);
});

test("a vault that another tab has emptied keeps nothing any more, and leaves somebody new alone", () => {
  const shelf = new MemoryStorage();
  const vault = tab(shelf, "a");
  vault.belongTo("m_ann");
  shelf.clear();
  vault.keepDraft("sleep", { text: "typed a moment too late", warning: null, replyTo: null });
  vault.letGo();
  assert.equal(shelf.length, 0);
  tab(shelf, "b").belongTo("m_ben");
  vault.letGo();
  vault.keepDraft("sleep", { text: "late", warning: null, replyTo: null });
  assert.equal(shelf.length, 1);
});
