/**
 * What this browser keeps so that nothing is lost: posts on their way, drafts, positions. In localStorage, because
 * wiping it is immediate (docs/decisions/0040); where there is none, in memory, and `isDurable` says so.
 *
 * Each post names the tab that sends it, and each draft the one it is written in. A tab holds a lock while it lives; when
 * the lock is free, another tab may adopt what the first left behind.
 *
 * @typedef {Pick<LockManager, "request">} Locks
 */

/** @import {Draft, Pending, Position} from "../types.js" */

import { staysWhenLeaving } from "../quick-exit.js";

const PREFIX = "chat.v1.";
const OUT = `${PREFIX}out.`;
const DRAFT = `${PREFIX}draft.`;
const PLACE = `${PREFIX}place.`;
const OWNER = `${PREFIX}who`;
const CARD = `${PREFIX}card`;
const LOCK = "chat.tab.";
const ADOPTING = "chat.adopting";

export class Vault {
  /**
   * @param {Storage | null} storage
   * @param {{tab: string, locks?: Locks | null}} how  `tab`: this tab's own random name
   */
  constructor(storage, { tab, locks = null }) {
    this.storage = storage;
    this.tab = tab;
    this.locks = locks;
    /** @type {Map<string, string>} what the browser would not take */
    this.memory = new Map();
    this.isDurable = storage !== null && this.#works();
    this.isWiped = false;
    this.hasAdopted = false;
  }

  /** Hold this tab's lock until the page goes. Without locks two tabs may send one post; the server knows its id. */
  async live() {
    if (this.locks === null) return;
    await new Promise((held) => {
      const request = this.locks?.request(LOCK + this.tab, () => {
        held(null);
        return new Promise(() => {});
      });
      request?.catch(() => {
        this.locks = null;
        held(null);
      });
    });
  }

  /** Whose things these are. Another person's are wiped. @param {string} member */
  belongTo(member) {
    const owner = this.#get(OWNER);
    if (owner !== null && owner !== member) this.clear();
    this.#set(OWNER, member);
  }

  /** @param {Pending} post */
  keep(post) {
    this.#set(OUT + post.id, JSON.stringify({ ...post, tab: this.tab }));
  }

  /** @param {string} id */
  drop(id) {
    this.#remove(OUT + id);
  }

