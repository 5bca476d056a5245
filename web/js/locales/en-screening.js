/** Every word about how much the model marks, for operators. Another language is another file with these names. */

/** @param {number} n */
const rounded = (n) => (n < 10 ? Math.round(n * 10) / 10 : Math.round(n));
/** @param {number} n */
const times = (n) => (n === 1 ? "once out" : `${n} times`);
const signed = new Intl.NumberFormat(undefined, {
  signDisplay: "always",
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", timeZone: "UTC" });
/** @param {number} at */
export const dayWord = (at) => day.format(at);
/** @param {number} score */
const short = (score) => score.toFixed(2);

export const words = {
  loading: "One moment…",
  failed: "That cannot be shown just now. Please try it again in a moment.",
  again: "Try again",
  off: "No model reads along: it is switched off in the configuration. The word lists work as always.",
  unusable:
    "No model reads along: its file cannot be used, and the server’s log says why. The word lists work as always.",
  moderators: "Told to moderators",
  writers: "Help offered to the writer",
  /** @param {number} n */
  marked: (n) => `About ${rounded(n)} posts in 1,000 are marked.`,
  /** @param {number} posts @param {number} fewest */
  tooFew: (posts, fewest) =>
    `How many posts that is here is not known yet: it takes ${fewest.toLocaleString()}, and ${posts.toLocaleString()} were read in the last weeks. Until then the thresholds are those that came with the model.`,
  /** @param {number} found @param {number} urgent @param {number} near */
  finds: (found, urgent, near) =>
    `On our test sentences that finds ${found} in 100 that need a human, and ${urgent} in 100 of the urgent ones. It also marks ${near} in 100 that sound like it and need nobody.`,
  findsUnknown: "What that finds of our test sentences is not known for this model.",
  writersSee: "Only the writer sees it, once.",
  lists: "The word lists mark posts besides this. People who read along find more than both.",
  /** @param {number | null} week */
  follows: (week) =>
    `The thresholds follow what is written here, every Monday, in small steps${week === null ? "" : `; last on ${dayWord(week)}`}. Each change is in the audit log.`,
  byHand: "The thresholds were set by hand. They stay as they are until you let them follow again.",
  /** @param {string} rooms */
  higher: (rooms) => `A little higher in rooms where such words are usual: ${rooms}.`,
  /** @param {string} rooms */
  lower: (rooms) => `A little lower in rooms where they are not: ${rooms}.`,
  /** @param {string} name @param {number} by */
  room: (name, by) => `${name} (${signed.format(by)})`,
  choices: "What moderators would be told of",
  choicesLead: "By the posts of the last weeks:",
  /** @param {number} n */
  choice: (n) => `${n} posts in 1,000`,
  /** @param {number} n */
  choiceFinds: (n) => `finds ${n} in 100`,
  change: "Change how much is marked",
  changeLead:
    "Fewer marks leave moderators more time for each, and let more cries for help pass. It holds at once here, and on every worker within half a minute.",
  yes: "Save it",
  cancel: "Leave it",
  reason: "Why (goes into the audit log)",
  moderatorsField: "Of 1,000 ordinary posts, moderators are told of",
  writersField: "Of 1,000 ordinary posts, the writer is offered help with",
  how: "The thresholds",
  follow: "follow what is written here",
  keep: "are set by hand, and stay",
  secondField: "Moderators are told from a score of",
  firstField: "The writer is offered help from a score of",
  done: "Saved.",
  outcomes: "What moderators made of it",
  /** @param {number} since @param {number} until */
  outcomesLead: (since, until) =>
    `Of what was closed from ${dayWord(since)} to ${dayWord(until - 1)}. Told only where at least five people’s words are in a number, and not of the present week: nobody’s case can be read from it.`,
  none: "There is not enough to tell yet.",
  nothingStandsOut: "Nothing stands out: what was marked was mostly worth a look.",
  /** @param {string} phrase @param {number} nothing @param {number} of */
  phrase: (phrase, nothing, of) => `“${phrase}” was closed as nothing ${times(nothing)} of ${of}.`,
  phraseAdvice: "If it is mostly wrong here, take it off your own word list.",
  /** @param {number} low @param {number} high @param {number} nothing @param {number} of */
  band: (low, high, nothing, of) =>
    `Posts that the model scored from ${short(low)} to ${short(high)} were closed as nothing ${times(nothing)} of ${of}.`,
  bandAdvice: "Letting fewer be marked leaves the lowest out first.",
  /** @param {number} nothing @param {number} of */
  others: (nothing, of) => `All other phrases together were closed as nothing ${times(nothing)} of ${of}.`,
  all: "All numbers",
};

/** @type {Record<string, string>} */
const REFUSALS = {
  not_allowed: "Only operators may do that.",
  screening_changed: "A colleague has changed this meanwhile. What you see is how it stands now; please look again.",
  invalid:
    "One of these numbers does not fit: for moderators 2 to 50, for writers 5 to 150 and no fewer than for moderators, and the higher score for moderators.",
  text_empty: "Please say why.",
  text_too_long: "The reason is longer than fits.",
};

/** @param {unknown} no */
export const refusalWord = (no) => REFUSALS[/** @type {any} */ (no)?.code ?? ""] ?? words.failed;
