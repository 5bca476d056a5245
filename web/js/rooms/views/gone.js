/** After somebody was forgotten here, or erased. Fetched with what does it, or when another tab did. */

/** @import {Context} from "../../types.js" */

import { button, h } from "../../lib/dom.js";
import { gone as w } from "../../locales/en-you.js";

/** @param {Context} context @param {"forgotten" | "erased"} how */
export function goneView({ session, go }, how) {
  const anew = () => {
    session.beginAnew();
    go({ name: "lobby" });
  };
  return {
    element: h(
      "div",
      { class: "card narrow" },
      h("h1", { text: w.title }),
      h("p", { text: w[how] }),
      button(w.again, anew, { class: "act" }),
    ),
  };
}
