/** Making and updating elements. Text enters as text; nothing here parses HTML, so nobody's words become anything else. */

/**
 * @typedef {Node | string | null | false} Child
 */

/**
 * An element. `text` and `on` (listeners by event) are understood; every other property is an attribute.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "text") text(element, value);
    else if (name === "on") {
      for (const [event, listener] of Object.entries(value)) {
        element.addEventListener(event, /** @type {EventListener} */ (listener));
      }
    } else attr(element, name, value);
  }
  for (const child of children) if (child !== null && child !== false) element.append(child);
  return element;
}

/** @param {Element} element @param {string} name @param {string | number | boolean | null | undefined} value */
export function attr(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Change a text only where it differs: live regions stay quiet, and a translation stays. @param {Element} node @param {string} value */
export function text(node, value) {
  const isOurs =
    node.textContent === value ||
    (value !== "" && texts.get(node) === value && node.firstChild !== null && !node.querySelector(":not(font)"));
  texts.set(node, value);
  if (!isOurs) node.textContent = value;
}

/** @type {WeakMap<Element, string>} */
const texts = new WeakMap();

/** @param {HTMLElement} element @param {boolean} isShown */
export function show(element, isShown) {
  if (element.hidden === isShown) element.hidden = !isShown;
}

/**
 * Make a parent's children follow a list. Elements are kept by key, and moved only where they must be.
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {(item: T) => string} key
 * @param {(item: T) => {element: Element, update: (item: T) => void}} make
 */
export function keyed(parent, items, key, make) {
  /** @type {Map<string, {element: Element, update: (item: T) => void}>} */
  const held = kept.get(parent) ?? new Map();
  /** @type {Map<string, {element: Element, update: (item: T) => void}>} */
  const next = new Map();
  for (const item of items) {
    const k = key(item);
    const row = held.get(k) ?? make(item);
    row.update(item);
    next.set(k, row);
  }
  for (const [k, row] of held) if (!next.has(k)) row.element.remove();
  let at = parent.firstElementChild;
  for (const { element } of next.values()) {
    if (element === at) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
  kept.set(parent, next);
}

/** @type {WeakMap<Element, Map<string, any>>} */
const kept = new WeakMap();

/**
 * A button. `act` gets the click.
 * @param {string} label @param {(event: Event) => void} act @param {Record<string, any>} [props]
 */
export function button(label, act, props = {}) {
  return h("button", { type: "button", text: label, on: { click: act }, ...props });
}

/** Whether a key belongs to an input method. In Safari only its code tells of the one that confirms. @param {KeyboardEvent} event */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** Move the focus to something that is not a control, without leaving it in the tab order. @param {HTMLElement} element */
export function focusOn(element) {
  if (!element.hasAttribute("tabindex")) element.setAttribute("tabindex", "-1");
  element.focus({ preventScroll: true });
}

/** A text of several lines as paragraphs. @param {string} long */
export function paragraphs(long) {
  return long
    .split(/\n+/)
    .filter((line) => line.trim() !== "")
    .map((line) => h("p", { text: line }));
}
