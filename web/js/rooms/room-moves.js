/**
 * Follows somebody's place to where it is: does what `nextMove` says, after each change of the state. Fetched with the
 * notices, when there is anything to follow.
 */

/** @import {Context, Moved, RoomMove, State} from "../types.js" */
/** @import {Refused} from "../lib/client.js" */

import { fetched } from "../lib/api.js";
import { words as w } from "../locales/en-notices.js";

const ASK_MS = 15_000;
const AGAIN_MS = 2_000;

/** The name of a room that was split, or of one beside it. @param {Moved} from @param {string} id */
export const nameBeside = (from, id) => from.beside.find((place) => place.id === id)?.name ?? id;

export class RoomMoves {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.session = context.session;
    /** When the rooms with a moderator were asked for. */
    this.askedAt = 0;
    this.session.subscribe(() => this.changed());
    this.changed();
  }

  /** The state changed. */
  changed() {
    const { session } = this;
    this.#findAttended();
    const { moved, move } = session.state.place;
    switch (nextMove(session.state)) {
      case "follow":
        if (moved !== null) this.#step({ from: moved, at: moved.room, to: moved.to.id, step: "waiting" });
        break;
      case "drop":
      case "stay":
        session.do({ type: "move", move: null });
        break;
      case "go":
        if (move !== null) void this.#go(move);
        break;
      case "leave":
        if (move !== null) this.#leave(move);
        break;
      case null:
    }
  }

  /** Somebody chose to go elsewhere. @param {Moved} from @param {string} at @param {string} to */
  choose(from, at, to) {
    void this.#go({ from, at, to, step: "going", isAsked: true });
  }

  /** It is fine where they were led. */
  fine() {
    const { move } = this.session.state.place;
    this.session.do({ type: "move", move, led: null });
  }

  /** Take one's seat in a full room again. @param {string} id */
  async sit(id) {
    const { session, context } = this;
    session.do({ type: "no seat", trouble: "" });
    try {
      await session.enter(id);
      session.do({ type: "seated", room: id });
      context.say(w.seatBack);
      this.#write();
    } catch (no) {
      const { code = "", details = {} } = /** @type {Partial<Refused>} */ (no);
      const full =
        code === "seats_used"
          ? await fetched(() => import("./views/full.js"), "rooms/views/full.js").catch(() => null)
          : null;
      if (full === null) session.do({ type: "no seat", trouble: code === "only_reading" ? "no seat" : "failed" });
      else {
        const { rooms, limit } = details;
        context.go({ name: "full", room: id, rooms, limit, view: full.fullView });
      }
    }
  }

  /** @param {RoomMove} move */
  #step(move) {
    this.session.do({ type: "move", move });
    return move;
  }

  /** Go there, with what they were writing. @param {RoomMove} asked */
  async #go(asked) {
    const { session } = this;
    const move = this.#step({ ...asked, step: "going" });
    const { from, at, to } = move;
    const version = from.beside.find((place) => place.id === to)?.agreement_version ?? null;
    try {
      await session.enter(to, version, true);
      await session.ask("settle", { room: from.room, to });
    } catch {
      // What was not asked for by hand is tried again, but not at once.
      const failed = () => session.do({ type: "move failed", move });
      if (move.isAsked === true) failed();
      else setTimeout(failed, AGAIN_MS);
      return;
    }
    // Of several moves only the last one may change anything.
    if (session.state.place.move !== move) return;
    this.#carry(at, to);
    if (session.state.open === at) this.#turn(move);
    if (session.state.place.move === move) this.#step({ ...move, step: "leaving" });
  }

  /** Show the room where their place is instead of the one they were in. @param {RoomMove} move */
  #turn(move) {
    const { session, context } = this;
    const { from, to } = move;
    const led = to === from.room ? null : { from, to };
    const isWriting = document.activeElement?.id === "writing";
    session.do({ type: "move", move, led });
    context.go({ name: "room", room: to });
    if (isWriting) this.#write();
    if (led !== null) context.say(w.moved(nameBeside(from, from.room), nameBeside(from, to)));
  }

  /** What was on its way there has arrived. @param {RoomMove} move */
  #leave(move) {
    const { session } = this;
    // They are where they were led, whatever comes of this. It is tried again unless something else began meanwhile.
    const { followed } = session.state.place;
    const again = () => {
      const { place } = session.state;
      if (place.move === null && place.followed === followed) this.#step(move);
    };
    session.do({ type: "move", move: null });
    session
      .leaveRoom(move.at, true)
      .catch((/** @type {Refused} */ no) => void (no.temporary && setTimeout(again, AGAIN_MS)));
  }

  /** What somebody was writing comes along, and stays in one place. @param {string} at @param {string} to */
  #carry(at, to) {
    const here = this.session.stream(at).draft;
    if (here === null) return;
    const there = this.session.stream(to);
    const texts = [...new Set([there.draft?.text ?? "", here.text])].filter((words) => words !== "");
    there.keepDraft({ ...here, text: texts.join("\n\n"), replyTo: null });
    this.session.stream(at).keepDraft({ text: "", warning: null, replyTo: null });
  }

  /** Of a room where one may only read, the ways out are rooms with a moderator: as they are now, asked for now and then. */
  #findAttended() {
    const { session } = this;
    const { open, rooms, link } = session.state;
    const room = open === null ? undefined : rooms[open]?.room;
    const isWanted = room?.status === "open" && room.attendance === "read_only" && link.status === "open";
    if (!isWanted || session.now() - this.askedAt < ASK_MS) return;
    this.askedAt = session.now();
    session.watch(false);
  }

  #write() {
    document.getElementById("writing")?.focus();
  }
}

/** What is written in a room is on its way. @param {State} state @param {string} room */
const isSending = (state, room) =>
  state.pending.some((post) => post.room === room && (post.status === "waiting" || post.status === "sending"));

/** It is on its way, or was acknowledged and is not here yet. @param {State} state @param {string} room */
const isUnsettled = (state, room) =>
  state.pending.some((post) => post.room === room && post.status !== "refused" && post.status !== "unsure");

/**
 * What is to be done next where somebody's place is elsewhere; null: nothing now. Nobody is taken away from the middle of
 * something, and what is on its way is sent from where it was written.
 * @param {State} state @returns {"follow" | "drop" | "go" | "leave" | "stay" | null}
 */
export function nextMove(state) {
  const { moved, followed, move, busy } = state.place;
  const isOpen = state.link.status === "open";
  if (move === null)
    return isOpen && moved !== null && moved !== followed && state.open === moved.room ? "follow" : null;
  if (move.step === "waiting") {
    if (moved !== move.from) return "drop";
    return busy.length === 0 && !(isOpen && isSending(state, move.at)) ? "go" : null;
  }
  if (move.step === "going" || isUnsettled(state, move.at)) return null;
  const isThere = state.open !== move.at && !state.pending.some((post) => post.room === move.at);
  if (!isThere) return "stay";
  return isOpen ? "leave" : null;
}
