/**
 * Asks the server for what somebody who asks for a listener needs next: how one stands, to be in the session's room on
 * every screen, and the last words of a session that its listener ended. What the network lost is asked for again after
 * the next change. Knows no DOM.
 */

/** @import {Context} from "../../types.js" */

export class SeekerFetching {
  isLooking = false;
  /** The session's room that is being entered. */
  entering = "";
  /** The room whose last words were asked for. */
  asked = "";

  /** @param {Context["session"]} session */
  constructor(session) {
    this.session = session;
    session.subscribe(() => this.#changed());
    this.#changed();
  }

  /** Tell whether the screen of one-to-one is shown. @param {boolean} isLooking */
  look(isLooking) {
    this.isLooking = isLooking;
    this.asked = "";
    if (!isLooking) return;
    // How many wait and listen is told to nobody unasked who has not asked for a listener.
    this.session.stand().catch(() => {});
    this.#changed();
  }

  #changed() {
    const { standing, rooms, link } = this.session.state;
    if (link.status !== "open" || standing?.session === undefined) return;
    const { room, ending } = standing.session;
    if (standing.state === "session" && rooms[room] === undefined) void this.#enter(room);
    const isDue = this.isLooking && standing.state === "ended" && ending === "other";
    if (isDue && rooms[room]?.thin !== false) void this.#fetchLastWords(room);
  }

  /** @param {string} room */
  async #enter(room) {
    if (this.entering === room) return;
    this.entering = room;
    await this.session.enter(room).catch(() => {});
    this.entering = "";
  }

  /** @param {string} room */
  async #fetchLastWords(room) {
    if (this.asked === room) return;
    this.asked = room;
    try {
      await this.session.enter(room);
      await this.session.stream(room).fill();
    } catch (no) {
      // What was refused would be refused again.
      if (/** @type {import("../../lib/client.js").Refused} */ (no).code === "lost" && this.asked === room)
        this.asked = "";
    }
  }
}
