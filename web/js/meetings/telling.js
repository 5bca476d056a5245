/** A meeting in words: what goes on, whose turn it is, where one is in the order, and what is news. Pure: now is an argument. */

/** @import {MeetingView, Voice} from "wire" */

import { lengthOf } from "../lib/text.js";
import { clock } from "../lib/time.js";
import { leftWord, phaseName } from "../locales/en-meeting.js";
import { words as w } from "../locales/en-meeting-room.js";

const ROUNDS = ["checkin", "closing"];
const TURNS = ["share", "hands"];
/** What the holder of a turn is told of its end, and how many milliseconds before it. @type {readonly [number, string][]} */
const MARKS = [
  [120_000, w.twoMinutes],
  [30_000, w.halfMinute],
];

/**
 * What is said above the log.
 * @typedef {object} Strip
 * @property {string} name  of the phase
 * @property {string} part  which part of how many
 * @property {string} said  what goes on
 * @property {string} left  how long it still takes; "" where nobody can tell
 * @property {string} next  who comes next, and where one is in the order
 * @property {string[]} notes  what is not as usual
 * @property {boolean} isMine  it is one's own turn
 */

/**
 * What a newer server says besides: until when everybody may answer the last share, and until when one can answer the offer to
 * talk with one listener.
 * @typedef {MeetingView & {answers_until?: number, offered_until?: number}} NewerView
 */

/** Until when everybody may answer the last share. @param {NewerView} view */
const answersUntil = (view) => view.answers_until;

/** Whether one is offered to talk with one listener, first in line. @param {NewerView} view @param {number} now  by the server's clock */
export const isOffered = ({ may, offered_until: until }, now) =>
  may.includes("answer_aside") && until !== undefined && now < until;

/** The kind of the present phase; "" before the doors open and after the end. @param {MeetingView} view */
export const kindOf = ({ phases, phase = -1, stage }) => (stage === "live" ? (phases[phase]?.kind ?? "") : "");

/** @param {MeetingView} view @param {string} id */
export const nameOf = (view, id) => (view.people ?? []).find((person) => person.id === id)?.name ?? w.somebody;

/** The hosts who are there. @param {MeetingView} view */
const hostsOf = (view) => (view.people ?? []).filter((person) => person.place === "host");

/** @param {MeetingView} view */
export const isMyTurn = (view) => view.turn?.holder === view.me;

/** @param {MeetingView} view @param {number} now  by the server's clock @returns {Strip} */
export function stripOf(view, now) {
  const kind = kindOf(view);
  const isHeld = view.held === true;
  return {
    name: phaseName(isHeld ? "hold" : answersUntil(view) === undefined ? kind : "answers"),
    part: w.part((view.phase ?? 0) + 1, view.phases.length),
    said: isHeld ? w.held : said(view, kind, now),
    left: isHeld ? "" : leftOf(view, kind, now),
    next: isHeld ? "" : nextOf(view, kind),
    notes: notesOf(view, kind),
    isMine: !isHeld && isMyTurn(view),
  };
}

/** @param {MeetingView} view @param {string} kind @param {number} now */
function said(view, kind, now) {
  switch (kind) {
    case "gather":
      return gathering(view, now);
    case "welcome":
      return w.welcome(hostsOf(view)[0]?.name ?? "");
    case "checkin":
      return maySpeakInRound(view) ? w.checkin : w.checkinDone;
    case "closing":
      return maySpeakInRound(view) ? w.closing : w.checkinDone;
    case "prepare":
      return view.place === "seat" ? w.prepare : w.prepareListen;
    case "share":
    case "hands":
      return turnOf(view, kind);
    case "open":
    case "quiet":
    case "linger":
      return w[kind];
    case "answers":
      return w.answers(view.turn === undefined ? "" : nameOf(view, view.turn.holder));
    default:
      return "";
  }
}

/** Before it begins. @param {MeetingView} view @param {number} now */
function gathering(view, now) {
  const hosts = hostsOf(view);
  const here = w.here((view.people ?? []).length);
  const needsHost = view.form !== "quiet";
  const begins =
    now < view.starts_at
      ? w.gather.soon(clock(view.starts_at))
      : needsHost && hosts.length === 0
        ? w.gather.noHost(clock(view.phase_until ?? view.starts_at))
        : needsHost
          ? w.gather.due
          : w.gather.dueAlone;
  return `${begins} ${here.charAt(0).toUpperCase()}${here.slice(1)}.`;
}

