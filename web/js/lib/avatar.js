/**
 * The small two-tone shape that stands beside a name: always the same for the same person, and saying nothing else.
 * `recipe` is pure; `avatar` draws it.
 */

const SVG = "http://www.w3.org/2000/svg";
const HUES = [8, 28, 44, 84, 140, 168, 190, 212, 236, 264, 300, 334];

/** Outer forms on a 32 by 32 ground. */
const OUTER = [
  "M16 1a15 15 0 1 1 0 30a15 15 0 0 1 0-30z",
  "M9 1h14a8 8 0 0 1 8 8v14a8 8 0 0 1-8 8H9a8 8 0 0 1-8-8V9a8 8 0 0 1 8-8z",
  "M16 1c10 0 15 5 15 15v15H16C6 31 1 26 1 16S6 1 16 1z",
  "M16 1c5 6 13 10 13 18a13 12 0 0 1-26 0C3 11 11 7 16 1z",
  "M16 1l11.500 4.700L31 16l-3.500 10.300L16 31 4.500 26.300 1 16 4.500 5.700z",
  "M1 31V16a15 15 0 0 1 30 0v15z",
];

/** Inner forms, in the second tone. */
const INNER = [
  "M16 9a7 7 0 1 1 0 14a7 7 0 0 1 0-14z",
  "M16 8l8 8-8 8-8-8z",
  "M7 18a9 9 0 0 0 18 0z",
  "M16 8c6 0 8 2 8 8s-2 8-8 8V8z",
  "M10 9h12v5H10zM10 18h12v5H10z",
  "M16 7l7 14H9z",
  "M9 16a7 7 0 0 1 14 0c0 4-3.500 4-7 8-3.500-4-7-4-7-8z",
];

/**
 * FNV-1a, 32 bits.
 * @param {string} text
 */
export function hash(text) {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h ^= h >>> 15;
  return Math.imul(h, 0x2c1b3c6d) >>> 0;
}

/** @param {string} id */
export function recipe(id) {
  const h = hash(id);
  const hue = HUES[h % HUES.length] ?? 0;
  const far = (h >>> 4) % 2 === 0 ? 32 : 190;
  return {
    outer: OUTER[(h >>> 8) % OUTER.length] ?? "",
    inner: INNER[(h >>> 13) % INNER.length] ?? "",
    back: `hsl(${hue} 42% 42%)`,
    front: `hsl(${(hue + far) % 360} 62% 82%)`,
    turn: ((h >>> 18) % 4) * 90,
  };
}

/** @param {string} id @param {string} [className] */
export function avatar(id, className = "shape") {
  const { outer, inner, back, front, turn } = recipe(id);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  svg.append(path(outer, back, 0), path(inner, front, turn));
  return svg;
}

/** @param {string} d @param {string} fill @param {number} turn */
function path(d, fill, turn) {
  const element = document.createElementNS(SVG, "path");
  element.setAttribute("d", d);
  element.setAttribute("fill", fill);
  if (turn !== 0) element.setAttribute("transform", `rotate(${turn} 16 16)`);
  return element;
}
