/**
 * A live table of many rows. Rows are boxes with the roles of a table: those out of sight cost the browser nothing, and a
 * phone can lay them out as it needs. What changed is drawn a little in every frame, so that no frame takes long, and
 * rows that are far out of sight are drawn again when they come near.
 */

import { attr, h, text } from "../lib/dom.js";

const SLICE_MS = 5;
const NEAR = "400px 0px";

/**
 * @template T
 * @typedef {object} Column
 * @property {string} key
 * @property {string} label
 * @property {(row: T) => string} [said]  what stands in the cell
 * @property {(cell: HTMLElement) => (row: T) => void} [drawn]  or how to draw it
 */

/**
 * @template T
 * @param {object} how
 * @param {string} how.label @param {string} how.name  class @param {Column<T>[]} how.columns
 * @param {(id: string) => T | null} how.row
 * @param {(row: T, element: HTMLElement) => void} [how.marked] @param {(key: string) => void} [how.sort]
 */
export function liveTable({ label, name, columns, row, marked, sort }) {
  const heads = columns.map((column) => {
    const inside =
      sort === undefined || column.key === "spark"
        ? column.label
        : h("button", { type: "button", class: "head", text: column.label, on: { click: () => sort(column.key) } });
    return h("div", { role: "columnheader", class: `c-${column.key}` }, inside);
  });
  const body = h("div", { role: "rowgroup" });
  const element = h(
    "div",
    { role: "table", class: `sheet-table ${name}`, "aria-label": label },
    h("div", { role: "rowgroup" }, h("div", { role: "row", class: "r heads" }, ...heads)),
    body,
  );
  /** @type {Map<string, {element: HTMLElement, draw: (row: T) => void, isNear: boolean, isOld: boolean}>} */
  const rows = new Map();
  const sight = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const id = ids.get(target) ?? "";
        const held = rows.get(id);
        if (held?.element !== target) continue;
        held.isNear = isIntersecting;
        if (held.isNear && held.isOld) dirty.add(id);
      }
      soon();
    },
    { rootMargin: NEAR },
  );
  /** @type {WeakMap<Element, string>} */
  const ids = new WeakMap();
  /** @type {string[]} */
  let order = [];
  /** @type {Set<string>} */
  const dirty = new Set();
  let frame = 0;

  function soon() {
    if (dirty.size > 0 && frame === 0) frame = requestAnimationFrame(work);
  }

  /** @param {string} id */
  function made(id) {
    const draws = /** @type {((row: T) => void)[]} */ ([]);
    const cells = columns.map((column, i) => {
      const value = h("span", { class: "v" });
      const cell = h(
        "div",
        { role: i === 0 ? "rowheader" : "cell", class: `c-${column.key}` },
        h("span", { class: "cap", "aria-hidden": "true", text: column.label }),
        value,
      );
      const { said, drawn } = column;
      if (drawn !== undefined) draws.push(drawn(value));
      else if (said !== undefined) draws.push((row) => text(value, said(row)));
      return cell;
    });
    const element = h("div", { role: "row", class: "r" }, ...cells);
    ids.set(element, id);
    sight.observe(element);
    return {
      element,
      isNear: false,
      isOld: true,
      draw(/** @type {T} */ row) {
        for (const draw of draws) draw(row);
        marked?.(row, element);
      },
    };
  }

  function work() {
    frame = 0;
    const until = performance.now() + SLICE_MS;
    for (const id of dirty) {
      dirty.delete(id);
      const held = rows.get(id);
      const value = held === undefined ? null : row(id);
      if (held !== undefined && value !== null) {
        held.isOld = false;
        held.draw(value);
      }
      if (performance.now() > until) break;
    }
    soon();
  }

  return {
    element,
    heads,
    /** These rows, in this order. @param {string[]} next */
    show(next) {
      if (next.length === order.length && next.every((id, i) => id === order[i])) return;
      order = next;
      const wanted = new Set(next);
      for (const [id, held] of rows) {
        if (wanted.has(id)) continue;
        sight.unobserve(held.element);
        held.element.remove();
        rows.delete(id);
      }
      let at = body.firstElementChild;
      for (const id of next) {
        let held = rows.get(id);
        if (held === undefined) {
          held = made(id);
          rows.set(id, held);
          dirty.add(id);
        }
        if (held.element === at) at = at.nextElementSibling;
        else body.insertBefore(held.element, at);
      }
      soon();
    },
    /** These rows look different now. @param {Iterable<string>} changed */
    touch(changed) {
      for (const id of changed) {
        const held = rows.get(id);
        if (held === undefined) continue;
        held.isOld = true;
        if (held.isNear) dirty.add(id);
      }
      soon();
    },
    /** @param {string} key @param {boolean} isDown */
    sorted(key, isDown) {
      attr(element, "data-sort", key);
      columns.forEach((column, i) =>
        attr(
          /** @type {Element} */ (heads[i]),
          "aria-sort",
          column.key === key ? (isDown ? "descending" : "ascending") : null,
        ),
      );
    },
  };
}
