/**
 * The identity endpoints. The page never sees a token: the cookie is HttpOnly.
 * Every function rejects with Refused.
 */

/** @import {Person} from "../types.js" */

import { Refused } from "./client.js";

const PATIENCE_MS = 15_000;

/** @returns {Promise<{member: Person, created: boolean}>} the guest of this browser, made if new */
export function becomeSomebody() {
  return call("/api/identity", {});
}

/** @param {string} code */
export function restore(code) {
  return call("/api/identity/restore", { code });
}

/** Everything the server keeps about this person goes. */
export function erase() {
  return call("/api/identity/erase", {});
}

/** This browser forgets who it is; the identity stays. */
export function forget() {
  return call("/api/identity/forget", {});
}

export const EXPORT_PATH = "/api/identity/export";

/** @param {string} path @param {object | null} body  null: only look @returns {Promise<any>} */
export async function call(path, body) {
  let response;
  let answer = null;
  try {
    response = await fetch(path, {
      method: body === null ? "GET" : "POST",
      credentials: "same-origin",
      ...(body !== null && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.status !== 204) answer = await response.json();
  } catch {
    throw new Refused({ code: response === undefined ? "lost" : "internal", message: "", temporary: true });
  }
  if (response.ok) return answer;
  throw new Refused(answer?.error ?? { code: "internal", message: "", temporary: response.status >= 500 });
}