/** @param {MeetingView} view @param {string} kind */
function turnOf(view, kind) {
  const { turn } = view;
  if (turn === undefined && answersUntil(view) !== undefined) return w.answers("");
  if (turn === undefined && kind === "share") return w.nobodyYet;
  if (turn === undefined)
    return (view.hands ?? []).length > 0 ? w.nobodyYet : isSeated(view) ? w.handsNone : w.handsListen;
  if (turn.holder === view.me) return turn.over ? w.mineOver : w.mine;
  const name = nameOf(view, turn.holder);
  return turn.over ? w.finishing(name) : w.sharing(name);
}

/** How long it still takes. @param {MeetingView} view @param {string} kind @param {number} now */
function leftOf(view, kind, now) {
  if (TURNS.includes(kind) && view.turn !== undefined)
    return view.turn.over || view.turn.ends_at <= now ? "" : leftWord(view.turn.ends_at - now);
  const answers = answersUntil(view);
  if (answers !== undefined) return answers > now ? leftWord(answers - now) : "";
  if (kind === "gather" || kind === "share" || view.phase_until === undefined || view.phase_until <= now) return "";
  return leftWord(view.phase_until - now);
}

/** Who comes next, and when it is one's own turn. @param {MeetingView} view @param {string} kind */
function nextOf(view, kind) {
  if (kind === "share") return inOrder(view);
  if (kind === "hands") return ofHands(view);
  return "";
}

/** @param {MeetingView} view */
function inOrder(view) {
  const { me, order = [], passed = [], aside = [], turn } = view;
  const names = order.map((id) => nameOf(view, id));
  const mine = order.indexOf(me);
  if (aside.includes(me)) return w.aside;
  if (mine === 0) return w.next;
  if (mine > 0) return w.after(names.slice(0, mine));
  const others = names[0] === undefined ? w.last : w.onlyNext(names[0]);
  if (passed.includes(me)) return w.passed;
  return view.place === "seat" && turn?.holder !== me ? `${w.hadTurn} ${others}` : others;
}

/** @param {MeetingView} view */
function ofHands({ hands = [], me }) {
  const mine = hands.indexOf(me);
  if (hands.length === 0) return "";
  return [w.hands(hands.length), mine === 0 ? w.handNext : mine > 0 ? w.handPlace(mine) : ""].filter(Boolean).join(" ");
}

/** @param {MeetingView} view @param {string} kind @returns {string[]} */
function notesOf(view, kind) {
  const people = view.people ?? [];
  const lost = people.filter(({ lost: isLost, place, id }) => isLost && place !== "host" && id !== view.me);
  const isHostGone = view.host_lost === true && kind !== "gather" && view.form !== "quiet";
  return [
    ...(isHostGone ? [w.hostLost(hostsOf(view)[0]?.name ?? "")] : []),
    ...(lost.length > 0 ? [w.lost(lost.map(({ name }) => name))] : []),
    ...(view.place === "waiting" ? [w.waiting] : []),
    ...(view.place === "listener" && TURNS.includes(kind) ? [w.listening] : []),
  ];
}

/** They take turns. @param {MeetingView} view */
const isSeated = ({ place }) => place === "seat" || place === "host";

/** In a round `pass` is open to those who have neither written nor passed. @param {MeetingView} view */
const maySpeakInRound = ({ may }) => may.includes("pass");

/**
 * Why one cannot send at this moment; "" where one can.
 * @param {MeetingView} view @param {Voice | null} voice  of the room's log, which decides
 * @param {readonly string[]} me  one's own ids in the room @param {boolean} isSending  a post of one's own is on its way
 */
