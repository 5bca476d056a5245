/**
 * What is announced, and where somebody's place is: a seat that somebody else has now, and a room that was split. Pure, a
 * part of the state.
 */

/** @import {Happening, Place, RoomMove, State} from "../types.js" */

/** @returns {Place} */
export const initialPlace = () => ({
  notices: [],
  putAway: [],
  moved: null,
  followed: null,
  move: null,
  led: null,
  seatless: {},
  trouble: "",
  busy: [],
});

/** @param {State} state @param {Partial<Place>} fields @returns {State} */
const withPlace = (state, fields) => ({ ...state, place: { ...state.place, ...fields } });

/** After a hello everything that holds is told anew. @param {State} state @returns {State} */
export const forgetTold = (state) => withPlace(state, { notices: [], moved: null });

/** @param {State} state @param {string} id @returns {State} a notice that is not to be shown again */
export const putAway = (state, id) => withPlace(state, { putAway: [...state.place.putAway, id] });

/** @param {State} state @param {Extract<Happening, {type: "move"}>} event @returns {State} */
export function moveOn(state, { move, led, trouble = "" }) {
  const isNew = move !== null && move.isAsked !== true;
  return withPlace(state, {
    move,
    trouble,
    ...(led !== undefined && { led }),
    ...(isNew && { followed: move.from }),
  });
}

/** A move came to nothing: what was not asked for by hand is tried again. @param {State} state @param {RoomMove} move @returns {State} */
export function moveFailed(state, move) {
  if (state.place.move !== move) return state;
  return move.isAsked === true
    ? withPlace(state, { move: null, trouble: "failed" })
    : withPlace(state, { move: null, followed: null });
}

/** Somebody is in the middle of something, or no longer. @param {State} state @param {string} what @param {boolean} on @returns {State} */
export function occupy(state, what, on) {
  const { busy } = state.place;
  if (busy.includes(what) === on) return state;
  return withPlace(state, { busy: on ? [...busy, what] : busy.filter((one) => one !== what) });
}

/** Another screen is shown: what one was in the middle of is gone with the one before, but for what stands above all. @param {State} state @returns {State} */
export function leaveScreen(state) {
  const busy = state.place.busy.filter((what) => what.startsWith("appeal "));
  return busy.length === state.place.busy.length ? state : withPlace(state, { busy });
}

/** The decisions that may be answered are these. @param {State} state @param {string[]} ids @returns {State} */
export function keepAppeals(state, ids) {
  const busy = state.place.busy.filter((what) => !what.startsWith("appeal ") || ids.includes(what.slice(7)));
  return busy.length === state.place.busy.length ? state : withPlace(state, { busy });
}

/** One reads in a full room without a place. @param {State} state @param {string} id @returns {State} */
export const loseSeat = (state, id) =>
  seen(withPlace(state, { seatless: { ...state.place.seatless, [id]: false } }), id);

/** One has it again. @param {State} state @param {string} id @returns {State} */
export function takeSeat(state, id) {
  const { [id]: _, ...seatless } = state.place.seatless;
  return withPlace(state, { seatless, trouble: "" });
}

/**
 * Who is in a room changed. The others hear of a lost seat a moment later than oneself; after that, being listed means
 * that one has it again, as whoever writes gets it without asking.
 * @param {State} state @param {string} id @returns {State}
 */
export function seen(state, id) {
  const isKnown = state.place.seatless[id];
  const room = state.rooms[id];
  if (isKnown === undefined || room === undefined) return state;
  const isListed = room.people.some((person) => room.me.includes(person.id));
  if (isListed && isKnown) return takeSeat(state, id);
  return isListed || isKnown ? state : withPlace(state, { seatless: { ...state.place.seatless, [id]: true } });
}
