/** The live table of rooms: filtered, sorted, with half an hour of each. */

/** @import {Concern, Order, Picture, Room} from "./types.js" */

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

/** @param {(id: string, name: string) => void} change  what one does with a room */
export function roomsView(change) {
  /** @type {Picture | null} */
  let picture = null;
  /** @type {Map<string, Concern>} */
  let concerned = new Map();
  /** @type {Order} */
  let order = { key: "members", isDown: true };
  let limit = PAGE;
  let arrangedAt = 0;
  let isHeld = false;

  const filter = h("input", { type: "text", autocomplete: "off", spellcheck: "false" });
  const choice = h(
    "select",
    {},
    ...[
      "members",
      "full",
      "name",
      "writers",
      "posts",
      "reactions",
      "behind",
      "outbox",
      "p50",
      "p99",
      "slow_mode",
      "moderators",
    ].map((key) => h("option", { value: key, text: words.columns[key] ?? key })),
  );
  const turn = button("", () => sortBy(order.key), { class: "quiet" });
  const shown = h("p", { class: "soft", role: "status" });
  const none = h("p", { class: "soft", text: w.none, hidden: true });
  const more = button("", () => grow(limit + PAGE), { class: "quiet" });
  const all = button(w.all, () => grow(Infinity), { class: "quiet" });

  const table = liveTable({
    label: w.label,
    name: "rooms",
    columns: [
      { key: "name", label: words.columns["name"] ?? "", drawn: nameCell },
      { key: "members", label: words.columns["members"] ?? "", drawn: membersCell },
      { key: "writers", label: words.columns["writers"] ?? "", said: (/** @type {Room} */ room) => some(room.writers) },
      { key: "posts", label: words.columns["posts"] ?? "", said: (/** @type {Room} */ room) => some(room.posts) },
      {
        key: "reactions",
        label: words.columns["reactions"] ?? "",
        said: (/** @type {Room} */ room) => some(room.reactions),
      },
      { key: "behind", label: words.columns["behind"] ?? "", said: (/** @type {Room} */ room) => some(room.behind) },
      {
        key: "outbox",
        label: words.columns["outbox"] ?? "",
        said: (/** @type {Room} */ room) => (room.outbox === 0 ? "–" : size(room.outbox)),
      },
      { key: "p50", label: words.columns["p50"] ?? "", said: (/** @type {Room} */ room) => time(room.p50) },
      { key: "p99", label: words.columns["p99"] ?? "", said: (/** @type {Room} */ room) => time(room.p99) },
      {
        key: "slow_mode",
        label: words.columns["slow_mode"] ?? "",
        said: (/** @type {Room} */ room) => w.slow(room.slow_mode ?? 0),
      },
      {
        key: "moderators",
        label: words.columns["moderators"] ?? "",
        said: (/** @type {Room} */ room) =>
          room.moderators > 0 ? w.moderated : room.members > 0 ? w.unmoderated : w.nobody,
      },
      { key: "spark", label: words.columns["spark"] ?? "", drawn: sparkCell },
    ],
    row: (id) => (picture === null ? null : roomOf(picture, id)),
    marked(room, element) {
      const concern = concerned.get(room.id);
      attr(element, "data-mark", concern === undefined ? null : concern.urgent === true ? "now" : "soon");
      element.classList.toggle("empty", room.members === 0);
    },
    sort: sortBy,
  });

  /** @param {HTMLElement} cell */
  function nameCell(cell) {
    const mark = h("span", { class: "mark", "aria-hidden": "true" });
    const why = h("span", { class: "unseen" });
    const name = h("b");
    const state = h("span", { class: "soft" });
    let id = "";
    const act = button(w.change, () => change(id, name.textContent ?? ""), {
      class: "quiet change",
      "aria-haspopup": "dialog",
    });
    cell.append(mark, why, name, " ", state, act);
    return (/** @type {Room} */ room) => {
      const concern = concerned.get(room.id);
      text(mark, concern === undefined ? "" : concern.urgent === true ? "▲" : "△");
      text(why, concern === undefined ? "" : `${w.needs} `);
      id = room.id;
      text(name, room.name);
      attr(act, "aria-label", w.changeOf(room.name));
      text(state, room.isOpen ? "" : w.closed);
    };
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

  /** @param {HTMLElement} cell */
  function sparkCell(cell) {
    const svg = document.createElementNS(SVG, "svg");
    const area = document.createElementNS(SVG, "path");
    const line = document.createElementNS(SVG, "path");
    for (const [name, value] of Object.entries({
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      class: "spark",
      preserveAspectRatio: "none",
    }))
      attr(svg, name, value);
    attr(area, "class", "spark-area");
    attr(line, "class", "spark-line");
    svg.append(area, line);
    cell.append(svg);
    /** @type {readonly number[] | undefined} */
    let drawn;
    return (/** @type {Room} */ room) => {
      const numbers = picture?.history.get(room.id) ?? [];
      if (numbers === drawn) return;
      drawn = numbers;
      const spark = sparkOf(numbers, WIDTH, HEIGHT);
      attr(area, "d", spark.area);
      attr(line, "d", spark.line);
      attr(svg, "aria-label", w.spark(spark.least, spark.most));
    };
  }

  /** @param {string} key */
  function sortBy(key) {
    order = { key, isDown: key === order.key ? !order.isDown : key !== "name" };
    arrange();
  }

  /** @param {number} to */
  function grow(to) {
    limit = to;
    arrange();
  }

  function arrange() {
    if (picture === null) return;
    const ids = arranged(picture, filter.value, order);
    const told = ids.slice(0, limit);
    table.show(told);
    table.sorted(order.key, order.isDown);
    choice.value = order.key;
    text(turn, order.isDown ? w.down : w.up);
    attr(turn, "aria-label", `${order.isDown ? w.down : w.up}. ${w.turn}`);
    text(shown, w.shown(told.length, ids.length));
    text(more, w.more(Math.min(PAGE, ids.length - told.length)));
    show(more, ids.length > told.length);
    show(all, ids.length > told.length + PAGE);
    show(none, ids.length === 0);
    arrangedAt = performance.now();
  }

  filter.addEventListener("input", () => {
    limit = PAGE;
    arrange();
  });
  choice.addEventListener("change", () => {
    order = { key: choice.value, isDown: choice.value !== "name" };
    arrange();
  });
  // Nothing moves away under somebody's hand.
  for (const [event, is] of /** @type {const} */ ([
    ["pointerenter", true],
    ["pointerleave", false],
  ])) {
    table.element.addEventListener(event, () => {
      isHeld = is;
    });
  }

  return {
    element: h(
      "section",
      { class: "card wide", "aria-labelledby": "rooms-title" },
      h("h2", { id: "rooms-title", text: w.title }),
      h("div", { class: "tools" }, field(w.filter, filter), field(w.sort, choice), turn),
      shown,
      table.element,
      none,
      h("div", { class: "row" }, more, all),
    ),
    /** @param {Picture} next */
    update(next) {
      const isFirst = picture === null;
      const isNew = next.places.size !== picture?.places.size;
      const before = concerned;
      picture = next;
      concerned = marks(next.attention);
      const isQuiet = !isHeld && !table.element.contains(document.activeElement);
      if (isFirst || isNew || (isQuiet && performance.now() - arrangedAt > SETTLE_MS)) arrange();
      table.touch(next.changed);
      table.touch(
        [...before.keys(), ...concerned.keys()].filter(
          (id) => before.get(id)?.urgent !== concerned.get(id)?.urgent || before.has(id) !== concerned.has(id),
        ),
      );
    },
    /** Show this room. @param {string} name */
    find(name) {
      filter.value = name;
      limit = PAGE;
      arrange();
      filter.focus();
    },
  };
}
