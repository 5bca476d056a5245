/**
 * Every word the page says. Plain, short, kind and true: what happened, what it means, what one can do.
 * Another language is another file with these names.
 */

/** @param {number} n */
const SMALL = (n) => ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][n] ?? String(n);
/** @param {number} n @param {string} one @param {string} many */
export const count = (n, one, many) => (n === 1 ? `one ${one}` : `${SMALL(n)} ${many}`);
/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** To the half from two on, so that 90 minutes are no two hours. @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(1, Math.ceil(seconds));
  if (s < 60) return count(s, "second", "seconds");
  if (Math.round(s / 30) === 3) return "90 seconds";
  const minutes = Math.round(s / 60);
  if (minutes < 120 && minutes !== 60) return count(minutes, "minute", "minutes");
  const hours = Math.round(s / 1800) / 2;
  return hours < 48 ? halves(hours, "hour") : halves(Math.round(s / 43_200) / 2, "day");
}

/** @param {number} n  in halves @param {string} unit */
const halves = (n, unit) => (n % 1 === 0 ? count(n, unit, `${unit}s`) : `${SMALL(n - 0.5)} and a half ${unit}s`);

/** How many are here, as a room card says it. @param {number} here */
export function hereWord(here) {
  if (here <= 0) return "quiet just now";
  if (here === 1) return "someone is here";
  if (here < 5) return "a few people here";
  return `${here} here`;
}

/** @param {number} unread */
export function unreadWord(unread) {
  return unread >= 100 ? "many new posts" : `${capital(count(unread, "new post", "new posts"))}`;
}

/** @param {string[]} names */
export function typingWord(names) {
  if (names.length === 0) return "";
  const [one, two] = names.map((name) => name || "Somebody");
  if (names.length === 1) return `${one} is writing…`;
  if (names.length === 2) return `${one} and ${two} are writing…`;
  return "A few people are writing…";
}

export const REACTIONS = /** @type {const} */ ({
  with_you: "with you",
  same_here: "same here",
  strength: "strength",
  thank_you: "thank you",
  hug: "a hug",
});

