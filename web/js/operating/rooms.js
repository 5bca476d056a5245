/** The live table of rooms: filtered, sorted, with half an hour of each. */

/** @import {Order, Picture, Room} from "./types.js" */

import { attr, button, h, show, text } from "../lib/dom.js";
import { field } from "../shell/fields.js";
import { milliseconds, number, size, words } from "../locales/en-operators.js";
import { liveTable } from "../shell/live-table.js";
import { arranged, marks, roomOf, sparkOf } from "./state.js";

const w = words.rooms;
const PAGE = 100;
const SETTLE_MS = 5_000;
const WIDTH = 96;
const HEIGHT = 28;
const SVG = "http://www.w3.org/2000/svg";

/** @param {number | null} ms */
const time = (ms) => (ms === null ? "–" : milliseconds(ms));
/** @param {number} n */
const some = (n) => (n === 0 ? "–" : number(n));

const SORTS = "members full name writers posts reactions behind outbox p50 p99 slow_mode moderators".split(" ");

/** @param {string} key @param {(room: Room) => string} said  what stands in the cell */
const column = (key, said) => ({ key, label: words.columns[key] ?? "", said });

/** @param {string} key @param {(cell: HTMLElement) => (room: Room) => void} drawn */
const drawnColumn = (key, drawn) => ({ key, label: words.columns[key] ?? "", drawn });

/** Whether anybody looks after a room. @param {Room} room */
const moderatedWord = ({ moderators, members }) =>
  moderators > 0 ? w.moderated : members > 0 ? w.unmoderated : w.nobody;

