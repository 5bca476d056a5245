/** How the card is kept in this browser, taken along as a file or on paper, read back in, and removed. */

/** @import {CardStore} from "./store.js" */

import { button, h, show, text } from "../lib/dom.js";
import { newId } from "../lib/text.js";
import { keeping as w, parts } from "../locales/en-card.js";
import { troubleLine } from "../shell/trouble-line.js";
import { field, line } from "./fields.js";
import { fromText, toText } from "./file.js";
import { added, fits, MOST_BYTES } from "./model.js";
import { sure } from "./passphrase.js";

const TITLES = Object.fromEntries(Object.entries(parts).map(([kind, { title }]) => [kind, title]));
const USUAL_NAME = "notes.txt";

/** @param {string} title @param {...(Node | false)} children */
const section = (title, ...children) =>
  h("section", { class: "card", "aria-label": title }, h("h2", { text: title }), ...children);

/** What this browser says about keeping it. */
export function promiseLine() {
  const element = h("p", { class: "soft" });
  // All of Apple's browsers, and all on its phones, remove what scripts stored.
  const isSafari = navigator.vendor.startsWith("Apple") && !matchMedia("(display-mode: standalone)").matches;
  const update = async () => {
    const isPromised = (await navigator.storage?.persisted?.().catch(() => false)) ?? false;
    text(element, [isPromised ? w.promised : w.unsure, ...(isSafari ? [w.safari] : [])].join(" "));
  };
  return { element, update };
}

/** Why the last change is in this page only, or that another tab removed it all. @param {CardStore} store */
export function troubleOf({ trouble, isGone, isClosed, isHolding }) {
  if (isClosed) return isHolding ? w.held : "";
  if (trouble !== "") return trouble === "full" ? w.full : w.refused;
  return isGone ? w.gone : "";
}

/** @param {CardStore} store @param {(words: string) => void} say */
export function awayCard(store, say) {
  const done = h("p", { class: "done", hidden: true });
  const trouble = troubleLine();
  const name = line({ value: USUAL_NAME, maxlength: 60 });
  const pick = h("input", { type: "file", accept: ".txt,text/plain" });
  const tell = (/** @type {string} */ what) => {
    text(done, what);
    show(done, true);
    trouble.say("");
    say(what);
  };
  const save = () => {
    download(name.value.trim() || USUAL_NAME, toText(store.card, TITLES));
    tell(w.saved);
  };
  pick.addEventListener("change", () => {
    const [file] = pick.files ?? [];
    if (file === undefined) return;
    void readBack(store, file).then((wrong) => {
      pick.value = "";
      show(done, false);
      if (wrong === "") tell(w.read);
      else trouble.say(wrong);
    });
  });
  return section(
    w.away,
    h("p", { text: w.awayLead }),
    h("div", { class: "row" }, field(w.fileName, name), button(w.save, save, { class: "act second" })),
    button(w.print, () => print(), { class: "act second" }),
    h("p", { class: "soft small", text: w.printLead }),
    field(w.back, pick, w.backLead),
    trouble.element,
    done,
  );
}

/** @param {CardStore} store @param {File} file @returns {Promise<string>} what is wrong with it */
async function readBack(store, file) {
  if (file.size > MOST_BYTES) return w.tooLarge;
  const said = await file.text();
  if (/[\0\ufffd]/.test(said)) return w.unreadable;
  const whole = added(store.card, fromText(said, TITLES, w.unnamed, newId), newId);
  if (!fits(whole)) return w.tooLarge;
  await store.change(whole);
  return "";
}

/** @param {string} name @param {string} text */
function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  h("a", { href: address, download: name }).click();
  // Not before the browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** @param {CardStore} store @param {() => void} removed */
export const removeCard = (store, removed) =>
  section(
    w.removeTitle,
    sure(w.remove, w.removeLead, w.removeYes, () => {
      store.remove();
      removed();
    }),
  );