export const words = {
  days: { today: "Today", yesterday: "Yesterday" },
  lobby: {
    title: "Hello. Come in.",
    lead: "These rooms are for people who know the feeling. Sit down in one, read along, and write when you want to.",
    youAre: "Here you are",
    aboutYou: "Your name and privacy",
    rooms: "Rooms",
    yours: "Rooms you are in",
    loading: "Opening the rooms…",
    none: "No rooms are open at the moment. The helplines are there at any hour.",
    full: "full at the moment",
    slow: "takes it slowly",
    ask: "Rather talk with one person? A volunteer listens.",
    askGo: "Ask for a listener",
    groups: "Small groups meet here at set times.",
    groupsGo: "Groups that meet",
  },
  agreement: {
    title: (/** @type {string} */ room) => `Before you go into ${room}`,
    lead: "This is how people here look after each other.",
    accept: "I agree, take me in",
    back: "Not now, go back",
    changed: "The agreement of this room has changed since you were here.",
    none: "Be kind. Speak for yourself. What is said here stays here.",
  },
  room: {
    all: "All rooms",
    list: "Your rooms",
    welcome: "Welcome",
    people: "People",
    leave: "Leave this room",
    posts: (/** @type {string} */ room) => `Posts in ${room}`,
    empty: "Nobody has written here lately. You can be the first; whoever comes next will read it.",
    fades: (/** @type {number} */ s) => `Posts here fade after ${duration(s)}.`,
    begin: "There is nothing older.",
    gap: "Older posts here have expired, as promised. Nothing newer is missing.",
    earlier: "Earlier posts",
    earlierBusy: "Fetching earlier posts…",
    earlierDone: (/** @type {number} */ n) => `${capital(count(n, "earlier post", "earlier posts"))} shown.`,
    newLine: "New since you were here",
    toNewest: "Newest posts",
    catching: "Fetching what you missed…",
    justYou: "just you at the moment",
  },
  post: {
    you: "you",
    role: "Moderator",
    edited: "changed",
    removed: "This post was removed by its writer.",
    warning: (/** @type {string} */ w) => `May be hard to read: ${w}`,
    show: "Show it",
    hide: "Hide it again",
    more: (/** @type {string} */ name) => `React, answer and more: ${name}`,
    report: "Report",
    quoted: (/** @type {string} */ name) => `Answer to ${name}`,
    quoteGone: "Answer to a post that has faded",
    quoteMuted: "Answer to somebody you hide",
    reaction: (/** @type {string} */ word, /** @type {number} */ n, /** @type {boolean} */ mine) =>
      `${word}, from ${count(n, "person", "people")}${mine ? ", you too" : ""}`,
  },
  status: {
    sending: "sending",
    sent: "sent",
    waiting: "Not sent yet. We'll keep trying.",
    refused: "Couldn't be sent.",
    unsure: "We can't tell whether this arrived. If you don't see it above, send it again.",
    again: "Try again",
    remove: "Remove",
  },
  composer: {
    label: (/** @type {string} */ room) => `Write to ${room}`,
    hint: "Write here…",
    send: "Send",
    warnToggle: "This may be hard to read",
    warnLabel: "What is it about? Others see this first.",
    warnHint: "for example: self-harm, loss",
    left: (/** @type {number} */ n) =>
      n >= 0
        ? `Room for ${count(n, "more character", "more characters")}.`
        : `${capital(count(-n, "character", "characters"))} too many.`,
    tooLong: "This is longer than fits. You could send it in two parts.",
    empty: "There is nothing in it yet.",
    enter: "Enter sends. Shift and Enter begin a new line.",
    memoryOnly: "This browser lets us keep nothing. What you write is safe only while this page stays open.",
  },
  link: {
    away: "We can't reach the rooms at the moment. What you wrote is kept here; we keep trying.",
    network: "The connection dropped. You haven't lost anything; we're getting back.",
    offline: "Your device is offline. What you write is kept here and goes out when it's back.",
    memoryOnly:
      "There is no connection just now. What you write is kept while this page stays open; we're getting back.",
    draining: "The rooms are moving to another machine. You haven't lost anything; back in a moment.",
    busy: "Many people are here at this moment. We'll try again shortly; what you wrote is kept.",
    back: "You're connected again. Nothing is missing.",
    tryNow: "Try now",
    reload: "Load the page again",
    anew: "Come in as somebody new",
  },
  help: { close: "Close" },
  /** What a refusal means, by its code. */
  refusals: /** @type {Record<string, string>} */ ({
    rate_limited: "That was a little fast. Please wait a moment.",
    room_unknown: "This room isn't here any more.",
    room_closed: "This room is closed for now.",
    room_full: "This room is full so that everyone can be heard.",
    agreement_required: "This room's agreement has changed. Please read it first.",
    too_many_rooms: "You are in as many rooms as fit at one time. Leave one first.",
    slow_mode: "This room takes it slowly.",
    text_empty: "There is nothing in it yet.",
    text_too_long: "It is longer than fits. You could send it in two parts.",
    too_large: "It is longer than fits. You could send it in two parts.",
    post_unknown: "That post has faded.",
    epoch_stale: "This room was set back. Please look again.",
    post_redacted: "That post was removed.",
    storage_unavailable: "We can't save anything right now. Please try again in a moment.",
    busy: "Many people are here at this moment. Please try again shortly.",
    draining: "The rooms are restarting. Please try again in a moment.",
    muted: "A moderator decided that you can't write here for now.",
    removed: "A moderator decided that you can't be in this room for now.",
    unattended: "No moderator is here just now. You can write again when one is.",
    read_only: "Who is new here reads for a while first.",
    lost: "There is no connection just now. Please try again in a moment.",
    unfetched: "This part of the page didn't come through. Please try again.",
    late: "No answer came. Please try again in a moment.",
    unsure: "We can't tell whether that was done. Please look, and try again if it wasn't.",
  }),
  refusalOther: "That didn't work, and it's not your doing. Please try again.",
};

/** @param {unknown} no @returns {string} what a refusal means, in words */
export function refusalWord(no) {
  const code = typeof no === "string" ? no : no instanceof Error && "code" in no ? String(no.code) : "";
  return words.refusals[code] ?? words.refusalOther;
}
