/** What the three staff pages share: who is signed in, the connection, and what is shown to those who are not. */

/** @import {ClientOptions} from "../types.js" */
/** @import {SignedIn} from "../listening/listener/types.js" */
/** @import {Bell} from "./bell.js" */

import { call } from "../lib/api.js";
import { Client, Refused } from "../lib/client.js";
import { browserOptions } from "./page.js";
import { signInView, unreachableView } from "./sign-in.js";

/** Whether nobody is signed in, or no longer. @param {unknown} no */
export const isSignedOut = (no) => no instanceof Refused && no.code.startsWith("identity_");

/** @returns {Promise<SignedIn>} who is signed in; rejects with Refused */
export const whoIsSignedIn = () => call("/api/staff/me", null);

/** Sign out. It is no matter whether the server hears it. */
export const signOut = () => call("/api/staff/sign-out", {}).catch(() => null);

/**
 * Who is signed in here? Open the page for them, or show the sign-in.
 * @param {HTMLElement} stage @param {(account: SignedIn) => void} open
 * @param {{note?: string, said?: {title: string, lead: string}}} [how]  what happened before, and the page's own words
 */
export async function checkSignIn(stage, open, { note = "", said } = {}) {
  try {
    open(await whoIsSignedIn());
  } catch (no) {
    const again = () => void checkSignIn(stage, open, { note, said });
    stage.replaceChildren(isSignedOut(no) ? signInView(open, note, said) : unreachableView(no, again));
  }
}

/** The connection of whoever is signed in: who this is stands in the sign-in's cookie. @param {Pick<ClientOptions, "onOpen" | "onPush" | "onTrouble">} handlers */
export function staffClient(handlers) {
  return new Client({ ...browserOptions(), hello: { staff: true }, prepare: () => Promise.resolve(), ...handlers });
}

/** A browser lets a page sound only after somebody touched it. @param {Bell} bell @param {AbortSignal} signal @param {() => void} [also] */
export function wakeByTouch(bell, signal, also) {
  for (const doing of ["pointerdown", "keydown"])
    document.addEventListener(
      doing,
      () => {
        bell.wake();
        also?.();
      },
      { signal, passive: true },
    );
}
