/**
 * What is asked over HTTP: who one is, and modules that come later. The page never sees a token: the cookie is HttpOnly.
 * Every function rejects with Refused.
 */

/** @import {Person} from "../types.js" */

import { Refused } from "./client.js";
import { json } from "./text.js";
import { patience } from "./time.js";

/** @type {Map<string, number>} how often each module failed to come */
const missed = new Map();

/**
 * A module that is fetched when it is needed. Many browsers keep a failed try, so the next one has another address.
 * Rejects with Refused.
 * @template T @param {() => Promise<T>} first @param {string} path  the same one, from the folder of all modules
 * @returns {Promise<T>}
 */
export async function fetched(first, path) {
  const n = missed.get(path) ?? 0;
  try {
    return await (n === 0 ? first() : import(`../${path}?again=${n}`));
  } catch {
    missed.set(path, n + 1);
    throw new Refused({ code: "unfetched", message: "", temporary: true });
  }
}

/** @returns {Promise<{member: Person, created: boolean}>} the guest of this browser, made if new */
export async function becomeSomebody() {
  if (navigator.cookieEnabled === false) throw new Refused({ code: "cookies", message: "", temporary: false });
  return call("/api/identity", {});
}

/** @param {string} path @param {object | null} body  null: only look @returns {Promise<any>} */
export async function call(path, body) {
  let response;
  let answer = null;
  try {
    response = await fetch(path, {
      method: body === null ? "GET" : "POST",
      credentials: "same-origin",
      ...(body !== null && { headers: { "Content-Type": "application/json" }, body: json(body) }),
      signal: patience(),
    });
    if (response.status !== 204) answer = await response.json();
  } catch {
    throw new Refused({ code: response === undefined ? "lost" : "internal", message: "", temporary: true });
  }
  if (response.ok) return answer;
  throw new Refused(answer?.error ?? { code: "internal", message: "", temporary: response.status >= 500 });
}

/** Whether the server is there, over HTTP. Rejects with Refused. */
export const reach = () => fetched(() => import("./reach.js"), "lib/reach.js").then((found) => found.reach());
