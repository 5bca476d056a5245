/** What is said in a meeting: what goes on, whose turn it is, what one can do. Fetched by those who go in. */

import { capital, count } from "./en.js";
import { and } from "./en-meeting.js";

/** @param {number} n @returns {string} */
const before = (n) => capital(count(n, "person is", "people are"));

/** Those whose turn comes before one's own. @param {readonly string[]} names */
function afterNames(names) {
  if (names.length <= 3) return `You come after ${and(names)}.`;
  return `${before(names.length)} before you. You come after ${names.at(-1)}.`;
}

export const words = {
  /** The strip above the log. */
  label: "How the meeting goes",
  part: (/** @type {number} */ n, /** @type {number} */ of) => `part ${n} of ${of}`,
  here: (/** @type {number} */ n) => (n === 1 ? "just you are here" : `${count(n, "person is", "people are")} here`),
  whoIsHere: (/** @type {number} */ n) => `Who is here: ${n}`,
  you: "you",
  somebody: "somebody",
  nobodyYet: "The next turn begins in a moment.",
  gather: {
    soon: (/** @type {string} */ time) => `We begin at ${time}.`,
    due: "We begin as soon as the facilitator is ready.",
    dueAlone: "We begin in a moment.",
    noHost: (/** @type {string} */ time) => `The facilitator isn't here yet. We wait for them until ${time}.`,
  },
  welcome: (/** @type {string} */ host) => `${host || "The facilitator"} welcomes everybody and says how it goes.`,
  checkin: "One line from each person, in any order. You may pass.",
  checkinDone: "You're done with this round. The others are still writing theirs.",
  prepare:
    "Quiet minutes to think of what you'd like to say. You can write it now; nobody sees it until you send it in your turn.",
  prepareListen: "Quiet minutes. The others think of what they would like to say.",
  mine: "It's your turn.",
  mineOver: "Your time is over. Finish your sentence: there is up to a minute.",
  sharing: (/** @type {string} */ name) => `${name} is sharing.`,
  finishing: (/** @type {string} */ name) => `${name} is finishing.`,
  next: "You're next.",
  after: afterNames,
  onlyNext: (/** @type {string} */ name) => `${name} is next.`,
  last: "Nobody comes after this.",
  passed: "You gave your turn up. You can have it back while others share.",
  aside: "Your turn was set aside when the connection was lost. You have the rest of it next.",
  hadTurn: "You've had your turn.",
  handsNone: "No hand is up. Raise yours if you'd like to say something.",
  handsListen: "No hand is up.",
  hands: (/** @type {number} */ n) => `${capital(count(n, "hand is", "hands are"))} up.`,
  handNext: "Yours is next.",
  handPlace: (/** @type {number} */ n) => `Before yours: ${n}.`,
  open: "Everybody may write, a little slowly.",
  answers: (/** @type {string} */ name) =>
    name === "" ? "A kind word, if you have one." : `A kind word for ${name}, if you have one.`,
  quiet: "Working side by side. Nobody writes now.",
  closing: "One thing you take with you, in a line. You may pass.",
  linger: "The meeting is over. Whoever likes stays a little.",
  held: "The facilitator has paused the meeting for a moment. Nobody loses time.",
  hostLost: (/** @type {string} */ name) =>
    `${name || "The facilitator"} has lost the connection. The meeting goes on as planned.`,
  lost: (/** @type {readonly string[]} */ names) =>
    `${and(names)} ${names.length === 1 ? "has" : "have"} lost the connection. ${names.length === 1 ? "Their place is" : "Their places are"} kept.`,
  hasSeat: "You have a seat now: you can take a turn.",
  late: {
    title: "You're here to listen",
    lead: (/** @type {string} */ name) =>
      `This is ${name}. It began before you came, so you see what is written from now on.`,
    rest: "You don't have to do anything. You can react to what people write, and write yourself when it's open for everybody.",
    fine: "OK, I'll listen",
  },
  waiting: "All seats are taken, so you're listening. If a seat becomes free before the turns begin, you get one.",
  listening: "You're listening. You don't get a turn.",
  places: { host: "facilitator", seat: "", listener: "listening", waiting: "waiting for a seat" },
  isLost: "lost the connection",
  hand: "hand is up",
  holds: "has the turn",
  /** Seen by one person alone. */
  offer: {
    title: "Would you rather talk with one person now?",
    lead: "A listener would write with you, just the two of you. You would be first in line. Nobody else here sees this.",
    until: (/** @type {string} */ time) => `The offer stands until ${time}. You can come back to this meeting.`,
    yes: "Yes, ask for a listener",
    no: "No, thanks",
  },
  log: {
    empty: "Nobody has written yet.",
    begin: "The meeting begins here.",
    late: "You see what is written from here on.",
    posts: (/** @type {string} */ name) => `Posts in ${name}`,
  },
  /** What one can do. */
  acts: {
    group: "What you can do",
    raise: "Raise hand",
    lower: "Take hand down",
    finish: "I'm done",
    pass: "Pass",
    back: "Have my turn back",
    later: "Go last",
    sitBack: "Just listen",
    sitUp: "Take a seat",
    stepOut: "Step out",
    stepOutSure: "Leave this meeting? While it goes on, you can come back to listen.",
    stepOutSeat: "Leave this meeting? You give up your seat. While it goes on, you can come back to listen.",
    stepOutLast: "Leave this meeting? It is closing, so you can't come back in.",
    stepOutDraft: "What you have written and not sent is removed.",
    stepOutYes: "Yes, step out",
    stay: "Stay",
    keys: (/** @type {string} */ key) => `Alt+${key}`,
  },
  did: {
    raise: "Your hand is up.",
    lower: "Your hand is down.",
    finish: "Thank you. Your turn is over.",
    pass: "You passed.",
    back: "You're in the order again, as the last.",
    later: "You're the last in the order now.",
    sitBack: "You're listening now.",
    sitUp: "You have a seat now.",
  },
  /** Why the composer sends nothing now. What stands in it is kept. */
  closed: {
    held: "The meeting is paused. What you write is kept here.",
    welcome: "The facilitator is speaking. What you write is kept here.",
    prepare: "Nobody sees what you write now. It's kept here until your turn.",
    quiet: "It's quiet time. What you write is kept here.",
    turn: (/** @type {string} */ name) => `${name} has the turn. What you write is kept here for yours.`,
    had: (/** @type {string} */ name) => `${name} has the turn. What you write is kept here.`,
    listen: "You're listening. You can write when it's open for everybody.",
    between: "The next turn begins in a moment. What you write is kept here.",
    hands: "Raise your hand to speak. What you write is kept here.",
    said: "Everybody writes one line in this round. What you write now is kept here.",
    sending: "Your line is on its way.",
    over: "The meeting is over.",
  },
  line: (/** @type {number} */ left) =>
    left < 0
      ? `${count(-left, "character", "characters")} too many for one line here.`
      : `One line: room for ${count(left, "more character", "more characters")}.`,
  lineTooLong: "That's too long for one line here. Could you shorten it a little?",
  write: (/** @type {string} */ name) => `Write to ${name}`,
  turnOver: "Your turn had just ended. Your words are kept here; nobody has seen them.",
  roundOver: "You've written your line for this round. These words are kept here; nobody has seen them.",
  /** Said aloud. */
  twoMinutes: "Two minutes left of your turn.",
  halfMinute: "Half a minute left of your turn.",
  yourTurn: (/** @type {string} */ left) => `It's your turn: ${left}.`,
  nextAfter: (/** @type {string} */ name) => `You're next, after ${name}.`,
  goesOn: "The meeting goes on.",
  hostBack: "The facilitator is back.",
  /** On other screens. */
  elsewhere: {
    label: "Your meeting",
    on: (/** @type {string} */ name) => `${name} goes on.`,
    mine: (/** @type {string} */ name) => `It's your turn in ${name}.`,
    soon: (/** @type {string} */ name, /** @type {string} */ when) => `${name} begins ${when}.`,
    open: (/** @type {string} */ name, /** @type {string} */ when, /** @type {boolean} */ hasBegun) =>
      `${name} ${hasBegun ? "began" : "begins"} ${when}. You can go in.`,
    go: "Go there",
  },
  settings: {
    bell: "A soft tone and a buzz when it's my turn",
    keys: "Alt+H raises your hand, Alt+D ends your turn. Writing only “!” or “done” does the same.",
  },
  feelings: {
    title: "How are you? Choose up to three words",
    tempers: "It feels more",
    send: (/** @type {string} */ said) => `Say: ${said}`,
    none: "Choose a word",
    most: "Three are enough for now.",
  },
  /** How it ended. */
  ended: {
    title: "The meeting is over",
    unsent: "You had not sent this. Only you can see it:",
    script: "Thank you for being there.",
    host: "The facilitator closed it. Thank you for being there.",
    danger:
      "It was ended early, so that somebody could get help. Nobody is blamed. If you are not safe, or this stays with you, there is help now.",
    no_host: "The facilitator could not be there. It has nothing to do with you.",
    left: "It ended because one of you left.",
    too_few: "Too few people came this time. It has nothing to do with you.",
    abandoned: "Everybody lost the connection.",
    forget: (/** @type {string} */ time) => `What was written is removed for everybody at ${time}.`,
    gone: "This meeting is over, and what was written in it is gone for everybody.",
    out: "The facilitator asked you to leave this meeting.",
    outMore: "You can come to the next one. If you'd like to talk about it, you can ask for a listener.",
    again: "See the next dates",
    listener: "Ask for a listener",
    cancelled: "This meeting was called off",
    missing: "This meeting isn't here any more, or you aren't part of it.",
  },
};
