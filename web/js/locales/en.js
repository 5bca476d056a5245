/**
 * Every word the page says. Plain, short, kind and true: what happened, what it means, what one can do.
 * Another language is another file with these names.
 */

/** @param {number} n */
const SMALL = (n) => ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][n] ?? String(n);
/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => (n === 1 ? `one ${one}` : `${SMALL(n)} ${many}`);
/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(1, Math.ceil(seconds));
  if (s < 60) return count(s, "second", "seconds");
  const minutes = Math.round(s / 60);
  if (minutes < 60) return count(minutes, "minute", "minutes");
  const hours = Math.round(s / 3600);
  return hours < 48 ? count(hours, "hour", "hours") : count(Math.round(hours / 24), "day", "days");
}

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
  if (names.length === 1) return `${names[0]} is writing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are writing…`;
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
  },
  agreement: {
    title: (/** @type {string} */ room) => `Before you go into ${room}`,
    lead: "This is how people here look after each other.",
    accept: "I agree, take me in",
    back: "Not now, go back",
    changed: "The agreement of this room has changed since you were here.",
    none: "Be kind. Speak for yourself. What is said here stays here.",
  },
  full: {
    led: (/** @type {string} */ name) => `That room was full and has another one beside it. You are in ${name}.`,
    title: "This room is full",
    lead: "This room is full so that everyone can be heard. These have space.",
    none: "This room is full so that everyone can be heard. No other room has space right now. Places open often.",
    again: "Try this room again",
    back: "All rooms",
  },
  room: {
    all: "All rooms",
    list: "Your rooms",
    welcome: "Welcome",
    people: "People",
    leave: "Leave this room",
    leaveSure: "Leave this room? Your posts stay until they fade. You can come back any time.",
    leaveYes: "Yes, leave it",
    stay: "Stay",
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
  people: {
    title: "Who is here",
    close: "Close",
    you: "you",
    others: (/** @type {number} */ n) => `and ${count(n, "other", "others")}`,
    alone: "Just you at the moment. People come and go at all hours.",
  },
  post: {
    you: "you",
    edited: "changed",
    removed: "This post was removed by its writer.",
    warning: (/** @type {string} */ w) => `May be hard to read: ${w}`,
    show: "Show it",
    hide: "Hide it again",
    more: (/** @type {string} */ name) => `React, answer and more: ${name}`,
    menu: (/** @type {string} */ name) => `For the post of ${name}`,
    react: "Say something with one touch",
    reply: "Answer this",
    edit: "Change it",
    remove: "Remove it",
    removeSure: "Remove this post for everybody?",
    removeYes: "Yes, remove it",
    keep: "Keep it",
    report: "Report",
    mute: (/** @type {string} */ name) => `Hide ${name}`,
    muteHint: "You won't see their posts. They are not told.",
    muted: (/** @type {string} */ name) => `You no longer see ${name}. You can undo this under “Your name and privacy”.`,
    quoted: (/** @type {string} */ name) => `Answer to ${name}`,
    quoteGone: "Answer to a post that has faded",
    quoteMuted: "Answer to somebody you hide",
    close: "Close",
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
    editLabel: "Change your post",
    hint: "Write here…",
    send: "Send",
    save: "Save the change",
    cancel: "Cancel",
    answering: (/** @type {string} */ name) => `Answering ${name}`,
    editing: "Changing your post",
    warnToggle: "This may be hard to read",
    warnLabel: "What is it about? Others see this first.",
    warnHint: "for example: self-harm, loss",
    left: (/** @type {number} */ n) =>
      n >= 0 ? `Room for ${count(n, "more character", "more characters")}.` : `${capital(count(-n, "character", "characters"))} too many.`,
    tooLong: "This is longer than fits. You could send it in two parts.",
    empty: "There is nothing in it yet.",
    slow: (/** @type {number} */ s) => `This room takes it slowly. You can write again in ${duration(s)}.`,
    slowOver: "You can write again.",
    enter: "Enter sends. Shift and Enter begin a new line.",
    memoryOnly: "This browser lets us keep nothing. What you write is safe only while this page stays open.",
  },
  you: {
    title: "Your name and privacy",
    back: "Back",
    nameTitle: "Your name here",
    nameLead: "Nobody needs to know who you are. Choose something that can't lead back to you.",
    nameLabel: "Name",
    nameSave: "Use this name",
    nameDone: (/** @type {string} */ name) => `You are ${name} now.`,
    codeTitle: "Come back on another device",
    codeLead:
      "A come-back code is a few words that open this same name somewhere else. We can show it once. Keep it where only you look.",
    codeMake: "Make a come-back code",
    codeRemake: "Make a new code",
    codeHas: "You have a code. A new one makes the old one stop working.",
    codeShown: "Write it down now. It won't be shown again.",
    codeCopy: "Copy",
    codeCopied: "Copied.",
    codeNoCopy: "Copying isn't allowed here. Please write it down.",
    codeHide: "I have it, put it away",
    restoreTitle: "Use a code you have",
    restoreLead: "This browser then becomes the person the code belongs to, instead of",
    restoreLabel: "Come-back code",
    restoreDo: "Come back with this code",
    restoreDone: (/** @type {string} */ name) => `Welcome back, ${name}.`,
    restoreWait: "Something you wrote is still on its way. Let it arrive, or remove it, and then try again.",
    hiddenTitle: "People you hide",
    hiddenNone: "You hide nobody.",
    hiddenSomebody: "Somebody you hid earlier",
    unhide: (/** @type {string} */ name) => `See ${name} again`,
    dataTitle: "What is kept about you",
    dataLead:
      "A name, the rooms you are in, your posts until they fade, your reactions, and whom you hide. No e-mail, no password, no address.",
    dataGet: "Save a copy of it all",
    forgetTitle: "Forget me on this browser",
    forgetLead: "For a shared computer. Your name stays, and only a come-back code can open it again.",
    forgetLeadNoCode: "For a shared computer. You have no come-back code, so nobody could open this name again, not even you.",
    forgetDo: "Forget me here",
    forgetYes: "Yes, forget me here",
    eraseTitle: "Erase me everywhere",
    eraseLead: "Removes your name, your posts and everything else that is kept about you. It can't be undone.",
    eraseDo: "Erase me",
    eraseSure: "Everything you wrote here will be gone for everybody. To be sure it is you, type the word below.",
    eraseWord: "erase",
    eraseLabel: (/** @type {string} */ word) => `Type “${word}”`,
    eraseYes: "Erase everything about me",
    keep: "No, keep it",
    lookTitle: "How this page looks",
    theme: "Light or dark",
    themes: { auto: "Like my device", light: "Light", dark: "Dark" },
    size: "Size of the text",
    sizes: { normal: "Normal", large: "Large", larger: "Larger" },
    exitTitle: "Leaving quickly",
    exitLead:
      "“Leave now” or pressing Shift three times shows another site at once, and clears what this tab kept. Your browser's history may still name this address.",
  },
  gone: {
    title: "See you",
    forgotten: "This browser no longer knows you.",
    erased: "Everything about you has been erased.",
    again: "Come in as somebody new",
  },
  link: {
    network: "The connection dropped. You haven't lost anything; we're getting back.",
    offline: "Your device is offline. What you write is kept here and goes out when it's back.",
    memoryOnly: "The connection dropped. What you write is kept while this page stays open; we're getting back.",
    draining: "The rooms are moving to another machine. You haven't lost anything; back in a moment.",
    busy: "Many people are here at this moment. We'll try again shortly; what you wrote is kept.",
    back: "You're connected again. Nothing is missing.",
    identity: "Your name here has been erased or has expired.",
    refused: "This page and the rooms don't understand each other. Loading the page again usually helps.",
    banned: "You can't be here at the moment.",
    tryNow: "Try now",
    reload: "Load the page again",
    anew: "Come in as somebody new",
  },
  help: { close: "Close" },
  /** What a refusal means, by its code. */
  refusals: /** @type {Record<string, string>} */ ({
    rate_limited: "That was a little fast. Please wait a moment.",
    name_taken: "Somebody here has this name, or one that looks much like it. Maybe add a word to it?",
    name_refused: "This name can't be used here. Letters, digits, spaces and hyphens work, up to 24.",
    code_unknown: "We don't know this code. Please check the words, their order and the spelling.",
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
    post_redacted: "That post was removed.",
    not_yours: "Only the person who wrote it can change it.",
    edit_too_late: "It can no longer be changed, but you can still remove it.",
    too_many_mutes: "You hide as many people as one person can.",
    member_unknown: "This person isn't here any more.",
    storage_unavailable: "We can't save anything right now. Please try again in a moment.",
    busy: "Many people are here at this moment. Please try again shortly.",
    draining: "The rooms are restarting. Please try again in a moment.",
    muted: "A moderator decided that you can't write here for now.",
    removed: "A moderator decided that you can't be in this room for now.",
    unattended: "No moderator is here just now. You can write again when one is.",
    read_only: "Who is new here reads for a while first.",
    lost: "There is no connection just now. Please try again in a moment.",
    late: "No answer came. Please try again in a moment.",
  }),
  refusalOther: "That didn't work, and it's not your doing. Please try again.",
};

/** @param {unknown} no @returns {string} what a refusal means, in words */
export function refusalWord(no) {
  const code = typeof no === "string" ? no : no instanceof Error && "code" in no ? String(no.code) : "";
  return words.refusals[code] ?? words.refusalOther;
}
