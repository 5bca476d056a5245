/** The queue flight simulator: a policy is tried on recorded days before it is switched on. */

/** @import {Figures, Simulated} from "./types.js" */

import { call } from "../lib/api.js";
import { Refused } from "../lib/client.js";
import { attr, h, show, text } from "../lib/dom.js";
import { words } from "../locales/en-operators.js";

const SVG = "http://www.w3.org/2000/svg";
const FIELDS = /** @type {const} */ ([
  ["days", 1, 90, "7"],
  ["listeners", -50, 50, "1"],
  ["pause_minutes", 0, 240, ""],
  ["cap", 1, 4, ""],
  ["session_minutes", 5, 240, ""],
  ["proposal_seconds", 10, 600, ""],
]);

/** @param {(typeof FIELDS)[number]} field */
function fieldOf([name, min, max, value]) {
  const w = words.simulator;
  const input = h("input", {
    id: `flight-${name}`,
    name,
    type: "number",
    min,
    max,
    step: 1,
    value,
    required: value !== "",
    placeholder: value === "" ? w.asItIs : null,
  });
  const element = h("div", { class: "field" }, h("label", { for: input.id, text: w.fields[name] }), input);
  return { name, input, element };
}

/** The form, and the table once there is one. @param {(what: string) => void} say */
export function simulatorView(say) {
  const w = words.simulator;
  const inputs = FIELDS.map(fieldOf);
  const go = h("button", { type: "submit", class: "act", text: w.go });
  const note = h("p", { class: "soft" });
  const result = h("div");
  const form = h(
    "form",
    { class: "flight-form", on: { submit } },
    ...inputs.map((each) => each.element),
    h("div", { class: "row" }, go),
  );
  show(note, false);

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    if (go.disabled) return;
    const query = new URLSearchParams();
    for (const { name, input } of inputs) if (input.value !== "") query.set(name, input.value);
    go.disabled = true;
    told(w.working);
    try {
      /** @type {{simulation: Simulated | null}} */
      const { simulation } = await call(`/api/staff/simulation?${query}`, null);
      result.replaceChildren(...(simulation === null ? [] : [table(simulation)]));
      told(simulation === null ? w.tooFew : w.trust);
    } catch (no) {
      result.replaceChildren();
      told(w.refused[no instanceof Refused ? no.code : ""] ?? w.failed);
    } finally {
      go.disabled = false;
    }
  }

  /** @param {string} what */
  function told(what) {
    show(note, true);
    text(note, what);
    say(what);
  }

  return h("div", { class: "flight" }, form, note, result);
}

/** @param {Simulated} found */
function table(found) {
  const w = words.simulator;
  const columns = [found.recorded, found.replayed, found.imagined];
  const longest = Math.max(1, ...columns.map((each) => each.longest ?? 0));
  /** @type {[string, (each: Figures) => string, ((each: Figures) => number | null) | null][]} */
  const rows = [
    [w.rows.asks, (each) => String(each.asks), null],
    [w.rows.half, (each) => w.wait(each.half), (each) => part(each.half, longest)],
    [w.rows.nineInTen, (each) => w.wait(each.nine_in_ten), (each) => part(each.nine_in_ten, longest)],
    [w.rows.longest, (each) => w.wait(each.longest), (each) => part(each.longest, longest)],
    [w.rows.soon, (each) => w.share(each.soon), (each) => each.soon.percent],
    [w.rows.left, (each) => w.left(each.left), (each) => part(each.left, each.asks)],
    [w.rows.busy, (each) => w.busy(each.busy), (each) => each.busy],
  ];
  return h(
    "div",
    { role: "table", class: "flight-table", "aria-label": w.table },
    h(
      "div",
      { role: "row", class: "flight-row heads" },
      h("div", { role: "columnheader", text: w.what }),
      ...w.columns.map((label) => h("div", { role: "columnheader", text: label })),
    ),
    ...rows.map(([label, said, percent]) =>
      h(
        "div",
        { role: "row", class: "flight-row" },
        h("div", { role: "rowheader", text: label }),
        ...columns.map((each) =>
          h("div", { role: "cell" }, h("span", { text: said(each) }), percent !== null && bar(percent(each))),
        ),
      ),
    ),
  );
}

/** @param {number | null} some @param {number} all */
const part = (some, all) => (some === null ? null : (100 * some) / all);

/** As long as it is much. The words beside it say the same. @param {number | null} percent */
function bar(percent) {
  const drawing = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({
    class: "flight-bar",
    viewBox: "0 0 100 6",
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  }))
    attr(drawing, name, value);
  const filled = document.createElementNS(SVG, "rect");
  attr(filled, "width", percent ?? 0);
  attr(filled, "height", 6);
  drawing.append(filled);
  return drawing;
}
