/** A group as a form has it: filled in from a template or a card, compared, and brought together with what a co-host changed. Pure. */

/** @import {ChangeGroup, Form, GroupCard, OpenGroup, PhaseKind} from "wire" */
/** @import {Script} from "./script.js" */

import { lengthOf } from "../../lib/text.js";
import { FORMS, LIMITS, kindsOf } from "./forms.js";
import { linesOf, scriptOf } from "./script.js";

/**
 * @typedef {object} GroupDraft
 * @property {Form} form
 * @property {string} name
 * @property {string} about
 * @property {string} theme
 * @property {string} language
 * @property {string} agreement
 * @property {Script} script
 * @property {number} seats
 * @property {Partial<Record<PhaseKind, number>>} minutes  of every phase of the form
 * @property {string[]} cohosts  ids
 * @property {boolean} no_crosstalk  nobody answers after a share
 * @property {number} closed_after  meetings after which nobody new signs up; 0: never
 *
 * @typedef {Exclude<keyof GroupDraft, "form">} Field
 * @typedef {{field: Field, kind?: PhaseKind, why: "empty" | "long" | "lines" | "number" | "many"}} Problem
 */

/** @type {readonly Field[]} */
export const FIELDS = [
  "name",
  "about",
  "theme",
  "language",
  "agreement",
  "script",
  "seats",
  "minutes",
  "cohosts",
  "no_crosstalk",
  "closed_after",
];

/** @param {Form} form @returns {PhaseKind[]} */
const kinds = (form) => kindsOf(form).map(([kind]) => kind);

/** The lengths of all phases of a form. @param {Form} form @param {Partial<Record<PhaseKind, number>>} minutes */
export const allMinutes = (form, minutes) =>
  Object.fromEntries(kindsOf(form).map(([kind, usual]) => [kind, minutes[kind] ?? usual]));

/**
 * @param {{form: Form, name: string, about: string, agreement: string, minutes: Partial<Record<PhaseKind, number>>, script: Script}} template
 * @param {string} language @returns {GroupDraft}
 */
export const draftOfTemplate = ({ form, name, about, agreement, minutes, script }, language) => ({
  form,
  name,
  about,
  theme: "",
  language,
  agreement,
  script,
  seats: FORMS[form].seats,
  minutes: allMinutes(form, minutes),
  cohosts: [],
  no_crosstalk: false,
  closed_after: 0,
});

/** @param {GroupCard} card @returns {GroupDraft} */
export const draftOfCard = (card) => ({
  form: card.form,
  name: card.name,
  about: card.about,
  theme: card.theme ?? "",
  language: card.language,
  agreement: card.agreement,
  script: scriptOf(card.script ?? [], kinds(card.form)),
  seats: card.seats,
  minutes: Object.fromEntries(card.phases.map(({ kind, minutes }) => [kind, minutes])),
  cohosts: (card.hosts ?? []).slice(1).map(({ id }) => id),
  no_crosstalk: card.no_crosstalk ?? false,
  closed_after: card.closed_after ?? 0,
});

/** Equal, whatever the order in which things were written down. @param {unknown} a @param {unknown} b */
const isSame = (a, b) => sorted(a) === sorted(b);

/** @param {unknown} value @returns {string} */
const sorted = (value) =>
  JSON.stringify(value, (_, each) =>
    each !== null && typeof each === "object" && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => a.localeCompare(b)))
      : each,
  );

/** The fields in which two drafts differ. @param {GroupDraft} a @param {GroupDraft} b @returns {Field[]} */
export const differences = (a, b) => FIELDS.filter((field) => !isSame(wired(a)[field], wired(b)[field]));

/** What the wire has of a draft. @param {GroupDraft} draft */
function wired(draft) {
  const { form, name, about, theme, language, agreement, script, seats, minutes, cohosts, no_crosstalk, closed_after } =
    draft;
  const usual = new Map(kindsOf(form));
  const others = Object.entries(minutes).filter(([kind, n]) => usual.get(/** @type {PhaseKind} */ (kind)) !== n);
  return {
    name: name.trim(),
    about: about.trim(),
    theme,
    language,
    agreement: agreement.trim(),
    script: linesOf(script, kinds(form)),
    seats,
    minutes: Object.fromEntries(others),
    cohosts: [...cohosts].sort(),
    no_crosstalk,
    closed_after,
  };
}

/** @param {GroupDraft} draft @returns {Omit<OpenGroup, "cmd" | "id">} */
export const opening = (draft) => ({ form: draft.form, ...wired(draft) });

/** Only what is different: what a co-host changed elsewhere stays as it is. @param {GroupDraft} before @param {GroupDraft} draft @returns {Partial<ChangeGroup>} */
export function changing(before, draft) {
  const all = wired(draft);
  return Object.fromEntries(differences(before, draft).map((field) => [field, all[field]]));
}

/**
 * One's own changes upon a group that somebody else changed meanwhile: what one did not touch is as it is now.
 * @param {GroupDraft} before  as it was when one began @param {GroupDraft} mine @param {GroupDraft} now
 * @returns {GroupDraft}
 */
export function rebased(before, mine, now) {
  const own = new Set(differences(before, mine));
  return /** @type {GroupDraft} */ (
    Object.fromEntries([
      ["form", now.form],
      ...FIELDS.map((field) => [field, own.has(field) ? mine[field] : now[field]]),
    ])
  );
}

/** What the server would refuse, in the order of the form. @param {GroupDraft} draft @returns {Problem[]} */
export function problemsOf(draft) {
  /** @type {Problem[]} */
  const found = [];
  for (const field of /** @type {const} */ (["name", "about", "agreement"])) {
    const said = draft[field].trim();
    if (said === "" && field !== "agreement") found.push({ field, why: "empty" });
    if (lengthOf(said) > LIMITS[field]) found.push({ field, why: "long" });
  }
  if (!isWithin(draft.seats, 1, FORMS[draft.form].mostSeats)) found.push({ field: "seats", why: "number" });
  for (const [kind] of kindsOf(draft.form))
    if (!isWithin(draft.minutes[kind] ?? NaN, LIMITS.shortest, LIMITS.longest))
      found.push({ field: "minutes", kind, why: "number" });
  const lines = linesOf(draft.script, kinds(draft.form));
  if (lines.length > LIMITS.lines) found.push({ field: "script", why: "lines" });
  for (const kind of kinds(draft.form)) {
    const own = linesOf({ [kind]: draft.script[kind] ?? [] }, [kind]);
    if (own.some((line) => lengthOf(line) > LIMITS.line)) found.push({ field: "script", kind, why: "long" });
  }
  if (!isWithin(draft.closed_after, 0, LIMITS.closedAfter)) found.push({ field: "closed_after", why: "number" });
  if (draft.cohosts.length > LIMITS.cohosts) found.push({ field: "cohosts", why: "many" });
  return found;
}

/** @param {number} n @param {number} least @param {number} most */
const isWithin = (n, least, most) => Number.isInteger(n) && n >= least && n <= most;
