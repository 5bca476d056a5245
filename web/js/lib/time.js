/** Moments in words. Pure: the moment and the zone arrive as arguments. */

/** @param {number} at  ms @param {string} [zone] */
export function clock(at, zone) {
  return new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", timeZone: zone }).format(at);
}

/** @param {number} at  ms @param {string} [zone] @returns {string} a key that is equal on equal days */
export function dayOf(at, zone) {
  return new Intl.DateTimeFormat("en-CA", { dateStyle: "short", timeZone: zone }).format(at);
}

/**
 * @param {number} at  ms @param {number} now  ms @param {{today: string, yesterday: string}} words
 * @param {string} [zone]
 */
export function dayWord(at, now, words, zone) {
  if (dayOf(at, zone) === dayOf(now, zone)) return words.today;
  // The day before, though a day may have 23 hours, or 25.
  if (dayOf(at, zone) === dayOf(Date.parse(dayOf(now, zone)) - 1, "UTC")) return words.yesterday;
  return new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", timeZone: zone }).format(
    at,
  );
}

/** The moment for machines. @param {number} at  ms */
export function iso(at) {
  return new Date(at).toISOString();
}

const PATIENCE_MS = 15_000;

/** A signal that ends what takes too long. `AbortSignal.timeout` is not in every browser. */
export function patience() {
  const end = new AbortController();
  setTimeout(() => end.abort(), PATIENCE_MS);
  return end.signal;
}
