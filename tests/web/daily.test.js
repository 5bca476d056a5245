import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { settled } from "./kit.js";

setFlagsFromString("--expose_gc");
const collect = runInNewContext("gc");

test("what names a day goes with the element that says it, though its words hold on to what stands around it", async () => {
  const { setInterval } = globalThis;
  Object.assign(globalThis, { document: { addEventListener() {} }, setInterval: () => 0 });
  const { daily } = await import("../../web/js/lib/daily.js");

  /** A row that is shown for a while. */
  function row() {
    const node = {};
    const around = { node, said: "" };
    daily(node, () => {
      around.said = "Today";
    });
    assert.equal(around.said, "Today");
    return new WeakRef(node);
  }

  const gone = row();
  Object.assign(globalThis, { setInterval });
  await settled();
  collect();
  assert.equal(gone.deref(), undefined);
});
