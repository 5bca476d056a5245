/**
 * Asks the server for what somebody who asks for a listener needs next: how one stands, to be in the session's room on
 * every screen, and the last words of a session that its listener ended. What the network lost is asked for again after
 * the next change. Knows no DOM.
 */

/** @import {Refused} from "../../lib/client.js" */
/** @import {Context, Standing} from "../../types.js" */

import { isCompany } from "../../rooms/state.js";

export class SeekerFetching {
  isLooking = false;
  /** The session's room that is being entered. */
  entering = "";
  /** The session's room that was refused for good on this connection. */
  refused = "";
  /** The room whose last words were asked for. */
  asked = "";

  /** The standing whose company was looked at. @type {Standing | null} */
  looked = null;
  /** What was being written in a company that is over, until there is somewhere to go on with it. */
  carried = "";

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
    if (standing !== null && standing !== this.looked) this.#followCompany(standing);
    // Nothing of it is for whoever is here next, nor for another time.
    if (standing === null || standing.state === "none" || standing.state === "lapsed") this.carried = "";
    if (link.status === "open" && standing?.company !== undefined && rooms[standing.company.room] === undefined)
      void this.#enter(standing.company.room);
    if (link.status !== "open" || standing?.session === undefined) return;
    const { room, ending } = standing.session;
    if (standing.state === "session" && rooms[room] === undefined) void this.#enter(room);
    const isDue = this.isLooking && standing.state === "ended" && ending === "other";
    if (isDue && rooms[room]?.thin !== false) void this.#fetchLastWords(room);
  }

  /** Whoever has left a company takes along what they were writing there: to their listener, or to the next company. @param {Standing} standing */
  #followCompany(standing) {
    this.looked = standing;
    const { session } = this;
    const next = standing.state === "session" ? standing.session?.room : standing.company?.room;
    // While they wait there is nowhere to put it yet: it stays where it is kept, also through a reload.
    const isKept = standing.state === "waiting" && next === undefined;
    const known = [
      ...session.vault.rooms(),
      ...Object.keys(session.state.rooms),
      ...session.state.pending.map((post) => post.room),
    ].filter(isCompany);
    for (const room of new Set(known)) {
      if (room === standing.company?.room) continue;
      const unsent = session.state.pending.filter((post) => post.room === room && post.offset === null);
      const written = [...unsent, session.stream(room).draft].map((each) => each?.text ?? "");
      const words = written.filter((each) => each.trim() !== "").join("\n");
      if (isKept) {
        if (unsent.length > 0) session.stream(room).keepDraft({ text: words, warning: null, replyTo: null });
      } else {
        this.carried = [this.carried, words].filter((each) => each !== "").join("\n");
        // What another tab keeps is taken along there.
        session.vault.forgetRoom(room, false);
      }
      session.dropRoom(room);
    }
    if (this.carried === "" || next === undefined) return;
    const stream = session.stream(next);
    const before = stream.draft?.text ?? "";
    stream.keepDraft({
      text: before === "" ? this.carried : `${this.carried}\n${before}`,
      warning: null,
      replyTo: null,
    });
    this.carried = "";
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
