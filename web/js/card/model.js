/**
 * What stands on a card: parts in an order, each with a text and things. Pure: nothing here knows a page, a storage or a
 * clock.
 *
 * @typedef {object} Item  somebody to call, a room, or words that were kept
 * @property {string} id
 * @property {string} text  a name, or the words
 * @property {string} [phone]
 * @property {string} [room]  a room's id
 *
 * @typedef {object} Part
 * @property {string} id  for the usual parts their kind, so that two tabs mean the same one
 * @property {string} kind  one of KINDS, or "own"
 * @property {string} name  as its owner calls it; empty: as it is usually called
 * @property {string} text
 * @property {Item[]} items
 *
 * @typedef {{parts: Part[]}} Card
 */

export const KINDS = ["signs", "alone", "places", "people", "lines", "safer", "worth", "words", "helpful"];
/** How much a card holds, in bytes of UTF-8. */
export const MOST_BYTES = 200_000;

/** @param {string} kind @param {string} [id] @returns {Part} */
const emptyPart = (kind, id = kind) => ({ id, kind, name: "", text: "", items: [] });

/** A card on which nothing was written yet. @param {Item[]} [lines]  lines to call @returns {Card} */
export const fresh = (lines = []) => ({
  parts: KINDS.map((kind) => (kind === "lines" ? { ...emptyPart(kind), items: lines } : emptyPart(kind))),
});

/** @param {Card} card */
export const write = ({ parts }) => JSON.stringify({ v: 1, parts });

/** @param {string} text @returns {Card | null} null: this is no card */
export function read(text) {
  try {
    const { v, parts } = JSON.parse(text);
    return v === 1 && parts.every(isPart) && isUnique(parts) ? { parts } : null;
  } catch {
    return null;
  }
}

/** @param {any} part */
const isPart = (part) =>
  [part.id, part.kind, part.name, part.text].every(isText) && part.items.every(isItem) && isUnique(part.items);
/** @param {any} item */
const isItem = (item) =>
  isText(item.id) && isText(item.text) && [item.phone, item.room].every((more) => more === undefined || isText(more));
const isText = (/** @type {unknown} */ value) => typeof value === "string";
const isUnique = (/** @type {{id: string}[]} */ all) => new Set(all.map(({ id }) => id)).size === all.length;

/** Whether it fits. @param {Card} card */
export const fits = (card) => new TextEncoder().encode(write(card)).length <= MOST_BYTES;

/** @param {Item} item */
const isBlank = ({ text, phone = "" }) => text.trim() === "" && phone.trim() === "";
/** @param {Part} part */
export const isEmpty = ({ text, items }) => text.trim() === "" && items.every(isBlank);
/** The things of a part that say something. @param {Part} part */
export const said = ({ items }) => items.filter((item) => !isBlank(item));

