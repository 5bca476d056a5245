/** What a page says of announcements, closed rooms, and rooms that were split: fetched where there is anything of it. */

export const words = {
  label: "From the people who run this place",
  hide: "Hide this",
  news: (/** @type {string} */ text) => `From the people who run this place: ${text}`,
  closed: "This room is closed. You can still read what was written here.",
  closedBeside: "This room is closed again. What was written here stays to be read until it fades.",
  toRoot: (/** @type {string} */ name) => `Go to ${name}`,
  slowed: "No moderator is in this room just now. It goes slowly until one is: a post every half minute.",
  alone: "No moderator could come yet, so this room rests. You can read, and take back what you wrote. It opens again by itself when a moderator is here.",
  back: "A moderator is here again. You can write as before.",
  toStaffed: (/** @type {string} */ name) => `Go to ${name}, where a moderator is`,
  toListeners: "Talk with a listener",
  quiet: (/** @type {string} */ time) => `Who is new here reads for a little while first. You can write from ${time}. What you wrote is kept.`,
  moved: (/** @type {string} */ from, /** @type {string} */ to) => `${from} was so full that few could be heard. Your place is in ${to} now. Those who talk with each other stay together.`,
  kept: "What you were writing came along.",
  stay: (/** @type {string} */ name) => `Go back to ${name}`,
  rather: (/** @type {string} */ name) => `Rather ${name}`,
  fine: "It's fine here",
  failed: "That didn't work just now. You are where you were.",
};
