/** What comes up beside the conversations: a colleague who asks, and the note after a heavy one. */

/** @import {ListenerApp, Part} from "./types.js" */

import { button, h, keyed, show } from "../../lib/dom.js";
import { words } from "../../locales/en-listener.js";
import { doneLine, field, keptField, troubleLine } from "../../shell/fields.js";
import { seekerOf } from "./state.js";

/** @import {TalkView} from "../../types.js" */

/** A colleague asks this listener into a conversation; its seeker has agreed. @param {ListenerApp} app */
export function invitationCard({ session, sayNow, bell }) {
  const w = words.asked;
  const element = h("div", { class: "asked" });

  /** @param {TalkView} talk */
  function make(talk) {
    const trouble = troubleLine();
    const by = talk.people.find((person) => person.role === "listener")?.name ?? "";
    const name = seekerOf(talk).name;
    const question = talk.invitation?.handover ? w.handover(name) : w.join(name);
    /** @param {boolean} yes */
    const answer = (yes) => void trouble.around(() => session.ask("answer", { session: talk.id, yes }));
    bell.ring("call");
    sayNow(`${w.title(by)}. ${question}`);
    return {
      element: h(
        "section",
        { class: "card proposal", "aria-label": w.title(by) },
        h("h2", { text: w.title(by) }),
        h("p", { text: question }),
        trouble.element,
        h(
          "div",
          { class: "row" },
          button(w.yes, () => answer(true), { class: "act" }),
          button(w.no, () => answer(false), { class: "act second" }),
        ),
      ),
      update() {},
    };
  }

  return {
    element,
    /** @type {NonNullable<Part["update"]>} */
    update(view) {
      keyed(element, view?.invitations ?? [], (talk) => talk.id, make);
    },
  };
}

/** The note to a supervisor, about oneself. @param {ListenerApp} app */
export function debriefCard({ session, say }) {
  const w = words.debrief;
  const trouble = troubleLine();
  const done = doneLine(say);
  const area = h("textarea", { rows: 5, maxlength: 2000 });
  const kept = keptField(session.vault, "debrief", area);
  const form = h(
    "form",
    { class: "card debrief", "aria-labelledby": "debrief-title", hidden: true, novalidate: true },
    h("h2", { id: "debrief-title", text: w.title }),
    h("p", { text: w.lead }),
    field(w.label, area),
    trouble.element,
    h("div", { class: "row" }, h("button", { type: "submit", class: "act", text: w.yes })),
  );
  let owes = "";
  /** The conversation whose note was taken, until the view says so too. */
  let noted = "";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void trouble.around(async () => {
      const of = owes;
      await session.ask("debrief", { session: of, note: area.value });
      noted = of;
      kept.clear();
      show(form, false);
      done.say(w.done);
    });
  });
  return {
    element: h("div", {}, done.element, form),
    /** @type {NonNullable<Part["update"]>} */
    update(view) {
      const told = view?.owes ?? "";
      owes = told === noted ? "" : told;
      if (owes !== "") show(done.element, false);
      show(form, owes !== "");
    },
  };
}
