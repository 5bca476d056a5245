/**
 * A part of the browser's storage under a prefix, as a storage of its own: somebody who listens and also sits in the
 * rooms is two people in one browser, and neither may wipe the other's words.
 */

export const PREFIX = "desk.";

/** @implements {Storage} */
export class NamespacedStorage {
  /** @param {Storage} storage */
  constructor(storage) {
    this.storage = storage;
  }

  get length() {
    return this.#keys().length;
  }

  /** @param {number} i */
  key(i) {
    return this.#keys()[i] ?? null;
  }

  /** @param {string} key */
  getItem(key) {
    return this.storage.getItem(PREFIX + key);
  }

  /** @param {string} key @param {string} value */
  setItem(key, value) {
    this.storage.setItem(PREFIX + key, value);
  }

  /** @param {string} key */
  removeItem(key) {
    this.storage.removeItem(PREFIX + key);
  }

  clear() {
    for (const key of this.#keys()) this.removeItem(key);
  }

  #keys() {
    const keys = [];
    for (let i = 0; i < this.storage.length; i += 1) {
      const key = this.storage.key(i) ?? "";
      if (key.startsWith(PREFIX)) keys.push(key.slice(PREFIX.length));
    }
    return keys;
  }
}

/** The key of this namespace that a change in the storage is about; undefined where it is about another. @param {string | null} key */
export function ownKey(key) {
  return key === null ? null : key.startsWith(PREFIX) ? key.slice(PREFIX.length) : undefined;
}
