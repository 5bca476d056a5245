/** A moment within a sentence. Fetched with what says one. */

import { clock, dayOf } from "../lib/time.js";

const DAY_MS = 24 * 3_600_000;

/** In the reader's own day: "today at 1:09 AM". @param {number} at  ms @param {number} [now]  by this device's clock */
export function momentWord(at, now = Date.now()) {
  const today = dayOf(now);
  // Days of the calendar, which are of 24 hours in UTC alone.
  const noon = Date.parse(today) + DAY_MS / 2;
  const days = {
    [dayOf(noon - DAY_MS, "UTC")]: "yesterday",
    [dayOf(noon + DAY_MS, "UTC")]: "tomorrow",
    [today]: "today",
  };
  const day =
    days[dayOf(at)] ??
    new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" }).format(at);
  return `${day} at ${clock(at)}`;
}
