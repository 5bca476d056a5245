/** The line that says how the connection is, and what can be done about it. */

/** @import {Context, Link, State} from "../types.js" */

import { fetched } from "../lib/api.js";
import { button, h, show, text } from "../lib/dom.js";
import { clock } from "../lib/time.js";
import { words } from "../locales/en.js";

const BACK_MS = 5_000;
/** What few ever see; its words are fetched when it is so. */
const isRare = (/** @type {string} */ why) => !["", "network", "draining", "busy"].includes(why);

/** Why there is no connection, in words, where that is rare. @param {string} why @param {number | null} until */
export async function rareWord(why, until) {
  const found = isRare(why)
    ? await fetched(() => import("../locales/en-link.js"), "locales/en-link.js").catch(() => null)
    : null;
  return found?.whyWord(why, clock(until ?? Date.now()), location.host) ?? null;
}

/** @param {Context} context @param {HTMLElement} element */
export function linkLine({ session, go }, element) {
  const message = h("span");
  const now = button(words.link.tryNow, () => session.client.tryNow(), { class: "quiet" });
  const reload = button(words.link.reload, () => location.reload(), { class: "quiet" });
  const anew = button(
    words.link.anew,
    () => {
      session.beginAnew();
      go({ name: "lobby" });
    },
    { class: "quiet" },
  );
  element.append(message, now, reload, anew);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let fading;
  /** The words for what is rare, once they are here. */
  let rare = "";
  let rareFor = "";

  /** @param {Link} link */
  function rareWords({ why, retryAt }) {
    if (rareFor !== `${why} ${retryAt}`) {
      if (!rareFor.startsWith(why)) rare = "";
      rareFor = `${why} ${retryAt}`;
      void rareWord(why, retryAt).then((said) => {
        rare = said ?? (retryAt === null ? words.refusalOther : "");
        update(session.state);
      });
    }
    return rare || (retryAt === null ? "" : words.link.away);
  }

  /** @param {State} state */
  function update({ link, me }) {
    const isStopped = link.status === "stopped";
    const said =
      link.status !== "open" && isRare(link.why)
        ? rareWords(link)
        : wordsFor(link, session.vault.isDurable, me !== null && session.wasLost);
    text(message, said);
    show(now, link.retryAt !== null && link.retryAt - Date.now() > 3_000 && !isStopped);
    show(reload, isStopped && (link.why === "refused" || link.why === "cookies" || said === words.refusalOther));
    show(anew, isStopped && (link.why === "identity" || link.why === "out"));
    element.classList.toggle("well", link.back);
    element.classList.toggle("soon", link.status === "lost");
    show(element, said !== "");
    if (link.back && fading === undefined) {
      fading = setTimeout(() => {
        fading = undefined;
        session.do({ type: "link", link: { back: false } });
      }, BACK_MS);
    }
  }
  return { update };
}

/** @param {Link} link @param {boolean} isDurable @param {boolean} wasOpen  there was a connection that could drop */
function wordsFor(link, isDurable, wasOpen) {
  if (link.status === "open") return link.back ? words.link.back : "";
  if (link.status === "starting" && link.retryAt === null) return "";
  if (!isDurable) return words.link.memoryOnly;
  if (!navigator.onLine) return words.link.offline;
  if (link.why === "draining") return words.link.draining;
  if (link.why === "busy") return words.link.busy;
  return wasOpen ? words.link.network : words.link.away;
}
