/** Before a meeting: its agreement, how it goes, and whether one shares or listens. */

/** @import {View} from "../types.js" */
/** @import {Side} from "./meetings.js" */
/** @import {Way} from "./open.js" */

import { button, h, paragraphs, show, text } from "../lib/dom.js";
import { formSentence, hasListeners, words } from "../locales/en-meeting.js";
import { troubleLine } from "../shell/trouble-line.js";
import { momentWord } from "./clock.js";
import { meetingRefusal } from "./refusal.js";
import { sidesField } from "./sides.js";
import { areDoorsOpen } from "./state.js";

const w = words.door;

/** @param {Way} way @param {string} id @returns {View} */
export const doorView = (way, id) => new DoorView(way, id);

class DoorView {
  lead = h("p", { class: "lead", text: w.lead });
  early = h("p", { class: "soft", hidden: true });

  /** @param {Way} way @param {string} id */
  constructor(way, id) {
    const { meetings } = way;
    this.way = way;
    this.id = id;
    const { group, date } = this.found;
    /** @type {Side} */
    this.side = date?.place === "listener" ? "listen" : "share";
    this.version = group?.agreement_version ?? 1;
    this.isBack = meetings.state.over[id] === "stepped out";
    if (this.isBack) text(this.lead, words.group.steppedOut);
    this.agreement = h("div", { class: "agreement" }, ...paragraphs(group?.agreement || words.group.agreementNone));
    this.choice = sidesField(this.side, (side) => (this.side = side));
    const trouble = troubleLine((no) => meetingRefusal(no, meetings.now));
    this.element = h(
      "div",
      { class: "card narrow threshold" },
      h("h1", { text: w.title(group?.name ?? words.title) }),
      this.lead,
      this.agreement,
      h("p", { text: formSentence(group?.form ?? "") }),
      h("p", { class: "soft", text: w.forgotten }),
      this.choice,
      this.early,
      trouble.element,
      h(
        "div",
        { class: "row" },
        button(w.accept, () => void trouble.around(() => this.#enter()), { class: "act" }),
        button(w.back, () => way.open(group?.id ?? "#groups"), { class: "quiet" }),
      ),
    );
  }

  /** The group that it is a meeting of, and its date there. */
  get found() {
    const { id } = this;
    const group = this.way.meetings.state.groups?.find((each) => each.dates.some((date) => date.id === id));
    return { group, date: group?.dates.find((date) => date.id === id) };
  }

  update() {
    const { date, group } = this.found;
    const { now } = this.way.meetings;
    text(this.early, date === undefined ? "" : words.group.early(momentWord(date.doors_at, now)));
    show(this.early, date !== undefined && !areDoorsOpen(date, now));
    show(this.choice, !this.isBack && date?.place === undefined && hasListeners(group?.form ?? ""));
  }

  async #enter() {
    try {
      await this.way.meetings.enter(this.id, this.version, this.side);
    } catch (no) {
      const { code, details } = /** @type {import("../lib/client.js").Refused} */ (no);
      if (code !== "agreement_required") throw no;
      // It was changed after it was shown.
      this.version = Number(details["agreement_version"] ?? this.version);
      text(this.lead, w.changed);
      this.agreement.replaceChildren(...paragraphs(String(details["agreement"] ?? "")));
    }
  }
}
