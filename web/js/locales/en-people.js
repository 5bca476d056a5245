/** The list of who is in a room: its words. Fetched with it. */

import { count } from "./en.js";

export const people = {
  title: "Who is here",
  close: "Close",
  you: "you",
  others: (/** @type {number} */ n) => `and ${count(n, "other", "others")}`,
  alone: "Just you at the moment. People come and go at all hours.",
};
