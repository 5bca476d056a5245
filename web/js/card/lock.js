/** A passphrase for the card: AES-256-GCM under a key that PBKDF2 makes of it (docs/decisions/0240). Knows no page. */

const ROUNDS = 600_000;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
export const SHORTEST = 8;
/** How a locked card begins. By what follows, 0 or 1, `quick-exit.js` knows whether it stays. */
const LOCKED = '{"keep":';
const WHAT = new TextEncoder().encode("chat.v1.card");

/** @typedef {{key: CryptoKey, salt: string}} Key  the salt in base64 */

/** Whether this browser can lock anything: without TLS it cannot. */
export const canLock = () => globalThis.crypto?.subtle !== undefined;

/** @param {string} stored */
export const isLocked = (stored) => stored.startsWith(LOCKED);

/** @param {string} phrase @param {string} [salt]  that of what was locked; a new one without it @returns {Promise<Key>} */
export async function keyOf(phrase, salt = encode(crypto.getRandomValues(new Uint8Array(SALT_BYTES)))) {
  const secret = new TextEncoder().encode(phrase.normalize("NFKC").trim());
  const whole = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", iterations: ROUNDS, salt: decode(salt) };
  const key = await crypto.subtle.deriveKey(how, whole, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
  return { key, salt };
}

/** @param {Key} key @param {string} text @param {boolean} keeps  it stays after "Leave now" @returns {Promise<string>} */
export async function lock({ key, salt }, text, keeps) {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const how = { name: "AES-GCM", iv, additionalData: WHAT };
  const data = await crypto.subtle.encrypt(how, key, new TextEncoder().encode(text));
  return JSON.stringify({ keep: keeps ? 1 : 0, v: 1, salt, iv: encode(iv), data: encode(new Uint8Array(data)) });
}

/**
 * What was locked, with the key that opened it. A wrong passphrase and a damaged card look alike: null.
 * @param {string} stored @param {string | Key} by  the passphrase, or the key of another time
 * @returns {Promise<{text: string, key: Key, keeps: boolean} | null>}
 */
export async function unlock(stored, by) {
  try {
    const { keep, v, salt, iv, data } = JSON.parse(stored);
    const key = typeof by === "string" ? await keyOf(by, salt) : by;
    if (v !== 1 || salt !== key.salt) return null;
    const how = { name: "AES-GCM", iv: decode(iv), additionalData: WHAT };
    const plain = await crypto.subtle.decrypt(how, key.key, decode(data));
    return { text: new TextDecoder().decode(plain), key, keeps: keep === 1 };
  } catch {
    return null;
  }
}

/** @param {Uint8Array} bytes */
function encode(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** @param {string} text */
const decode = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
