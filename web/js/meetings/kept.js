/**
 * The meetings that somebody signed up for, as this browser remembers them: so that one that was called off is told of. Kept
 * where everything of theirs is kept, so that "Leave now" and another name remove it.
 */

/** @typedef {{id: string, name: string, at: number}} KeptMeeting  `at`: when it begins, ms */

const KEY = "chat.v1.meetings";
const MOST = 40;

export class KeptMeetings {
  /** @param {Storage | null} storage @param {{isWiped: boolean}} vault  after its end nothing is written any more */
  constructor(storage, vault) {
    this.storage = storage;
    this.vault = vault;
  }

  /** @returns {KeptMeeting[]} */
  get all() {
    try {
      const kept = JSON.parse(this.storage?.getItem(KEY) ?? "[]");
      return Array.isArray(kept) ? kept.filter((each) => typeof each?.id === "string") : [];
    } catch {
      return [];
    }
  }

  /** @param {readonly KeptMeeting[]} meetings */
  keep(meetings) {
    if (this.vault.isWiped || JSON.stringify(this.all) === JSON.stringify(meetings)) return;
    try {
      if (meetings.length === 0) this.storage?.removeItem(KEY);
      else this.storage?.setItem(KEY, JSON.stringify(meetings.slice(0, MOST)));
    } catch {
      // It is not told then that one of them was called off, until somebody looks.
    }
  }
}
