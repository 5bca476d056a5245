/** Contact details in a post that was not sent: why, and what one can do. Loaded when the first is refused. */

/** @import {Context, Pending, State} from "../../types.js" */
/** @import {Composer} from "./composer.js" */

import { button, h } from "../../lib/dom.js";
import { KINDS, words } from "../../locales/en-listening.js";

const w = words.talk;

/** @param {Record<string, unknown> | undefined} details */
const sentence = (details) =>
  w.contact(/** @type {string[]} */ (details?.["kinds"] ?? []).map((kind) => KINDS[kind] ?? kind));

/**
 * Explain why a change of a post was not sent, and offer to send it all the same where one may.
 * @param {any} no  the refusal @param {(why: string) => void} stop @param {HTMLElement} offer @param {() => void} send
 */
export function explainEdit(no, stop, offer, send) {
  stop(sentence(no.details));
  if (no.details?.["may_send"] === true) offer.replaceChildren(button(w.anyway, send, { class: "quiet other" }));
}

/**
 * Explain each of a room's posts that was refused for it, once. Tells whether there was one.
 * @param {Context} context @param {State} state @param {string} room @param {HTMLElement} log @param {Composer} write
 */
export function explain({ session, sayNow }, state, room, log, write) {
  let isNew = false;
  for (const pending of state.pending) {
    const status = log.querySelector(`[data-key="w${pending.id}"] .status`);
    if (
      pending.room !== room ||
      pending.why !== "contact_details" ||
      status === null ||
      status.classList.contains("contact")
    )
      continue;
    status.classList.add("contact");
    const said = sentence(pending.details);
    status.prepend(
      h("span", { text: said }),
      button(w.rewrite, () => rewrite(pending), { class: "quiet other" }),
    );
    if (pending.details?.["may_send"] === true) {
      status.append(
        button(
          w.anyway,
          () => {
            session.outgoing.retry(pending.id, true);
            write.area.focus();
          },
          { class: "quiet other" },
        ),
      );
    }
    sayNow(said);
    isNew = true;
  }
  return isNew;

  /** @param {Pending} pending */
  function rewrite(pending) {
    session.outgoing.drop(pending.id);
    write.takeBack(pending);
    write.area.focus();
  }
}
