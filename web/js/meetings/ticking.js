/** Draws again when a meeting changes, and as minutes pass; asks for the groups again when doors open or a meeting begins. */

/** @import {Meetings} from "./meetings.js" */

import { drawnSoon } from "../shell/page.js";

const REDRAW_MS = 15_000;
const AFTER_MS = 1_000;

export class Ticking {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  redrawing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  waiting;
  /** The moment that is waited for. */
  due = 0;
  stop_ = () => {};

  /** @param {Meetings} meetings @param {() => void} draw */
  constructor(meetings, draw) {
    this.meetings = meetings;
    this.draw = draw;
  }

  start() {
    this.stop_ = this.meetings.subscribe(
      drawnSoon(() => {
        this.draw();
        this.#await();
      }),
    );
    this.redrawing = setInterval(this.draw, REDRAW_MS);
    this.#await();
  }

  stop() {
    this.stop_();
    clearInterval(this.redrawing);
    clearTimeout(this.waiting);
  }

  /** What is known of a meeting is old once its doors have opened, and once it has begun. */
  #await() {
    const { meetings } = this;
    const { now, state } = meetings;
    const moments = (state.groups ?? []).flatMap(({ dates }) =>
      dates.flatMap((date) => [date.doors_at, date.starts_at]),
    );
    const due = Math.min(...moments.filter((at) => at > now));
    if (due === this.due || due === Infinity) return;
    this.due = due;
    clearTimeout(this.waiting);
    // Longer than a timer can wait nobody looks at this list.
    this.waiting = setTimeout(
      () => void meetings.fetchGroups().catch(() => {}),
      Math.min(due - now + AFTER_MS, 2 ** 31 - 1),
    );
  }
}
