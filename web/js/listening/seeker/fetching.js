/**
 * Asks the server for what somebody who asks for a listener needs next: how one stands, to be in the session's room on
 * every screen, and the last words of a session that its listener ended. What the network lost is asked for again after
 * the next change. Knows no DOM.
 */

/** @import {Refused} from "../../lib/client.js" */
/** @import {Context} from "../../types.js" */

export class SeekerFetching {
  isLooking = false;
  /** The session's room that is being entered. */
  entering = "";
  /** The session's room that was refused for good on this connection. */
  refused = "";
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
    if (link.status !== "open") this.refused = "";
    if (link.status !== "open" || standing?.session === undefined) return;
    const { room, ending } = standing.session;
    if (standing.state === "session" && rooms[room] === undefined) void this.#enter(room);
    const isDue = this.isLooking && standing.state === "ended" && ending === "other";
    if (isDue && rooms[room]?.thin !== false) void this.#fetchLastWords(room);
  }

  /** @param {string} room */
  async #enter(room) {
    if (this.entering === room || this.refused === room) return;
    this.entering = room;
    await this.session.enter(room).catch((/** @type {Refused} */ no) => {
      if (!no.temporary) this.refused = room;
    });
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
      // What was refused for good would be refused again.
      if (/** @type {Refused} */ (no).temporary && this.asked === room) this.asked = "";
    }
  }
}
