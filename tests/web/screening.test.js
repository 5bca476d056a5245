/** What operators are told of the screening, in words. */

import { test } from "node:test";
import assert from "node:assert/strict";

import { isMostlyNothing, levelSentences, suggestions } from "../../web/js/operating/screening.js";
import { frames } from "./kit.js";

const ok = frames.replies.screening.ok;

test("what is marked and what that finds are said in numbers of whole posts", () => {
  const [marked, finds] = levelSentences(ok.second, ok);
  assert.equal(marked, "About 14 posts in 1,000 are marked.");
  assert.match(finds, /finds 32 in 100 that need a human, and 40 in 100 of the urgent ones/);
});

test("with too few posts nothing is said of a share, nor of a model that was never measured", () => {
  const [marked, finds] = levelSentences({ score: 0.3 }, { ...ok, posts: 310 });
  assert.match(marked, /it takes 2,000, and 310 were read/);
  assert.match(finds, /is not known for this model/);
});

test("what was mostly closed as nothing stands out, and what was mostly right does not", () => {
  assert.deepEqual(
    [
      [9, 9],
      [8, 10],
      [7, 10],
      [0, 0],
    ].map(([nothing, of]) => isMostlyNothing({ nothing, of })),
    [true, true, false, false],
  );
  const [phrase, ...more] = suggestions(ok);
  assert.match(phrase, /^“little ones” was closed as nothing 9 times of 9\./);
  assert.deepEqual(more, []);
});
