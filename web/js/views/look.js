/** Light or dark, and the size of the text. early.js reads both before anything is painted. */

import { h } from "../lib/dom.js";
import { words } from "../locales/en.js";

const w = words.you;

/** @returns {import("../main.js").View} */
export function lookCard() {
  const page = document.documentElement;
  return {
    element: h(
      "section",
      { class: "card", "aria-label": w.lookTitle },
      h("h2", { text: w.lookTitle }),
      choice("theme", w.theme, w.themes, page.getAttribute("data-theme") ?? "auto"),
      choice("size", w.size, w.sizes, page.getAttribute("data-size") ?? "normal"),
      h("h3", { text: w.exitTitle }),
      h("p", { class: "soft", text: w.exitLead }),
    ),
  };
}

/** @param {"theme" | "size"} what @param {string} title @param {Record<string, string>} options @param {string} current */
function choice(what, title, options, current) {
  const usual = Object.keys(options)[0];
  const set = (/** @type {string} */ value) => {
    if (value === usual) document.documentElement.removeAttribute(`data-${what}`);
    else document.documentElement.setAttribute(`data-${what}`, value);
    try {
      if (value === usual) localStorage.removeItem(`chat.look.${what}`);
      else localStorage.setItem(`chat.look.${what}`, value);
    } catch {
      // It looks so until the page is closed; there is nowhere to keep it.
    }
  };
  const radios = Object.entries(options).map(([value, label]) =>
    h(
      "label",
      { class: "check" },
      h("input", { type: "radio", name: what, value, checked: value === current, on: { change: () => set(value) } }),
      h("span", { text: label }),
    ),
  );
  return h("fieldset", {}, h("legend", { text: title }), h("div", { class: "row" }, ...radios));
}
