/** The helplines that the page has, and the country that the device says it is in. Nobody is asked for either. */

/** @import {Item} from "./model.js" */

const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];

/** @typedef {{country: string, items: Item[]}} Lines */

/** @returns {Lines[]} of every country that the page names */
export function allLines() {
  return [...document.querySelectorAll("#help .lines li")].map((line) => {
    const country = line.querySelector("b")?.textContent ?? "";
    const [call, danger] = line.querySelectorAll("a[href^='tel:']");
    const said = line.querySelector("span")?.firstChild?.textContent?.trim() ?? "";
    const [, who = said, now = ""] = /^(.*)\. ([^.]*):$/.exec(said) ?? [];
    const numbers = [item(country, 0, who, call), item(country, 1, now, danger)];
    return { country, items: numbers.filter((each) => each !== null) };
  });
}

/** The same in every tab. @param {string} country @param {number} n @param {string} text @param {Element} [link] */
const item = (country, n, text, link) =>
  link === undefined ? null : { id: `${country}-${n}`, text, phone: link.textContent ?? "" };

/** The lines of the country that this device is in; none where that cannot be told. */
export function linesHere() {
  const lines = allLines();
  const codes = codesOf(lines.map(({ country }) => country));
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const isHere = (/** @type {string} */ code) => zonesOf(code).includes(timeZone);
  const isSpoken = (/** @type {string} */ code) => navigator.languages.some((each) => regionOf(each) === code);
  const code = [...codes.keys()].find(isHere) ?? [...codes.keys()].find(isSpoken);
  return lines.find(({ country }) => country === codes.get(code ?? ""))?.items ?? [];
}

/** @param {string[]} countries @returns {Map<string, string>} their names, by their codes */
function codesOf(countries) {
  try {
    const names = new Intl.DisplayNames(document.documentElement.lang, { type: "region", fallback: "none" });
    const all = LETTERS.flatMap((a) => LETTERS.map((b) => a + b));
    const known = all.map((code) => /** @type {[string, string]} */ ([code, names.of(code) ?? ""]));
    return new Map(known.filter(([, name]) => countries.includes(name)));
  } catch {
    return new Map();
  }
}

/** @param {string} code @returns {string[]} */
function zonesOf(code) {
  const region = /** @type {any} */ (new Intl.Locale(`und-${code}`));
  return region.getTimeZones?.() ?? region.timeZones ?? [];
}

/** @param {string} language */
function regionOf(language) {
  try {
    return new Intl.Locale(language).region;
  } catch {
    return undefined;
  }
}
