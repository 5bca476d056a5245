/**
 * Dates to plan, as a clock in a time zone shows them. The server reckons the same way (`handlers/meetings/dates.py`): a
 * series keeps its time of day, a time that a day does not have moves forward, and of one that it has twice the first is
 * meant. Pure: now and the zone arrive as arguments.
 */

const DAY_MS = 86_400_000;

/** @typedef {{first: string, zone: string, every: 1 | 2, times: number}} Series  `first`: "2026-03-16T19:30", a local time */

/** The time zone of this device. */
export const deviceZone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";

/** @param {string} zone */
export function isZone(zone) {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "" && zone !== "";
  } catch {
    return false;
  }
}

/** All that this browser knows. @returns {readonly string[]} */
export const zones = () => Intl.supportedValuesOf?.("timeZone") ?? [deviceZone()];

/** What a clock in a zone shows at a moment, as if it were UTC. @param {number} at @param {string} zone */
function shownAt(at, zone) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(at);
  const n = (/** @type {string} */ type) => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(n("year"), n("month") - 1, n("day"), n("hour"), n("minute"), n("second"));
}

/** The moment at which a clock in a zone shows this. @param {number} local  as if it were UTC @param {string} zone @returns {number} */
function momentOf(local, zone) {
  const offsets = [local - DAY_MS, local + DAY_MS].map((at) => shownAt(at, zone) - at);
  const found = offsets.map((offset) => local - offset).filter((at) => shownAt(at, zone) === local);
  // What no clock shows moves forward, as if the clock had not been changed yet.
  return found.length > 0 ? Math.min(...found) : local - (offsets[0] ?? 0);
}

/** A local time as a number; NaN where it is none. @param {string} first */
function localOf(first) {
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(first) ? Date.parse(`${first}:00Z`) : NaN;
  // 30 February is no day, though some browsers make another of it.
  return Number.isNaN(at) || !new Date(at).toISOString().startsWith(first) ? NaN : at;
}

/** The moments of a series; none where it says no time. @param {Series} series @returns {number[]} */
export function datesOfSeries({ first, zone, every, times }) {
  const begin = localOf(first);
  if (Number.isNaN(begin) || !isZone(zone) || !Number.isInteger(times) || times < 1) return [];
  return Array.from({ length: times }, (_, n) => momentOf(begin + n * every * 7 * DAY_MS, zone));
}

/** A date in full, by the clock of a zone. @param {number} at @param {string} zone */
export const dateWord = (at, zone) =>
  new Intl.DateTimeFormat(undefined, {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "numeric",
    minute: "2-digit",
    timeZone: zone,
  }).format(at);

/** Whether a clock shows another time of day than was asked for. @param {number} at @param {Series} series */
export const isMoved = (at, { first, zone }) =>
  new Date(shownAt(at, zone)).toISOString().slice(11, 16) !== first.slice(11, 16);

/** The next day, at a usual time. @param {number} now @param {string} zone @returns {string} */
export const proposed = (now, zone) => `${new Date(shownAt(now + DAY_MS, zone)).toISOString().slice(0, 10)}T19:30`;
