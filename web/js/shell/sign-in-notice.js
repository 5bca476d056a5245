/** What somebody is told of their own account when they come: tries that failed since they were last here. */

import { daily } from "../lib/daily.js";
import { button, h, text } from "../lib/dom.js";
import { momentWord } from "../locales/en-moment.js";
import { words } from "../locales/en-listener.js";

const SEEN = "chat.tries-seen";

/** @param {{failed_tries?: number, last_failed_at?: number}} account @returns {HTMLElement | false} */
export function triesNotice({ failed_tries: tries = 0, last_failed_at: at = 0 }) {
  if (tries === 0 || seen() === String(at)) return false;
  const w = words.account.tries;
  const element = h(
    "div",
    { class: "card", role: "status" },
    daily(h("p"), (said) => text(said, w.said(tries, momentWord(at)))),
    h("p", { class: "soft", text: w.lead }),
    h(
      "div",
      { class: "row" },
      button(
        w.seen,
        () => {
          try {
            sessionStorage.setItem(SEEN, String(at));
          } catch {
            // It is said again when the page is loaded again.
          }
          element.remove();
        },
        { class: "act second" },
      ),
    ),
  );
  return element;
}

function seen() {
  try {
    return sessionStorage.getItem(SEEN);
  } catch {
    return null;
  }
}
