/** The sum that a new guest's device does, against the platform's own SHA-256. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { firstBits, solve } from "../../web/js/rooms/proof-of-work.js";

const real = (/** @type {string} */ text) => createHash("sha256").update(text).digest().readUInt32BE(0);

test("the first bits are those of SHA-256, whatever the length", () => {
  for (let length = 0; length < 200; length += 1) {
    const text = "abcdefghij.-_:0123456789".repeat(9).slice(0, length);
    assert.equal(firstBits(text), real(text), `${length}`);
  }
});

test("a proof begins with as many bits of nought as are asked for", async () => {
  for (const bits of [1, 8, 12, 15]) {
    const challenge = `1767225600.${bits}abcdefghijklmnopqrstuv`;
    const proof = await solve({ challenge, bits });
    assert.ok(proof.startsWith(`${challenge}:`));
    assert.match(proof.slice(challenge.length + 1), /^\d+$/);
    assert.equal(real(proof) >>> (32 - bits), 0);
  }
});

test("no number is left out", async () => {
  const challenge = "1767225600.every-number-is-tried-in-its-turn";
  const proof = await solve({ challenge, bits: 10 });
  const found = Number(proof.split(":")[1]);
  for (let n = 0; n < found; n += 1) assert.notEqual(real(`${challenge}:${n}`) >>> 22, 0, `${n}`);
});
