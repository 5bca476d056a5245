/**
 * The lines that hosts have before them, by the phase that they belong to. On the wire a script is a list of lines; one that
 * begins with the word of a phase in brackets belongs to that phase (docs/decisions/0223). Pure.
 */

/** @import {MeetingView, PhaseKind} from "wire" */

const MARKED = /^\[([a-z_]+)\]\s*/;

/** @typedef {Partial<Record<PhaseKind, string[]>>} Script */

/** Lines without a phase are said at the welcome, or else at the beginning. @param {readonly PhaseKind[]} kinds @returns {PhaseKind} */
const usual = (kinds) => (kinds.includes("welcome") ? "welcome" : (kinds[0] ?? "gather"));

/** @param {readonly string[]} lines @param {readonly PhaseKind[]} kinds  of the form @returns {Script} */
export function scriptOf(lines, kinds) {
  /** @type {Script} */
  const script = {};
  for (const line of lines) {
    const named = /** @type {PhaseKind | undefined} */ (MARKED.exec(line)?.[1]);
    const isPhase = named !== undefined && kinds.includes(named);
    const kind = isPhase ? named : usual(kinds);
    (script[kind] ??= []).push(isPhase ? line.replace(MARKED, "") : line);
  }
  return script;
}

/** As the wire has it: in the order of the phases. @param {Script} script @param {readonly PhaseKind[]} kinds @returns {string[]} */
export const linesOf = (script, kinds) =>
  kinds.flatMap((kind) => (script[kind] ?? []).map((line) => `[${kind}] ${line}`));

/** What stands in a field for one phase, line by line. @param {string} text @returns {string[]} */
export const linesIn = (text) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** The lines of the present phase. @param {MeetingView} view @returns {string[]} */
export function presentLines({ phases, phase = -1, script = [] }) {
  const kinds = phases.map(({ kind }) => kind);
  const kind = kinds[Math.max(0, phase)];
  return kind === undefined ? [] : (scriptOf(script, kinds)[kind] ?? []);
}
