/** The helplines, which every page of members has, as a dialog. Without JavaScript they are a part of the page. */

import { button, h } from "../lib/dom.js";
import { words } from "../locales/en.js";

/** @param {HTMLElement} link @param {HTMLElement} section @param {(isOpen: boolean) => void} turned */
export function helpDialog(link, section, turned) {
  const dialog = document.createElement("dialog");
  dialog.className = "sheet help-sheet";
  dialog.setAttribute("aria-labelledby", "help-title");
  const close = button(words.help.close, () => dialog.close(), { class: "quiet close" });
  // The way out is in sight here too, as the sheet stands over the head of the page, and one's own card.
  const leave = document.querySelector("a[data-exit]")?.cloneNode(true) ?? "";
  const card = document.getElementById("card-link");
  const own = button(card?.textContent ?? "", () => toCard(), { class: "pill" });
  dialog.append(h("div", { class: "help-top" }, close, leave, own), section);
  document.body.append(dialog);
  link.setAttribute("aria-haspopup", "dialog");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    if (!dialog.open) dialog.showModal();
    turned(true);
    dialog.scrollTop = 0;
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    turned(false);
    link.focus();
  });
  function toCard() {
    dialog.addEventListener("close", () => card?.click(), { once: true });
    dialog.close();
  }
}
