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
 * @typedef {object} TableHow
 * @property {string} label
 * @property {string} name  class
 * @property {Column<T>[]} columns
 * @property {(id: string) => T | null} row
 * @property {(row: T, element: HTMLElement) => void} [marked]
 * @property {(key: string) => void} [sort]
 */

/**
 * @template T
 * @typedef {{element: HTMLElement, draw: (row: T) => void, isNear: boolean, isOld: boolean}} Row
 */

/** @template T @param {TableHow<T>} how */
export const liveTable = (how) => new LiveTable(how);

/** @template T */
class LiveTable {
  body = h("div", { role: "rowgroup" });
  /** @type {Map<string, Row<T>>} */
  rows = new Map();
  /** @type {WeakMap<Element, string>} */
  ids = new WeakMap();
  /** @type {string[]} */
  order = [];
  /** Rows to be drawn again. @type {Set<string>} */
  dirty = new Set();
  frame = 0;
  sight = new IntersectionObserver((entries) => this.#sighted(entries), { rootMargin: NEAR });

  /** @param {TableHow<T>} how */
  constructor(how) {
    this.how = how;
    const { label, name, columns, sort } = how;
    this.heads = columns.map((column) => {
      const inside =
        sort === undefined || column.key === "spark"
          ? column.label
          : h("button", { type: "button", class: "head", text: column.label, on: { click: () => sort(column.key) } });
      return h("div", { role: "columnheader", class: `c-${column.key}` }, inside);
    });
    this.element = h(
      "div",
      { role: "table", class: `sheet-table ${name}`, "aria-label": label },
      h("div", { role: "rowgroup" }, h("div", { role: "row", class: "r heads" }, ...this.heads)),
      this.body,
    );
  }

  /** These rows, in this order. @param {string[]} next */
  show(next) {
    const { order, body } = this;
    if (next.length === order.length && next.every((id, i) => id === order[i])) return;
    this.order = next;
    this.#dropAllBut(new Set(next));
    let at = body.firstElementChild;
    for (const id of next) {
      const { element } = this.rows.get(id) ?? this.#add(id);
      if (element === at) at = at.nextElementSibling;
      else body.insertBefore(element, at);
    }
    this.#drawSoon();
  }

  /** These rows look different now. @param {Iterable<string>} changed */
  touch(changed) {
    for (const id of changed) {
      const held = this.rows.get(id);
      if (held === undefined) continue;
      held.isOld = true;
      if (held.isNear) this.dirty.add(id);
    }
    this.#drawSoon();
  }

  /** @param {string} key @param {boolean} isDown */
  sorted(key, isDown) {
    attr(this.element, "data-sort", key);
    this.how.columns.forEach((column, i) =>
      attr(
        /** @type {Element} */ (this.heads[i]),
        "aria-sort",
        column.key === key ? (isDown ? "descending" : "ascending") : null,
      ),
    );
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #sighted(entries) {
    for (const { target, isIntersecting } of entries) {
      const id = this.ids.get(target) ?? "";
      const held = this.rows.get(id);
      if (held?.element !== target) continue;
      held.isNear = isIntersecting;
      if (held.isNear && held.isOld) this.dirty.add(id);
    }
    this.#drawSoon();
  }

  #drawSoon() {
    if (this.dirty.size > 0 && this.frame === 0) this.frame = requestAnimationFrame(() => this.#drawSome());
  }

  /** As many rows as one frame has time for. */
  #drawSome() {
    this.frame = 0;
    const until = performance.now() + SLICE_MS;
    for (const id of this.dirty) {
      this.dirty.delete(id);
      const held = this.rows.get(id);
      const value = held === undefined ? null : this.how.row(id);
      if (held !== undefined && value !== null) {
        held.isOld = false;
        held.draw(value);
      }
      if (performance.now() > until) break;
    }
    this.#drawSoon();
  }

  /** @param {Set<string>} wanted */
  #dropAllBut(wanted) {
    for (const [id, held] of this.rows) {
      if (wanted.has(id)) continue;
      this.sight.unobserve(held.element);
      held.element.remove();
      this.rows.delete(id);
    }
  }

  /** @param {string} id */
  #add(id) {
    const { columns, marked } = this.how;
    const cells = columns.map((column, i) => tableCell(column, i === 0 ? "rowheader" : "cell"));
    const element = h("div", { role: "row", class: "r" }, ...cells.map((cell) => cell.element));
    /** @type {Row<T>} */
    const row = {
      element,
      isNear: false,
      isOld: true,
      draw(value) {
        for (const { draw } of cells) draw(value);
        marked?.(value, element);
      },
    };
    this.ids.set(element, id);
    this.sight.observe(element);
    this.rows.set(id, row);
    this.dirty.add(id);
    return row;
  }
}

/** @template T @param {Column<T>} column @param {"rowheader" | "cell"} role */
function tableCell({ key, label, said, drawn }, role) {
  const value = h("span", { class: "v" });
  const cap = h("span", { class: "cap", "aria-hidden": "true", text: label });
  return {
    element: h("div", { role, class: `c-${key}` }, cap, value),
    draw: drawn?.(value) ?? ((/** @type {T} */ row) => said !== undefined && text(value, said(row))),
  };
}
