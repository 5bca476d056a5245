/** Being signed in here and nowhere else: for whoever thinks that somebody else is here under their name. */

/** @import {Context} from "../../types.js" */

import { signOutOthers } from "../identity.js";
import { button, h } from "../../lib/dom.js";
import { words as w } from "../../locales/en-others.js";
import { troubleLine } from "../../shell/trouble-line.js";

/**
 * Says what it does in place of the button that asked for it, and does it when that is confirmed.
 * @param {Context} context @param {HTMLElement} asked
 */
export function ask({ session, say }, asked) {
  const trouble = troubleLine();
  const yes = button(w.yes, () => void trouble.around(act), { class: "act danger" });
  const panel = h(
    "div",
    {},
    h("p", { text: w.lead }),
    h("div", { class: "row" }, yes, button(w.no, leave, { class: "quiet" })),
    trouble.element,
  );

  async function act() {
    await signOutOthers(session);
    const done = h("p", { class: "done", tabindex: -1, text: w.done });
    panel.replaceWith(done);
    done.focus();
    say(w.done);
  }
  function leave() {
    panel.replaceWith(asked);
    asked.focus();
  }
  asked.replaceWith(panel);
  yes.focus();
}
