/** What holds now, with the answers to it; and the notes that listeners wrote to a supervisor. */

/** @import {Debrief, Office, Queue} from "./types.js" */

import { button, h, keyed, show, text } from "../lib/dom.js";
import { words } from "../locales/en-moderate.js";
import { measureRow, moment, trouble } from "./parts.js";

/** @param {Office} office */
export function measuresView(office) {
  const w = words.measure;
  const none = h("p", { class: "soft", text: w.none });
  const list = h("ul", { class: "decisions" });
  return {
    element: h("section", { class: "narrow" }, h("h1", { text: w.title }), none, list),
    /** @param {Queue} queue */
    update(queue) {
      show(none, queue.measures.length === 0);
      keyed(list, queue.measures, (one) => `${one.id} ${one.appeal ?? ""}`, (one) => measureRow(office, one, true));
    },
  };
}

/** @param {Office} office */
export function notesView(office) {
  const w = words.notes;
  const none = h("p", { class: "soft", text: w.loading });
  const list = h("ul", { class: "decisions" });
  const line = trouble();
  let loadedAt = -1;
  const load = () => line.around(async () => {
    const { debriefs } = await office.ask("debriefs");
    text(none, w.none);
    show(none, debriefs.length === 0);
    keyed(list, /** @type {Debrief[]} */ (debriefs), (one) => `${one.id} ${one.read_by?.id ?? ""}`, (one) => ({ element: row(one), update() {} }));
  });

  /** @param {Debrief} one */
  function row(one) {
    const read = button(w.read, () => void line.around(() => office.ask("read_debrief", { debrief: one.id })), { class: "quiet", "aria-label": `${w.read}: ${one.listener.name}, ${moment(one.at)}` });
    return h(
      "li",
      { class: "decision" },
      h("b", { text: `${one.listener.name} · ${moment(one.at)}` }),
      h("p", { text: one.note }),
      one.read_by === undefined ? h("div", { class: "row" }, read) : h("p", { class: "soft small", text: w.was(one.read_by.name) }),
    );
  }
  return {
    element: h("section", { class: "narrow" }, h("h1", { text: w.title }), h("p", { class: "soft", text: w.lead }), line.element, none, list),
    /** @param {Queue} queue */
    update(queue) {
      if (queue.version === loadedAt) return;
      loadedAt = queue.version;
      void load();
    },
  };
}