  /** Posts on their way that no living tab is sending; from now on they are this tab's. */
  async adopt() {
    const isFirst = !this.hasAdopted;
    this.hasAdopted = true;
    if (this.locks === null) {
      // Nobody can tell who lives; what is there when the page loads is taken once.
      return isFirst ? this.#takeOver(() => Promise.resolve(true), true) : [];
    }
    return this.locks.request(ADOPTING, () => this.#takeOver((tab) => this.#isGone(tab), isFirst));
  }

  /** Posts that this tab keeps but another has acknowledged or removed. @param {string[]} ids */
  vanished(ids) {
    return this.isDurable ? ids.filter((id) => this.#get(OUT + id) === null) : [];
  }

  /** What is being written in this tab. @param {string} room @param {Draft} draft */
  keepDraft(room, draft) {
    const isEmpty = draft.text === "" && draft.warning === null && draft.replyTo === null && !draft.editing;
    if (isEmpty) this.#remove(this.#draftKey(room));
    else this.#set(this.#draftKey(room), JSON.stringify(draft));
  }

  /** @param {string} room @returns {Draft | null} */
  draft(room) {
    const draft = read(this.#get(this.#draftKey(room)));
    return draft !== null && typeof draft.text === "string" ? draft : null;
  }

  /** Never moves backwards within an epoch. @param {string} room @param {Position} position */
  keepPlace(room, position) {
    const held = this.place(room);
    if (held !== null && held.epoch === position.epoch && held.offset >= position.offset) return;
    this.#set(PLACE + room, JSON.stringify({ epoch: position.epoch, offset: position.offset }));
  }

  /** @param {string} room */
  place(room) {
    const place = read(this.#get(PLACE + room));
    return place !== null && typeof place.epoch === "string" && Number.isInteger(place.offset) ? place : null;
  }

  /**
   * What is kept of a room, posts on their way to it among it: nobody comes back into a room that they left because a
   * tab that is gone wanted to write there. @param {string} room @param {boolean} [everywhere]  also what other tabs keep
   */
  forgetRoom(room, everywhere = true) {
    for (const key of this.#keys()) {
      const isOfIt = key.startsWith(DRAFT)
        ? key.endsWith(`.${room}`)
        : key.startsWith(OUT) && read(this.#get(key))?.room === room;
      if (isOfIt && (everywhere || key === this.#draftKey(room))) this.#remove(key);
    }
    this.#remove(PLACE + room);
  }

  /** @param {string} room @param {string} [tab] */
  #draftKey(room, tab = this.tab) {
    return `${DRAFT}${tab}.${room}`;
  }

  /** The card, as it is stored. It belongs to this browser, whatever its owner is called here (docs/decisions/0240). */
  get card() {
    return this.#get(CARD);
  }

  /** @param {string | null} card @returns {boolean} whether it is done; if not, it is where it was */
  keepCard(card) {
    if (this.isWiped || this.storage === null) return false;
    try {
      if (card === null) this.storage.removeItem(CARD);
      else this.storage.setItem(CARD, card);
      return true;
    } catch {
      return false;
    }
  }

  /** Whether a change made by another tab is one of the card. @param {string | null} key */
  isCard(key) {
    return key === CARD;
  }

  /** Rooms that something is kept of. */
  rooms() {
    return this.#keys().map((key) => key.split(".").at(-1) ?? "");
  }

  /** Forget everything that is a person's. The look stays, and the card. */
  clear() {
    for (const key of this.#keys()) if (key !== CARD) this.#remove(key);
    this.memory.clear();
  }

  /** Whether a change made by another tab says that all here is somebody else's. @param {string | null} key @param {string | null} value @param {string} member */
  isForAnother(key, value, member) {
    return key === OWNER && value !== null && value !== member;
  }

  /** Another tab has forgotten everything: keep nothing any more, nor what was written meanwhile. */
  letGo() {
    this.memory.clear();
    // Unless somebody new is here already.
    const isNobodys = this.#get(OWNER) === null;
    // One by one: where the other tab has left, it puts back the card that stays, and this one may not have heard of it.
    for (const key of isNobodys ? this.#keys("") : [])
      if (key !== CARD || !staysWhenLeaving(this.card)) this.#remove(key);
    this.isWiped = true;
  }

  /** Forget everything, and keep nothing any more. */
  wipe() {
    this.isWiped = true;
    this.memory.clear();
    wipeStorage(this.storage);
  }

  /** @param {(tab: string) => Promise<boolean>} isGone @param {boolean} isFirst  nothing is written here yet */
  async #takeOver(isGone, isFirst) {
    for (const key of isFirst ? this.#keys() : []) {
      const [tab = "", room = ""] = key.startsWith(DRAFT) ? key.slice(DRAFT.length).split(".") : [];
      const draft = this.#get(key);
      // One for each room: what a second tab left is for the next that comes.
      if (room === "" || tab === this.tab || draft === null || this.draft(room) !== null || !(await isGone(tab)))
        continue;
      this.#set(this.#draftKey(room), draft);
      this.#remove(key);
    }
    /** @type {Pending[]} */
    const mine = [];
    for (const key of this.#keys().filter((k) => k.startsWith(OUT))) {
      const post = read(this.#get(key));
      if (post === null || typeof post.text !== "string" || typeof post.room !== "string") continue;
      if (post.tab === this.tab || !(await isGone(post.tab))) continue;
      const { tab: _, ...rest } = post;
      this.keep(rest);
      mine.push(rest);
    }
    return mine.sort((a, b) => a.at - b.at);
  }

  /** @param {string} tab */
  async #isGone(tab) {
    const free = await this.locks?.request(LOCK + tab, { ifAvailable: true }, (lock) => lock !== null);
    return free ?? true;
  }

  #works() {
    try {
      this.storage?.setItem(`${PREFIX}try`, "1");
      this.storage?.removeItem(`${PREFIX}try`);
      return true;
    } catch {
      return false;
    }
  }

  /** @param {string} key */
  #get(key) {
    const held = this.memory.get(key);
    if (held !== undefined) return held;
    try {
      return this.storage?.getItem(key) ?? null;
    } catch {
      return null;
    }
  }

  /** @param {string} key @param {string} value */
  #set(key, value) {
    if (this.isWiped) return;
    try {
      if (this.storage === null) throw new Error("no storage");
      this.storage.setItem(key, value);
      this.memory.delete(key);
      this.isDurable = this.memory.size === 0;
    } catch {
      this.isDurable = false;
      this.memory.set(key, value);
    }
  }

  /** @param {string} key */
  #remove(key) {
    this.memory.delete(key);
    try {
      this.storage?.removeItem(key);
    } catch {
      // A storage that refuses holds nothing of ours that we could reach.
    }
  }

  #keys(prefix = PREFIX) {
    const keys = new Set(this.memory.keys());
    try {
      for (let i = 0; i < (this.storage?.length ?? 0); i += 1) {
        const key = this.storage?.key(i) ?? "";
        if (key.startsWith(prefix)) keys.add(key);
      }
    } catch {
      // As above.
    }
    return [...keys];
  }
}

/** Empty a storage, whatever it holds. @param {Storage | null} storage */
export function wipeStorage(storage) {
  try {
    storage?.clear();
  } catch {
    // A storage that refuses holds nothing of ours that we could reach.
  }
}

/** @param {string | null} text */
function read(text) {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
