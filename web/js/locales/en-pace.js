/** How long until one may write again. Fetched for rooms where one has to wait. */

import { duration } from "./en.js";

export const words = {
  slow: (/** @type {number} */ s) => `This room takes it slowly. You can write again in ${duration(s)}.`,
  slowOver: "You can write again.",
};
