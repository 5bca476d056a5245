/** What stands above the log of a meeting: the phase, whose turn it is, how long, who is next; and, unfolded, the whole. */

/** @import {MeetingPerson, MeetingView} from "wire" */
/** @import {Presence} from "./presence.js" */

import { attr, h, keyed, show, text } from "../lib/dom.js";
import { avatar } from "../lib/avatar.js";
import { minutesWord, phaseName } from "../locales/en-meeting.js";
import { capital } from "../locales/en.js";
import { words as w } from "../locales/en-meeting-room.js";
import { stripOf } from "./telling.js";

export class Strip {
  name = h("b", { class: "phase-name" });
  left = h("span", { class: "phase-left" });
  said = h("p", { class: "phase-said" });
  next = h("p", { class: "phase-next soft" });
  notes = h("ul", { class: "phase-notes" });
  element = h(
    "section",
    { class: "strip", "aria-label": w.label },
    h("p", { class: "phase" }, this.name, " ", this.left),
    this.said,
    this.next,
    this.notes,
  );

  /** @param {MeetingView} view @param {number} now */
  update(view, now) {
    const strip = stripOf(view, now);
    text(this.name, strip.name);
    text(this.left, strip.left);
    text(this.said, strip.said);
    show(this.said, strip.said !== "");
    text(this.next, strip.next);
    show(this.next, strip.next !== "");
    this.element.classList.toggle("my-turn", strip.isMine);
    show(this.notes, strip.notes.length > 0);
    keyed(
      this.notes,
      strip.notes,
      (note) => note,
      (note) => ({ element: h("li", { text: note }), update: () => {} }),
    );
  }
}

/** The script with the present part marked, who is here, and how one is told of one's turn. */
export class Overview {
  title = h("summary");
  phases = h("ol", { class: "phases short" });
  people = h("ul", { class: "meeting-people" });

  /** @param {Presence} presence */
  constructor(presence) {
    const bell = h("input", { type: "checkbox", id: "turn-bell", checked: presence.bell.on.turn });
    bell.addEventListener("change", () => presence.setBell(bell.checked));
    this.element = h(
      "details",
      { class: "pinned overview" },
      this.title,
      this.phases,
      this.people,
      h("label", { class: "check", for: "turn-bell" }, bell, h("span", { text: w.settings.bell })),
      h("p", { class: "soft", text: w.settings.keys }),
    );
  }

  /** @param {MeetingView} view */
  update(view) {
    const { phases, phase = -1, people = [] } = view;
    text(this.title, `${capital(w.part(phase + 1, phases.length))} · ${w.whoIsHere(people.length)}`);
    keyed(
      this.phases,
      phases.map((each, index) => ({ ...each, index, isNow: index === phase })),
      ({ index }) => String(index),
      ({ kind, minutes }) => {
        const element = h(
          "li",
          {},
          h("span", { text: phaseName(kind) }),
          " ",
          h("span", { class: "soft", text: minutesWord(minutes) }),
        );
        return { element, update: ({ isNow }) => attr(element, "aria-current", isNow ? "step" : null) };
      },
    );
    keyed(
      this.people,
      people,
      (person) => `${person.id} ${person.name}`,
      (person) => personRow(person),
    );
    for (const [index, person] of people.entries()) {
      const row = this.people.children[index]?.querySelector(".about-person");
      if (row) text(row, aboutPerson(person, view));
    }
  }
}

/** @param {MeetingPerson} first */
function personRow(first) {
  const about = h("span", { class: "about-person soft" });
  return { element: h("li", {}, avatar(first.name), h("b", { text: first.name }), " ", about), update: () => {} };
}

/** What is to be known of somebody beside their name. @param {MeetingPerson} person @param {MeetingView} view */
export function aboutPerson({ id, place, lost, hand }, { me, turn }) {
  return [
    id === me ? w.you : "",
    w.places[place],
    turn?.holder === id ? w.holds : "",
    hand ? w.hand : "",
    lost && id !== me ? w.isLost : "",
  ]
    .filter(Boolean)
    .join(", ");
}
