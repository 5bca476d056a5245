/** What a person does, and what follows: joins the client, the state and the vault. Knows no DOM. */

/** @import {ClientOptions, EpochPost, Happening, HelloOk, Push, Reaction, Standing, State, Trouble} from "../types.js" */
/** @import {Client} from "../lib/client.js" */
/** @import {Vault} from "./vault.js" */

import { becomeSomebody } from "../lib/api.js";
import { Refused } from "../lib/client.js";
import { roomOf } from "../lib/facts.js";
import { wellFormed } from "../lib/text.js";
import { Outgoing, isStuck } from "./outgoing.js";
import { RoomStream } from "./room-stream.js";
import { initialState, isTalk, reduce } from "./state.js";

const TYPING_EVERY_MS = 3_000;
const RETURN_PAUSE_MS = 10_000;

export class Session {
  /**
   * @param {object} world
   * @param {Vault} world.vault
   * @param {(options: Pick<ClientOptions, "prepare" | "onOpen" | "onPush" | "onTrouble">) => Client}
   *   world.connect  makes a Client
   * @param {() => number} world.now
   */
  constructor({ vault, connect, now }) {
    this.vault = vault;
    this.now = now;
    this.state = initialState();
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    /** @type {Map<string, RoomStream>} */
    this.streams = new Map();
    /** @type {Map<string, number>} */
    this.typedAt = new Map();
    /** The room that is to be entered for the seat in another one. @type {{room: string, insteadOf: string} | null} */
    this.swap = null;
    /** Parts of the page that were fetched and hear what is pushed. @type {Set<(push: Push) => void>} */
    this.hears = new Set();
    this.isKnown = false;
    /** Somebody was made just now, and has not said hello yet. */
    this.isNew = false;
    this.wasLost = false;
    this.watches = true;
    this.client = connect({
      prepare: () => this.#prepare(),
      onOpen: (ok) => void this.#opened(ok),
      onPush: (push) => this.#pushed(push),
      onTrouble: (trouble) => this.#trouble(trouble),
    });
    this.outgoing = new Outgoing(this);
    this.subscribe(() => this.#follow());
  }

  /** @param {() => void} listener called after every change */
  subscribe(listener) {
    this.listeners.add(listener);
  }

  async start() {
    await this.vault.live();
    this.client.start();
  }

  /** @param {Happening} event */
  do(event) {
    const before = this.state;
    this.state = reduce(before, event);
    if (this.state === before) return;
    for (const listener of this.listeners) listener();
  }

  /** What the state lacks is asked for, and what was read is told. What failed is tried again after the next change. */
  #follow() {
    const { open, inSight } = this.state;
    const shown = open === null ? undefined : this.streams.get(open);
    shown?.fill().catch(() => {});
    for (const [room, offset] of Object.entries(inSight)) this.streams.get(room)?.markRead(offset);
  }

  // Rooms

  /**
   * Enter a room. Rejects with Refused.
   * @param {string} room @param {number | null} [agreement]  the version that the person has just accepted
   * @param {boolean} [exact]  this very room
   */
  async enter(room, agreement = null, exact = false) {
    const swap = this.swap?.room === room ? this.swap : null;
    await this.stream(room).join({ agreement, exact, insteadOf: swap?.insteadOf });
    if (this.swap === swap) this.swap = null;
  }

  /** One room as it is followed here. @param {string} room */
  stream(room) {
    const held = this.streams.get(room) ?? new RoomStream(room, this);
    this.streams.set(room, held);
    return held;
  }

  /** @param {string | null} room  the room on the screen */
  show(room) {
    this.do({ type: "opened", room });
    void this.outgoing.crisis.showDue();
  }

  /** The lobby is on the screen, or not. @param {boolean} on */
  watch(on) {
    this.watches = on;
    void this.#lobby().catch(() => {});
  }

  /** @param {string} room @param {boolean} [isMoved]  their place is elsewhere: what other tabs keep for it comes along there */
  async leaveRoom(room, isMoved = false) {
    await this.client.patient("leave", { room });
    this.#forgetRoom(room, !isMoved);
  }

