/** What a refusal means to a facilitator. Pure. */

import { words } from "../../locales/en-host.js";
import { meetingRefusal } from "../refusal.js";

/** @param {unknown} no @param {number} now  by the server's clock */
export function hostRefusal(no, now) {
  const { code = "", details = {} } = /** @type {Partial<import("../../lib/client.js").Refused>} */ (no ?? {});
  if (code === "invalid") return invalid(String(details["problem"] ?? ""));
  if (code === "not_yet" && details["at"] === undefined) return meetingRefusal(no, now);
  const own = /** @type {Record<string, string>} */ (words.refusals);
  return own[code] ?? meetingRefusal(no, now);
}

/** Which rule of planning a refusal is about. @param {string} problem */
function invalid(problem) {
  const { dates, hosts, many } = words.plan.refused;
  if (problem.includes("host")) return hosts;
  return problem.includes("ahead") ? many : dates;
}
