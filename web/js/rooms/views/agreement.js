/** The agreement that stands before a room. */

/** @import {Context, Screen} from "../../types.js" */

import { button, h, paragraphs } from "../../lib/dom.js";
import { words } from "../../locales/en.js";
import { troubleLine } from "../../shell/trouble-line.js";

/** @param {Context} context @param {Extract<Screen, {name: "agreement"}>} screen */
export function agreementView(context, { room, title, text: agreement, version, again }) {
  const w = words.agreement;
  const trouble = troubleLine();
  const accept = button(w.accept, () => trouble.around(() => context.enter(room, version)), { class: "act" });
  return {
    element: h(
      "div",
      { class: "card narrow threshold" },
      h("h1", { text: w.title(title) }),
      h("p", { class: "lead", text: again ? w.changed : w.lead }),
      h("div", { class: "agreement" }, ...paragraphs(agreement)),
      trouble.element,
      h("div", { class: "row" }, accept, button(w.back, context.back, { class: "quiet" })),
    ),
  };
}
