/** What the console of a meeting says: what "Next" does, the clock, and how each person stands. Pure: now is an argument. */

/** @import {MeetingPerson, MeetingView} from "wire" */
/** @import {RoomState} from "../../types.js" */

import { clock } from "../../lib/time.js";
import { phaseName } from "../../locales/en-meeting.js";
import { words as w } from "../../locales/en-host.js";
import { kindOf, nameOf } from "../telling.js";

const ROUNDS = ["checkin", "closing"];
const SEATS_FREED_MS = 5 * 60_000;

/**
 * @typedef {object} Next
 * @property {string} what  what it leads to
 * @property {boolean} isOpen  the server would not refuse it
 * @property {string} why  why it would
 *
 * @typedef {object} PersonRow
 * @property {MeetingPerson} person
 * @property {string[]} facts  in words
 * @property {boolean} hasTurn
 * @property {boolean} mayCallOn
 * @property {boolean} mayOffer  a listener, whom they would talk with first
 * @property {boolean} maySendOut
 */

/** @param {MeetingView} view @param {number} now @returns {Next} */
export function nextOf(view, now) {
  const { may, held, phases, phase = -1 } = view;
  const following = phases[phase + 1]?.kind;
  const isOpen = may.includes(held === true ? "pause" : "step");
  return {
    what: held === true ? w.console.goOn : leadsTo(view, following),
    isOpen,
    why: isOpen ? "" : whyNot(view, following, now),
  };
}

/** @param {MeetingView} view @param {string | undefined} following  the next phase */
function leadsTo(view, following) {
  const kind = kindOf(view);
  const [first] = kind === "share" ? (view.order ?? []) : (view.hands ?? []);
  if (kind === "share" && view.turn !== undefined && view.no_crosstalk !== true) return phaseName("answers");
  const isBetween = view.turn !== undefined || view.answers_until !== undefined;
  if (isBetween && first !== undefined) return w.console.turnOf(nameOf(view, first));
  if (view.turn !== undefined && kind === "hands") return w.console.endTurn(nameOf(view, view.turn.holder));
  return following === undefined ? w.console.end : phaseName(following);
}

/** @param {MeetingView} view @param {string | undefined} following @param {number} now */
function whyNot(view, following, now) {
  if (kindOf(view) === "gather" && now < view.starts_at) return w.console.early(clock(view.starts_at));
  const free = view.starts_at + SEATS_FREED_MS;
  if (following === "share" && now < free) return w.console.awaited(clock(free));
  return view.stage === "live" ? w.console.notNow : "";
}

/** How long the present turn or phase still takes, in ms; null where nobody can tell. @param {MeetingView} view @param {number} now */
export function leftOf(view, now) {
  const { turn, phase_until: until, answers_until: answers, held } = view;
  if (held === true || view.stage !== "live") return null;
  if (turn !== undefined) return turn.over === true ? null : Math.max(0, turn.ends_at - now);
  if (answers !== undefined) return Math.max(0, answers - now);
  if (kindOf(view) === "gather") return now < view.starts_at ? view.starts_at - now : null;
  return until === undefined || kindOf(view) === "share" ? null : Math.max(0, until - now);
}

