/** Every word of the moderators' page. Plain, short, kind and true. Another language is another file with these names. */

import { refusalWord as pageRefusalWord } from "./en-listener.js";

/** @type {Record<string, string>} */
const REASONS = {
  unkind: "Unkind or hurtful",
  contact: "Wants to meet or write elsewhere",
  pressure: "Pressing somebody",
  sexual: "Sexual or pushing",
  danger: "Somebody is in danger",
  other: "Something else",
  help: "A listener wants help",
};

/** What the words of a post were taken for. @type {Record<string, string>} */
const SIGNALS = {
  self_harm: "Self-harm or suicide",
  danger: "Danger to others",
  abuse: "Somebody is being hurt",
  grooming: "Sexual approach",
  hostile: "Insult or threat",
  method: "Ways to die",
  contact: "A listener sent contact details",
  unread: "Made so that it could not be screened",
};

/** @type {Record<string, string>} */
const KINDS = {
  notice: "Private notice",
  redact: "Take the post back",
  mute: "Can read, not write",
  remove: "Out of this room",
  ban: "Out of everything",
};

/** @type {Record<string, string>} */
const OUTCOMES = {
  nothing: "Nothing to do",
  handled: "Talked it over",
  measure: "Something was done about it",
};

/** @type {Record<string, string>} */
const REFUSALS = {
  report_taken: "A colleague has this report now.",
  report_closed: "This report is closed already.",
  report_unknown: "This report has been deleted.",
  not_claimed: "Take this report first.",
  report_changed: "Something was added. Please look again.",
  not_proposed: "Nobody has proposed how to close this report.",
  measure_unknown: "This decision is over.",
  member_unknown: "This member has been deleted.",
  post_unknown: "This post has faded or been deleted.",
  epoch_stale: "This room was set back, so it may be another post now. Please look again.",
  post_redacted: "This post was taken back already.",
  text_empty: "Say why, in a few words.",
  text_too_long: "That is too long. Please make it shorter.",
  not_allowed: "This is not yours to do here.",
  staff: "They work here. Talk with them, or with an operator.",
  self: "Nobody decides about themselves.",
  second: "Somebody else has to agree with what you proposed.",
  own_measure: "This was your decision, and it was answered. A colleague decides now.",
};

