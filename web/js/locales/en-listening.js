/**
 * What the page says about one-to-one. Fetched when it is needed; another language is another file with these names.
 */

import { duration, words as common } from "./en.js";

const PLACES = ["next", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/** @param {number} place  from 1 */
export function placeWord(place) {
  const word = PLACES[place - 1];
  return word === undefined ? `There are ${place - 1} people before you.` : `You're ${word}.`;
}

/** How long it may take, honestly. @param {number | undefined} seconds @param {number | undefined} from  hand-overs it goes by */
export function estimateWord(seconds, from) {
  if (seconds === undefined || !from) return "We can't tell yet how long it will take.";
  return seconds < 60
    ? "Less than a minute, going by the last hour."
    : `About ${duration(seconds)}, going by the last hour.`;
}

/** How many could listen now, and how many wait. @param {number} listeners @param {number} waiting @param {number} [free] */
export function presenceWord(listeners, waiting, free = 0) {
  const here =
    listeners === 0
      ? "No listener is here at this moment"
      : free === 0
        ? "No listener is free at this moment"
        : free === 1
          ? "One listener is free"
          : `${free} listeners are free`;
  const before =
    waiting === 0 ? "nobody is waiting" : waiting === 1 ? "one person is waiting" : `${waiting} people are waiting`;
  return `${here}, and ${before}.`;
}

export { momentWord } from "./en-moment.js";

/** @param {string} tag */
export function languageWord(tag) {
  try {
    const word = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
    return word.charAt(0).toLocaleUpperCase(tag) + word.slice(1);
  } catch {
    return tag;
  }
}

export const HEAVY = ["light", "some weight", "heavy", "very heavy", "hardly bearable"];

export const TRAITS = {
  under_25: "under 25",
  "25_to_40": "25 to 40",
  "40_to_60": "40 to 60",
  over_60: "over 60",
};

export const KINDS = /** @type {Record<string, string>} */ ({
  phone: "a phone number",
  email: "an e-mail address",
  handle: "a name from another site",
  link: "a link",
});

/** @param {string[]} parts */
const either = (parts) => (parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`);

export const words = {
  /** In the head, beside the helplines: the words in the middle are all that fits on a phone. */
  top: {
    waiting: (/** @type {number | undefined} */ place) =>
      place === undefined
        ? ["", "Waiting", ""]
        : ["", "Waiting", `: ${place === 1 ? "you're next" : (PLACES[place - 1] ?? `${place - 1} before you`)}`],
    lapsed: ["Take back your ", "place", ""],
    session: ["Your ", "listener", " is here"],
  },
  line: {
    waiting: (/** @type {number | undefined} */ place, /** @type {number} */ kept, /** @type {number} */ listeners) =>
      `${listeners === 0 ? "No listener is online right now. " : ""}${place === undefined ? "You're in line." : placeWord(place)} Your place is kept even if you close this page for up to ${duration(kept)}.`,
    lapsed: "Your place in the line was given up while you were away.",
    session: "Your listener is waiting for you.",
    unread: (/** @type {string} */ name) => `${name} has written to you.`,
    ended: "Your conversation is over.",
    see: "See where you are",
    takeBack: "Take it back",
    go: "Go there",
    look: "Look back at it",
    dismiss: "Put this line away",
  },
  ask: {
    loading: "One moment…",
    title: "Ask for a listener",
    lead: "A listener is a trained volunteer. You write with each other, just the two of you. You don't need to know what to say.",
    agreementTitle: "Good to know first",
    agreement: (/** @type {number} */ minutes, /** @type {string} */ forgotten) => [
      "What you write stays between you and your listener. They may ask a colleague for help if somebody is in danger.",
      "If words sound as if somebody is in danger, a moderator is shown that one post, and may offer help.",
      "What either of you changes, takes back or erases is kept sealed until the rest is removed. It is opened only if this conversation is reported.",
      "Listeners are no doctors and no crisis service. If you are in danger now, please use the helplines.",
      `You have up to ${minutes} minutes, and can ask for more. What was written is removed ${forgotten} after the end.`,
    ],
    forgotten: "an hour",
    helplines: "Get help now",
    optional: "If you like, tell us a little. You can leave all of it empty.",
    topics: "What is it about?",
    need: "What would help?",
    needs: { listen: "Listen to me", think: "Help me think", any: "I don't know yet" },
    heavy: "How heavy does it feel?",
    heavyNone: "I'd rather not say",
    heaviest: "That sounds very hard. If you might be in danger, please don't wait for us:",
    language: "Language",
    minutes: "How long?",
    minutesAny: "As long as it takes",
    minutesSome: (/** @type {number} */ n) => `About ${n} minutes`,
    with: "Who would you rather talk with?",
    rather: "Rather with somebody who knows this from their own life, or is this old",
    not: "Please not with somebody who knows this, or is this old",
    withNote: "We try. If nobody like that is here, it may take longer.",
    words: "I have come-back words",
    wordsLabel: "The words you were given",
    wordsNote: "They lead to the listener you met before, if both of you are here.",
    only: "Wait for this listener only",
    go: "I agree, ask for a listener",
    change: "Save what you changed",
    keep: "Leave it as it was",
    askAgain: (/** @type {string} */ when) => `You can ask again ${when}.`,
    left: "You left the line. Nothing was kept.",
    again: "You can ask again; it will be a new place, at the end.",
  },
  closed: {
    title: "No listeners are here at this hour",
    next: (/** @type {string} */ when) => `They are back ${when}, by your clock.`,
    never: "We don't know yet when they are back.",
    lead: "You don't have to wait alone. The rooms are open at any hour, and the helplines answer now.",
    rooms: "Go to the rooms",
  },
  waiting: {
    title: "You're in line",
    kept: (/** @type {number} */ s) => `Your place is kept even if you close this page for up to ${duration(s)}.`,
    asked: "A listener is being asked at this moment.",
    none: "No listener is free at this moment. Whoever is free first is asked for the person who waits longest.",
    alone: "No listener is online right now",
    aloneLead:
      "Nobody can say how long it will be until one comes. You keep your place, and the first who comes is asked for the person who has waited longest.",
    card: "My card",
    aloneAsk: "Would you like to wait? The rooms are open meanwhile, and the helplines answer now.",
    aloneWait: "Yes, I'll wait",
    aloneRooms: "Wait in a room",
    aloneLeave: "No, not now",
    aloneDone: "All right. This page tells you as soon as a listener is here.",
    over: (/** @type {string} */ when) =>
      `The listeners' hours are over for today. Those who are still here will go on; otherwise they are back ${when}.`,
    first: (/** @type {string} */ name) =>
      `${name === "" ? "Your listener" : name} lost the connection, and couldn't come back in time. It was nothing you did. You're at the head of the line, so that you need not wait again.`,
    afterOthers: "You have talked with a listener today, so whoever hasn't yet comes before you.",
    since: (/** @type {string} */ time) => `You asked at ${time}.`,
    change: "Change what you asked for",
    leave: "Leave the line",
    meanwhile: "Meanwhile",
    breathe: "Breathe for a moment",
    breatheLead: "Breathe in while you count to four. Breathe out while you count to six. As often as it suits you.",
    breatheStart: "Breathe with the lamp",
    breatheStop: "Stop",
    in: "in",
    out: "out",
    rooms: "Sit in a room",
    roomsLead: "Your place stays while you read or write there. We'll tell you when a listener is here.",
    help: "Helplines",
    helpLead: "They answer now, at any hour.",
    came: (/** @type {string} */ name) => `${name} is here for you. You can write now.`,
    cameAlong: "Your listener is here. What you had not sent came along. Your listener sees it only when you send it.",
    cameAlone: "Your listener is here.",
    cameFine: "All right",
    stood: "You are not in the company any more. Your place in line is the same.",
  },
  lapsed: {
    title: "Your place was given up while you were away",
    lead: (/** @type {string} */ left) => `You can take the same place back for ${left} more.`,
    late: "It was too long ago to take the same place back. You can ask again.",
    back: "Take it back",
    gone: "I don't need it any more",
    again: "Ask again",
  },
  talk: {
    label: (/** @type {string} */ name) => `Your conversation with ${name}`,
    write: (/** @type {string} */ name) => `Write to ${name}`,
    roles: { listener: "listener", seeker: "asked to talk" },
    here: "here",
    away: "not on this page just now",
    gone: "connection lost",
    until: (/** @type {string} */ time) => `Ends at ${time}`,
    canNot: "This is as long as it can be.",
    soon: (/** @type {string} */ left) => `It ends in ${left}.`,
    idle: (/** @type {string} */ time) => `It has been quiet. If nobody writes, this ends at ${time}.`,
    empty: {
      seeker: "You can begin wherever you like. A hello is enough.",
      listener: "Nothing is written yet. A hello is enough.",
    },
    begin: "It began here.",
    posts: (/** @type {string} */ name) => `What you and ${name} write`,
    lostListener: (/** @type {string} */ name) =>
      `${name} lost the connection. We'll wait for them a little; otherwise you go back to the head of the line. You can go on writing: it will be there.`,
    lostSeeker: (/** @type {string} */ name) =>
      `${name} lost the connection. We'll wait for them a little; then this ends, and you are free.`,
    back: (/** @type {string} */ name) => `${name} is back.`,
    more: "More time",
    moreLabel: (/** @type {number} */ n) => `More time: ask for ${n} minutes`,
    moreAsked: (/** @type {string} */ name, /** @type {number} */ n) =>
      `You asked for ${n} more minutes. ${name} needs to agree.`,
    moreBack: "Take that back",
    moreWanted: (/** @type {string} */ name, /** @type {number} */ n) =>
      `${name} would like ${n} more minutes. Is that good for you?`,
    moreYes: "Yes, gladly",
    moreNo: "Not now",
    moreNow: (/** @type {string} */ time) => `You have until ${time} now.`,
    contact: (/** @type {string[]} */ kinds) =>
      `Not sent. There seems to be ${either(kinds)} in it. People here stay safer when nobody can find them elsewhere.`,
    anyway: "Send it anyway",
    rewrite: "Change it",
  },
  acts: {
    end: "End it",
    endSure: (/** @type {string} */ name) =>
      `End this conversation with ${name}? You can both read it for a while afterwards.`,
    endYes: "Yes, end it",
    stay: "Go on talking",
    menu: "Safety",
    block: "Block",
    blockLead: (/** @type {string} */ name) =>
      `This ends at once, and you never meet ${name} here again. They are told only that it is over.`,
    blockYes: (/** @type {string} */ name) => `Block ${name}`,
    report: "Report",
    reportLead:
      "Those who run this place will read what was last written here. The other person isn't told, and you can go on talking.",
    reportWho: "Whom is it about?",
    reportBoth: "Both, or I don't know",
    reasons: {
      unkind: "Unkind or hurtful",
      contact: "Wants to meet or write elsewhere",
      sexual: "Sexual or pushing",
      danger: "Somebody is in danger",
      other: "Something else",
    },
    note: "Would you like to add something?",
    reportYes: "Send this report",
    reported: "Thank you. Somebody will look at it, never the person it is about.",
    cancel: "No, go back",
    join: (/** @type {string} */ a, /** @type {string} */ b) =>
      `${a} would like to ask ${b} to join you. ${b} will then be able to read what was written so far. Is that good for you?`,
    handover: (/** @type {string} */ a, /** @type {string} */ b) =>
      `${a} would like ${b} to go on with you in their place. ${b} will then be able to read what was written so far. Is that good for you?`,
    yes: "Yes, that's fine",
    no: "No, rather not",
    blockLeadAfter: (/** @type {string} */ name) =>
      `You never meet ${name} here again, and don't see what they write in the rooms. They aren't told.`,
    reportLeadAfter: "Those who run this place will read what was last written. The other person isn't told.",
    close: "Close",
    joinWaits: (/** @type {string} */ b) => `${b} is being asked.`,
  },
  ended: {
    title: "Your conversation is over",
    how: {
      you: "You ended it. Thank you for trusting somebody with it.",
      other: (/** @type {string} */ name) => `${name} has ended it. Thank you for trusting them with it.`,
      length: "The time was up. Thank you for trusting somebody with it.",
      idle: "It was quiet for a while, so it ended by itself. You can ask again at any time.",
      gone: "The connection was lost for too long, so it ended. You can ask again at any time.",
      staff: "It was ended by the people who look after this place. You can ask again at any time.",
    },
    expires: (/** @type {string} */ time) =>
      `What was written is removed at ${time}, for both of you. Until then only those who talked here can read it.`,
    lastFrom: (/** @type {string} */ name) => `The last words of ${name}`,
    read: "Read it again",
    readNone: "Nothing was written.",
    notSent: "not sent",
    draft: "You had begun to write this. It was not sent:",
    feedbackTitle: "How was it for you?",
    feedbackLead: "Only if you like. Your listener doesn't see it.",
    heard: "Did you feel heard?",
    heards: ["not really", "partly", "yes"],
    heavy: "How heavy does it feel now?",
    thanks: "Thank you. It is noted.",
    againTitle: "Would you talk with them again?",
    againLead: (/** @type {string} */ name) =>
      `This is private. ${name} isn't told. Only if they say the same, you get a few words with which you can find each other again.`,
    againBox: "I'd talk with them again",
    bothLead: (/** @type {string} */ name) => `${name} would like that too.`,
    wordsMake: "Show my come-back words",
    wordsFor: (/** @type {string} */ name, /** @type {string} */ day) =>
      `When you ask for a listener again, on any device, give these words, and ${name} is asked first if they are here. They are good until ${day}. They say nothing about you, and we can show them only once.`,
    copy: "Copy the words",
    copied: "Copied.",
    noCopy: "Copying isn't allowed here. Please write them down.",
    safety: "Was something not right?",
    safetyLead: (/** @type {string} */ time) =>
      time === "" ? "You can still say so." : `You can still say so, until ${time}.`,
    blocked: (/** @type {string} */ name) => `You and ${name} don't meet here again.`,
    blockedHow: "It is over, as you wished.",
    again: "Ask for a listener again",
    rooms: "Go to the rooms",
    help: "Get help now",
  },
  refusals: {
    listening_closed: "No listeners are here at this hour.",
    sessions_used:
      "You have talked with listeners as often as one person can for now. The rooms are open, and the helplines answer at any hour.",
    places_used:
      "Several people who share your internet connection wait already. Please try again in a few minutes. The rooms are open, and the helplines answer now.",
    in_session: "You are in a conversation already.",
    place_gone: "It was too long ago to take the same place back. You can ask again.",
    session_unknown: "This conversation isn't here any more.",
    session_over: "This conversation is over.",
    no_more_time: "It can't become longer than this.",
    words_unknown: "We don't know these words, or they are too old. Please check the spelling and the order.",
    no_words_yet: "There are no come-back words for this conversation.",
    contact_details: "There seems to be a way to reach somebody elsewhere in it.",
    listener_busy: "They can't take it at the moment.",
    room_closed: "This conversation is over.",
    not_in_room: "This conversation isn't open here just now. Please try again in a moment.",
  },
};

// What these refusals mean is not said before one-to-one is used. Rooms keep their own words.
const { room_closed: _, ...own } = words.refusals;
Object.assign(common.refusals, own);
