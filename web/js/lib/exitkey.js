/** Shift, three times. Only bare presses count, so that typing capitals never leaves. Pure: time is an argument. */

const WITHIN_MS = 1_500;
const PRESSES = 3;

export class ExitKey {
  constructor() {
    /** @type {number[]} when the bare presses so far ended */
    this.presses = [];
    this.isBare = false;
  }

  /** @param {string} key @param {boolean} isRepeat @param {boolean} isWithOthers  Ctrl, Alt or Meta is down too */
  down(key, isRepeat, isWithOthers) {
    if (key === "Shift" && !isWithOthers) {
      if (!isRepeat) this.isBare = true;
    } else this.reset();
  }

  /** Something else happened in between: a click, another key. */
  reset() {
    this.isBare = false;
    this.presses = [];
  }

  /** @param {string} key @param {number} now  ms @returns {boolean} whether it is time to leave */
  up(key, now) {
    if (key !== "Shift" || !this.isBare) return false;
    this.isBare = false;
    this.presses = [...this.presses.filter((at) => now - at <= WITHIN_MS), now];
    return this.presses.length >= PRESSES;
  }
}