export const words = {
  title: "Moderation",
  signIn: {
    title: "Sign in to moderate",
    lead: "This is for people who keep the rooms safe. If you are looking for company, the rooms are the right place.",
  },
  notYours: "Your account may not do this. An operator can give you the role of a moderator.",
  out: "You are signed out.",
  over: "Your sign-in is over. Please sign in again.",
  signOut: "Sign out",
  lost: "The connection dropped. What you see may be old; we're getting back.",
  pages: { reports: "Reports", rooms: "Rooms", measures: "Decisions", notes: "Listeners' notes" },
  pagesLabel: "Parts of this page",
  queue: {
    title: "Reports",
    none: "Nothing to look at. A new report appears here by itself, and what is urgent rings.",
    ranks: (/** @type {{now: number, reports: number, words: number}} */ { now, reports, words: said }) =>
      [
        now === 0 ? "" : now === 1 ? "One is urgent" : `${now} are urgent`,
        reports === 0 ? "" : reports === 1 ? "one report can wait a little" : `${reports} reports can wait a little`,
        said === 0 ? "" : `${said === 1 ? "one is" : `${said} are`} a guess by words`,
      ]
        .filter((part) => part !== "")
        .join(", ")
        .replace(/^o/, "O") + ".",
    more: "Show more",
    flood: (/** @type {"words" | "reports"} */ folds) =>
      folds === "words" ? "Many alerts at once" : "Many reports at once",
    floodOf: (/** @type {"words" | "reports"} */ folds, /** @type {number} */ n) =>
      folds === "words"
        ? n === 1
          ? "from one person who is new here"
          : `from ${n} people who are new here`
        : n === 1
          ? "one report by somebody who is new here"
          : `${n} reports by people who are new here`,
    callFrom: (/** @type {string} */ name) => `from ${name}`,
    parts: (/** @type {number} */ n) => (n === 1 ? "and one more of theirs" : `and ${n} more of theirs`),
    newest: (/** @type {string} */ time) => `last at ${time}`,
    newHere: "new here",
    pressing: "sounds urgent",
    newReporter: "reported by somebody who is new here",
    closed: "Closed lately",
    call: "A listener calls",
    late: (/** @type {string} */ time) => `late: by ${time}`,
    by: (/** @type {string} */ time) => `by ${time}`,
    free: "nobody has it",
    mine: "yours",
    theirs: (/** @type {string} */ name) => `with ${name}`,
    proposedBy: (/** @type {string} */ name) => `${name} proposes to close it`,
    proposedByMe: "waits for somebody to agree with you",
    taken: (/** @type {string} */ name, /** @type {string} */ why) => `${name} took it over from you: ${why}`,
    about: (/** @type {string} */ name) => `about ${name}`,
    somebody: "a deleted member",
    nobody: "about nobody in particular",
    session: "one-to-one",
    reason: (/** @type {string} */ code) => REASONS[code] ?? code,
    signal: (/** @type {string} */ category, /** @type {number} */ level) =>
      `${level >= 3 ? "Now" : "Soon"}: ${SIGNALS[category] ?? category}`,
    fresh: "A new report has come.",
    ring: (/** @type {number} */ more) =>
      more === 0 ? "Somebody needs a moderator now." : `Somebody needs a moderator now, and ${more} more.`,
    sound: "Sound for what is urgent, and for rooms that need you",
    soundTry: "Try it",
  },
  rooms: {
    title: "Rooms",
    lead: "Where you are, you are shown as a moderator, and the room knows that somebody is there. Leaving this page leaves the rooms too.",
    loading: "One moment…",
    none: "No room is open.",
    here: (/** @type {number} */ n) => (n === 0 ? "nobody here" : n === 1 ? "one person here" : `${n} people here`),
    attended: "a moderator is there",
    ways: {
      attended: "",
      slowed: "Needs a moderator. It goes slowly until one is there.",
      read_only: "Needs a moderator. It can only be read until one is there.",
    },
    ring: (/** @type {string} */ name) => `${name} needs a moderator.`,
    sure: (/** @type {string} */ name) => `Before you go into ${name}: what everybody there keeps to`,
    noAgreement: "Nothing is agreed there yet.",
    keep: "I keep to it too, go in",
    notNow: "Not now",
    into: "Go in",
    intoOf: (/** @type {string} */ name) => `Go into ${name}`,
    open: "Show it",
    openOf: (/** @type {string} */ name) => `Show ${name}`,
    leave: "Leave the room",
    youAre: (/** @type {string} */ name) => `You’re here as ${name}. Everyone sees that you’re a moderator.`,
    role: "Moderator",
    quiet: "Nothing has been written lately.",
    redacted: "Taken back.",
    warning: (/** @type {string} */ said) => `Careful: ${said}`,
    write: (/** @type {string} */ name) => `Write to ${name}`,
    send: "Send",
    said: (/** @type {string} */ name, /** @type {string} */ what) => `${name}: ${what}`,
    choose: "Go into a room to see it here.",
    back: "Back to the rooms",
    left: "You left the room.",
    earlier: "Earlier posts",
    missing: "Some posts are missing here. They are being fetched…",
    expired: "Older posts here have expired.",
    answers: (/** @type {string} */ name, /** @type {string} */ said) => `Answers ${name}: ${said}`,
    actOn: (/** @type {string} */ name) => `What you can do about the post of ${name}`,
    opened: "The room is open: you are there.",
  },
  file: {
    back: "Back to the queue",
    backToCard: "Back to where this is from",
    isPart: "Part of a report. What you do, you do with the whole of it.",
    choose: "Choose a report to see it here.",
    from: (/** @type {string} */ name, /** @type {string} */ time) => `From ${name}, ${time}`,
    take: "Take it",
    takeFrom: (/** @type {string} */ name) => `Take it from ${name}`,
    added: "Something was added since you opened this. Please look again before you decide.",
    lookAgain: "Look again",
    takeLead: "They are told that you took it, and why. It is in the log, too.",
    takeWhy: "Why you take it over",
    takeYes: "Take it over",
    took: "It is yours now. They are told.",
    takenOver: (/** @type {string} */ name, /** @type {string} */ why) => `Taken over from ${name}: ${why}`,
    giveBack: "Give it back",
    takeBack: "Take back what I proposed",
    aboutStaff:
      "This is about somebody who works here. Only operators see it, and two of you close it. What they may do here is decided on the operators' page.",
    closeStaff: "Somebody else has to agree before it is closed.",
    proposeYes: "Propose this",
    proposed: (/** @type {string} */ outcome) =>
      `Proposed: ${OUTCOMES[outcome] ?? outcome}. A second operator has to agree.`,
    wouldReply: (/** @type {string} */ reply) => `The answer would be: ${reply}`,
    agree: "Agree",
    agreeLead: "It is closed then, and whoever reported it is told the answer.",
    agreeYes: "Yes, close it",
    agreed: "It is closed.",
    disagree: "Don't agree",
    disagreeLead: "It goes back to the queue. Your reason is kept with it, for the others.",
    disagreeWhy: "Why not",
    disagreeYes: "Back to the queue",
    disagreed: "It is open again.",
    why: "Why you read it",
    whyUsual: "To answer this report.",
    whyLead:
      "What was written is shown when you say why. That you read it is kept for good. A week after it is closed the people in it can see that it was read.",
    read: "Show what was written",
    note: "What they wrote to us",
    fired: "The words it went by",
    firedLead: "A guess by words alone: it may be wrong. Nothing was done to whoever wrote them.",
    line: "The line of the word list",
    model: "No line of the word lists: the model marked these words. It cannot say why.",
    several:
      "No line of the word lists: the model marked several posts of this person within minutes, none of them clearly. The last one is shown here; read it with those before.",
    erased: "Whoever wrote them has erased themselves.",
    closeOurs: "No person reported this, so nobody is told that it was closed.",
    noNote: "They wrote nothing beside it.",
    posts: "As it stood when it was reported",
    reported: "reported",
    redacted: "Taken back before it was reported.",
    gone: /** @type {Record<string, string>} */ ({
      redacted: "Taken back before it was reported. Nobody else can read it.",
      erased: "Its writer erased themselves before it was reported. Nobody else can read it.",
    }),
    first: "As first written",
    changed: "As changed",
    asReported: "As it stood when it was reported",
    warned: (/** @type {string} */ warning) => `Content warning: ${warning}`,
    erasedPerson: (/** @type {number} */ n) => `erased person ${n} of this case`,
    noPosts: "Nothing was written.",
    network: "Where they come from",
    sharedBy: (/** @type {number} */ n) =>
      n === 0
        ? "Nobody else came from this network in the last day."
        : n === 1
          ? "One other person came from this network in the last day."
          : `${n} other people came from this network in the last day. A ban makes newcomers from there wait, and not those who are here.`,
    nearMeasure:
      "New, from where somebody else is banned, muted or removed. It may be the same person, or somebody who shares the network.",
    notes: "Notes of moderators",
    addNote: "Note for the others",
    saveNote: "Keep this note",
    noted: "Kept.",
    before: "Decided about them before",
    close: "Close it",
    closeLead: "Whoever reported it is told that it was looked at, and what you write here.",
    crisis: (/** @type {string} */ name) =>
      `${name} may need somebody now. Write to them first. They read it above the field they write in.`,
    openRoom: "Open the room",
    outcome: "What came of it",
    outcomeChoose: "Choose…",
    outcomeNone: "Choose what came of it first.",
    outcomes: OUTCOMES,
    reply: "Answer to whoever reported it",
    closeYes: "Close this report",
    cancel: "Not now",
    closed: (/** @type {string} */ outcome) => `Closed: ${OUTCOMES[outcome] ?? outcome}.`,
    replied: (/** @type {string} */ reply) => `Answered: ${reply}`,
  },
  held: {
    title: "Also from them",
    floodTitle: "What is in it",
    lead: {
      words:
        "So many alerts came at once from people who have been here for less than an hour that they are kept together here. Nothing is lost: each person can be opened, and taken by itself. What people say who were here before is not in it.",
      reports:
        "So many reports came at once from people who have been here for less than an hour that they are kept together here. Nothing is lost: each can be opened, and taken by itself. Reports of people who were here before are not in it. When you close it, all of these people get your answer.",
    },
    askOperator: "If they do harm, ask an operator to protect the rooms: new guests then only read for a while.",
    protect: "Protect the rooms",
    protectLead:
      "New guests come in one after another, and only read for their first ten minutes. Whoever is here already can go on writing.",
    protectYes: "Yes, protect them",
    where: "Which rooms",
    allRooms: "All rooms",
    oneRoom: (/** @type {string} */ room) => `Only ${room}`,
    time: "For how long",
    times: /** @type {[string, string][]} */ ([
      ["30", "Half an hour"],
      ["60", "An hour"],
      ["240", "Four hours"],
    ]),
    quietMinutes: 10,
    why: "Why, for the log",
    whyUsual: "A flood of alerts by new guests.",
    isProtected: "Protected.",
  },
  acting: {
    menu: (/** @type {string} */ name) => `About ${name}`,
    close: "Close",
    ways: {
      message: "Message them",
      offer: "Offer a listener",
      redact: "Take the post back",
      mute: "Mute",
      remove: "Remove from the room",
      ban: "Ban",
    },
    leads: {
      message: (/** @type {string} */ name) =>
        `Only ${name} reads this. They see that it is from the moderators, and may answer once.`,
      offer: (/** @type {string} */ name) => `Only ${name} reads this. Change the words as you like.`,
      redact: (/** @type {string} */ name) =>
        `Nobody reads the post any more. ${name} is told why, and may answer once.`,
      mute: (/** @type {string} */ name) =>
        `${name} can read, but not write. They are told why and until when, and may answer once.`,
      remove: (/** @type {string} */ name) =>
        `${name} has to leave the room and cannot come back in until it is over. They are told why, and may answer once.`,
      ban: (/** @type {string} */ name) =>
        `${name} can be nowhere here until it is over. They are told why, and may answer once.`,
    },
    message: "What you would like to tell them",
    offerUsual:
      "That sounds very hard, and you don't have to carry it alone. A listener can write with you, just the two of you: “Ask for a listener” at the top of the page. If you are in danger now, “Get help now” has numbers that answer at once.",
    yes: {
      message: "Send it",
      offer: "Send it",
      redact: "Take it back",
      mute: "Mute them",
      remove: "Remove them",
      ban: "Ban them",
    },
    sent: (/** @type {string} */ name) => `${name} has your message.`,
  },
  measure: {
    ask: "Decide something",
    restrict: "Restrict…",
    lead: (/** @type {string} */ name) =>
      `About ${name}. They are told what was decided, why and until when, not by whom, and may answer once. It ends by itself.`,
    kind: "What",
    kinds: KINDS,
    where: "Where",
    here: "In this room",
    everywhere: "In all rooms",
    time: "For how long",
    times: /** @type {[string, string][]} */ ([
      ["60", "An hour"],
      ["1440", "A day"],
      ["10080", "A week"],
      ["43200", "30 days"],
    ]),
    reason: "Why: they will read this",
    yes: "Yes, decide this",
    done: (/** @type {string} */ kind, /** @type {string} */ until) =>
      `Decided: ${KINDS[kind] ?? kind}, until ${until}.`,
    row: (/** @type {string} */ kind, /** @type {string} */ until) => `${KINDS[kind] ?? kind}, until ${until}`,
    lifted: "ended early",
    title: "What holds now",
    none: "Nothing holds at the moment.",
    answer: (/** @type {string} */ text) => `They answer: ${text}`,
    answeredForOthers: "They have answered. A colleague reads it, and decides.",
    by: (/** @type {string} */ name) => `by ${name}`,
    lift: "End it",
    liftLead: "It ends at once. They are not told why.",
    liftWhy: "Why, for the log",
    liftYes: "Yes, end it",
    ended: "It is over.",
  },
  notes: {
    title: "Listeners' notes",
    lead: "Written to a supervisor after a heavy conversation. They are about the listener. Talk with them.",
    none: "No notes.",
    read: "I have read this",
    was: (/** @type {string} */ name) => `read by ${name}`,
    loading: "One moment…",
    declines: "Proposals declined",
    declinesLead: "Each proposal shows something of somebody who waits. Ask those who decline many how they are.",
    declined: (/** @type {number} */ day, /** @type {number} */ hour, /** @type {number} */ sessions) =>
      `${day} in 24 hours, ${hour} of them in the last hour; ${sessions === 1 ? "one conversation" : `${sessions} conversations`}`,
    stopped: "asked no more for the rest of the hour",
  },
};

/** @param {unknown} no */
export function refusalWord(no) {
  const code = no instanceof Error && "code" in no ? String(no.code) : "";
  const details = no instanceof Error && "details" in no ? /** @type {Record<string, any>} */ (no.details) : {};
  return REFUSALS[String(details["why"] ?? "")] ?? REFUSALS[code] ?? pageRefusalWord(no);
}
