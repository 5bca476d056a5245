/**
 * Groups and meetings as one page follows them: what is asked for, what is pushed, what somebody does. Asks again after each
 * new connection, and is in the room of the meeting that one is in. Knows no DOM.
 */

/** @import {Refused} from "../lib/client.js" */
/** @import {Push} from "../types.js" */
/** @import {Session} from "../rooms/session.js" */
/** @import {MeetingHappening} from "./state.js" */
/** @import {KeptMeetings} from "./kept.js" */

import { initialMeetings, ownDates, reduce } from "./state.js";

/** @typedef {"share" | "listen"} Side */

export class Meetings {
  state = initialMeetings();
  /** @type {Set<() => void>} */
  listeners = new Set();
  /** The meetings to be told of. @type {Set<string>} */
  followed = new Set();
  /** The connection on which they were asked for. @type {WebSocket | null} */
  socket = null;
  isListShown = false;
  /** The room that is being entered, and one that was refused on this connection. */
  entering = "";
  refused = "";
  /** @type {string | undefined} */
  who;

  /** @param {Session} session @param {KeptMeetings} kept */
  constructor(session, kept) {
    this.session = session;
    this.kept = kept;
    this.who = session.state.me?.id;
    session.hears.add((push) => this.#heard(push));
    session.subscribe(() => this.#changed());
  }

  /** Now, by the server's clock. */
  get now() {
    return this.session.now() + this.session.state.skew;
  }

  /** @param {() => void} listener called after every change @returns {() => void} stop */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @param {MeetingHappening} event */
  do(event) {
    const before = this.state;
    this.state = reduce(before, event);
    if (this.state === before) return;
    this.#remember();
    for (const listener of this.listeners) listener();
    this.#enterRoom();
  }

  // What is asked

  /** The list of groups, and one's own meetings in it. Rejects with Refused. */
  async fetchGroups() {
    const { groups } = await this.session.client.patient("groups");
    this.do({ type: "groups", groups });
    const own = ownDates(this.state).map(({ date }) => date.id);
    for (const id of new Set([...own, ...this.kept.all.map((each) => each.id)])) this.follow(id).catch(() => {});
  }

  /** Be told of the meetings that one signed up for on an earlier visit. */
  recall() {
    for (const { id } of this.kept.all) this.followed.add(id);
    this.socket = null;
    this.#changed();
  }

  /** Be told of a meeting from now on. Rejects with Refused. @param {string} meeting */
  async follow(meeting) {
    const isNew = !this.followed.has(meeting);
    this.followed.add(meeting);
    if (isNew || this.state.views[meeting] === undefined) await this.#ask(meeting);
  }

  /** @param {string} meeting */
  async #ask(meeting) {
    try {
      const ok = await this.session.client.patient("meeting", { meeting });
      this.do({ type: "meeting", meeting: ok.meeting });
    } catch (no) {
      if (/** @type {Refused} */ (no).code === "meeting_unknown") this.#gone(meeting);
      throw no;
    }
  }

  // What somebody does. Each rejects with Refused.

  /** @param {string} group @param {readonly string[]} meetings @param {Side} side */
  async signUp(group, meetings, side) {
    const ok = await this.session.client.patient("sign_up", { group, meetings, side });
    this.do({ type: "group", group: ok.group });
    for (const id of meetings) this.follow(id).catch(() => {});
  }

  /** @param {string} meeting */
  async signOff(meeting) {
    await this.session.client.patient("sign_off", { meeting });
    this.followed.delete(meeting);
    this.kept.keep(this.kept.all.filter((each) => each.id !== meeting));
    await this.fetchGroups();
  }

  /** @param {string} meeting @param {number} agreement @param {Side} side */
  async enter(meeting, agreement, side) {
    const ok = await this.session.client.patient("enter", { meeting, agreement, side });
    this.followed.add(meeting);
    this.do({ type: "meeting", meeting: ok.meeting });
    // A room that was left before is joined anew.
    this.refused = "";
    await this.session.enter(ok.meeting.room);
  }

  /** @param {string} meeting */
  async stepOut(meeting) {
    await this.session.client.patient("step_out", { meeting });
    this.do({ type: "stepped out", meeting });
  }

  /** @param {string} meeting @param {string} cmd @param {object} fields */
  async act(meeting, cmd, fields) {
    await this.session.client.patient(cmd, { meeting, ...fields });
  }

  // What happens

  /** @param {Push} push */
  #heard(push) {
    if (push.push === "meeting") this.do({ type: "meeting", meeting: push.meeting });
    if (push.push === "meeting_gone") this.#forgotten(push.id);
  }

  /** What the server has forgotten is forgotten on this device too. @param {string} meeting */
  #forgotten(meeting) {
    const room = this.state.views[meeting]?.room;
    this.#gone(meeting);
    if (room === undefined) return;
    this.session.vault.forgetRoom(room);
    this.session.dropRoom(room);
  }

  /** It is forgotten, or nothing of one's own any more. One that is still to come is told of first. @param {string} meeting */
  #gone(meeting) {
    const { kept, now } = this;
    this.followed.delete(meeting);
    kept.keep(kept.all.filter(({ id, at }) => id !== meeting || at > now));
    this.do({ type: "gone", meeting });
  }

  #changed() {
    const { state, client } = this.session;
    if (this.who !== undefined && state.me?.id !== this.who) this.#startOver();
    this.who = state.me?.id;
    if (state.link.status !== "open" || state.lobby === null || this.socket === client.socket) return;
    this.socket = client.socket;
    this.refused = "";
    for (const id of this.followed) void this.#ask(id).catch(() => {});
    if (this.isListShown) void this.fetchGroups().catch(() => {});
    this.#enterRoom();
  }

  /** Somebody else is here. */
  #startOver() {
    this.followed.clear();
    this.state = initialMeetings();
    for (const listener of this.listeners) listener();
  }

  /** Whoever is in a meeting is in its room, on every screen. */
  #enterRoom() {
    const { session } = this;
    if (session.state.link.status !== "open") return;
    for (const { here, room, stage } of Object.values(this.state.views)) {
      const isMissing = here === true && stage !== "cancelled" && session.state.rooms[room] === undefined;
      if (isMissing && this.entering !== room && this.refused !== room) void this.#enter(room);
    }
  }

  /** @param {string} room */
  async #enter(room) {
    this.entering = room;
    await this.session.enter(room).catch((/** @type {Refused} */ no) => {
      if (!no.temporary) this.refused = room;
    });
    this.entering = "";
  }

  /** What one signed up for, for the next visit. */
  #remember() {
    const { state, kept } = this;
    if (state.groups === null) return;
    const own = ownDates(state).filter(({ date }) => date.place !== "host");
    const held = new Set(own.map(({ date }) => date.id));
    const others = kept.all.filter(({ id }) => !held.has(id));
    kept.keep([...own.map(({ group, date }) => ({ id: date.id, name: group.name, at: date.starts_at })), ...others]);
  }

  /** It was told of, and need not be again. @param {string} meeting */
  putAway(meeting) {
    this.followed.delete(meeting);
    this.kept.keep(this.kept.all.filter(({ id }) => id !== meeting));
    for (const listener of this.listeners) listener();
  }
}
