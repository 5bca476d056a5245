/** The groups that meet, the one that meets next first. */

/** @import {GroupCard} from "wire" */
/** @import {View} from "../types.js" */
/** @import {Way} from "./open.js" */

import { button, h, keyed, show, text } from "../lib/dom.js";
import { capital } from "../locales/en.js";
import { formWord, seatsWord, words as w } from "../locales/en-meeting.js";
import { missed, troubleLine } from "../shell/trouble-line.js";
import { languageWord, momentWord, whenWord } from "./clock.js";
import { areDoorsOpen, datesOf, inOrder } from "./state.js";
import { Ticking } from "./ticking.js";

/** @param {Way} way @returns {View} */
export const groupsView = (way) => new GroupsView(way);

class GroupsView {
  wait = h("p", { class: "soft", text: w.loading });
  none = h("p", { class: "soft", text: w.none, hidden: true });
  notes = h("ul", { class: "meeting-notes", hidden: true });
  list = h("ul", { class: "cards", "aria-label": w.title });
  trouble = troubleLine();

  /** @param {Way} way */
  constructor(way) {
    this.way = way;
    const { wait, none, notes, list, trouble } = this;
    this.element = h(
      "div",
      { class: "lobby groups" },
      button(w.back, way.context.back, { class: "quiet back" }),
      h("h1", { text: w.title }),
      h("p", { class: "lead", text: w.lead }),
      notes,
      wait,
      none,
      trouble.element,
      list,
    );
    this.ticking = new Ticking(way.meetings, () => this.update());
  }

  shown() {
    const { meetings } = this.way;
    meetings.isListShown = true;
    this.ticking.start();
    if (meetings.session.client.isOpen) void this.#fetch();
  }

  gone() {
    this.way.meetings.isListShown = false;
    this.ticking.stop();
  }

  async #fetch() {
    const { meetings } = this.way;
    const isThere = await this.trouble.around(() => meetings.fetchGroups());
    if (isThere || meetings.state.groups !== null || !this.element.isConnected) return;
    this.trouble.say("");
    missed(this.element, () => void this.#fetch());
  }

  update() {
    const { meetings } = this.way;
    const { groups } = meetings.state;
    const shown = inOrder(groups ?? []);
    show(this.wait, groups === null);
    show(this.none, groups !== null && shown.length === 0);
    show(this.list, shown.length > 0);
    keyed(
      this.list,
      shown,
      (group) => group.id,
      (group) => groupRow(this.way, group.id),
    );
    this.#drawNotes();
  }

  /** What became of meetings that one had signed up for. */
  #drawNotes() {
    const { meetings } = this.way;
    const { views, over, groups } = meetings.state;
    const told = meetings.kept.all.filter(
      ({ id, at }) =>
        views[id]?.stage === "cancelled" ||
        (groups !== null && over[id] === "gone" && views[id] === undefined && at > meetings.now),
    );
    show(this.notes, told.length > 0);
    keyed(
      this.notes,
      told,
      ({ id }) => id,
      ({ id, name, at }) => {
        const when = momentWord(at, meetings.now);
        const view = views[id];
        const said = h("p", { text: view === undefined ? w.seatGone(name, when) : w.calledOff(name, when) });
        const why = h("p", { text: view?.why ? w.why(view.why) : "", hidden: !view?.why });
        const fine = button(w.fine, () => meetings.putAway(id), { class: "quiet" });
        return { element: h("li", { class: "card" }, said, why, fine), update: () => {} };
      },
    );
  }
}

/** @param {Way} way @param {string} id */
function groupRow({ meetings, open }, id) {
  const name = h("span", { class: "card-name" });
  const about = h("span", { class: "card-about" });
  const how = h("span", { class: "soft" });
  const when = h("b");
  const seats = h("span", { class: "soft" });
  const own = h("span", { class: "unread" });
  const go = h(
    "button",
    { type: "button", class: "room-card", on: { click: () => open(id) } },
    name,
    about,
    how,
    h("span", { class: "card-foot" }, when, seats, own),
  );
  return {
    element: h("li", {}, go),
    /** @param {GroupCard} group */
    update(group) {
      const { now } = meetings;
      const [date] = datesOf(group);
      const isOpen = date !== undefined && areDoorsOpen(date, now);
      text(name, group.name);
      text(about, group.about);
      text(how, [capital(formWord(group.form)), languageWord(group.language), w.length(group.minutes)].join(" · "));
      text(
        when,
        date === undefined
          ? w.noDates
          : isOpen
            ? `${w.now}: ${whenWord(date.starts_at, now)}`
            : whenWord(date.starts_at, now),
      );
      when.classList.toggle("someone", isOpen);
      text(seats, date === undefined ? "" : seatsWord(date.free, date.seats, date.waiting ?? 0));
      const mine = datesOf(group).find((each) => each.place !== undefined);
      const called = mine?.called_until;
      text(
        own,
        called !== undefined ? w.called(momentWord(called, now)) : mine?.place === undefined ? "" : w.yours[mine.place],
      );
      show(own, own.textContent !== "");
    },
  };
}
