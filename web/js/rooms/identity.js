/**
 * What somebody does with the identity that they have: the name, the come-back code, going. Fetched with one's own
 * corner. Every function rejects with Refused.
 */

/** @import {Session} from "./session.js" */

import { call } from "../lib/api.js";

export const EXPORT_PATH = "/api/identity/export";

/** @param {Session} session @param {string} name @returns {Promise<string>} the name as it is now */
export async function rename(session, name) {
  const ok = await session.client.patient("rename", { name });
  session.do({ type: "me", member: ok.member });
  return ok.member.name;
}

/** @param {Session} session @returns {Promise<string>} the code, shown once */
export async function makeCode(session) {
  const ok = await session.client.patient("code");
  session.do({ type: "code made" });
  return ok.code;
}

/** Become the person behind a come-back code. @param {Session} session @param {string} code @returns {Promise<string>} their name */
export async function restore(session, code) {
  const { member } = await call("/api/identity/restore", { code });
  session.startOver();
  session.isKnown = true;
  session.vault.belongTo(member.id);
  session.client.start();
  return member.name;
}

/** Every other browser is signed out, and the code is no more. The page stays as it is. @param {Session} session */
export async function signOutOthers({ client }) {
  await call("/api/identity/sign-out-others", {});
  client.stop();
  client.start();
}

/** This browser forgets who it is; the identity stays. @param {Session} session */
export async function forgetMe(session) {
  await call("/api/identity/forget", {});
  end(session);
}

/** Everything the server keeps about this person goes. @param {Session} session */
export async function eraseMe(session) {
  await call("/api/identity/erase", {});
  end(session);
}

/** @param {Session} session */
function end(session) {
  session.vault.wipe();
  session.startOver();
}
