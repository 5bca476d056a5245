/** A person, as the page shows one: a shape and a name. */

import { h } from "../lib/dom.js";
import { shape } from "../lib/shape.js";

/** @param {import("../types.js").Person} person @param {string} [after] @returns {HTMLElement} */
export function personLine(person, after) {
  const name = h("span", { text: person.name });
  return h("span", { class: "person" }, shape(person.id), name, after !== undefined && h("span", { class: "soft", text: after }));
}