  /** @param {string} room @param {boolean} [everywhere]  what other tabs keep of it, too */
  #forgetRoom(room, everywhere = true) {
    this.vault.forgetRoom(room, everywhere);
    this.dropRoom(room);
  }

  /** One is in the room no longer, and nothing that was written there is to be sent. @param {string} room */
  dropRoom(room) {
    for (const p of this.state.pending) if (p.room === room) this.outgoing.drop(p.id);
    this.streams.get(room)?.close();
    this.streams.delete(room);
    this.do({ type: "left", room });
  }

  /** Fetch a page of older posts. @param {string} id @returns {Promise<number>} how many came */
  older(id) {
    return this.stream(id).older();
  }

  // One-to-one

  /** After every hello. */
  stand() {
    return this.ask("standing");
  }

  /** @param {string} cmd @param {object} [fields] */
  async ask(cmd, fields) {
    const ok = await this.client.patient(cmd, fields);
    if (ok.ok === "standing") this.#pushed({ ...ok, push: "standing" });
    return ok;
  }

  /** A conversation that is forgotten is forgotten here too. @param {Standing} standing */
  #tidy({ state, session }) {
    if (state === "waiting" || state === "lapsed") return;
    for (const room of this.vault.rooms()) if (isTalk(room) && room !== session?.room) this.#forgetRoom(room);
  }

  // Posts

  /** What a room's offsets are of. @param {string} room */
  epoch(room) {
    return this.state.rooms[room]?.epoch;
  }

  /** @param {string} room @param {EpochPost} post @param {{text: string, warning: string | null, anyway?: boolean}} draft */
  async edit(room, { offset, epoch }, { warning, ...draft }) {
    const fields = warning === null ? draft : { ...draft, warning };
    this.outgoing.crisis.offer(
      await this.client.fact("edit", { room, offset, epoch, ...fields }, { gate: room }),
      room,
    );
  }

  /** @param {string} room @param {number} offset @param {string} [epoch] */
  async redact(room, offset, epoch) {
    await this.client.fact("redact", { room, offset, epoch }, { gate: room });
  }

  /** @param {string} room @param {number} offset @param {Reaction} reaction @param {boolean} on @param {string} [epoch] */
  async react(room, offset, reaction, on, epoch = this.epoch(room)) {
    this.do({ type: "mine", room, offset, reaction, on });
    try {
      await this.client.fact("react", { room, offset, epoch, reaction, on }, { gate: room });
    } catch (no) {
      this.do({ type: "mine", room, offset, reaction, on: !on });
      throw no;
    }
  }

  /** @param {string} room */
  typing(room) {
    const now = this.now();
    if (now - (this.typedAt.get(room) ?? 0) < TYPING_EVERY_MS) return;
    this.typedAt.set(room, now);
    this.client.command("typing", { room }).catch(() => {});
  }

  // People

  /** What it changes is pushed before it is done. @param {string} member @param {boolean} on */
  async mute(member, on) {
    await this.client.patient("mute", { member, on });
  }

  /** After an end: come in as somebody new. */
  beginAnew() {
    this.vault.isWiped = false;
    this.isKnown = false;
    this.startOver();
    this.client.start();
  }

  // The page

  /** @param {boolean} away  the page is hidden */
  away(away) {
    this.do({ type: "away", away });
    if (!away) this.client.nudge();
  }

  /** Another tab emptied what this browser keeps: nobody is known here any more, so nobody is shown either. */
  forgotten() {
    this.vault.letGo();
    this.startOver();
  }

  /** Another tab changed what this browser keeps. @param {string | null} key @param {string | null} value */
  async shared(key, value) {
    if (this.state.me !== null && this.vault.isForAnother(key, value, this.state.me.id)) {
      this.vault.memory.clear();
      this.isKnown = false;
      this.startOver();
      this.client.start();
      return;
    }
    const ids = this.state.pending.filter((p) => p.offset === null).map((p) => p.id);
    for (const id of this.vault.vanished(ids)) this.outgoing.drop(id);
  }

  /** Something is on its way and not safe anywhere but here. */
  get isHolding() {
    return !this.vault.isDurable && this.state.pending.some((p) => p.status !== "sent");
  }

  async #prepare() {
    if (this.isKnown) return;
    const { member, created } = await becomeSomebody();
    this.isKnown = true;
    this.isNew = created;
    this.vault.belongTo(member.id);
    this.do({ type: "me", member });
  }

  /** @param {HelloOk} ok */
  async #opened(ok) {
    this.isNew = false;
    this.vault.belongTo(ok.member.id);
    const { decisions } = this.state;
    this.do({ type: "hello", ok, now: this.now() });
    this.do({ type: "link", link: { status: "open", why: "", retryAt: null, back: false } });
    void this.outgoing.crisis.showDue();
    for (const post of await this.vault.adopt()) {
      this.do({
        type: "written",
        post: { ...post, text: wellFormed(post.text), status: isStuck(post) ? post.status : "waiting" },
      });
    }
    try {
      await Promise.all([this.stand().catch(() => {}), this.#lobby()]);
      // What moderators have to say is told before that is answered; where nothing was, nothing holds any more.
      if (decisions !== null && this.state.decisions === decisions)
        this.#pushed({ push: "matters", measures: [], answers: [] });
      let isWhole = true;
      for (const room of this.#roomsToJoin(ok.limits.rooms_per_connection)) {
        isWhole = (await this.#return(room)) && isWhole;
      }
      if (this.wasLost && isWhole && this.client.isOpen) this.do({ type: "link", link: { back: true } });
      this.wasLost = false;
    } catch {
      // The connection went again; the next one begins here anew.
    }
  }

  /** The rooms to be in again, the one on the screen first. @param {number} limit */
  #roomsToJoin(limit) {
    const { open, rooms, pending, lobby } = this.state;
    const member = (lobby ?? []).filter((card) => card.unread !== undefined && card.agreed).map((card) => card.id);
    const all = [...(open !== null ? [open] : []), ...Object.keys(rooms), ...pending.map((p) => p.room), ...member];
    return [...new Set(all)].slice(0, limit);
  }

  /** @param {string} room @returns {Promise<boolean>} whether nothing is missing there */
  async #return(room) {
    try {
      await this.stream(room).join();
      return this.state.rooms[room]?.gap === false;
    } catch (no) {
      if (!(no instanceof Refused) || !this.client.isOpen) throw no;
      if (no.temporary) this.#returnLater(room);
      else
        for (const p of this.state.pending)
          if (p.room === room && !isStuck(p)) this.outgoing.refuse(p.id, no.code, no.details);
      return true;
    }
  }

  /** What keeps somebody out for a while must not keep their posts waiting for ever. @param {string} room */
  #returnLater(room) {
    const { socket } = this.client;
    setTimeout(() => {
      if (this.client.socket === socket && this.client.isOpen) void this.#return(room).catch(() => {});
    }, RETURN_PAUSE_MS);
  }

  async #lobby() {
    const ok = await this.client.patient("rooms", { watch: this.watches });
    this.do({ type: "lobby", rooms: ok.rooms });
  }

  /** A room was joined: what was on its way there goes on. @param {string} id */
  async joined(id) {
    const room = this.state.rooms[id];
    if (room === undefined) return;
    // A page that cannot be had now is asked for again later; posts need not wait for it.
    if (this.state.open === id || this.state.pending.some((p) => p.room === id))
      await this.stream(id)
        .fill()
        .catch(() => {});
    this.outgoing.review(id);
    this.client.release(id);
    void this.outgoing.flow(id);
  }

  /** @param {Push} push */
  #pushed(push) {
    if (push.push === "care") return this.outgoing.crisis.guess(push.room);
    if (push.push === "left") return this.#leftElsewhere(push.room);
    this.do({ type: "push", push, now: this.now() });
    for (const hear of this.hears) hear(push);
    if (push.push === "read" && this.state.rooms[push.room] === undefined) void this.#lobby().catch(() => {});
    if (push.push === "standing" && this.state.standing === push) this.#tidy(push);
    if (!("channel" in push)) return;
    const id = roomOf(push.channel);
    if (id !== null && this.state.rooms[id] !== undefined) this.stream(id).pushed(push);
  }

  /** Another page of theirs left a room. Of one that was split their place is followed first, with what they write. @param {string} room */
  #leftElsewhere(room) {
    if (this.state.place.moved?.room !== room && this.state.rooms[room] !== undefined) this.#forgetRoom(room);
  }

  /** @param {Trouble} trouble */
  #trouble(trouble) {
    if (trouble.status === "connecting") return;
    this.wasLost = this.wasLost || this.state.link.status === "open";
    if (trouble.status === "stopped") {
      if (trouble.why === "identity" || trouble.why === "out") this.isKnown = false;
      // Whoever is not known a moment after they were made has a browser that keeps no cookies.
      const why = trouble.why === "identity" && this.isNew ? "cookies" : trouble.why;
      this.do({ type: "link", link: { status: "stopped", why, retryAt: null, back: false } });
    } else {
      const status = this.state.me === null ? "starting" : "lost";
      const retryAt = trouble.until;
      this.do({ type: "link", link: { status, why: trouble.why, retryAt, back: false } });
    }
  }

  /** Nobody is known here any more: the page is as it was before anybody came. */
  startOver() {
    this.client.stop();
    const { pending } = this.state;
    this.state = initialState();
    this.outgoing.startOver(pending);
    for (const stream of this.streams.values()) stream.close();
    this.streams.clear();
    for (const listener of this.listeners) listener();
  }
}
