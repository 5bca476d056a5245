/** Fields whose words go nowhere: not to a spelling, writing or translating service of the browser, nor into its forms. */

import { h } from "../lib/dom.js";

let made = 0;

const PRIVATE = {
  autocomplete: "off",
  spellcheck: "false",
  translate: "no",
  writingsuggestions: "false",
  "data-gramm": "false",
  "data-1p-ignore": true,
};

/** @param {Record<string, any>} [more] */
export const line = (more = {}) => h("input", { type: "text", ...PRIVATE, ...more });
/** @param {Record<string, any>} [more] */
export const area = (more = {}) => h("textarea", { rows: 4, ...PRIVATE, ...more });

/**
 * @param {string} label @param {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} input
 * @param {string} [hint]  said before it is filled in
 */
export function field(label, input, hint) {
  input.id = `card-${(made += 1)}`;
  if (hint !== undefined) input.setAttribute("aria-describedby", `${input.id}-hint`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: input.id, text: label }),
    hint !== undefined && h("p", { id: `${input.id}-hint`, class: "soft small", text: hint }),
    input,
  );
}

/** @param {string[]} names */
export const choice = (names) => h("select", {}, ...names.map((name, at) => h("option", { value: at, text: name })));
