/** The connection line: the truth about the connection, and nothing when all is well. */

import { button, h, show, text } from "../lib/dom.js";
import { words } from "../locales/en.js";

const BACK_MS = 5_000;

/** @param {import("../main.js").Context} context @param {HTMLElement} element */
export function linkLine({ session, go }, element) {
  const message = h("span");
  const now = button(words.link.tryNow, () => session.client.tryNow(), { class: "quiet" });
  const reload = button(words.link.reload, () => location.reload(), { class: "quiet" });
  const anew = button(words.link.anew, () => {
    session.beginAnew();
    go({ name: "lobby" });
  }, { class: "quiet" });
  element.append(message, now, reload, anew);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let fading;

  /** @param {import("../types.js").State} state */
  function update({ link }) {
    const isStopped = link.status === "stopped";
    const said = wordsFor(link, session.vault.isDurable);
    text(message, said);
    show(now, link.retryAt !== null && link.retryAt - Date.now() > 3_000 && !isStopped);
    show(reload, isStopped && link.why === "refused");
    show(anew, isStopped && link.why === "identity");
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

/** @param {import("../types.js").Link} link @param {boolean} isDurable @returns {string} */
function wordsFor(link, isDurable) {
  if (link.status === "open") return link.back ? words.link.back : "";
  if (link.status === "stopped") return link.why === "identity" ? words.link.identity : words.link.refused;
  if (link.status === "starting" && link.retryAt === null) return "";
  if (!isDurable) return words.link.memoryOnly;
  if (!navigator.onLine) return words.link.offline;
  if (link.why === "draining") return words.link.draining;
  return link.why === "busy" ? words.link.busy : words.link.network;
}
