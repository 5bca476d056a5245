/**
 * The small sum that a new guest's device does before it enters a protected room: a number, so that SHA-256 of the
 * challenge, a colon and the number begins with so many bits of nought. In plain script, because a page without TLS has
 * no WebCrypto, and because a thousand short sums are faster without its promises.
 */

const AT_ONCE_MS = 12;
const primes = /** @type {number[]} */ ([]);
for (let n = 2; primes.length < 64; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
const part = (/** @type {number} */ x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
const START = primes.slice(0, 8).map((prime) => part(Math.sqrt(prime)));
const K = Int32Array.from(primes, (prime) => part(Math.cbrt(prime)));
const W = new Int32Array(64);

/** The first 32 bits of SHA-256 (FIPS 180-4) of printable ASCII. @param {string} text @returns {number} */
export function firstBits(text) {
  const blocks = ((text.length + 8) >> 6) + 1;
  const words = new Int32Array(blocks * 16);
  for (let i = 0; i < text.length; i += 1)
    words[i >> 2] = (words[i >> 2] ?? 0) | (text.charCodeAt(i) << (24 - (i & 3) * 8));
  words[text.length >> 2] = (words[text.length >> 2] ?? 0) | (0x80 << (24 - (text.length & 3) * 8));
  words[blocks * 16 - 1] = text.length * 8;
  const state = Int32Array.from(START);
  for (let block = 0; block < blocks; block += 1) digest(state, words.subarray(block * 16, block * 16 + 16));
  return at(state, 0) >>> 0;
}

const at = (/** @type {Int32Array} */ list, /** @type {number} */ i) => /** @type {number} */ (list[i]);
const turn = (/** @type {number} */ x, /** @type {number} */ n) => (x >>> n) | (x << (32 - n));

/** @param {Int32Array} state @param {Int32Array} block */
function digest(state, block) {
  for (let i = 0; i < 64; i += 1) {
    if (i < 16) W[i] = at(block, i);
    else {
      const x = at(W, i - 15);
      const y = at(W, i - 2);
      W[i] =
        (at(W, i - 16) +
          (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) +
          at(W, i - 7) +
          (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10))) |
        0;
    }
  }
  let a = at(state, 0),
    b = at(state, 1),
    c = at(state, 2),
    d = at(state, 3);
  let e = at(state, 4),
    f = at(state, 5),
    g = at(state, 6),
    h = at(state, 7);
  for (let i = 0; i < 64; i += 1) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + at(K, i) + at(W, i)) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => {
    state[i] = (at(state, i) + value) | 0;
  });
}

/** @param {{challenge: string, bits: number}} details @returns {Promise<string>} the proof */
export async function solve({ challenge, bits }) {
  const most = 2 ** (32 - bits);
  for (let number = 0; ;) {
    const until = Date.now() + AT_ONCE_MS;
    for (; Date.now() < until; number += 1) {
      // The clock is asked now and then only.
      for (const end = number + 64; number < end; number += 1) {
        if (firstBits(`${challenge}:${number}`) < most) return `${challenge}:${number}`;
      }
      number -= 1;
    }
    // Whoever waits can still scroll, and leave.
    await new Promise((done) => setTimeout(done));
  }
}
