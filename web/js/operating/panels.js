/** Everything beside the table of rooms: what needs attention, the sums, the queue, listeners, workers, Redis and the store. */

/** @import {Concern, Picture, Worker} from "./types.js" */

import { attr, button, h, keyed, show, text } from "../lib/dom.js";
import { ADVICE, milliseconds, number, size, span, words } from "../locales/en-operators.js";
import { liveTable } from "../shell/live-table.js";
import { delivery } from "./state.js";

const FIRST = 4;
const collator = new Intl.Collator(undefined, { numeric: true });

/** @param {string} id @param {string} title @param {...(Node | false)} children */
function panel(id, title, ...children) {
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id, text: title }), ...children);
}

/** Names and what they stand at. @returns {{element: HTMLElement, set: (rows: [string, string, ("now" | "")?][]) => void}} */
function facts() {
  const element = h("dl", { class: "facts" });
  return {
    element,
    set(rows) {
      keyed(
        element,
        rows,
        ([name]) => name,
        ([name]) => {
          const value = h("dd");
          return {
            element: h("div", {}, h("dt", { text: name }), value),
            update: (/** @type {[string, string, string?]} */ [, said, mark]) => {
              text(value, mark === "now" ? `▲ ${said}` : said);
              attr(value, "data-mark", mark === "now" ? "now" : null);
            },
          };
        },
      );
    },
  };
}

/**
 * @param {Concern} concern @param {(room: string | undefined) => string | undefined} nameOf
 * @param {(name: string) => void} find @param {(id: string, name: string) => void} change
 */
function concernRow(concern, nameOf, find, change) {
  const w = words.attention;
  const { room } = concern;
  const isUrgent = concern.urgent === true;
  const said = h("span", { class: "why" });
  const name = () => nameOf(room);
  const go = room !== undefined && button("", () => find(name() ?? ""), { class: "quiet" });
  const turn = (/** @type {string} */ id) =>
    button(words.rooms.change, () => change(id, name() ?? ""), {
      class: "quiet",
      "aria-haspopup": "dialog",
      "aria-label": words.rooms.changeOf(name() ?? id),
    });
  const mark = h("span", { class: "mark", "aria-hidden": "true", text: isUrgent ? "▲" : "△" });
  const element = h(
    "li",
    { "data-mark": isUrgent ? "now" : "soon" },
    h("p", {}, mark, " ", h("b", { text: isUrgent ? w.now : w.soon }), " ", said),
    h("p", { class: "soft" }, ADVICE[concern.kind] ?? ""),
    go,
    room !== undefined && h("span", {}, turn(room)),
  );
  return {
    element,
    update: (/** @type {Concern} */ now) => {
      text(said, now.words);
      if (go !== false) text(go, w.show(name() ?? ""));
    },
  };
}

/** @param {(name: string) => void} find @param {(id: string, name: string) => void} change */
export function attentionView(find, change) {
  const w = words.attention;
  const first = h("ul", { class: "concerns" });
  const others = h("ul", { class: "concerns" });
  const summary = h("summary");
  const more = h("details", { hidden: true }, summary, others);
  const none = h("p", { class: "well", text: w.none });
  const untold = h("p", { class: "soft", hidden: true });
  /** @type {Picture | null} */
  let picture = null;

  const nameOf = (/** @type {string | undefined} */ room) =>
    room === undefined ? undefined : picture?.places.get(room)?.name;
  const row = (/** @type {Concern} */ concern) => concernRow(concern, nameOf, find, change);
  const key = (/** @type {Concern} */ each) => `${each.kind}/${each.room ?? each.worker ?? each.words}`;

  return {
    element: h(
      "section",
      { class: "card attention", "aria-labelledby": "attention-title" },
      h("h2", { id: "attention-title", text: w.title }),
      none,
      first,
      more,
      untold,
    ),
    /** @param {Picture} next */
    update(next) {
      if (picture?.attention === next.attention && picture.concerns === next.concerns) return;
      picture = next;
      const { attention, concerns } = next;
      keyed(first, attention.slice(0, FIRST), key, row);
      keyed(others, attention.slice(FIRST), key, row);
      show(none, attention.length === 0);
      show(first, attention.length > 0);
      show(more, attention.length > FIRST);
      text(summary, w.more(attention.length - FIRST));
      show(untold, concerns > attention.length);
      text(untold, w.untold(concerns - attention.length));
    },
  };
}

