/** A room that is full. Fetched when one is. */

export const words = {
  led: (/** @type {string} */ name) => `That room was full and has another one beside it. You are in ${name}.`,
  title: "This room is full",
  lead: "This room is full so that everyone can be heard. These have space.",
  none: "This room is full so that everyone can be heard. No other room has space right now. Places open often.",
  again: "Try this room again",
  back: "All rooms",
};
