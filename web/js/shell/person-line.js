/** Somebody, as lists show them. */

/** @import {RoomPerson} from "../types.js" */

import { h } from "../lib/dom.js";
import { avatar } from "../lib/avatar.js";
import { words } from "../locales/en.js";

/** @param {RoomPerson} person @param {string} [after] */
export function personLine(person, after) {
  const name = h("span", { text: person.name });
  return h(
    "span",
    { class: "person" },
    avatar(person.name),
    name,
    h("span", { class: "role", text: person.role ? words.post.role : "" }),
    after !== undefined && h("span", { class: "soft", text: after }),
  );
}