export function totalsView() {
  const w = words.totals;
  const element = h("ul", { class: "sums", "aria-label": words.here });
  return {
    element,
    /** @param {Picture} picture */
    update({ totals }) {
      const rows = [
        [number(totals.members), w.members],
        [number(totals.occupied), w.occupied],
        [number(totals.posts), w.posts],
        [number(totals.reactions), w.reactions],
        [totals.p50 === null ? "–" : `${milliseconds(totals.p50)}, ${milliseconds(totals.p99 ?? 0)}`, w.delivery],
        [number(totals.behind), w.behind],
        [size(totals.outbox), w.outbox],
        [number(totals.connections), w.connections],
      ];
      keyed(
        element,
        rows,
        ([, name]) => name ?? "",
        ([, name]) => {
          const value = h("b");
          return {
            element: h("li", {}, value, " ", h("span", { class: "soft", text: name })),
            update: ([said]) => text(value, said ?? ""),
          };
        },
      );
    },
  };
}

export function queueView() {
  const q = words.queue;
  const queue = facts();
  const listeners = facts();
  return {
    elements: [
      panel("queue-title", q.title, queue.element),
      panel("listeners-title", words.listeners.title, listeners.element),
    ],
    /** @param {Picture} picture */
    update({ floor, attention }) {
      const isLong = attention.some((each) => each.kind === "long_wait");
      const broken = Object.values(floor.broken).reduce((n, count) => n + count, 0);
      const isIdle = attention.some((each) => each.kind === "idle_while_waiting");
      queue.set([
        [q.waiting, number(floor.waiting)],
        [q.oldest, floor.waiting === 0 ? q.nobody : span(floor.oldest_wait_ms), isLong ? "now" : ""],
        [
          q.estimate,
          floor.estimate === null ? q.cannotTell : `${span(floor.estimate * 1000)}, ${q.from(floor.estimate_from)}`,
        ],
        [q.proposals, number(floor.proposals)],
        [q.sessions, number(floor.sessions)],
        [q.hours, floor.is_open ? q.open : q.closed],
        [
          q.promises,
          broken > 0 ? q.broken(broken) : isIdle ? q.idle(milliseconds(floor.idle_ms)) : q.kept,
          broken > 0 || isIdle ? "now" : "",
        ],
      ]);
      listeners.set([
        ...Object.entries(words.listeners.states).map(
          ([state, name]) => /** @type {[string, string]} */ ([name, number(floor.listeners[state] ?? 0)]),
        ),
        [words.listeners.nearCap, number(floor.near_cap)],
      ]);
    },
  };
}

