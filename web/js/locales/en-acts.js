/** Every word of what operators do with rooms and workers. */

import { refusalWord as pageRefusalWord } from "./en.js";

/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

export const words = {
  close: "Close",
  cancel: "No, leave it",
  reason: "Why, for the audit log",
  done: "Done.",
  loading: "One moment…",
  room: {
    title: (/** @type {string} */ name) => name,
    edit: "How it is set",
    editLead: "Everybody inside sees it at once. An agreement that says something else is accepted anew by everybody.",
    save: "Save",
    name: "Name",
    about: "Who it is for, in a line",
    topic: "Topic",
    welcome: "Welcome",
    agreement: "Agreement, one rule a line",
    capacity: "How many fit",
    slow: "Slow mode: seconds between two posts of one person (0: off)",
    splitAt: "Split by itself when so many are here (0: never)",
    /** What is switched on or off in a room, by the field of the wire. */
    flags: { needs_moderator: "People write only while a moderator is at hand" },
    slowAsk: "Slow mode",
    slowLead: "How long one person waits between two posts. Nought ends it.",
    slowYes: "Set slow mode",
    slowSeconds: "Seconds",
    closeAsk: "Close the room",
    closeLead: "Nobody comes in or writes any more. Whoever is inside can read on until what was written fades.",
    closeYes: "Yes, close it",
    openAsk: "Open the room again",
    openLead: "People can come in and write again.",
    openYes: "Yes, open it",
    isClosed: "This room is closed.",
    isBeside: "It was opened beside a room that was full.",
  },
  split: {
    ask: "Split the room",
    lead: "People who speak with each other stay together. Each is led to their place with what they are writing, and can go back.",
    parts: "Into how many rooms",
    usual: "Of about twelve people each",
    preview: "Who would be where",
    look: "Show who would be where",
    stays: "Stays here",
    goes: (/** @type {number} */ n) => `New room ${n}`,
    yes: "Yes, split it",
    done: (/** @type {number} */ n) => `It is ${count(n, "room", "rooms")} now.`,
  },
  notice: {
    ask: "Announce here",
    askAll: "Announce to everybody",
    lead: "Everybody in the room sees it, and whoever comes while it stands.",
    leadAll: "Everybody in every room sees it, and whoever comes while it stands.",
    text: "What is announced",
    minutes: "For how many minutes",
    yes: "Announce it",
    title: "Announced now",
    none: "Nothing is announced.",
    everywhere: "In every room",
    until: (/** @type {string} */ time) => `until ${time}`,
    withdraw: "Take it back",
    withdrawLead: "It goes from every page at once.",
    withdrawYes: "Yes, take it back",
  },
  raid: {
    ask: "Protect the room",
    askAll: "Protect every room",
    lead: "For when many come at once to do harm. New guests come in one after another, their device does a small sum first, and they only read for a while. Nobody who was here before is touched.",
    minutes: "For how many minutes",
    quiet: "How many minutes a new guest only reads",
    yes: "Yes, protect it",
    yesAll: "Yes, protect all of them",
    until: (/** @type {string} */ time) => `protected until ${time}`,
    none: "No room is protected.",
    end: "End it",
    endLead: "New guests come in and write as always.",
    endYes: "Yes, end it",
  },
  settings: {
    title: "Rooms, announcements, hours",
    open: "Open a new room",
    openLead: "It comes last in the lobby, at once.",
    openYes: "Open the room",
    opened: (/** @type {string} */ name) => `${name} is open.`,
    hours: "When listeners are here",
    hoursNow: (/** @type {string} */ hours, /** @type {string} */ zone) =>
      `${hours === "" ? "Always" : hours} (${zone})`,
    hoursAsk: "Change the hours",
    hoursLead:
      "As in the configuration: “mon-fri 18:00-23:00, sat,sun 10:00-02:00”, “always” or “never”. It holds at once, instead of the configuration.",
    hoursField: "Hours",
    zone: "Time zone",
    hoursYes: "Set the hours",
  },
  worker: {
    ask: "Drain",
    title: (/** @type {string} */ name) => `Drain ${name}`,
    lead: "It takes nobody new, sends its people to the others within seconds, and ends. Its supervisor starts another one. Nobody loses anything.",
    yes: "Yes, drain it",
    done: (/** @type {string} */ name) => `${name} is sending its people elsewhere.`,
  },
};

/** @type {Record<string, string>} */
const REFUSALS = {
  plan_changed: "The room has changed since you looked. Look again at who would be where, then press once more.",
  not_allowed: "Only operators may do that.",
  room_changed: "A colleague has changed this room meanwhile. Close this and look again.",
  hours_changed: "A colleague has changed the hours meanwhile. Close this and look again.",
  room_name_taken: "Another room is called like that.",
  too_few: "Too few people are here for that many rooms.",
  notice_unknown: "This announcement is over.",
  raid_unknown: "This is over already.",
  worker_unknown: "This worker is gone.",
  last_worker: "This is the only worker: nobody would be left to serve. Start another one first.",
  text_empty: "Something is missing: please fill in every field, and say why.",
  text_too_long: "A text is longer than fits.",
};

/** @param {unknown} no */
export function refusalWord(no) {
  const code = no instanceof Error && "code" in no ? String(no.code) : "";
  const details = no instanceof Error && "details" in no ? /** @type {Record<string, any>} */ (no.details ?? {}) : {};
  if (code === "invalid" && details["problem"] !== undefined)
    return `This does not fit: ${String(details["field"] ?? "").replace("$.", "")}, ${details["problem"]}.`;
  return REFUSALS[code] ?? pageRefusalWord(no);
}
