/** What is always there: the connection line, and the helplines. */

/** @import {Context, Link, State} from "../types.js" */

import { button, h, show, text } from "../lib/dom.js";
import { words } from "../locales/en.js";

const BACK_MS = 5_000;

/** @param {Context} context @param {HTMLElement} element */
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

  /** @param {State} state */
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

/** @param {Link} link @param {boolean} isDurable */
function wordsFor(link, isDurable) {
  if (link.status === "open") return link.back ? words.link.back : "";
  if (link.status === "stopped") return words.link[/** @type {"identity" | "refused" | "banned"} */ (link.why)] ?? "";
  if (link.status === "starting" && link.retryAt === null) return "";
  if (!isDurable) return words.link.memoryOnly;
  if (!navigator.onLine) return words.link.offline;
  if (link.why === "draining") return words.link.draining;
  return link.why === "busy" ? words.link.busy : words.link.network;
}

/** @param {HTMLElement} link @param {HTMLElement} section */
export function helpDialog(link, section) {
  const dialog = document.createElement("dialog");
  dialog.className = "sheet help-sheet";
  dialog.setAttribute("aria-labelledby", "help-title");
  const close = button(words.help.close, () => dialog.close(), { class: "quiet close" });
  dialog.append(close, section);
  document.body.append(dialog);
  link.setAttribute("aria-haspopup", "dialog");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => link.focus());
}
