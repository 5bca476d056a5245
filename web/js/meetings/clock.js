/** The moments of meetings in words, in the reader's own zone. Pure: the moment, now and the zone arrive as arguments. */

import { clock, dayOf } from "../lib/time.js";
import { inWord, words } from "../locales/en-meeting.js";

const DAY_MS = 86_400_000;
const SOON_MS = 36 * 3_600_000;
const WEEK_MS = 6 * DAY_MS;

/** Which day it is: "today", "Tuesday", "Tuesday, 3 March". @param {number} at  ms @param {number} now  ms @param {string} [zone] */
export function dayName(at, now, zone) {
  if (dayOf(at, zone) === dayOf(now, zone)) return words.days.today;
  // The next day, though a day may have 23 hours, or 25.
  if (dayOf(at, zone) === dayOf(Date.parse(dayOf(now, zone)) + DAY_MS, "UTC")) return words.days.tomorrow;
  const isNear = at > now && at - now < WEEK_MS;
  return new Intl.DateTimeFormat(undefined, {
    weekday: "long",
    ...(!isNear && { day: "numeric", month: "long" }),
    timeZone: zone,
  }).format(at);
}

/** When it is: "today at 19:30". @param {number} at @param {number} now @param {string} [zone] */
export const momentWord = (at, now, zone) => words.days.at(dayName(at, now, zone), clock(at, zone));

/** When it is, and how long until then if that is not long: "today at 19:30, in 2 hours". @param {number} at @param {number} now @param {string} [zone] */
export function whenWord(at, now, zone) {
  const moment = momentWord(at, now, zone);
  return at - now < SOON_MS ? `${moment}, ${inWord(at - now)}` : moment;
}

/** What a language is called in the reader's own. @param {string} code */
export function languageWord(code) {
  try {
    return new Intl.DisplayNames(undefined, { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}
