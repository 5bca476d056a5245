import assert from "node:assert/strict";
import { test } from "node:test";

import { debriefCard } from "../../web/js/listening/listener/invitation-cards.js";
import { words } from "../../web/js/locales/en-listener.js";
import { Vault } from "../../web/js/rooms/vault.js";
import { useDom } from "./dom.js";
import { MemoryStorage, settled } from "./kit.js";

useDom();

test("that a note was taken stays on the page while the view is older than the note", async () => {
  const asked = [];
  const session = {
    vault: new Vault(new MemoryStorage(), { tab: "t" }),
    ask: async (...what) => void asked.push(what),
  };
  const card = debriefCard({ session, say: () => {} });
  const form = card.element.querySelector("form");
  card.update({ owes: "one" });
  assert.equal(form.hidden, false);
  for (const listener of form.listeners.get("submit")) listener({ preventDefault() {} });
  await settled();
  card.update({ owes: "one" });
  assert.deepEqual(card.element.texts("done"), [words.debrief.done]);
  assert.equal(form.hidden, true);
  card.update({});
  assert.deepEqual(card.element.texts("done"), [words.debrief.done]);
  card.update({ owes: "two" });
  assert.deepEqual(card.element.texts("done"), []);
  assert.equal(form.hidden, false);
  assert.deepEqual(
    asked.map(([, fields]) => fields.session),
    ["one"],
  );
});
