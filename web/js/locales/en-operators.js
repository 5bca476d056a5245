/** Every word of the operators' page. Plain, short, kind and true. Another language is another file with these names. */

/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`;
const whole = new Intl.NumberFormat("en");

/** @param {number} n */
export const number = (n) => whole.format(n);

/** @param {number} ms */
export function milliseconds(ms) {
  return ms < 1_000 ? `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} kB`;
  return `${bytes < 10_000_000 ? (bytes / 1_000_000).toFixed(1) : Math.round(bytes / 1_000_000)} MB`;
}

/** @param {number} ms */
export function span(ms) {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return count(Math.floor(ms / 1_000), "second", "seconds");
  if (minutes < 120) return count(minutes, "minute", "minutes");
  return minutes < 48 * 60
    ? count(Math.floor(minutes / 60), "hour", "hours")
    : count(Math.floor(minutes / 1_440), "day", "days");
}

export const words = {
  title: "Operators",
  urgentTitle: (/** @type {number} */ n) => `(${n}) ${n === 1 ? "needs" : "need"} you now · Operators`,
  signIn: {
    title: "Sign in to see the load",
    lead: "This is for people who operate or moderate this place. If you are looking for somebody to talk with, the rooms are the right place.",
    over: "Your sign-in is over, here or everywhere. Please sign in again.",
    notYours: "You are signed in, but these numbers are for operators and moderators.",
    toListening: "To the listeners' page",
  },
  out: "Sign out",
  link: {
    lost: "The connection dropped. The numbers below are old; we're getting back.",
    back: "",
    stopped: "The server turned us away. Load the page again.",
  },
  live: (/** @type {string} */ at) => `Live. These numbers are from ${at}.`,
  old: (/** @type {string} */ at) => `Not live. These numbers are from ${at}.`,
  sound: "Sound for rooms that need a moderator",
  soundTry: "Try it",
  here: "What goes on",
  totals: {
    members: "in rooms",
    occupied: "rooms with people",
    connections: "connections",
    posts: "posts a minute",
    reactions: "reactions a minute",
    delivery: "half arrive within, and 99 in 100 within",
    behind: "readers behind",
    outbox: "waiting for them",
  },
  attention: {
    title: "Needs attention",
    none: "Nothing needs you. Everything is within its limits.",
    now: "Now",
    soon: "Soon",
    more: (/** @type {number} */ n) => `${count(n, "more", "more")}`,
    untold: (/** @type {number} */ n) => `And ${number(n)} more, of the same kinds or milder.`,
    show: (/** @type {string} */ name) => `Show ${name}`,
    news: (/** @type {string} */ said) => `Needs you now: ${said}`,
  },
  rooms: {
    title: "Rooms",
    label: "Rooms, live",
    filter: "Find a room",
    sort: "Sorted by",
    up: "Smallest first",
    down: "Largest first",
    turn: "Turn the order round",
    shown: (/** @type {number} */ n, /** @type {number} */ all) =>
      n === all ? count(all, "room", "rooms") : `${number(n)} of ${count(all, "room", "rooms")}`,
    more: (/** @type {number} */ n) => `Show ${number(n)} more`,
    all: "Show all",
    none: "No room has that in its name.",
    closed: "closed",
    change: "Change",
    changeOf: (/** @type {string} */ name) => `Change ${name}`,
    settings: "Rooms, announcements, hours",
    needs: "Needs attention:",
    moderated: "Here",
    unmoderated: "Nobody",
    nobody: "–",
    slow: (/** @type {number} */ s) => (s === 0 ? "Off" : `${s} s`),
    of: (/** @type {number} */ n, /** @type {number} */ most) => `of ${number(most)}`,
    spark: (/** @type {number} */ least, /** @type {number} */ most) =>
      most === 0
        ? "Nobody was here in the last 30 minutes."
        : least === most
          ? `${number(most)} all the time.`
          : `Between ${number(least)} and ${number(most)} in the last 30 minutes.`,
  },
  /** @type {Record<string, string>} */
  columns: {
    name: "Room",
    members: "Here",
    full: "How full",
    writers: "Writing",
    posts: "Posts/min",
    reactions: "Reactions/min",
    behind: "Behind",
    outbox: "Outbox",
    p50: "p50",
    p99: "p99",
    slow_mode: "Slow mode",
    moderators: "Moderator",
    spark: "30 minutes",
  },
  queue: {
    title: "The queue",
    waiting: "Waiting",
    oldest: "Waiting longest",
    nobody: "Nobody waits",
    estimate: "Who asks now waits about",
    cannotTell: "We can't tell yet",
    from: (/** @type {number} */ n) => `going by ${count(n, "hand-over", "hand-overs")} of the last hour`,
    proposals: "Proposals out",
    sessions: "Sessions",
    hours: "Hours",
    open: "Open",
    closed: "Closed",
    promises: "Promises of one-to-one",
    kept: "All hold",
    broken: (/** @type {number} */ n) => count(n, "does not hold", "do not hold"),
    idle: (/** @type {string} */ time) => `Somebody free for ${time} while somebody waits`,
  },
  listeners: {
    title: "Listeners",
    /** @type {Record<string, string>} */
    states: { free: "Free", busy: "In a session", paused: "In a pause", away: "Away", practice: "Practising" },
    nearCap: "Near their limit of a day or week",
  },
  workers: {
    title: "Workers",
    label: "Workers, live",
    here: "shows you this page",
    draining: "stopping",
    drain: "Drain",
    drainOf: (/** @type {string} */ name) => `Drain ${name}`,
    /** @type {Record<string, string>} */
    columns: {
      name: "Worker",
      connections: "Connections",
      members: "People",
      cpu: "CPU",
      rss: "Memory",
      lag: "Loop lag",
      bus: "Redis",
      store: "Store",
      healed: "Holes healed",
      evictions: "Closed by us",
      version: "Version",
      up: "Up for",
      age: "Age",
    },
    deaf: "Nothing heard",
    storeAway: "No writes",
  },
  screening: {
    title: "Words that ask for help",
    lead: "A model reads along beside the word lists. Here you see how much it marks and what that finds, and say how much it may mark.",
    begin: "Show it",
  },
  simulator: {
    title: "Try another policy",
    lead: "The last days of the queue again, as if something had been otherwise: the same people ask, and the same rules decide. Nothing is switched on by it.",
    begin: "Try a policy",
    asItIs: "as it is",
    /** @type {Record<string, string>} */
    fields: {
      days: "Days back",
      listeners: "Listeners more (or −)",
      pause_minutes: "Pause, minutes",
      cap: "People at once",
      session_minutes: "Session, minutes",
      proposal_seconds: "Time to answer, seconds",
    },
    go: "Show the waits",
    working: "Replaying the days…",
    tooFew:
      "Fewer than 20 people asked in these days. From so few nothing can be said, and it would tell of single people.",
    trust:
      "Compare the first two columns before you trust the third: they should be alike. Everybody can meet everybody here, so real waits are a little longer.",
    failed: "That did not work. Please try it again in a moment.",
    /** @type {Record<string, string>} */
    refused: {
      invalid: "That cannot be replayed: a number is out of range, or hardly anybody could answer in so short a time.",
      rate_limited: "That was often enough for now. Please try it again later.",
    },
    table: "Waits under this policy",
    what: "What",
    columns: ["As it was", "Replayed as it was", "With this policy"],
    rows: {
      asks: "Asked for a listener",
      half: "Half of those met waited up to",
      nineInTen: "Nine in ten waited up to",
      longest: "The longest wait",
      soon: "Met within five minutes",
      left: "Left without being met",
      busy: "Of listeners’ places taken",
    },
    wait: (/** @type {number | null} */ s) =>
      s === null
        ? "Under 11 were met"
        : s < 60
          ? `${s} s`
          : `${Math.floor(s / 60)} min${s % 60 === 0 ? "" : ` ${s % 60} s`}`,
    share: (/** @type {{bound: string, percent: number}} */ { bound, percent }) =>
      bound === "is" ? `${percent} %` : `${bound} ${percent} %`,
    left: (/** @type {number | null} */ n) => (n === null ? "Under 11, or nearly all" : number(n)),
    busy: (/** @type {number | null} */ percent) => (percent === null ? "Nobody listened" : `${percent} %`),
  },
  statistics: {
    title: "Numbers to take along",
    lead: "Reports and feedback by day and kind, of the weeks that are over. What is small is left out, and with it whatever would give it away.",
    here: "This page itself shows everything exactly, because whoever keeps the place safe needs it so. Do not copy its numbers into a report.",
    download: "Download as CSV",
  },
  delivery: {
    title: "Redis and the store",
    redis: "Redis",
    redisWell: (/** @type {string} */ ms) => `Every worker hears itself, the slowest within ${ms}.`,
    redisAway: (/** @type {number} */ n) =>
      `${count(n, "worker hears", "workers hear")} nothing. Chat goes on by way of the store, slower.`,
    dropped: (/** @type {number} */ n, /** @type {number} */ healed) =>
      `${number(n)} lost on the way out, ${number(healed)} taken from the store instead.`,
    store: "Store",
    storeWell: (/** @type {string} */ ms) => `Every worker can write, the slowest within ${ms}.`,
    storeAway: (/** @type {number} */ n) =>
      `${count(n, "worker", "workers")} cannot write. Posts are refused there, and nothing is lost.`,
    failures: (/** @type {number} */ n) => `${count(n, "failure", "failures")} since the start.`,
  },
};

/** What to do. @type {Record<string, string>} */
export const ADVICE = {
  log_broken:
    "Look at once who can write to the database. Compare with the heads you exported: chatserver audit verify --heads says where it begins.",
  reports_overdue: "Ask a moderator to take it now; if nobody is there, take it yourself on the moderators' page.",
  escalation_overdue: "Open the moderators’ page and take it, or ask a moderator to.",
  store_away: "Look at the database: is its disk full, is it reachable? Chat goes on by itself once it takes writes.",
  bus_away: "Look at Redis and the network to it. Nothing is lost meanwhile; what workers know of each other is old.",
  promise_broken: "This is a defect. Keep the log of this hour, and tell whoever looks after the software.",
  idle_while_waiting:
    "This is a defect if it lasts. Keep the log of this hour, and tell whoever looks after the software.",
  long_wait: "Ask a listener who is away whether they can come, or tell the rooms that it takes longer tonight.",
  nobody_listens: "Ask somebody to come, or close the hours, so that nobody waits in vain.",
  unattended: "Ask a moderator to go in. It opens again by itself when one is there.",
  room_full: "Send newcomers to a room with space, or raise its capacity if it is still calm.",
  slow_delivery: "Look at the workers below: one is overloaded, or the store is slow.",
  worker_slow: "If it stays so, add a worker or move people off this one.",
  worker_busy: "Add a worker before it slows down for those on it.",
  bus_slow: "Look at Redis: is its machine busy, is the network?",
  store_slow: "Look at the database's disk and what else runs there.",
  versions_differ: "An upgrade is under way, or one worker was forgotten. Restart the old one.",
  unmoderated: "Ask a moderator to look in.",
  readers_behind: "They are on bad networks, or the room is too fast. Slow mode helps.",
  room_busy: "Slow mode, or a second room, lets people be heard.",
  nearly_full: "Think of a second room now.",
};