export function closedWord(view, voice, me, isSending) {
  const c = w.closed;
  if (view.stage !== "live") return c.over;
  if (voice === null || voice.who === "all") {
    if (voice?.once !== true || maySpeakInRound(view)) return voice?.once === true && isSending ? c.sending : "";
    return c.said;
  }
  if ((voice.some ?? []).some((id) => me.includes(id))) return "";
  const kind = view.held === true ? "hold" : kindOf(view);
  const name = view.turn === undefined ? "" : nameOf(view, view.turn.holder);
  if (kind === "hold") return c.held;
  if (kind === "welcome" || kind === "quiet") return c[kind];
  if (!isSeated(view)) return c.listen;
  if (kind === "prepare") return c.prepare;
  if (name === "") return kind === "hands" ? c.hands : c.between;
  return isToCome(view) || kind === "hands" ? c.turn(name) : c.had(name);
}

/** Their turn is still to come. @param {MeetingView} view */
const isToCome = ({ order = [], aside = [], me }) => order.includes(me) || aside.includes(me);

/** How a line of a round fits; "" where any post does. @param {Voice | null} voice @param {string} text */
export function lineLeft(voice, text) {
  const length = voice?.length ?? 0;
  return length === 0 || text === "" ? null : length - lengthOf(text);
}

/**
 * What happened between two views, to be told: at once or politely, and whether it is one's own turn.
 * @param {MeetingView | undefined} before @param {MeetingView} view @param {number} now
 * @returns {{said: string, isUrgent: boolean, isTurn: boolean}[]}
 */
export function newsOf(before, view, now) {
  if (before === undefined || !view.here || view.stage !== "live" || before.here !== true) return [];
  const polite = (/** @type {string} */ words) => ({ said: words, isUrgent: false, isTurn: false });
  const strip = stripOf(view, now);
  const holder = view.turn?.holder;
  const isNewTurn = holder !== undefined && (holder !== before.turn?.holder || view.turn?.since !== before.turn?.since);
  if (isNewTurn && holder === view.me) {
    const said_ = w.yourTurn(leftWord((view.turn?.ends_at ?? now) - now));
    return [{ said: said_, isUrgent: true, isTurn: true }];
  }
  const news = [];
  if ((before.held ?? false) !== (view.held ?? false)) news.push(polite(view.held ? w.held : w.goesOn));
  if (kindOf(before) !== kindOf(view) || before.phase !== view.phase)
    news.push(polite([`${strip.name}.`, strip.said, strip.next].filter(Boolean).join(" ")));
  else if (isNewTurn || (answersUntil(view) !== undefined && answersUntil(before) === undefined))
    news.push(polite([strip.said, strip.next].filter(Boolean).join(" ")));
  else if (isNext(view) && !isNext(before)) news.push(polite(w.nextAfter(nameOf(view, holder ?? ""))));
  if (view.turn?.over === true && before.turn?.over !== true && holder === view.me) news.push(polite(w.mineOver));
  if ((before.host_lost ?? false) !== (view.host_lost ?? false) && kindOf(view) !== "gather" && view.form !== "quiet")
    news.push(polite(view.host_lost ? w.hostLost(hostsOf(view)[0]?.name ?? "") : w.hostBack));
  if (before.place === "waiting" && view.place === "seat") news.push(polite(w.hasSeat));
  return news;
}

/** @param {MeetingView} view */
const isNext = ({ order = [], hands = [], me, turn }) => turn !== undefined && (order[0] === me || hands[0] === me);

/**
 * What the holder of a turn is told of its end as time passes; "" for nothing.
 * @param {MeetingView} view @param {number} before @param {number} now
 */
export function markOf(view, before, now) {
  const { turn } = view;
  if (turn === undefined || !isMyTurn(view) || view.held === true || turn.over === true) return "";
  const passed = MARKS.filter(([ms]) => turn.ends_at - ms > before && turn.ends_at - ms <= now);
  // A turn that is hardly longer was told of when it began.
  const due = passed.filter(([ms]) => turn.ends_at - turn.since > ms + 10_000);
  return due.at(-1)?.[1] ?? "";
}

/** Whether everybody writes one line now, and oneself still may. @param {MeetingView} view @param {string} kind */
export const isLineDue = (view, kind) => kindOf(view) === kind && ROUNDS.includes(kind) && maySpeakInRound(view);

/** How it ended, in sentences. @param {MeetingView} view */
export function endWords(view) {
  const e = w.ended;
  const how = view.ending === undefined ? "" : e[view.ending];
  return [how, view.forget_at === undefined ? "" : e.forget(clock(view.forget_at))].filter(Boolean);
}