/** As a clock shows it. @param {number} ms */
export function countdown(ms) {
  const s = Math.floor(ms / 1000);
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

/** When the turn of each of those in the order begins, if nothing else happens. @param {MeetingView} view @param {number} now @returns {Map<string, number>} */
export function turnsAhead({ turn, order = [], allotment = 0 }, now) {
  const begin = Math.max(now, turn?.ends_at ?? now);
  return new Map(order.map((id, n) => [id, begin + n * allotment * 1000]));
}

/**
 * Everybody who is there: who has the turn, those whose turn comes, the others, those who listen, the hosts.
 * @param {MeetingView} view @param {RoomState | undefined} room @param {number} now @returns {PersonRow[]}
 */
export function rowsOf(view, room, now) {
  const ahead = turnsAhead(view, now);
  const written = ROUNDS.includes(kindOf(view)) && room !== undefined ? writtenIn(view, room) : null;
  const place = (/** @type {MeetingPerson} */ { id, place: at }) => {
    if (view.turn?.holder === id) return -1;
    const order = (view.order ?? []).indexOf(id);
    const hands = (view.hands ?? []).indexOf(id);
    if (order >= 0) return order;
    if (hands >= 0) return hands;
    return { seat: 100, host: 300, waiting: 200, listener: 200 }[at];
  };
  return (view.people ?? [])
    .map((person) => ({
      person,
      facts: factsOf(view, person, ahead, written),
      hasTurn: view.turn?.holder === person.id,
      mayCallOn: view.may.includes("call_on") && person.hand === true && view.turn?.holder !== person.id,
      mayOffer: view.may.includes("aside") && person.place !== "host" && !isOffered(person),
      maySendOut: view.may.includes("send_out") && person.place !== "host",
    }))
    .sort((a, b) => place(a.person) - place(b.person));
}

/** They are asked at this moment whether they would like to talk with a listener. @param {MeetingPerson} person */
const isOffered = ({ offered }) => offered === true;

/** What screening found, the newest first, for the eyes of hosts. @param {MeetingView} view @returns {{key: string, said: string}[]} */
export const concernsOf = (view) =>
  [...(view.notes ?? [])].reverse().map(({ member, offset, category, level }) => ({
    key: `${offset} ${category}`,
    said: w.notes.said(nameOf(view, member), w.notes.what[/** @type {"danger"} */ (category)] ?? w.notes.other, level),
  }));

/** The room that hosts have for themselves. @param {MeetingView} view */
export const backstageOf = ({ backstage }) => backstage;

/**
 * @param {MeetingView} view @param {MeetingPerson} person @param {Map<string, number>} ahead @param {Set<string> | null} written
 * @returns {string[]}
 */
function factsOf(view, person, ahead, written) {
  const { id, place, lost, hand } = person;
  const { turn, passed = [], aside = [], hands = [], held } = view;
  const isSharing = kindOf(view) === "share" && place === "seat";
  const at = ahead.get(id);
  const p = w.people;
  return [
    id === view.me ? p.you : "",
    place === "seat" ? "" : p.places[place],
    turn?.holder === id ? (turn.over ? p.finishing : p.hasTurn) : "",
    at !== undefined && held !== true ? p.about(clock(at)) : at !== undefined ? p.toCome : "",
    passed.includes(id) ? p.passed : "",
    aside.includes(id) ? p.aside : "",
    isSharing && turn?.holder !== id && at === undefined && !passed.includes(id) && !aside.includes(id) ? p.had : "",
    hand === true ? p.hand(hands.indexOf(id) + 1) : "",
    written === null || id === view.me ? "" : written.has(id) ? p.wrote : p.notYet,
    isOffered(person) ? p.offered : "",
    lost === true && id !== view.me ? p.lost : "",
  ].filter((fact) => fact !== "");
}

/** Who has written in the present round. @param {MeetingView} view @param {RoomState} room */
export function writtenIn({ phase_since: since = 0 }, room) {
  return new Set(
    Object.values(room.posts)
      .filter((post) => post.at >= since)
      .map((post) => post.author),
  );
}

/**
 * What is told to a facilitator when a meeting has changed; "" for nothing.
 * @param {MeetingView | undefined} before @param {MeetingView} view
 */
export function newsFor(before, view) {
  if (before === undefined || before.id !== view.id) return "";
  const { turn } = view;
  const raised = (view.hands ?? []).filter((id) => !(before.hands ?? []).includes(id) && id !== view.me);
  const lost = (view.people ?? []).filter(
    ({ id, lost: is }) => is === true && (before.people ?? []).some((other) => other.id === id && other.lost !== true),
  );
  const isNewTurn = turn !== undefined && (turn.holder !== before.turn?.holder || turn.since !== before.turn.since);
  return [
    before.stage !== view.stage && view.stage === "ended" ? w.console.ended : "",
    kindOf(before) !== kindOf(view) || before.phase !== view.phase ? `${phaseName(kindOf(view))}.` : "",
    (before.held ?? false) === (view.held ?? false) ? "" : view.held ? w.console.held : w.console.goesOn,
    isNewTurn ? w.news.turn(nameOf(view, turn.holder)) : "",
    turn?.over === true && before.turn?.over !== true && !isNewTurn ? w.news.over(nameOf(view, turn.holder)) : "",
    ...raised.map((id) => w.news.hand(nameOf(view, id))),
    ...lost.map(({ name }) => w.news.lost(name)),
    ...concernsOf(view)
      .slice(0, Math.max(0, (view.notes ?? []).length - (before.notes ?? []).length))
      .map(({ said }) => said),
  ]
    .filter((said) => said !== "" && said !== ".")
    .join(" ");
}
