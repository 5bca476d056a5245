import assert from "node:assert/strict";
import { test } from "node:test";

import { fetched } from "../../web/js/lib/api.js";
import { words } from "../../web/js/locales/en.js";
import { reduce } from "../../web/js/rooms/state.js";
import { PostTools } from "../../web/js/rooms/views/tools.js";
import { useDom } from "./dom.js";
import { BEN, inRoom, NOW, settled } from "./kit.js";

useDom();

/** The tools of posts in the room "sleep", and a button at Ben's. */
function tools() {
  const session = {
    state: inRoom(),
    now: () => NOW,
    epoch: (id) => session.state.rooms[id].epoch,
    do(event) {
      session.state = reduce(session.state, event);
    },
  };
  const made = new PostTools({ session, say: () => {} }, "sleep", {}, {});
  const row = document.createElement("article");
  const from = document.createElement("button");
  row.append(from);
  from.closest = () => row;
  const post = Object.values(session.state.rooms.sleep.posts).find(({ author }) => author === BEN);
  const report = () => row.all().find(({ tag, textContent }) => tag === "button" && textContent === words.post.report);
  return { session, row, toggle: () => made.toggle(post.offset, from), report };
}

const fetchedReport = () => fetched(() => import("../../web/js/rooms/report.js"), "rooms/report.js").then(settled);

test("a person who reports is in the middle of something until the panel is closed", async () => {
  const { session, toggle, report } = tools();
  toggle();
  report().press();
  await fetchedReport();
  assert.deepEqual(session.state.place.busy, ["report"]);
  toggle();
  assert.deepEqual(session.state.place.busy, []);
});

test("a report that comes after its post was left keeps nobody in the middle of something", async () => {
  const { session, toggle, report } = tools();
  toggle();
  report().press();
  toggle();
  await fetchedReport();
  assert.deepEqual(session.state.place.busy, []);
});
