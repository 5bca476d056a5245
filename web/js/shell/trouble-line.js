/** What did not work, said where it was tried. */

import { button, h, show, text } from "../lib/dom.js";
import { refusalWord, words } from "../locales/en.js";

/**
 * A line that says why something did not work, and a way of doing things that fills it.
 * @param {(no: unknown) => string} [refusal]  words for what was refused
 */
export function troubleLine(refusal = refusalWord) {
  const element = h("p", { class: "trouble", role: "alert", hidden: true });
  let isBusy = false;
  return {
    element,
    /** @param {string} what */
    say(what) {
      text(element, what);
      show(element, what !== "");
    },
    /** One thing at a time. @param {() => Promise<unknown>} act @returns {Promise<boolean>} whether it worked */
    async around(act) {
      if (isBusy) return false;
      isBusy = true;
      this.say("");
      try {
        await act();
        return true;
      } catch (no) {
        this.say(refusal(no));
        return false;
      } finally {
        isBusy = false;
      }
    },
  };
}

/** Instead of what could not be fetched: that it is so, and a second try. @param {Element} at @param {() => void} again */
export function missed(at, again) {
  const before = at.querySelector(".trouble");
  if (before instanceof HTMLElement) return show(before, true);
  const said = h("p", { class: "trouble", role: "alert", text: refusalWord("unfetched") });
  at.append(
    said,
    button(
      words.status.again,
      () => {
        show(said, false);
        again();
      },
      { class: "act" },
    ),
  );
}
