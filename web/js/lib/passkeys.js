/**
 * Passkeys, as browsers speak of them: options and answers in JSON, with bytes in base64url.
 * Written out here because not every browser that has passkeys has `parseRequestOptionsFromJSON` and `toJSON`.
 */

import { Refused } from "./client.js";

/** Whether this browser has passkeys here: only on a safe connection, and at a name, not at a number. */
export const hasPasskeys = () =>
  window.isSecureContext && "PublicKeyCredential" in window && !/^[\d.:[\]]+$/.test(location.hostname);

/** @param {string} text */
function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}

/** @param {ArrayBuffer} buffer */
function written(buffer) {
  const plain = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {{id: string}[] | undefined} known */
const descriptors = (known) =>
  (known ?? []).map((one) => ({ id: bytes(one.id), type: /** @type {const} */ ("public-key") }));

/**
 * Let the device do its part; who closes its window is told so in our words.
 * @template T @param {() => Promise<T | null>} ask @returns {Promise<T>}
 */
async function asked(ask) {
  let answer;
  try {
    answer = await ask();
  } catch (no) {
    const name = no instanceof DOMException ? no.name : "";
    throw new Refused({
      code: name === "InvalidStateError" ? "passkey_there" : "passkey_none",
      message: "",
      temporary: false,
    });
  }
  if (answer === null) throw new Refused({ code: "passkey_none", message: "", temporary: false });
  return answer;
}

/** Make a passkey. @param {any} options @returns {Promise<import("wire").Attestation>} */
export async function makePasskey(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: descriptors(options.excludeCredentials),
  };
  const made = /** @type {PublicKeyCredential} */ (await asked(() => navigator.credentials.create({ publicKey })));
  const response = /** @type {AuthenticatorAttestationResponse} */ (made.response);
  return {
    id: made.id,
    rawId: written(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: written(response.clientDataJSON),
      attestationObject: written(response.attestationObject),
    },
  };
}

/** Show a passkey. @param {any} options @returns {Promise<import("wire").Assertion>} */
export async function showPasskey(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: descriptors(options.allowCredentials),
  };
  const shown = /** @type {PublicKeyCredential} */ (await asked(() => navigator.credentials.get({ publicKey })));
  const response = /** @type {AuthenticatorAssertionResponse} */ (shown.response);
  return {
    id: shown.id,
    rawId: written(shown.rawId),
    type: shown.type,
    response: {
      clientDataJSON: written(response.clientDataJSON),
      authenticatorData: written(response.authenticatorData),
      signature: written(response.signature),
      ...(response.userHandle && { userHandle: written(response.userHandle) }),
    },
  };
}
