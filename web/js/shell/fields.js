/** Small pieces that the console's parts are made of. */

/** @import {Vault} from "../rooms/vault.js" */

import { button, h, isComposing, show, text } from "../lib/dom.js";
import { refusalWord } from "../locales/en-listener.js";
import { troubleLine as plainTroubleLine } from "./trouble-line.js";

let made = 0;

/** An id for something on the page. @param {string} what */
export const idFor = (what) => `${what}-${(made += 1)}`;

/**
 * A labelled field. @template {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} T
 * @param {string} label @param {T} input @param {string} [lead]  said before it is filled in
 */
export function field(label, input, lead) {
  input.id ||= idFor("field");
  if (lead !== undefined) input.setAttribute("aria-describedby", `${input.id}-lead`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: input.id, text: label }),
    lead !== undefined && h("p", { id: `${input.id}-lead`, class: "soft lead-in", text: lead }),
    input,
  );
}

/** @param {string} autocomplete @param {Record<string, any>} [more] */
export const textInput = (autocomplete, more = {}) =>
  h("input", { type: "text", autocomplete, autocapitalize: "none", spellcheck: "false", required: true, ...more });

/** @param {"current-password" | "new-password"} autocomplete */
export const passwordInput = (autocomplete) =>
  h("input", { type: "password", autocomplete, required: true, maxlength: 256 });

/** @param {(no: unknown) => string} [refusal]  words for what was refused */
export const troubleLine = (refusal = refusalWord) => plainTroubleLine(refusal);

/** What one did and did work. @param {(words: string) => void} say */
export function doneLine(say) {
  const element = h("p", { class: "done", hidden: true });
  return {
    element,
    /** @param {string} what */
    say(what) {
      text(element, what);
      show(element, what !== "");
      if (what !== "") say(what);
    },
  };
}

/** @param {string} title @param {...(Node | string | null | false)} children */
export function card(title, ...children) {
  const id = idFor("card");
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id, text: title }), ...children);
}

/** @param {string} label @param {boolean} checked @param {Record<string, any>} [more] */
export function check(label, checked, more = {}) {
  const input = h("input", { type: "checkbox", ...more });
  input.checked = checked;
  return { input, element: h("label", { class: "check" }, input, h("span", { text: label })) };
}

/**
 * Boxes of which any number may be ticked. @param {string} legend @param {[string, string][]} options  value and label
 * @param {readonly string[]} chosen
 */
export function choices(legend, options, chosen) {
  const boxes = options.map(([value, label]) => ({ value, ...check(label, chosen.includes(value), { value }) }));
  return {
    element: h(
      "fieldset",
      {},
      h("legend", { text: legend }),
      h("div", { class: "boxes" }, ...boxes.map((box) => box.element)),
    ),
    get value() {
      return boxes.filter((box) => box.input.checked).map((box) => box.value);
    },
  };
}

/**
 * Something that takes two touches: the first shows what it means.
 * @param {object} how
 * @param {string} how.ask @param {string} how.lead @param {string} how.yes @param {string} how.no
 * @param {() => Promise<unknown>} how.act @param {(Node | false)[]} [how.fields] @param {boolean} [how.danger]
 * @param {() => void} [how.opened] @param {(no: unknown) => string} [how.refusal]
 */
export function twoTouches({ ask, lead, yes, no, act, fields = [], danger = false, opened, refusal = refusalWord }) {
  const trouble = troubleLine(refusal);
  const first = button(ask, () => turn(true), { class: danger ? "quiet danger" : "quiet", "aria-expanded": "false" });
  const go = h("button", { type: "submit", class: danger ? "act danger" : "act", text: yes });
  const panel = h(
    "form",
    { class: "panel", hidden: true, novalidate: true },
    h("p", { text: lead }),
    ...fields,
    trouble.element,
    h(
      "div",
      { class: "row" },
      go,
      button(no, () => turn(false), { class: "quiet" }),
    ),
  );
  panel.addEventListener("submit", (event) => {
    event.preventDefault();
    void trouble.around(act).then((isDone) => isDone && panel.isConnected && turn(false));
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden || isComposing(event)) return;
    event.stopPropagation();
    // Nor does it close the dialog that the panel stands in.
    event.preventDefault();
    turn(false);
  });
  /** @param {boolean} isOpen */
  function turn(isOpen) {
    if (panel.hidden !== isOpen) return;
    trouble.say("");
    show(panel, isOpen);
    first.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) opened?.();
    const inside = panel.querySelector("textarea, input, select");
    if (!isOpen) first.focus();
    else if (inside instanceof HTMLElement) inside.focus();
    else go.focus();
  }
  return { first, panel, trouble, close: () => turn(false) };
}

/** A field whose text survives a reload. @param {Vault} vault @param {string} key @param {HTMLTextAreaElement} area @param {string} [usual] */
export function keptField(vault, key, area, usual = "") {
  area.value = vault.draft(key)?.text ?? usual;
  area.addEventListener("input", () => vault.keepDraft(key, { text: area.value, warning: null, replyTo: null }));
  return {
    clear() {
      area.value = usual;
      vault.forgetRoom(key);
    },
  };
}

/** @param {string} code @returns {string} a language's name */
export function languageName(code) {
  try {
    return new Intl.DisplayNames(undefined, { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** Change the page, but not the place of what somebody writes in. @param {() => void} change */
export function steady(change) {
  const at = isWriting() ? document.activeElement : null;
  const before = at?.getBoundingClientRect().top ?? 0;
  change();
  if (at !== null && at.isConnected) scrollBy(0, at.getBoundingClientRect().top - before);
}

/** Whether somebody is writing at this moment, so that nothing may take the focus from them. */
export function isWriting() {
  const at = document.activeElement;
  return (
    at instanceof HTMLTextAreaElement ||
    at instanceof HTMLSelectElement ||
    (at instanceof HTMLInputElement && !["checkbox", "radio"].includes(at.type))
  );
}
