/** One group: for whom it is, when it meets, how it goes, what everybody agrees to; and signing up. */

/** @import {DateView, GroupCard} from "wire" */
/** @import {View} from "../types.js" */
/** @import {Side} from "./meetings.js" */
/** @import {Way} from "./open.js" */

import { attr, button, focusOn, h, keyed, paragraphs, show, text } from "../lib/dom.js";
import {
  formSentence,
  hasListeners,
  minutesWord,
  phaseName,
  phaseSentence,
  seatsWord,
  words,
} from "../locales/en-meeting.js";
import { troubleLine } from "../shell/trouble-line.js";
import { calendarForm } from "./calendar.js";
import { languageWord, momentWord, whenWord } from "./clock.js";
import { meetingRefusal } from "./refusal.js";
import { sidesField } from "./sides.js";
import { areDoorsOpen, datesOf } from "./state.js";
import { Ticking } from "./ticking.js";

const w = words.group;

/** @param {Way} way @param {string} id @param {string} said  told at once @returns {View} */
export const groupView = (way, id, said) => new GroupView(way, id, said);

class GroupView {
  /** @type {Side} */
  side = "share";
  drawn = "";
  title = h("h1", { text: words.title });
  about = h("p", { class: "lead" });
  form = h("p");
  facts = h("p", { class: "soft" });
  missing = h("p", { class: "soft", text: words.loading });
  dates = h("ul", { class: "dates", "aria-label": w.dates });
  none = h("p", { class: "soft", text: words.noDates, hidden: true });
  how = h("ol", { class: "phases" });
  agreement = h("div", { class: "agreement" });
  done = h("p", { class: "done", role: "status", tabindex: -1, hidden: true });
  kept = h("p", { class: "soft", text: w.kept, hidden: true });
  all = button(w.all, () => void this.#signUp(this.open), { class: "act second" });

  /** @param {Way} way @param {string} id @param {string} said */
  constructor(way, id, said) {
    this.way = way;
    this.id = id;
    this.trouble = troubleLine((no) => meetingRefusal(no, way.meetings.now));
    this.sides = sidesField(this.side, (side) => {
      this.side = side;
      this.update();
    });
    this.calendar = calendarForm(() => ({ dates: this.ownDates, minutes: this.group?.minutes ?? 60 }));
    this.ticking = new Ticking(way.meetings, () => this.update());
    this.#tell(said);
    const { title, about, form, facts, missing, dates, none, how, agreement, done, kept, all, trouble } = this;
    this.planned = h(
      "div",
      { hidden: true },
      h(
        "section",
        { class: "card" },
        h("h2", { text: w.dates }),
        h("p", { class: "soft", text: w.zone }),
        this.sides,
        none,
        dates,
        h("div", { class: "row" }, all),
        kept,
        this.calendar,
      ),
      h("section", { class: "card" }, h("h2", { text: w.how }), form, how),
      h("section", { class: "card" }, h("h2", { text: w.agreement }), agreement),
    );
    this.element = h(
      "div",
      { class: "group you" },
      button(words.toGroups, () => way.open("#groups"), { class: "quiet back" }),
      title,
      about,
      facts,
      done,
      trouble.element,
      missing,
      this.planned,
    );
  }

  /** @returns {GroupCard | undefined} */
  get group() {
    return this.way.meetings.state.groups?.find((group) => group.id === this.id);
  }

  /** The dates for which one is not signed up yet, and can be. */
  get open() {
    const { now } = this.way.meetings;
    return this.group === undefined
      ? []
      : datesOf(this.group).filter((date) => date.place === undefined && now < date.doors_at);
  }

  /** When one is there. */
  get ownDates() {
    return this.group === undefined
      ? []
      : datesOf(this.group)
          .filter((date) => date.place !== undefined)
          .map((date) => date.starts_at);
  }

  shown() {
    const { meetings } = this.way;
    meetings.isListShown = true;
    this.ticking.start();
    if (meetings.session.client.isOpen) void this.trouble.around(() => meetings.fetchGroups());
  }

  gone() {
    this.way.meetings.isListShown = false;
    this.ticking.stop();
  }

  update() {
    const { group } = this;
    const { groups } = this.way.meetings.state;
    show(this.planned, group !== undefined);
    show(this.missing, group === undefined);
    text(this.missing, groups === null ? words.loading : words.refusals.group_unknown);
    if (group === undefined) return;
    text(this.title, group.name);
    text(this.about, group.about);
    text(this.form, formSentence(group.form));
    text(this.facts, [languageWord(group.language), words.length(group.minutes)].join(" · "));
    this.#drawFixed(group);
    const dates = datesOf(group);
    show(this.none, dates.length === 0);
    text(this.none, group.ended_at === undefined ? words.noDates : words.noMore);
    show(this.sides, hasListeners(group.form) && this.open.length > 0);
    show(this.all, this.open.length > 1);
    show(this.kept, this.ownDates.length > 0);
    show(this.calendar, this.ownDates.length > 0);
    keyed(
      this.dates,
      dates,
      (date) => date.id,
      (date) => this.#dateRow(date.id),
    );
  }

  /** What changes only when its facilitator changes it. @param {GroupCard} group */
  #drawFixed({ phases, agreement }) {
    const now = JSON.stringify([phases, agreement]);
    if (this.drawn === now) return;
    this.drawn = now;
    this.agreement.replaceChildren(...paragraphs(agreement || w.agreementNone));
    this.how.replaceChildren(
      ...phases.map(({ kind, minutes }) =>
        h(
          "li",
          {},
          h("b", { text: phaseName(kind) }),
          " ",
          h("span", { class: "soft", text: minutesWord(minutes) }),
          h("p", { text: phaseSentence(kind) }),
        ),
      ),
    );
  }

