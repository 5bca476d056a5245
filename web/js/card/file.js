/**
 * The card as a plain text that its owner can read anywhere, and the way back. A part begins with `== its name ==`;
 * then come its words, and its things: `☎ name: number`, `→ room (its id)`, `• words`, whose next lines are indented.
 */

/** @import {Card, Item, Part} from "./model.js" */

import { isEmpty, said } from "./model.js";

const TITLE = /^== (.*) ==(?: \((\w+)\))?$/;
const MARKED = /^(?:\\|==|☎|→|•)/;

/** @param {Card} card @param {Record<string, string>} titles  of the usual parts */
export const toText = ({ parts }, titles) =>
  parts
    .filter((part) => !isEmpty(part))
    .map((part) => `${[titleLine(part, titles), ...textLines(part), ...said(part).map(itemLine)].join("\n")}\n`)
    .join("\n");

/** @param {Part} part @param {Record<string, string>} titles */
function titleLine({ kind, name }, titles) {
  if (kind === "own") return `== ${name} ==`;
  return name === "" ? `== ${titles[kind]} ==` : `== ${name} == (${kind})`;
}

/** @param {Part} part */
const textLines = ({ text }) =>
  text.trim() === ""
    ? []
    : text
        .trim()
        .split("\n")
        .map((line) => (MARKED.test(line) ? `\\${line}` : line));

/** @param {Item} item */
function itemLine({ text, phone, room }) {
  if (room !== undefined) return `→ ${text} (${room})`;
  if (phone) return `☎ ${oneLine(text)}: ${oneLine(phone).replaceAll(":", " ")}`;
  return `• ${text.trim().split("\n").join("\n  ")}`;
}

const oneLine = (/** @type {string} */ text) => text.replace(/\s+/g, " ").trim();

/**
 * What a text says. One that has no parts is a part of its own.
 * @param {string} text @param {Record<string, string>} titles @param {string} unnamed  the name of a part that has none
 * @param {() => string} newId @returns {Card}
 */
export function fromText(text, titles, unnamed, newId) {
  /** @type {Part[]} */
  const parts = [];
  /** @type {Item | null} */
  let item = null;
  let blank = 0;
  const begin = (/** @type {string} */ title, /** @type {string} */ given = "") => {
    const usual = Object.keys(titles).find((kind) => kind === given || (given === "" && titles[kind] === title));
    const part = { kind: usual ?? "own", name: usual !== undefined && given === "" ? "" : title, text: "", items: [] };
    parts.push({ id: usual ?? newId(), ...part });
    item = null;
    blank = 0;
  };
  for (const line of text.replace(/^\ufeff/, "").split(/\r\n?|\n/)) {
    const title = TITLE.exec(line);
    if (title !== null) begin(title[1] ?? "", title[2]);
    else if (line.trim() === "") blank += 1;
    else {
      if (parts.length === 0) begin(unnamed);
      const part = /** @type {Part} */ (parts.at(-1));
      const found = readItem(line, newId);
      const gap = "\n".repeat(blank + 1);
      if (found !== null) part.items.push((item = found));
      else if (item !== null && line.startsWith("  ")) item.text += gap + line.slice(2);
      else {
        item = null;
        part.text += (part.text === "" ? "" : gap) + line.replace(/^\\/, "");
      }
      blank = 0;
    }
  }
  return { parts: joined(parts) };
}

/** @param {string} line @param {() => string} newId @returns {Item | null} */
function readItem(line, newId) {
  const [, phoneName, phone] = /^☎ (.*): (.*)$/.exec(line) ?? [];
  if (phone !== undefined) return { id: newId(), text: phoneName ?? "", phone };
  const [, roomName, room] = /^→ (.*) \(([\w-]+)\)$/.exec(line) ?? [];
  if (room !== undefined) return { id: newId(), text: roomName ?? "", room };
  const [, words] = /^• (.*)$/.exec(line) ?? [];
  return words === undefined ? null : { id: newId(), text: words };
}

/** No part is there twice. @param {Part[]} parts */
function joined(parts) {
  /** @type {Map<string, Part>} */
  const byId = new Map();
  for (const part of parts) {
    const before = byId.get(part.id);
    if (before === undefined) byId.set(part.id, part);
    else {
      before.text = [before.text, part.text].filter(Boolean).join("\n");
      before.items.push(...part.items);
    }
  }
  return [...byId.values()];
}
