/** Every word of the moderators' page. Plain, short, kind and true. Another language is another file with these names. */

import { refusalWord as pageRefusalWord } from "./en-listen.js";

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
  report_unknown: "This report is no more.",
  not_claimed: "Take this report first.",
  measure_unknown: "This decision is over.",
  member_unknown: "This person is no more here.",
  post_unknown: "This post is no more.",
  post_redacted: "This post was taken back already.",
  text_empty: "Say why, in a few words.",
  text_too_long: "That is too long. Please make it shorter.",
  not_allowed: "This is not yours to do here.",
  staff: "They work here. Talk with them, or with an operator.",
  self: "Nobody decides about themselves.",
};

export const words = {
  title: "Moderation",
  door: { title: "Sign in to moderate", lead: "This is for people who keep the rooms safe. If you are looking for company, the rooms are the right place." },
  notYours: "Your account may not do this. An operator can give you the role of a moderator.",
  out: "You are signed out.",
  over: "Your sign-in is over. Please sign in again.",
  signOut: "Sign out",
  lost: "The connection dropped. What you see may be old; we're getting back.",
  pages: { reports: "Reports", measures: "Decisions", notes: "Listeners' notes" },
  pagesLabel: "Parts of this page",
  queue: {
    title: "Reports",
    none: "Nothing to look at. A new report appears here by itself, and a listener's call rings.",
    count: (/** @type {number} */ n) => (n === 1 ? "One report to look at." : `${n} reports to look at.`),
    closed: "Closed lately",
    call: "A listener calls",
    late: (/** @type {string} */ time) => `late: by ${time}`,
    by: (/** @type {string} */ time) => `by ${time}`,
    free: "nobody has it",
    mine: "yours",
    theirs: (/** @type {string} */ name) => `with ${name}`,
    about: (/** @type {string} */ name) => `about ${name}`,
    somebody: "somebody who is no more",
    nobody: "about nobody in particular",
    session: "one-to-one",
    reason: (/** @type {string} */ code) => REASONS[code] ?? code,
    signal: (/** @type {string} */ category, /** @type {number} */ level) => `${level >= 3 ? "Now" : "Soon"}: ${SIGNALS[category] ?? category}`,
    fresh: "A new report has come.",
    ring: "Somebody needs a moderator now.",
    sound: "Sound for calls",
    soundTry: "Try it",
  },
  file: {
    back: "Back to the queue",
    choose: "Choose a report to see it here.",
    from: (/** @type {string} */ name, /** @type {string} */ time) => `From ${name}, ${time}`,
    take: "Take it",
    takeFrom: (/** @type {string} */ name) => `Take it from ${name}`,
    giveBack: "Give it back",
    why: "Why you read it",
    whyUsual: "To answer this report.",
    whyLead: "What was written is shown when you say why. That you read it is kept for good, and the people in it can see that it happened.",
    read: "Show what was written",
    note: "What they wrote to us",
    fired: "The words it went by",
    firedLead: "A guess by words alone: it may be wrong. Nothing was done to whoever wrote them.",
    line: "The line of the word list",
    erased: "Whoever wrote them has erased themselves.",
    closeOurs: "No person reported this, so nobody is told that it was closed.",
    noNote: "They wrote nothing beside it.",
    posts: "As it stood when it was reported",
    reported: "reported",
    redacted: "Taken back before it was reported.",
    noPosts: "Nothing was written.",
    notes: "Notes of moderators",
    addNote: "Note for the others",
    saveNote: "Keep this note",
    noted: "Kept.",
    before: "Decided about them before",
    close: "Close it",
    closeLead: "Whoever reported it is told that it was looked at, and what you write here.",
    outcome: "What came of it",
    outcomes: OUTCOMES,
    reply: "Answer to whoever reported it",
    closeYes: "Close this report",
    cancel: "Not now",
    closed: (/** @type {string} */ outcome) => `Closed: ${OUTCOMES[outcome] ?? outcome}.`,
    replied: (/** @type {string} */ reply) => `Answered: ${reply}`,
  },
  measure: {
    ask: "Decide something",
    lead: (/** @type {string} */ name) => `About ${name}. They are told what was decided, why and until when, not by whom, and may answer once. It ends by itself.`,
    kind: "What",
    kinds: KINDS,
    where: "Where",
    here: "In this room",
    everywhere: "In all rooms",
    time: "For how long",
    times: /** @type {[string, string][]} */ ([["60", "An hour"], ["1440", "A day"], ["10080", "A week"], ["43200", "30 days"]]),
    reason: "Why: they will read this",
    yes: "Yes, decide this",
    done: (/** @type {string} */ kind, /** @type {string} */ until) => `Decided: ${KINDS[kind] ?? kind}, until ${until}.`,
    row: (/** @type {string} */ kind, /** @type {string} */ until) => `${KINDS[kind] ?? kind}, until ${until}`,
    lifted: "ended early",
    title: "What holds now",
    none: "Nothing holds at the moment.",
    answer: (/** @type {string} */ text) => `They answer: ${text}`,
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
  },
};

/** @param {unknown} no */
export function refusalWord(no) {
  const code = no instanceof Error && "code" in no ? String(no.code) : "";
  const details = no instanceof Error && "details" in no ? /** @type {Record<string, any>} */ (no.details) : {};
  return REFUSALS[String(details["why"] ?? "")] ?? REFUSALS[code] ?? pageRefusalWord(no);
}
