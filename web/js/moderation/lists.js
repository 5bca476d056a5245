/** What holds now, with the answers to it; and the notes that listeners wrote to a supervisor. */

/** @import {Debrief, Declines, ModeratorApp, Queue} from "./types.js" */

import { daily } from "../lib/daily.js";
import { button, h, keyed, show, text } from "../lib/dom.js";
import { words } from "../locales/en-moderate.js";
import { measureRow, moment, trouble } from "./parts.js";

/** @param {ModeratorApp} app */
export function measuresView(app) {
  const w = words.measure;
  const none = h("p", { class: "soft", text: w.none });
  const list = h("ul", { class: "decisions" });
  return {
    element: h("section", { class: "narrow" }, h("h1", { text: w.title }), none, list),
    /** @param {Queue} queue */
    update(queue) {
      show(none, queue.measures.length === 0);
      keyed(
        list,
        queue.measures,
        (one) => `${one.id} ${one.appeal ?? ""}`,
        (one) => measureRow(app, one, true),
      );
    },
  };
}

/** How often a listener said no. @param {Declines} one */
function declinesRow(one) {
  const w = words.notes;
  return h(
    "li",
    { class: "decision" },
    h("b", { text: one.listener.name }),
    h("p", { text: w.declined(one.day, one.hour, one.sessions) }),
    one.hour >= one.hour_cap && h("p", { class: "soft small", text: w.stopped }),
  );
}

/** @param {Debrief} one @param {() => void} read */
function debriefRow(one, read) {
  const w = words.notes;
  const label = `${w.read}: ${one.listener.name}, ${moment(one.at)}`;
  return h(
    "li",
    { class: "decision" },
    daily(h("b"), (said) => text(said, `${one.listener.name} · ${moment(one.at)}`)),
    h("p", { class: "text", text: one.note }),
    one.read_by === undefined
      ? h("div", { class: "row" }, button(w.read, read, { class: "quiet", "aria-label": label }))
      : h("p", { class: "soft small", text: w.was(one.read_by.name) }),
  );
}

/** @param {ModeratorApp} app */
export function notesView(app) {
  const w = words.notes;
  const none = h("p", { class: "soft", text: w.loading });
  const list = h("ul", { class: "decisions" });
  const people = h("ul", { class: "decisions" });
  const declined = h(
    "section",
    { hidden: true },
    h("h2", { text: w.declines }),
    h("p", { class: "soft", text: w.declinesLead }),
    people,
  );
  const line = trouble();
  let loadedAt = -1;
  const load = () =>
    line.around(async () => {
      const { debriefs, declines } = await app.ask("debriefs");
      text(none, w.none);
      show(none, debriefs.length === 0);
      keyed(
        list,
        /** @type {Debrief[]} */ (debriefs),
        (one) => `${one.id} ${one.read_by?.id ?? ""}`,
        (one) => ({ element: debriefRow(one, () => read(one)), update() {} }),
      );
      show(declined, declines.length > 0);
      people.replaceChildren(.../** @type {Declines[]} */ (declines).map(declinesRow));
    });

  /** @param {Debrief} one */
  const read = (one) => void line.around(() => app.ask("read_debrief", { debrief: one.id }));

  return {
    element: h(
      "section",
      { class: "narrow" },
      h("h1", { text: w.title }),
      h("p", { class: "soft", text: w.lead }),
      line.element,
      none,
      list,
      declined,
    ),
    /** @param {Queue} queue */
    update(queue) {
      if (queue.version === loadedAt) return;
      loadedAt = queue.version;
      void load();
    },
  };
}
