import assert from "node:assert/strict";
import { test } from "node:test";

import { ExitKey, leave } from "../../web/js/quick-exit.js";
import { MemoryStorage } from "./kit.js";

/** Press and let go of keys; a capital is Shift with a letter. @returns whether any of it leaves */
function type(...presses) {
  const key = new ExitKey();
  let isLeaving = false;
  for (const [what, at] of presses) {
    if (what === "click") key.reset();
    else if (what.length === 1) {
      key.down("Shift", false, false);
      key.down(what, false, false);
      key.up(what, at);
      isLeaving ||= key.up("Shift", at);
    } else {
      key.down(what, false, false);
      isLeaving ||= key.up(what, at);
    }
  }
  return isLeaving;
}

test("Shift three times within a second and a half leaves", () => {
  assert.equal(type(["Shift", 0], ["Shift", 400], ["Shift", 800]), true);
  assert.equal(type(["Shift", 0], ["Shift", 700], ["Shift", 1500]), true);
});

test("slower presses, or two, do not leave", () => {
  assert.equal(type(["Shift", 0], ["Shift", 800], ["Shift", 1600]), false);
  assert.equal(type(["Shift", 0], ["Shift", 400]), false);
});

test("typing capitals never leaves", () => {
  assert.equal(type(["A", 0], ["B", 100], ["C", 200], ["D", 300]), false);
  assert.equal(type(["Shift", 0], ["A", 100], ["Shift", 200], ["Shift", 300]), false);
});

test("a click or another key in between begins anew", () => {
  assert.equal(type(["Shift", 0], ["Shift", 100], ["click", 150], ["Shift", 200]), false);
  assert.equal(type(["Shift", 0], ["Shift", 100], ["Escape", 150], ["Shift", 200]), false);
});

test("a key that is held down is one press, and one with Control is none", () => {
  const key = new ExitKey();
  key.down("Shift", false, false);
  for (let i = 0; i < 20; i += 1) key.down("Shift", true, false);
  assert.equal(key.up("Shift", 0), false);
  const other = new ExitKey();
  for (let i = 0; i < 4; i += 1) {
    other.down("Shift", false, true);
    assert.equal(other.up("Shift", i), false);
  }
});

/** A page to leave. `steps` is what happened, in order. */
function world() {
  const steps = [];
  const local = new MemoryStorage();
  const session = new MemoryStorage();
  local.setItem("chat.v1.draft.sleep", "{}");
  session.setItem("other", "1");
  return {
    steps,
    local,
    session,
    location: { replace: (to) => steps.push(`to ${to}`) },
    page: { dispatchEvent: (event) => steps.push(event.type) },
    document: {
      title: "Lamplight",
      documentElement: { classList: { add: (name) => steps.push(name) } },
      body: { replaceChildren: () => steps.push("blank") },
      querySelector: () => ({ getAttribute: () => "https://harmless.example/" }),
    },
  };
}

test("leaving blanks first, wipes then, and goes last", () => {
  const w = world();
  leave(w, { tellOthers: true });
  assert.deepEqual(w.steps, ["left", "blank", "chat:leaving", "to https://harmless.example/"]);
  assert.equal(w.document.title, "");
  assert.equal(w.local.length, 0);
  assert.deepEqual([...w.session.map], [["chat.left", "https://harmless.example/"]]);
});

test("a storage that refuses keeps nobody here", () => {
  const w = world();
  const broken = new Proxy(
    {},
    {
      get() {
        throw new DOMException("no", "SecurityError");
      },
    },
  );
  leave({ ...w, local: broken, session: null }, { tellOthers: true });
  assert.equal(w.steps.at(-1), "to https://harmless.example/");
});
