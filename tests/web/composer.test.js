import assert from "node:assert/strict";
import { test } from "node:test";

import { AboutPost } from "../../web/js/rooms/views/about-post.js";
import { Composer } from "../../web/js/rooms/views/composer.js";
import { useDom } from "./dom.js";
import { ANNE, inRoom } from "./kit.js";

useDom();
globalThis.matchMedia = () => ({ matches: false });

/** A composer of a room in which something was left unfinished, and what it keeps. */
function composer(draft) {
  const state = inRoom();
  const kept = [];
  const stream = { draft, keepDraft: (each) => kept.push(each) };
  const session = {
    state,
    vault: { isDurable: true },
    stream: () => stream,
    epoch: () => state.rooms["sleep"].epoch,
    do() {},
    typing() {},
  };
  const write = new Composer({ session, sayNow: () => {} }, "sleep");
  const type = (words) => {
    write.area.value = words;
    for (const hear of write.area.listeners.get("input")) hear({});
  };
  const press = (key, held = {}) => {
    for (const hear of write.area.listeners.get("keydown"))
      hear({ key, ...held, preventDefault() {}, stopPropagation() {} });
  };
  return { state, write, type, press, kept };
}

test("a change that was left unfinished waits until nobody is writing", () => {
  const { state, write, type, kept } = composer(undefined);
  const mine = Object.values(state.rooms["sleep"].posts).find(({ author }) => author === ANNE);
  write.begun = { room: "sleep", offset: mine.offset, epoch: state.rooms["sleep"].epoch, text: "A better word" };
  type("Something new");
  write.aboutPost = new AboutPost(write);
  write.redraw();
  assert.equal(write.area.value, "Something new");
  assert.equal(kept.at(-1).editing.text, "A better word");
  write.reset({ text: "", warning: null, replyTo: null });
  assert.equal(write.area.value, "A better word");
  assert.equal(write.editing.offset, mine.offset);
});

test("Escape ends an answer also before the module of answers has come", () => {
  const { write, press, kept } = composer({ text: "I know", warning: null, replyTo: 2 });
  assert.equal(write.replyTo, 2);
  press("Escape");
  assert.equal(write.replyTo, null);
  assert.equal(kept.at(-1).replyTo, null);
  assert.equal(write.area.value, "I know");
});

test("Enter sends, and Alt+Enter does not", () => {
  const { write, press } = composer(undefined);
  const sent = [];
  write.element.dispatchEvent = (event) => sent.push(event.type);
  press("Enter", { altKey: true });
  assert.deepEqual(sent, []);
  press("Enter");
  assert.deepEqual(sent, ["submit"]);
});

test("posts that come back keep their order, before what is being written", () => {
  const { write, type } = composer(undefined);
  type("Then this");
  write.takeBack({ text: "First", warning: null });
  write.takeBack({ text: "Second", warning: null });
  assert.equal(write.area.value, "First\nSecond\nThen this");
  write.reset({ text: "", warning: null, replyTo: null });
  type("First of all");
  write.takeBack({ text: "Third", warning: null });
  assert.equal(write.area.value, "Third\nFirst of all");
});
