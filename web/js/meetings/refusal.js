/** What a refusal of a meeting means, with the moment or the number that it names. Pure. */

import { words as w } from "../locales/en-meeting.js";
import { refusalWord } from "../locales/en.js";
import { momentWord } from "./clock.js";

/** @param {unknown} no @param {number} now  by the server's clock @param {string} [zone] */
export function meetingRefusal(no, now, zone) {
  const { code = "", details = {} } = /** @type {Partial<import("../lib/client.js").Refused>} */ (no ?? {});
  const at = Number(details["doors_at"] ?? details["at"]);
  if (code === "not_yet" && at > 0) return w.group.early(momentWord(at, now, zone));
  const limit = Number(details["limit"]);
  if (code === "too_many_sign_ups" && limit > 0) return w.tooMany(limit);
  return refusalWord(no);
}
