/** Where something stands that has to be seen wherever somebody reads: above the place where they write. Fetched when needed. */

import { h } from "../../lib/dom.js";

const STYLE = "/css/above.css";
/** A window so low that nothing but this stays in sight over the posts. */
const LOW = "(max-height: 30rem)";

/**
 * Put an element above the place where one writes, or at the top of a page without one. Done again after every change
 * of the screen; it moves nothing that stands where it should.
 * @param {HTMLElement} element @param {HTMLElement} stage
 */
export function standAbove(element, stage) {
  dress();
  const foot = stage.querySelector(".composer")?.closest(".foot") ?? null;
  const before = foot === null ? stage : matchMedia(LOW).matches ? foot : null;
  if (before === null) {
    if (element.parentElement !== foot) foot?.prepend(element);
  } else if (element.parentElement !== before.parentElement) before.before(element);
}

/** Its style, once. */
function dress() {
  if (document.querySelector(`link[href="${STYLE}"]`) === null)
    document.head.append(h("link", { rel: "stylesheet", href: STYLE }));
}