/** What a telephone dials; empty where there is nothing to dial. @param {string} [phone] */
export const dialled = (phone = "") => phone.replace(/[^\d+*#]/g, "");

/** @param {Card} card @param {string} id @param {Partial<Part>} more @returns {Card} */
export const withPart = ({ parts }, id, more) => ({
  parts: parts.map((part) => (part.id === id ? { ...part, ...more } : part)),
});

/** @param {Card} card @param {string} id @param {Item} item  in place of the one with its id, or new @returns {Card} */
export function withItem(card, id, item) {
  const items = card.parts.find((part) => part.id === id)?.items ?? [];
  const isKnown = items.some((each) => each.id === item.id);
  return withPart(card, id, {
    items: isKnown ? items.map((each) => (each.id === item.id ? item : each)) : [...items, item],
  });
}

/** @param {Card} card @param {string} id @param {string} item @returns {Card} */
export const withoutItem = (card, id, item) =>
  withPart(card, id, { items: card.parts.find((part) => part.id === id)?.items.filter((each) => each.id !== item) });

/** Another part, at the end. @param {Card} card @param {string} kind @param {string} [id] @param {string} [name] @returns {Card} */
export const withNew = ({ parts }, kind, id = kind, name = "") => ({
  parts: [...parts, { ...emptyPart(kind, id), name }],
});

/** @param {Card} card @param {string} id @returns {Card} */
export const withoutPart = ({ parts }, id) => ({ parts: parts.filter((part) => part.id !== id) });

/** @param {Card} card @param {string} id @param {-1 | 1} by @returns {Card} */
export function moved({ parts }, id, by) {
  const at = parts.findIndex((part) => part.id === id);
  const part = parts[at];
  if (part === undefined || parts[at + by] === undefined) return { parts };
  const others = parts.filter((each) => each !== part);
  return { parts: [...others.slice(0, at + by), part, ...others.slice(at + by)] };
}

/** A copy of somebody's words among the helpful things. @param {Card} card @param {string} text @param {string} id @returns {Card} */
export function withKept(card, text, id) {
  const whole = card.parts.some((part) => part.id === "helpful") ? card : withNew(card, "helpful");
  return withItem(whole, "helpful", { id, text });
}

const same = (/** @type {unknown} */ a, /** @type {unknown} */ b) => JSON.stringify(a) === JSON.stringify(b);
const idsOf = (/** @type {{id: string}[]} */ all) => all.map(({ id }) => id);

/**
 * Two changes of one card, made at the same time. What one of them left alone is as the other has it; where both changed
 * the same, both are kept.
 * @param {Card} base  before both @param {Card} mine @param {Card} theirs
 * @returns {Card}
 */
export const merged = (base, mine, theirs) => ({ parts: mergeAll(base.parts, mine.parts, theirs.parts, mergePart) });

/** @param {Part} base @param {Part} mine @param {Part} theirs @returns {Part} */
const mergePart = (base, mine, theirs) => ({
  ...mine,
  name: mine.name === base.name ? theirs.name : mine.name,
  text: mergeText(base.text, mine.text, theirs.text),
  items: mergeAll(base.items, mine.items, theirs.items, (_, ours, other) => ({
    ...other,
    ...ours,
    text: ours.text === other.text ? ours.text : `${other.text}\n${ours.text}`,
    ...(ours.phone !== other.phone && { phone: [other.phone, ours.phone].filter(Boolean).join(", ") }),
  })),
});

/** @param {string} base @param {string} mine @param {string} theirs */
function mergeText(base, mine, theirs) {
  if (mine === base || mine === theirs) return theirs;
  if (theirs === base) return mine;
  const known = new Set([...base.split("\n"), ...theirs.split("\n")]);
  return [theirs, ...mine.split("\n").filter((line) => !known.has(line))].join("\n");
}

/**
 * @template {{id: string}} T @param {T[]} base @param {T[]} mine @param {T[]} theirs
 * @param {(base: T, mine: T, theirs: T) => T} both  where both changed one @returns {T[]}
 */
function mergeAll(base, mine, theirs, both) {
  const isMoved = !same(
    idsOf(mine).filter((id) => idsOf(base).includes(id)),
    idsOf(base).filter((id) => idsOf(mine).includes(id)),
  );
  const ids = isMoved ? [...idsOf(mine), ...idsOf(theirs)] : [...idsOf(theirs), ...idsOf(mine)];
  const merged = [...new Set(ids)].map((id) => {
    const [was, ours, other] = [base, mine, theirs].map((all) => all.find((each) => each.id === id));
    if (same(ours, was)) return other;
    if (same(other, was) || same(other, ours)) return ours;
    // One of them took it out and the other changed it.
    if (ours === undefined || other === undefined) return ours ?? other;
    return both(was ?? other, ours, other);
  });
  return merged.filter((each) => each !== undefined);
}

/** A card with what another has more than it. @param {Card} card @param {Card} more @param {() => string} newId @returns {Card} */
export function added(card, more, newId) {
  return more.parts.reduce((whole, part) => {
    const at = whole.parts.find(({ kind, name }) => kind === part.kind && (kind !== "own" || name === part.name));
    if (at === undefined) return { parts: [...whole.parts, part] };
    const isNew = (/** @type {Item} */ item) =>
      !at.items.some((each) => same({ ...each, id: "" }, { ...item, id: "" }));
    const items = [...at.items, ...part.items.filter(isNew).map((item) => ({ ...item, id: newId() }))];
    const text = at.text.trim() === "" ? part.text : mergeText("", part.text, at.text);
    return withPart(whole, at.id, { name: at.name || part.name, text, items });
  }, card);
}
