/** Reporting, and what moderators have to say to somebody: their words. Fetched when they are needed. */

import { refusalWord as pageRefusalWord } from "./en.js";

/** @type {Record<string, (where: string, until: string) => string>} */
const DECIDED = {
  notice: () => "A moderator has a word for you. It is between you and them.",
  redact: () => "A moderator took a post of yours back.",
  mute: (where, until) => `A moderator decided that you can read but not write ${where}, until ${until}.`,
  remove: (where, until) => `A moderator decided that you can't be ${where}, until ${until}.`,
  ban: (_, until) => `A moderator decided that you can't be here, until ${until}.`,
};

export const words = {
  report: {
    title: "What happened?",
    lead: "Moderators see what was written around it, as it stands now. Nobody else is told, and nobody reads a report about themselves.",
    reasons: /** @type {[string, string][]} */ ([
      ["unkind", "Unkind or hurtful"],
      ["contact", "Wants to meet or write elsewhere"],
      ["sexual", "Sexual or pushing"],
      ["danger", "Somebody is in danger"],
      ["other", "Something else"],
    ]),
    note: "Would you like to add something?",
    send: "Send this report",
    cancel: "No, go back",
    done: "Thank you. A moderator will look at it, and you will hear from them here. If somebody is in danger now, use “Get help now”.",
  },
  decisions: {
    label: "From the moderators",
    decided: (/** @type {string} */ kind, /** @type {string} */ where, /** @type {string} */ until) =>
      (DECIDED[kind] ?? DECIDED["notice"])?.(where, until) ?? "",
    here: (/** @type {string | undefined} */ room) => (room === undefined ? "in any room" : `in “${room}”`),
    why: (/** @type {string} */ reason) => `Their words: ${reason}`,
    answered: "You answered. Moderators can read it.",
    answer: "Answer them, once",
    answerLabel: "What would you like moderators to know?",
    send: "Send this to the moderators",
    mutedHere: (/** @type {string} */ until) =>
      `You can read here, but not write until ${until}. What you write stays in the field.`,
    answerMute: "Answer the moderators",
    readMute: "Why?",
    close: "Close",
    seen: "I have read this",
    looked: "A moderator has looked at what you reported. Thank you for telling us.",
    reply: (/** @type {string} */ text) => `They say: ${text}`,
    stranded:
      "What you reported is about somebody who works here, and nobody else here can look at it yet. It is kept until somebody can.",
    contact: (/** @type {string} */ who) => `You can turn to: ${who}`,
    banned: "You can't be here at the moment",
    bannedLead: "The helplines under “Get help now” are there at any hour.",
  },
  refusals: /** @type {Record<string, string>} */ ({
    appealed: "You have answered this already.",
    measure_unknown: "This is over already.",
    rate_limited: "That were many at once. Please wait a while.",
    text_empty: "There is nothing in it yet.",
    not_in_room: "Go into the room first.",
  }),
};

/** @param {unknown} no */
export function refusalWord(no) {
  const code = no instanceof Error && "code" in no ? String(no.code) : "";
  return words.refusals[code] ?? pageRefusalWord(no);
}