export class RoomsView {
  /** @type {Picture | null} */
  picture = null;
  /** @type {ReturnType<typeof marks>} the rooms that need somebody */
  concerned = new Map();
  /** @type {Order} */
  order = { key: "members", isDown: true };
  limit = PAGE;
  arrangedAt = 0;
  /** A pointer is over the table: nothing moves away under somebody's hand. */
  isHeld = false;
  filter = h("input", { type: "text", autocomplete: "off", spellcheck: "false" });
  choice = h("select", {}, ...SORTS.map((key) => h("option", { value: key, text: words.columns[key] ?? key })));
  turn = button("", () => this.#sortBy(this.order.key), { class: "quiet" });
  shown = h("p", { class: "soft", role: "status" });
  none = h("p", { class: "soft", text: w.none, hidden: true });
  more = button("", () => this.#grow(this.limit + PAGE), { class: "quiet" });
  all = button(w.all, () => this.#grow(Infinity), { class: "quiet" });

  /** @param {(id: string, name: string) => void} change */
  constructor(change) {
    this.change = change;
    this.table = this.#table();
    this.element = h(
      "section",
      { class: "card wide", "aria-labelledby": "rooms-title" },
      h("h2", { id: "rooms-title", text: w.title }),
      h("div", { class: "tools" }, field(w.filter, this.filter), field(w.sort, this.choice), this.turn),
      this.shown,
      this.table.element,
      this.none,
      h("div", { class: "row" }, this.more, this.all),
    );
    this.filter.addEventListener("input", () => this.#grow(PAGE));
    this.choice.addEventListener("change", () => {
      this.order = { key: this.choice.value, isDown: this.choice.value !== "name" };
      this.#arrange();
    });
    this.table.element.addEventListener("pointerenter", () => {
      this.isHeld = true;
    });
    this.table.element.addEventListener("pointerleave", () => {
      this.isHeld = false;
    });
  }

  /** @param {Picture} next */
  update(next) {
    const { picture, concerned: before, table } = this;
    const isNew = next.places.size !== picture?.places.size;
    const concerned = marks(next.attention);
    this.picture = next;
    this.concerned = concerned;
    const isQuiet = !this.isHeld && !table.element.contains(document.activeElement);
    const isDue = isQuiet && performance.now() - this.arrangedAt > SETTLE_MS;
    if (picture === null || isNew || isDue) this.#arrange();
    table.touch(next.changed);
    table.touch(
      [...before.keys(), ...concerned.keys()].filter(
        (id) => before.get(id)?.urgent !== concerned.get(id)?.urgent || before.has(id) !== concerned.has(id),
      ),
    );
  }

  /** Show this room. @param {string} name */
  find(name) {
    this.filter.value = name;
    this.#grow(PAGE);
    this.filter.focus();
  }

  #table() {
    return liveTable({
      label: w.label,
      name: "rooms",
      columns: [
        drawnColumn("name", (cell) => this.#nameCell(cell)),
        drawnColumn("members", membersCell),
        column("writers", (room) => some(room.writers)),
        column("posts", (room) => some(room.posts)),
        column("reactions", (room) => some(room.reactions)),
        column("behind", (room) => some(room.behind)),
        column("outbox", (room) => (room.outbox === 0 ? "–" : size(room.outbox))),
        column("p50", (room) => time(room.p50)),
        column("p99", (room) => time(room.p99)),
        column("slow_mode", (room) => w.slow(room.slow_mode ?? 0)),
        column("moderators", moderatedWord),
        drawnColumn("spark", (cell) => this.#sparkCell(cell)),
      ],
      row: (id) => (this.picture === null ? null : roomOf(this.picture, id)),
      marked: (room, element) => {
        const concern = this.concerned.get(room.id);
        attr(element, "data-mark", concern === undefined ? null : concern.urgent === true ? "now" : "soon");
        element.classList.toggle("empty", room.members === 0);
      },
      sort: (key) => this.#sortBy(key),
    });
  }

  /** @param {HTMLElement} cell */
  #nameCell(cell) {
    const mark = h("span", { class: "mark", "aria-hidden": "true" });
    const why = h("span", { class: "unseen" });
    const name = h("b");
    const state = h("span", { class: "soft" });
    let id = "";
    const act = button(w.change, () => this.change(id, name.textContent ?? ""), {
      class: "quiet change",
      "aria-haspopup": "dialog",
    });
    cell.append(mark, why, name, " ", state, act);
    return (/** @type {Room} */ room) => {
      const concern = this.concerned.get(room.id);
      text(mark, concern === undefined ? "" : concern.urgent === true ? "▲" : "△");
      text(why, concern === undefined ? "" : `${w.needs} `);
      id = room.id;
      text(name, room.name);
      attr(act, "aria-label", w.changeOf(room.name));
      text(state, room.isOpen ? "" : w.closed);
    };
  }

  /** @param {HTMLElement} cell */
  #sparkCell(cell) {
    const svg = document.createElementNS(SVG, "svg");
    const area = document.createElementNS(SVG, "path");
    const line = document.createElementNS(SVG, "path");
    const look = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "spark", preserveAspectRatio: "none" };
    for (const [name, value] of Object.entries(look)) attr(svg, name, value);
    attr(area, "class", "spark-area");
    attr(line, "class", "spark-line");
    svg.append(area, line);
    cell.append(svg);
    /** @type {readonly number[] | undefined} */
    let drawn;
    return (/** @type {Room} */ room) => {
      const numbers = this.picture?.history.get(room.id) ?? [];
      if (numbers === drawn) return;
      drawn = numbers;
      const spark = sparkOf(numbers, WIDTH, HEIGHT);
      attr(area, "d", spark.area);
      attr(line, "d", spark.line);
      attr(svg, "aria-label", w.spark(spark.least, spark.most));
    };
  }

  /** @param {string} key */
  #sortBy(key) {
    const { order } = this;
    this.order = { key, isDown: key === order.key ? !order.isDown : key !== "name" };
    this.#arrange();
  }

  /** @param {number} limit  rows that are shown */
  #grow(limit) {
    this.limit = limit;
    this.#arrange();
  }

  #arrange() {
    const { picture, order, limit, table, turn, more } = this;
    if (picture === null) return;
    const ids = arranged(picture, this.filter.value, order);
    const told = ids.slice(0, limit);
    table.show(told);
    table.sorted(order.key, order.isDown);
    this.choice.value = order.key;
    text(turn, order.isDown ? w.down : w.up);
    attr(turn, "aria-label", `${order.isDown ? w.down : w.up}. ${w.turn}`);
    text(this.shown, w.shown(told.length, ids.length));
    text(more, w.more(Math.min(PAGE, ids.length - told.length)));
    show(more, ids.length > told.length);
    show(this.all, ids.length > told.length + PAGE);
    show(this.none, ids.length === 0);
    this.arrangedAt = performance.now();
  }
}

/** @param {HTMLElement} cell */
function membersCell(cell) {
  const here = h("b");
  const most = h("span", { class: "soft most" });
  cell.append(here, " ", most);
  return (/** @type {Room} */ room) => {
    text(here, number(room.members));
    text(most, w.of(room.members, room.capacity));
  };
}
