import assert from "node:assert/strict";
import { test } from "node:test";

import { words } from "../../web/js/locales/en-decisions.js";
import { DecisionsCard } from "../../web/js/rooms/decisions.js";
import { reduce } from "../../web/js/rooms/state.js";
import { useDom } from "./dom.js";
import { inRoom, NOW, push, settled } from "./kit.js";

useDom();

test("an answer that was begun ends with its decision, also where that was read on another page", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const session = {
    state: inRoom(),
    subscribe() {},
    do(event) {
      session.state = reduce(session.state, event);
    },
  };
  const stage = document.createElement("div");
  stage.before = () => {};
  const card = new DecisionsCard({ session, say: () => {}, sayNow: () => {} }, stage);
  const tell = (fields) => {
    const measure = { id: "m1", kind: "notice", reason: "Be kind.", until: NOW, ...fields };
    session.do(push({ push: "matters", measures: [measure], answers: [] }));
    card.update(session.state.decisions, false);
  };
  tell({});
  card.element
    .all()
    .find(({ tag, textContent }) => tag === "button" && textContent === words.decisions.answer)
    .press();
  assert.deepEqual(session.state.place.busy, ["appeal m1"]);
  tell({ seen: true });
  assert.deepEqual(session.state.place.busy, []);
});

test("the reason of a ban is asked for until it comes", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [];
  t.mock.method(globalThis, "fetch", async (path) => {
    asked.push(path);
    if (asked.length === 1) throw new TypeError("no network");
    return new Response(JSON.stringify({ measures: [{ id: "b1", kind: "ban", reason: "Threats." }], answers: [] }), {
      headers: { "content-type": "application/json" },
    });
  });
  const told = [];
  const session = {
    state: { ...inRoom(), link: { status: "ended", why: "banned" } },
    subscribe() {},
    now: () => NOW,
    do: (event) => told.push(event),
  };
  const stage = document.createElement("div");
  new DecisionsCard({ session, say: () => {}, sayNow: () => {} }, stage);
  await settled();
  assert.deepEqual(told, []);
  t.mock.timers.tick(5_000);
  await settled();
  await settled();
  assert.equal(asked.length, 2);
  assert.deepEqual(
    told.map(({ push: { measures } }) => measures.map(({ reason }) => reason)),
    [["Threats."]],
  );
});
