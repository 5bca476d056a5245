/**
 * What groups, their meetings, phases and dates are called. Members and facilitators read the same words. Another language
 * is another file with these names.
 */

import { capital, count, words as common } from "./en.js";

/** How a meeting goes, by its form: in a line, and for somebody who has never been to one. @type {Record<string, {short: string, long: string}>} */
const FORMS = {
  circle: {
    short: "everyone gets an equal turn",
    long: "Everybody who shares gets the same time, one after the other. While one person writes, nobody interrupts.",
  },
  hands: {
    short: "raise your hand to speak",
    long: "Whoever raises a hand gets a turn. People who haven't spoken yet come first.",
  },
  themed: {
    short: "an open talk on a theme",
    long: "After a short round everybody may write, a little slowly, about one theme.",
  },
  quiet: {
    short: "quiet company",
    long: "People do something of their own, side by side. Nobody writes in the quiet time.",
  },
};

/** What a phase is called, and what happens in it. @type {Record<string, {name: string, about: string}>} */
const PHASES = {
  gather: { name: "Arriving", about: "People come in. You can write or just read." },
  welcome: { name: "Welcome", about: "The facilitator says how it goes." },
  checkin: { name: "Check-in", about: "One line from each person, in any order. You may pass." },
  prepare: { name: "Time to think", about: "Quiet minutes to write down what you'd like to say. Nobody sees it yet." },
  share: { name: "Sharing", about: "One person writes at a time. Everybody has the same time." },
  hands: { name: "Raised hands", about: "Raise your hand, and you get a turn." },
  answers: { name: "Kind words", about: "A few kind words for the person who has just shared." },
  open: { name: "Open time", about: "Everybody may write, a little slowly." },
  quiet: { name: "Quiet time", about: "Everybody does something of their own. Nobody writes." },
  closing: { name: "Closing", about: "One thing you take with you, in a line." },
  linger: { name: "Afterwards", about: "The meeting is over. You can stay a little." },
  hold: { name: "Paused", about: "The facilitator has paused the meeting for a moment." },
};

/** How it goes, in a line. @param {string} form */
export const formWord = (form) => FORMS[form]?.short ?? "";
/** The same, in a sentence or two. @param {string} form */
export const formSentence = (form) => FORMS[form]?.long ?? "";
/** Whether one can be there without turns. @param {string} form */
export const hasListeners = (form) => form === "circle";
/** What a phase is called. @param {string} kind */
export const phaseName = (kind) => PHASES[kind]?.name ?? capital(kind.replaceAll("_", " "));
/** What happens in it. @param {string} kind */
export const phaseSentence = (kind) => PHASES[kind]?.about ?? "";

/** A number of minutes, in figures: it stands in lists. @param {number} n */
export const minutesWord = (n) => (n === 1 ? "1 minute" : `${n} minutes`);

/**
 * What is left of a time. It is rounded down, so that nobody is promised more than there is.
 * @param {number} ms
 */
export function leftWord(ms) {
  const s = Math.floor(ms / 1000);
  if (s < 10) return "a few seconds left";
  if (s < 60) return `${Math.floor(s / 10) * 10} seconds left`;
  const minutes = Math.floor(s / 60);
  const half = minutes < 5 && s % 60 >= 30 ? "½" : "";
  return `${minutes}${half} ${minutes === 1 && half === "" ? "minute" : "minutes"} left`;
}

/**
 * How long until something begins, or since when it goes on.
 * @param {number} ms  negative: it has begun
 */
export function inWord(ms) {
  const minutes = Math.ceil(ms / 60_000);
  if (minutes < 0) return `began ${span(-minutes)} ago`;
  if (minutes === 0) return "beginning now";
  return `in ${span(minutes)}`;
}

/** @param {number} minutes */
function span(minutes) {
  if (minutes < 100) return minutesWord(minutes);
  const hours = Math.round(minutes / 60);
  if (hours < 36) return `${hours} hours`;
  const days = Math.round(hours / 24);
  return days < 14 ? `${days} days` : `${Math.round(days / 7)} weeks`;
}

/** Names in a sentence. @param {readonly string[]} names */
export const and = (names) =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

/** @param {number} free @param {number} seats @param {number} waiting */
export function seatsWord(free, seats, waiting) {
  if (free > 0) return free === seats ? `all ${seats} seats are free` : `${free} of ${seats} seats free`;
  return waiting > 0 ? `full, ${count(waiting, "person", "people")} on the waiting list` : "full";
}

