/** What a page says of announcements, closed rooms, rooms that were split, and seats: fetched where there is anything of it. */

import { words as common } from "./en.js";

export const words = {
  label: "From the people who run this place",
  hide: "Hide this",
  news: (/** @type {string} */ text) => `From the people who run this place: ${text}`,
  closed: "This room is closed. You can still read what was written here.",
  closedBeside: "This room is closed again. What was written here stays to be read until it fades.",
  toRoot: (/** @type {string} */ name) => `Go to ${name}`,
  slowed: "No moderator is in this room just now. It goes slowly until one is: a post every half minute.",
  alone:
    "No moderator could come yet, so this room rests. You can read, and take back what you wrote. It opens again by itself when a moderator is here.",
  back: "A moderator is here again. You can write as before.",
  toStaffed: (/** @type {string} */ name) => `Go to ${name}, where a moderator is`,
  toListeners: "Talk with a listener",
  quiet: (/** @type {string} */ time) =>
    `Who is new here reads for a little while first. You can write from ${time}. What you wrote is kept.`,
  moved: (/** @type {string} */ from, /** @type {string} */ to) =>
    `${from} was so full that few could be heard. Your place is in ${to} now. Those who talk with each other stay together.`,
  kept: "What you were writing came along.",
  stay: (/** @type {string} */ name) => `Go back to ${name}`,
  rather: (/** @type {string} */ name) => `Rather ${name}`,
  fine: "It's fine here",
  failed: "That didn't work just now. You are where you were.",
  reading: "You can read on here, without a place of your own at the moment. That leaves room for others.",
  readingMore: "What you were writing is kept.",
  writeAgain: "Write here again",
  seatBack: "You have a place here again.",
  noSeat: "Every place is taken at this moment. You can read on, and try again in a while.",
  seats: {
    title: (/** @type {number} */ n) => `You have a place in ${n === 3 ? "three" : n} rooms`,
    lead: "That is as many as one person has at a time, so that there are places for everybody. Which one would you give up?",
    rather: (/** @type {string} */ name) => `Give up my place in ${name}`,
    kept: "You can still read there, and what you wrote or began to write is kept.",
  },
  refusals: {
    only_reading:
      "Every place in this room is taken at this moment. What you wrote is kept; please try again in a while.",
    seats_used:
      "You have a place in as many rooms as one person can. What you wrote is kept. Give up a place in another room to send it.",
  },
};

Object.assign(common.refusals, words.refusals);
