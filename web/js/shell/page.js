/** What every page has of its browser: elements, storage, words read aloud, a connection, and what happens around it. */

/** @import {ClientOptions} from "../types.js" */

import { reach } from "../lib/api.js";
import { focusOn, text } from "../lib/dom.js";
import { newId } from "../lib/text.js";

const SAY_AGAIN_MS = 60;
const HIDDEN_DRAW_MS = 250;

/** Whether this page may begin: it was not left with "Leave now", and the browser is not too old (`boot.js`). */
export const mayBegin = () => !/\b(left|old)\b/.test(document.documentElement.className);

/** @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page has no #${id}.`);
  return element;
}

/** The browser's storage; null where it is blocked. @param {"localStorage" | "sessionStorage"} name */
export function storageOrNone(name) {
  try {
    return window[name];
  } catch {
    return null;
  }
}

/** Words for people who listen. The same words twice are said twice. @param {HTMLElement} element */
export function announcer(element) {
  return (/** @type {string} */ what) => {
    text(element, "");
    setTimeout(() => text(element, what), SAY_AGAIN_MS);
  };
}

/** Another screen in place of the one that was there, with the focus on its title. @param {HTMLElement} stage @param {HTMLElement} element */
export function turnTo(stage, element) {
  stage.replaceChildren(element);
  const title = element.querySelector("h1");
  if (title !== null) focusOn(title);
}

/** What a client needs of the browser. @returns {Pick<ClientOptions, "url" | "WebSocket" | "timers" | "random" | "newId" | "reach">} */
export function browserOptions() {
  const address = new URL("/ws", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return {
    url: address.href,
    WebSocket,
    timers: {
      now: () => Date.now(),
      setTimeout: (f, ms) => window.setTimeout(f, ms),
      clearTimeout: (t) => window.clearTimeout(t ?? undefined),
    },
    random: Math.random,
    newId,
    reach,
  };
}

/**
 * Tell a connection what happens around it, until `signal` ends: the network comes and goes, the page is hidden and seen,
 * it comes back from the browser's cache, and "Leave now" empties it.
 * @param {{nudge: () => void, stop: () => void}} client
 * @param {{signal?: AbortSignal, seen?: (isHidden: boolean) => void, leaving?: () => void}} [how]
 */
export function followBrowser(client, { signal, seen, leaving } = {}) {
  const how = signal === undefined ? {} : { signal };
  const nudge = () => client.nudge();
  for (const event of ["online", "offline"]) window.addEventListener(event, nudge, how);
  window.addEventListener("pageshow", (event) => event.persisted && nudge(), how);
  // Without a step in the history, which the way back to all rooms would have to take as well.
  document.querySelector(".skip")?.addEventListener(
    "click",
    (event) => {
      event.preventDefault();
      byId("main").focus();
    },
    how,
  );
  const onSeen = seen ?? ((/** @type {boolean} */ isHidden) => isHidden || nudge());
  document.addEventListener("visibilitychange", () => onSeen(document.hidden), how);
  window.addEventListener(
    "chat:leaving",
    () => {
      leaving?.();
      client.stop();
    },
    how,
  );
}

/**
 * Draw once for all that changed since the last time: with the next frame, or soon where the page is hidden and has none.
 * @param {() => void} draw @param {AbortSignal} [signal]  nothing is drawn after it ended
 * @returns {() => void} something changed
 */
export function drawnSoon(draw, signal) {
  let isDue = false;
  const now = () => {
    isDue = false;
    if (signal?.aborted !== true) draw();
  };
  return () => {
    if (isDue || signal?.aborted === true) return;
    isDue = true;
    if (document.hidden) setTimeout(now, HIDDEN_DRAW_MS);
    else requestAnimationFrame(now);
  };
}
