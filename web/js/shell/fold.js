/** A long text shows its first lines, and the rest when somebody asks for it. Loaded with the first long text. */

import { attr, button, h, show, text } from "../lib/dom.js";
import { words as w } from "../locales/en-fold.js";

const STYLE = "/css/fold.css";
/** @type {WeakSet<HTMLElement>} */
const folded = new WeakSet();
let ids = 0;

/** Its style, once. */
function dress() {
  if (document.querySelector(`link[href="${STYLE}"]`) === null)
    document.head.append(h("link", { rel: "stylesheet", href: STYLE }));
}

/** Let a text of the class `long` be unfolded. Done once for each element. @param {HTMLElement} element */
function fold(element) {
  if (folded.has(element)) return;
  folded.add(element);
  dress();
  element.id ||= `long-${(ids += 1)}`;
  const inList = element.closest('.post[tabindex="-1"]') !== null;
  const toggle = button(w.all, () => turn(), {
    class: "quiet unfold",
    "aria-expanded": "false",
    "aria-controls": element.id,
    ...(inList && { tabindex: -1 }),
  });
  element.after(toggle);
  // What is long on a phone may fit on a wide screen.
  new ResizeObserver(() =>
    show(toggle, element.classList.contains("open") || element.scrollHeight > element.clientHeight + 2),
  ).observe(element);

  function turn() {
    const isOpen = element.classList.toggle("open");
    text(toggle, isOpen ? w.less : w.all);
    attr(toggle, "aria-expanded", String(isOpen));
    if (!isOpen) element.scrollIntoView({ block: "nearest" });
  }
}

/** Fold a text where it may be long: some 12 lines on a phone. Called again when it changes. @param {HTMLElement} element */
export function foldIfLong(element) {
  const said = element.textContent ?? "";
  const isLong = said.length > 399 || said.split("\n").length > 12;
  element.classList.toggle("long", isLong);
  if (isLong) fold(element);
}