  /** @param {string} said */
  #tell(said) {
    text(this.done, said);
    show(this.done, said !== "");
  }

  /** @param {readonly DateView[]} dates */
  async #signUp(dates) {
    const { meetings } = this.way;
    this.#tell("");
    const ids = dates.map((date) => date.id);
    await this.trouble.around(async () => {
      await meetings.signUp(this.id, ids, this.side);
      const isWaiting = this.group?.dates.some(({ id, place }) => ids.includes(id) && place === "waiting") ?? false;
      this.#tell(isWaiting ? w.waits : w.signedUp);
      this.update();
      focusOn(this.done);
    });
  }

  /** @param {string} meeting */
  async #signOff(meeting) {
    this.#tell("");
    await this.trouble.around(async () => {
      await this.way.meetings.signOff(meeting);
      this.#tell(w.signedOff);
      this.update();
      focusOn(this.done);
    });
  }

  /** @param {string} id */
  #dateRow(id) {
    const { meetings, open } = this.way;
    /** @type {DateView | undefined} */
    let shown;
    const when = h("b");
    const seats = h("span", { class: "soft" });
    const own = h("span", { class: "unread" });
    const doors = h("span", { class: "soft" });
    const enter = button(w.goIn, () => open(id), { class: "act" });
    const up = button(w.signUp, () => shown !== undefined && void this.#signUp([shown]), { class: "act second" });
    const off = button(w.off, () => void this.#signOff(id), { class: "quiet" });
    const said = h("div", { class: "date-said" }, when, seats, own, doors);
    return {
      element: h("li", { class: "date" }, said, h("div", { class: "row" }, enter, up, off)),
      /** @param {DateView} date */
      update: (date) => {
        shown = date;
        const { now } = meetings;
        const isOpen = areDoorsOpen(date, now);
        const { place, called_until: called } = date;
        const moment = momentWord(date.starts_at, now);
        const isHere = meetings.state.views[id]?.here === true;
        text(when, whenWord(date.starts_at, now));
        text(seats, seatsWord(date.free, date.seats, date.waiting ?? 0));
        text(
          own,
          called !== undefined
            ? words.called(momentWord(called, now))
            : date.freed
              ? words.freed
              : place === undefined
                ? ""
                : words.yours[place],
        );
        text(doors, place !== undefined && !isOpen ? w.doors(momentWord(date.doors_at, now)) : isOpen ? words.now : "");
        text(enter, isHere ? words.goBack : w.goIn);
        show(enter, isOpen);
        const isClosed = /** @type {DateView & {closed?: boolean}} */ (date).closed === true;
        show(up, !isOpen && !isClosed && (place === undefined || called !== undefined));
        if (isClosed) text(own, words.refusals.group_closed);
        text(up, called !== undefined ? w.take : date.free > 0 || this.side === "listen" ? w.signUp : w.wait);
        attr(up, "aria-label", `${up.textContent}: ${moment}`);
        attr(off, "aria-label", w.offFor(moment));
        attr(enter, "aria-label", `${enter.textContent}: ${moment}`);
        show(off, place !== undefined && place !== "host" && !isHere && date.stage === "announced");
      },
    };
  }
}
