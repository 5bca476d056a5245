/**
 * What a group may ask of the server for each form: the same numbers as `chatserver/domain/meetings/forms.py` and
 * `groups.py`, which `tests/web/host.test.js` compares. Pure.
 */

/** @import {Form, PhaseKind} from "wire" */

/** @typedef {{seats: number, mostSeats: number, phases: readonly (readonly [PhaseKind, number])[]}} FormBounds  lengths in minutes */

/** @type {Readonly<Record<Form, FormBounds>>} */
export const FORMS = {
  circle: {
    seats: 6,
    mostSeats: 8,
    phases: [
      ["gather", 10],
      ["welcome", 3],
      ["checkin", 4],
      ["prepare", 3],
      ["share", 36],
      ["open", 10],
      ["closing", 5],
    ],
  },
  hands: {
    seats: 12,
    mostSeats: 15,
    phases: [
      ["gather", 5],
      ["welcome", 5],
      ["checkin", 6],
      ["hands", 40],
      ["closing", 5],
      ["linger", 10],
    ],
  },
  themed: {
    seats: 12,
    mostSeats: 15,
    phases: [
      ["gather", 5],
      ["welcome", 3],
      ["checkin", 5],
      ["open", 40],
      ["closing", 5],
    ],
  },
  quiet: {
    seats: 15,
    mostSeats: 15,
    phases: [
      ["gather", 3],
      ["checkin", 3],
      ["quiet", 25],
      ["open", 5],
      ["quiet", 25],
      ["closing", 3],
    ],
  },
  exchange: {
    seats: 2,
    mostSeats: 2,
    phases: [
      ["contract", 3],
      ["share", 25],
      ["closing", 3],
    ],
  },
};

export const LIMITS = {
  name: 40,
  about: 200,
  agreement: 2_000,
  line: 500,
  lines: 40,
  why: 200,
  reason: 500,
  cohosts: 3,
  dates: 26,
  closedAfter: 1_000,
  oneHostSeats: 8,
  answers: 2,
  shortest: 1,
  longest: 90,
};

/** The kinds of a form's phases, each once, with the length that it has where a group says nothing. @param {Form} form @returns {[PhaseKind, number][]} */
export const kindsOf = (form) => [...new Map(FORMS[form].phases).entries()];

/** How many take turns: one host alone holds together only so many. @param {Form} form @param {number} seats @param {number} cohosts */
export const placesOf = (form, seats, cohosts) =>
  form === "quiet" || cohosts > 0 ? seats : Math.min(seats, LIMITS.oneHostSeats);

/**
 * How long a meeting is planned to take, in minutes.
 * @param {Form} form @param {Partial<Record<PhaseKind, number>>} minutes @param {number} [answered]  whom others may answer
 */
export const plannedMinutes = (form, minutes, answered = 0) =>
  FORMS[form].phases.reduce(
    (sum, [kind, usual]) => sum + (minutes[kind] ?? usual) + (kind === "share" ? answered * LIMITS.answers : 0),
    0,
  );
