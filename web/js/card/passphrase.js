/** Locking the card, opening it, and what "Leave now" does with it. */

/** @import {CardStore} from "./store.js" */

import { button, h, show, text } from "../lib/dom.js";
import { keeping as w, words } from "../locales/en-card.js";
import { troubleLine } from "../shell/trouble-line.js";
import { field, line } from "./fields.js";
import { canLock, SHORTEST } from "./lock.js";

const secret = (/** @type {string} */ kind) => line({ type: "password", autocomplete: kind, maxlength: 256 });

/** @param {(words: string) => void} say */
function form(say, /** @type {(Node | false)[]} */ fields, /** @type {string} */ go, /** @type {string} */ busy) {
  const trouble = troubleLine();
  const submit = h("button", { type: "submit", class: "act", text: go });
  const element = h(
    "form",
    { autocomplete: "off" },
    ...fields.filter((each) => each !== false),
    trouble.element,
    h("div", { class: "row" }, submit),
  );
  return {
    element,
    trouble,
    /** @param {() => Promise<string>} act  answers with what is wrong */
    on(act) {
      element.addEventListener("submit", (event) => {
        event.preventDefault();
        void trouble.around(async () => {
          text(submit, busy);
          say(busy);
          const wrong = await act();
          text(submit, go);
          trouble.say(wrong);
        });
      });
    },
  };
}

/** The card is locked. @param {CardStore} store @param {(words: string) => void} say @param {() => void} [opened] */
export function unlockForm(store, say, opened = () => {}) {
  const phrase = secret("off");
  const asked = form(say, [field(w.phrase, phrase)], w.unlock, w.unlocking);
  asked.on(async () => {
    if (!(await store.unlock(phrase.value))) return w.wrong;
    phrase.value = "";
    opened();
    return "";
  });
  return asked.element;
}

/** A new passphrase. @param {CardStore} store @param {(words: string) => void} say */
function lockForm(store, say) {
  const [phrase, again] = [secret("off"), secret("off")];
  const stays = h("input", { type: "checkbox" });
  stays.checked = store.keeps;
  const asked = form(
    say,
    [
      h("p", {}, h("b", { text: w.noRecovery })),
      store.stored !== null && !store.isLocked && h("p", { text: w.before }),
      field(w.phrase, phrase, w.phraseHint),
      field(w.twice, again),
      h("label", { class: "check" }, stays, h("span", { text: w.leaveIt })),
      h("p", { class: "soft small", text: w.leaveItHint }),
    ],
    w.lock,
    w.locking,
  );
  asked.on(async () => {
    if ([...phrase.value.trim()].length < SHORTEST) return w.short;
    if (phrase.value !== again.value) return w.differs;
    await store.lock(phrase.value, stays.checked);
    return "";
  });
  return asked.element;
}

/** @param {CardStore} store @param {(words: string) => void} say */
export function lockCard(store, say) {
  const place = h("div");
  const element = h(
    "section",
    { class: "card", "aria-label": w.lockTitle },
    h("h2", { tabindex: -1, text: w.lockTitle }),
    place,
  );
  let drawn = "";

  function draw() {
    const state = !canLock() ? "never" : store.isLocked ? "locked" : "open";
    if (state === drawn) return;
    const isChanged = drawn !== "";
    drawn = state;
    if (state === "never") place.replaceChildren(h("p", { text: w.noLock }));
    else if (state === "open")
      place.replaceChildren(
        h("p", { text: w.open }),
        folded(w.lock, () => lockForm(store, say)),
      );
    else place.replaceChildren(...locked());
    if (isChanged && place.parentElement?.contains(document.activeElement) !== false)
      element.querySelector("h2")?.focus();
    if (isChanged && state === "locked") say(w.locked);
  }
  function locked() {
    const stays = h("input", { type: "checkbox", on: { change: () => void store.keepWhenLeaving(stays.checked) } });
    stays.checked = store.keeps;
    return [
      h("p", { text: w.locked }),
      h("label", { class: "check" }, stays, h("span", { text: w.leaveIt })),
      h("p", { class: "soft small", text: w.leaveItHint }),
      button(w.lockNow, () => void store.close(), { class: "act second" }),
      folded(w.change, () => lockForm(store, say)),
      sure(w.takeOff, w.takeOffSure, w.takeOffYes, () => void store.takeLockOff()),
    ];
  }
  return { element, update: draw };
}

/** What is shown when it is asked for. @param {string} label @param {() => HTMLElement} make */
function folded(label, make) {
  const place = h("div", { hidden: true });
  const open = button(
    label,
    () => {
      place.replaceChildren(make());
      show(place, true);
      show(open, false);
      place.querySelector("input")?.focus();
    },
    { class: "act second" },
  );
  return h("div", {}, open, place);
}

/** What takes two touches. @param {string} ask @param {string} lead @param {string} yes @param {() => void} act */
export function sure(ask, lead, yes, act) {
  const first = button(ask, () => turn(true), { class: "quiet danger" });
  const second = button(yes, () => (turn(false), act()), { class: "act danger" });
  const no = button(words.keep, () => turn(false), { class: "quiet" });
  const panel = h("div", { hidden: true }, h("p", { text: lead }), h("div", { class: "row" }, second, no));
  /** @param {boolean} isAsking */
  function turn(isAsking) {
    show(panel, isAsking);
    show(first, !isAsking);
    (isAsking ? second : first).focus();
  }
  return h("div", {}, first, panel);
}
