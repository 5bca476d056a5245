/**
 * What the pages say about company while waiting, to whoever sits there and to its host. Another language is another file
 * with these names.
 */

const SOME = ["Nobody", "One person", "Two people", "Three people", "Four people", "Five people"];

/** @param {number} n */
const some = (n) => SOME[n] ?? `${n} people`;

export const words = {
  offer: {
    title: "You need not wait alone",
    lead: (/** @type {string} */ host) =>
      `While you wait you can sit with a few others who are waiting. ${host} keeps the room. Your place in line stays, and your listener comes for you.`,
    here: (/** @type {number} */ n) =>
      n === 0 ? "Nobody else sits there yet." : `${some(n)} ${n === 1 ? "sits" : "sit"} there now.`,
    yes: "Sit with them",
    no: "No, thank you",
    find: "Sit with others who wait",
    agreementTitle: "Good to know first",
    agreement: [
      "Listen to each other. Nobody has to say anything.",
      "No advice, unless somebody asks for it.",
      "People leave in the middle, when their listener comes. That is meant so.",
    ],
    kept: "You see what is written from now on. It is removed a quarter of an hour after the last of you has left.",
    sit: "I agree, sit down",
    back: "Not now",
    gone: "This seat was just taken, or the room has closed. Your place in line stays.",
  },
  room: {
    name: "Company while you wait",
    people: "Who sits here",
    peopleMore: "People",
    you: "you",
    host: "keeps the room",
    write: "Write to those who wait with you",
    empty: "Nothing is written yet. A hello is enough.",
    begin: "You sat down here. What was written before is not shown.",
    posts: "What those who wait together write",
    met: (/** @type {string} */ name) => `${name} has gone to their listener.`,
    left: (/** @type {string} */ name) => `${name} has left.`,
    quiet: (/** @type {string} */ time) =>
      `Nobody keeps the room at this moment, so nobody can write. If no host comes by ${time} it closes. Your place in line stays.`,
    quietHost: "The others can't write until your connection is back.",
    back: "A host is here. You can write again.",
    stand: "Leave the company",
    stood: "You left the company. Your place in line is the same.",
    place: "Your place in line",
    seated: "You sit with them now. Your place in line stays.",
  },
  host: {
    title: "Company for people who wait",
    lead: "People who wait for a listener can sit together, while you keep the room. They keep their places in line, and leave in the middle when their listener comes.",
    label: "Keep company with people who wait",
    on: "On",
    off: "Off",
    open: (/** @type {string} */ time) => `The room is open. You keep it until ${time} at the latest.`,
    closed: (/** @type {number} */ minutes) =>
      `Up to five people can sit with you, for at most ${minutes} minutes. Afterwards you rest for a quarter of an hour.`,
    busy: "You can keep company while you are not listening, in no conversation, and not waiting yourself.",
    rests: (/** @type {string} */ time) => `You rest until ${time}. Then you can keep company again.`,
    waiting: (/** @type {number} */ waiting, /** @type {number} */ sitting) =>
      waiting === 0
        ? "Nobody waits for a listener at this moment."
        : `Waiting for a listener: ${waiting}. Sitting in company: ${sitting}.`,
    alone: "Nobody sits with you yet. People who wait are told that they can.",
    begun: "The room is open.",
    over: "You don't keep the room any more.",
    stop: "People sit with you. If you stop, they can read and not write, until a colleague takes the room on.",
    stopYes: "Stop all the same",
    stay: "Stay",
    language: "Language",
    begin: "It began here.",
    posts: "What you and those who wait write",
    write: "Write to those who wait",
  },
};
