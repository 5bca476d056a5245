/**
 * What a close code asks for, and how long to wait. Pure: randomness arrives as an argument.
 * The ranges are those of docs/protocol.md.
 */

const BASE_MS = 500;
const CAP_MS = 30_000;
const BUSY_LEAST_MS = 10_000;
const BUSY_CAP_MS = 120_000;
const STAY_AWAY = [1002, 1003, 1007, 1008, 1009, 1010];

/** @param {number} code */
export function advice(code) {
  if (code >= 4200 && code <= 4399) return "back off";
  if ((code >= 4400 && code <= 4599) || STAY_AWAY.includes(code)) return "stay away";
  return "come back now";
}

/**
 * How long to wait before attempt number `attempt` (from 0), in milliseconds, with full jitter: a crowd that lost the
 * same server comes back spread out, and soon after it.
 * @param {"come back now" | "back off"} how @param {number} attempt @param {number} random  in [0, 1)
 * @param {number} [away]  ms without a connection
 */
export function delay(how, attempt, random, away = Infinity) {
  if (how === "come back now")
    return random * Math.min(CAP_MS, BASE_MS * 2 ** attempt, Math.max(2 * BASE_MS, away / 2));
  return BUSY_LEAST_MS + random * Math.min(BUSY_CAP_MS, BUSY_LEAST_MS * 2 ** attempt);
}