/** @param {(cell: HTMLElement) => (row: Worker) => void} name @param {() => number} now */
function workerColumns(name, now) {
  const w = words.workers;
  const c = w.columns;
  return [
    { key: "name", label: c["name"] ?? "", drawn: name },
    {
      key: "connections",
      label: c["connections"] ?? "",
      said: (/** @type {Worker} */ each) => number(each.connections),
    },
    { key: "members", label: c["members"] ?? "", said: (/** @type {Worker} */ each) => number(each.members ?? 0) },
    { key: "cpu", label: c["cpu"] ?? "", said: (/** @type {Worker} */ each) => `${Math.round(each.cpu * 100)} %` },
    { key: "rss", label: c["rss"] ?? "", said: (/** @type {Worker} */ each) => size(each.rss) },
    { key: "lag", label: c["lag"] ?? "", said: (/** @type {Worker} */ each) => milliseconds(each.lag_ms) },
    {
      key: "bus",
      label: c["bus"] ?? "",
      said: (/** @type {Worker} */ each) =>
        each.bus_ms === undefined || each.is_attached === false ? `▲ ${w.deaf}` : milliseconds(each.bus_ms),
    },
    {
      key: "store",
      label: c["store"] ?? "",
      said: (/** @type {Worker} */ each) =>
        (each.store ?? "ok") === "ok"
          ? each.store_ms === undefined
            ? "–"
            : milliseconds(each.store_ms)
          : `▲ ${w.storeAway}`,
    },
    { key: "healed", label: c["healed"] ?? "", said: (/** @type {Worker} */ each) => number(each.healed ?? 0) },
    {
      key: "evictions",
      label: c["evictions"] ?? "",
      said: (/** @type {Worker} */ each) => number(each.evictions ?? 0),
    },
    { key: "version", label: c["version"] ?? "", said: (/** @type {Worker} */ each) => each.version },
    {
      key: "up",
      label: c["up"] ?? "",
      said: (/** @type {Worker} */ each) => span(Math.max(0, now() - each.started_at)),
    },
    { key: "age", label: c["age"] ?? "", said: (/** @type {Worker} */ each) => milliseconds(each.age_ms) },
  ];
}

/**
 * @param {() => string} here  the id of the worker that shows this page
 * @param {((id: string, name: string) => void) | null} drain  for those who may
 */
export function workersView(here, drain) {
  const w = words.workers;
  /** @type {Map<string, Worker>} */
  let workers = new Map();
  let now = 0;
  const table = liveTable({
    label: w.label,
    name: "workers",
    columns: workerColumns(nameCell, () => now),
    row: (id) => workers.get(id) ?? null,
    marked: (each, element) =>
      attr(
        element,
        "data-mark",
        each.is_attached === false || each.bus_ms === undefined || (each.store ?? "ok") !== "ok" ? "now" : null,
      ),
  });

  /** @param {HTMLElement} cell */
  function nameCell(cell) {
    const name = h("b");
    const state = h("span", { class: "soft" });
    let id = "";
    const act = button(w.drain, () => drain?.(id, name.textContent ?? ""), {
      class: "quiet change",
      "aria-haspopup": "dialog",
    });
    cell.append(name, " ", state, ...(drain === null ? [] : [act]));
    return (/** @type {Worker} */ each) => {
      id = each.id;
      attr(act, "aria-label", w.drainOf(each.name));
      show(act, each.is_draining !== true);
      text(name, each.name);
      text(state, each.is_draining === true ? w.draining : each.id === here() ? w.here : "");
    };
  }

  return {
    element: h(
      "section",
      { class: "card wide", "aria-labelledby": "workers-title" },
      h("h2", { id: "workers-title", text: w.title }),
      table.element,
    ),
    /** @param {Picture} picture */
    update(picture) {
      now = picture.at;
      const byName = [...picture.workers].sort((a, b) => collator.compare(a.name, b.name));
      workers = new Map(byName.map((each) => [each.id, each]));
      table.show([...workers.keys()]);
      table.touch(workers.keys());
    },
  };
}

export function deliveryView() {
  const w = words.delivery;
  const list = facts();
  return {
    element: panel("plumbing-title", w.title, list.element),
    /** @param {Picture} picture */
    update({ workers }) {
      const how = delivery(workers);
      list.set([
        [
          w.redis,
          `${how.deaf.length === 0 ? w.redisWell(milliseconds(how.busMs)) : w.redisAway(how.deaf.length)} ${w.dropped(how.dropped, how.healed)}`,
          how.deaf.length > 0 ? "now" : "",
        ],
        [
          w.store,
          `${how.mute.length === 0 ? w.storeWell(milliseconds(how.storeMs)) : w.storeAway(how.mute.length)} ${w.failures(how.failures)}`,
          how.mute.length > 0 ? "now" : "",
        ],
      ]);
    },
  };
}
