/** What a facilitator has before them, and how one happening changes it. Pure: no clock, no storage, no DOM. */

/** @import {MeetingView} from "wire" */

/** So long a second press of "Next" is taken for the same one. */
export const SAME_PRESS_MS = 1_000;

/**
 * @typedef {{name: "groups"} | {name: "form", group: string, template: string} | {name: "plan", group: string}
 *   | {name: "meeting", meeting: string}} HostScreen  `group` "": a new one
 *
 * @typedef {object} Hosting
 * @property {HostScreen} screen
 * @property {{meeting: string, step: number, at: number} | null} pressed  the last press of "Next"
 * @property {{meeting: string, phase: number, line: number}} said  how far the script of a phase is
 * @property {boolean} isSettled  somebody chose a screen, so that none is chosen for them
 *
 * @typedef {{type: "go", screen: HostScreen}
 *   | {type: "found", meeting: string}
 *   | {type: "pressed", meeting: string, step: number, at: number}
 *   | {type: "line", view: MeetingView, by: number, most: number}} HostHappening
 */

/** @returns {Hosting} */
export const initialHosting = () => ({
  screen: { name: "groups" },
  pressed: null,
  said: { meeting: "", phase: -1, line: 0 },
  isSettled: false,
});

/** @type {{[K in HostHappening["type"]]: (state: Hosting, event: Extract<HostHappening, {type: K}>) => Hosting}} */
const AFTER = {
  go: (state, { screen }) => ({ ...state, screen, isSettled: true }),
  // After a reload somebody is back where they are needed, unless they were quicker.
  found: (state, { meeting }) =>
    state.isSettled ? state : { ...state, screen: { name: "meeting", meeting }, isSettled: true },
  pressed: (state, { meeting, step, at }) => ({ ...state, pressed: { meeting, step, at } }),
  line: (state, { view, by, most }) => {
    const line = Math.min(Math.max(0, lineAt(state, view) + by), Math.max(0, most - 1));
    return { ...state, said: { meeting: view.id, phase: view.phase ?? -1, line } };
  },
};

/** The state after a happening. @param {Hosting} state @param {HostHappening} event @returns {Hosting} */
export function reduce(state, event) {
  const after = /** @type {(state: Hosting, event: HostHappening) => Hosting} */ (AFTER[event.type]);
  return after(state, event);
}

/** Which line of the present phase is said next. A new phase begins with its first. @param {Hosting} state @param {MeetingView} view */
export const lineAt = ({ said }, { id, phase = -1 }) => (said.meeting === id && said.phase === phase ? said.line : 0);

/**
 * The step that a press of "Next" sends; null where it is the second half of the same press, and the meeting has gone on
 * meanwhile. The server knows the rest: `step` with an older step does nothing.
 * @param {Hosting} state @param {MeetingView} view @param {number} now
 */
export function stepToSend({ pressed }, view, now) {
  const step = view.step ?? 0;
  const isSame = pressed !== null && pressed.meeting === view.id && now - pressed.at < SAME_PRESS_MS;
  return isSame && pressed.step !== step ? null : step;
}
