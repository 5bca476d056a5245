import assert from "node:assert/strict";
import { test } from "node:test";

import { words } from "../../web/js/locales/en-decisions.js";
import { DecisionsCard } from "../../web/js/rooms/decisions.js";
import { reduce } from "../../web/js/rooms/state.js";
import { useDom } from "./dom.js";
import { inRoom, NOW, push } from "./kit.js";

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