export const words = {
  days: {
    today: "today",
    tomorrow: "tomorrow",
    at: (/** @type {string} */ day, /** @type {string} */ time) => `${day} at ${time}`,
  },
  title: "Groups that meet",
  lead: "Small groups with a time to begin and a time to end. A facilitator holds each meeting, and you never have to say anything.",
  back: "All rooms",
  toGroups: "All groups",
  loading: "Looking for groups…",
  none: "No group is planned at the moment. The rooms are open at any hour, and you can ask for a listener.",
  noDates: "No date is planned yet.",
  noMore: "This group has come to its end.",
  now: "The doors are open",
  length: (/** @type {number} */ minutes) => `about ${minutesWord(minutes)}`,
  more: (/** @type {number} */ n) => `${n} more ${n === 1 ? "date" : "dates"}`,
  yours: {
    host: "You lead this meeting.",
    seat: "You have a seat.",
    listener: "You're signed up to listen.",
    waiting: "You're on the waiting list.",
  },
  freed: "You couldn't come twice, so your seat is free for others again. You can sign up again.",
  called: (/** @type {string} */ until) => `A seat is free for you until ${until}.`,
  calledOff: (/** @type {string} */ name, /** @type {string} */ when) => `${name}, ${when}, was called off.`,
  why: (/** @type {string} */ why) => `The facilitator writes: ${why}`,
  seatGone: (/** @type {string} */ name, /** @type {string} */ when) =>
    `${name}, ${when}: your place isn't kept any more. You can sign up again.`,
  fine: "OK",
  goBack: "Go back in",
  group: {
    how: "How it goes",
    agreement: "What everybody agrees to",
    agreementNone: "Be kind. Speak for yourself. What is said here stays here.",
    dates: "Dates",
    zone: "Times are by your own clock.",
    side: "How would you like to be there?",
    share: "Share: I'd like a turn",
    listen: "Listen: I'd rather only read",
    signUp: "Sign up",
    wait: "Join the waiting list",
    all: "Sign up for all of them",
    take: "Take the seat",
    off: "Sign off",
    offFor: (/** @type {string} */ when) => `Sign off from ${when}`,
    goIn: "Go in",
    doors: (/** @type {string} */ time) => `The doors open at ${time}.`,
    kept: "Your place belongs to your name here. To use it on another device, make a come-back code under “Your name and privacy”.",
    signedUp: "You're signed up.",
    waits: "You're on the waiting list. If a seat becomes free, it is held for you here for a while.",
    signedOff: "You signed off. Somebody else can have the place.",
    steppedOut: "You stepped out. You can go back in to listen while the meeting goes on.",
    early: (/** @type {string} */ when) => `The doors aren't open yet. You can go in ${when}.`,
  },
  door: {
    title: (/** @type {string} */ name) => `Before you go into ${name}`,
    lead: "Everybody who comes in agrees to this.",
    changed: "The agreement has changed since you last read it.",
    forgotten: "What is written is removed within an hour of the end, with the list of who was there.",
    accept: "I agree, go in",
    back: "Not now",
  },
  calendar: {
    open: "Save to a calendar",
    lead: "This makes a file for the calendar on your device. Nothing is sent anywhere.",
    title: "What it is called there",
    usual: "Reminder",
    address: "Put the address of this page in it",
    addressNote: "Whoever can see your calendar can read this.",
    save: "Save the file",
    saved: "The file is saved. Open it to put the dates into your calendar.",
    close: "Close",
  },
  refusals: {
    group_unknown: "This group isn't here any more.",
    group_closed: "This group takes nobody new any more.",
    offer_gone: "This offer is over. You can ask for a listener at any time.",
    group_ended: "This group has come to its end.",
    meeting_unknown: "This meeting isn't here any more, or you aren't signed up for it.",
    meeting_full: "Every place in this meeting is taken, also those for listening.",
    not_yet: "It's too early for that.",
    doors_closed: "This meeting is closing, so nobody else can come in.",
    sent_out: "The facilitator asked you to leave this meeting. You can come to the next one.",
    phase_over: "The meeting has moved on, so that isn't possible now.",
    too_many_sign_ups: "You have signed up for as many meetings as one person can. Sign off from one first.",
    not_your_turn: "It wasn't your turn any more.",
    said_once: "Everybody writes one line in this round, and you have written yours.",
    not_in_room: "You aren't in this meeting at the moment. Go back in first.",
    not_allowed: "That isn't possible from your place in this meeting.",
    no_more_time: "This meeting can't get more time.",
  },
  tooMany: (/** @type {number} */ n) => `You can be signed up for ${n} meetings at a time. Sign off from one first.`,
};

Object.assign(common.refusals, words.refusals);
