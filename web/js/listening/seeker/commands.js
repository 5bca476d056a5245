/** What a seeker can do, and what several of their screens say alike. Knows no DOM. */

/** @import {Context, TalkView, Wish} from "../../types.js" */

const ANNOUNCE_MS = 30_000;

/** The commands of somebody who asks. Each rejects with Refused. @param {Context["session"]} session */
export function commands(session) {
  return {
    /** @param {Wish} wish */
    ask: (wish) => session.ask("ask", { agreement: true, ...wish }),
    leave: () => session.ask("unask"),
    takeBack: () => session.ask("take_back"),
    /** @param {string} id */
    end: (id) => session.ask("end", { session: id }),
    /** @param {string} id @param {boolean} yes */
    answer: (id, yes) => session.ask("answer", { session: id, yes }),
    /** @param {string} id */
    block: (id) => session.ask("block", { session: id }),
    /** @param {string} id @param {{reason: string, note: string, about?: string}} said */
    report: (id, said) => session.ask("report", { session: id, ...said }),
    /** @param {string} id @param {{heard?: number, heavy?: number}} said */
    feedback: (id, said) => session.ask("feedback", { session: id, ...said }),
    /** @param {string} id @param {boolean} on */
    again: (id, on) => session.ask("again", { session: id, on }),
    /** @param {string} id @returns {Promise<{words: string, expires_at: number}>} */
    words: (id) => session.ask("words", { session: id }),
  };
}

/** The people one was talking with. @param {TalkView | undefined} talk */
export function partner(talk) {
  return (talk?.people ?? [])
    .filter((p) => p.id !== talk?.me && p.role === "listener")
    .map((p) => p.name)
    .join(" & ");
}

/**
 * Say something when its key changes, but not more often than every half a minute; the newest then.
 * @param {(said: string) => void} say
 */
export function announceSeldom(say, now = () => Date.now()) {
  let lastKey = "";
  let lastAt = 0;
  return (/** @type {string} */ said, /** @type {string} */ key) => {
    if (key === lastKey || now() - lastAt < ANNOUNCE_MS) return;
    if (lastKey !== "") say(said);
    lastKey = key;
    lastAt = now();
  };
}
