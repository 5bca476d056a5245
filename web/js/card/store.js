/**
 * The card that this browser keeps: read, changed, locked, and brought together with what another tab made of it.
 * Nothing here talks to anybody: it knows the vault and no network (docs/decisions/0240).
 */

/** @import {Card} from "./model.js" */
/** @import {Key} from "./lock.js" */
/** @import {Vault} from "../rooms/vault.js" */

import { isLocked, keyOf, lock, unlock } from "./lock.js";
import { fits, fresh, merged, read, write } from "./model.js";

export class CardStore {
  /** Locked, or damaged: which of them nobody can tell. */
  isClosed = false;
  /** Why the last change is in this page only. @type {"" | "full" | "refused"} */
  trouble = "";
  /** Another tab removed the card. */
  isGone = false;
  /** It stays after "Leave now". */
  keeps = false;
  /** @type {Key | null} */
  key = null;
  /** What stands in the storage, as far as this tab knows. @type {string | null} */
  stored = null;
  /** @type {Set<() => void>} */
  listeners = new Set();
  /** Sealing, one after the other. @type {Promise<void>} */
  turn = Promise.resolve();

  /** @param {Vault} vault @param {() => Card} [first]  a card on which nothing was written */
  constructor(vault, first = fresh) {
    this.vault = vault;
    this.first = first;
    this.card = this.base = first();
    this.#take(vault.card);
  }

  /** Something that is not kept anywhere but in this page. */
  get isHolding() {
    return this.card !== this.base && !this.vault.isWiped;
  }

  get isLocked() {
    return this.stored !== null && isLocked(this.stored);
  }

  /** @param {Card} card  as it is now */
  change(card) {
    this.card = card;
    this.isGone = false;
    return this.#keep();
  }

  /** Another tab changed what is stored. @param {string | null} stored */
  heard(stored) {
    return this.#inTurn(async () => {
      if (this.vault.isWiped || stored === this.stored) return;
      await this.#bring(stored);
      if (this.isHolding) await this.#keepInTurn();
    });
  }

  /** @param {string} phrase @returns {Promise<boolean>} whether it opened it */
  async unlock(phrase) {
    let isOpen = false;
    await this.#inTurn(async () => {
      if (this.stored === null) return;
      const found = await unlock(this.stored, phrase);
      const theirs = found === null ? null : read(found.text);
      if (found === null || theirs === null) return;
      isOpen = true;
      this.key = found.key;
      this.#open(theirs, found.keeps);
      if (this.isHolding) await this.#keepInTurn();
    });
    return isOpen;
  }

  /** From now on only a passphrase opens it. @param {string} phrase @param {boolean} keeps */
  async lock(phrase, keeps) {
    this.key = await keyOf(phrase);
    this.keeps = keeps;
    return this.#keep();
  }

  /** @param {boolean} keeps */
  keepWhenLeaving(keeps) {
    this.keeps = keeps && this.isLocked;
    return this.#keep();
  }

  /** No passphrase any more. */
  takeLockOff() {
    this.key = null;
    this.keeps = false;
    return this.#keep();
  }

  /** Forget the passphrase, and the card with it until it is said again. */
  close() {
    return this.#inTurn(async () => {
      if (this.isLocked && !this.isHolding) this.#shut();
    });
  }

  /** The card is gone from this browser. */
  remove() {
    this.vault.keepCard(null);
    this.forget();
  }

  /** This browser keeps nothing any more: neither does this page. */
  forget() {
    this.card = this.base = this.first();
    this.stored = this.key = null;
    this.isClosed = this.keeps = false;
    this.trouble = "";
    this.#tell();
  }

  #tell() {
    for (const listener of this.listeners) listener();
  }

  /** @param {() => Promise<void>} act */
  #inTurn(act) {
    this.turn = this.turn.then(act).then(() => this.#tell());
    return this.turn;
  }

  /** What was stored when the page came. @param {string | null} stored */
  #take(stored) {
    this.stored = stored;
    const card = stored === null ? this.card : isLocked(stored) ? null : read(stored);
    this.isClosed = card === null;
    if (card !== null) this.card = this.base = card;
  }

  /** What another tab stored, together with what is changed here. @param {string | null} stored */
  async #bring(stored) {
    const wasLocked = this.isLocked;
    this.stored = stored;
    if (stored === null) {
      this.forget();
      this.isGone = true;
      return;
    }
    const found = isLocked(stored) && this.key !== null ? await unlock(stored, this.key) : null;
    const theirs = read(found?.text ?? stored);
    if (theirs === null) return this.#shut();
    // The lock was taken off there; one that is being put on here stays.
    if (found === null && wasLocked) this.key = null;
    this.#open(theirs, found?.keeps ?? (this.keeps && this.key !== null));
  }

  /** @param {Card} theirs @param {boolean} keeps */
  #open(theirs, keeps) {
    this.card = this.isHolding ? merged(this.base, this.card, theirs) : theirs;
    this.base = theirs;
    if (write(this.card) === write(theirs)) this.card = theirs;
    this.keeps = keeps;
    this.isClosed = false;
  }

  /** What was changed and not kept stays in the page, until the card is opened again. */
  #shut() {
    this.isClosed = true;
    this.key = null;
    if (!this.isHolding) this.card = this.base = this.first();
  }

  /** Keep it as it is. Without a passphrase that is done when this returns. */
  #keep() {
    if (this.key === null && !this.isClosed && this.vault.card === this.stored) {
      this.#put(this.card, write(this.card));
      this.#tell();
      return Promise.resolve();
    }
    return this.#inTurn(() => this.#keepInTurn());
  }

  async #keepInTurn() {
    while (!this.vault.isWiped) {
      const { stored } = this;
      if (this.vault.card !== stored) await this.#bring(this.vault.card);
      if (this.isClosed || this.isGone) return;
      const { card, key, keeps } = this;
      const text = key === null ? write(card) : await lock(key, write(card), keeps);
      // Another tab was quicker, or more was written meanwhile.
      if (this.vault.card !== this.stored) continue;
      this.#put(card, text);
      if (this.card === card) return;
    }
  }

  /** @param {Card} card @param {string} text */
  #put(card, text) {
    if (!fits(card)) this.trouble = "full";
    else if (!this.vault.keepCard(text)) this.trouble = "refused";
    else {
      this.trouble = "";
      this.stored = text;
      this.base = card;
    }
  }
}
