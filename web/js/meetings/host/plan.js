/** Planning dates: one, or a series. They are shown as a list, by the clock of their zone, before they are sent. */

/** @import {Series} from "./dates.js" */
/** @import {Screen, Way} from "./part.js" */

import { button, focusOn, h, show } from "../../lib/dom.js";
import { newId } from "../../lib/text.js";
import { words } from "../../locales/en-host.js";
import { doneLine, field, idFor, troubleLine } from "../../shell/fields.js";
import { datesOfSeries, dateWord, deviceZone, isMoved, isZone, proposed, zones } from "./dates.js";
import { LIMITS } from "./forms.js";
import { hostRefusal } from "./refusal.js";

const w = words.plan;

/** @param {Way} way @param {string} group @returns {Screen} */
export const planView = (way, group) => new PlanView(way, group);

class PlanView {
  id = newId();

  /** @param {Way} way @param {string} group */
  constructor(way, group) {
    this.way = way;
    this.group = group;
    const [day, time] = proposed(way.meetings.now, deviceZone()).split("T");
    this.day = h("input", { type: "date", value: day });
    this.time = h("input", { type: "time", value: time });
    this.repeat = h(
      "select",
      {},
      h("option", { value: "0", text: w.once }),
      h("option", { value: "1", text: w.weekly }),
      h("option", { value: "2", text: w.fortnightly }),
    );
    this.times = h("input", { type: "number", inputmode: "numeric", min: 1, max: LIMITS.dates, value: 6 });
    const list = idFor("zones");
    this.zone = h("input", { type: "text", autocomplete: "off", value: deviceZone(), list });
    this.known = h("datalist", { id: list }, ...zones().map((zone) => h("option", { value: zone })));
    this.trouble = troubleLine((no) => hostRefusal(no, way.meetings.now));
    this.done = doneLine(way.context.say);
    this.sure = h("section", { class: "card", tabindex: -1, hidden: true, "aria-label": w.sure(2) });
    this.element = this.#frame();
    this.done.say(way.news);
    this.repeat.addEventListener("change", () => this.#drawTimes());
    this.#drawTimes();
  }

  update() {}

  #frame() {
    const { way, group, day, time, repeat, times, zone, known, trouble, done, sure } = this;
    this.timesField = field(w.times, times);
    this.form = h(
      "form",
      { class: "card stack", novalidate: true },
      h("div", { class: "row" }, field(w.day, day), field(w.time, time)),
      h("div", { class: "row" }, field(w.repeat, repeat), this.timesField),
      field(w.zone, zone),
      known,
      trouble.element,
      h(
        "div",
        { class: "row" },
        h("button", { type: "submit", class: "act", text: w.show }),
        button(words.back, () => way.go({ name: "groups" }), { class: "quiet" }),
      ),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#show();
    });
    const title = h("h1", { text: w.title(way.meetings.group(group)?.name ?? "") });
    return h("div", { class: "narrow host-plan" }, title, done.element, this.form, sure);
  }

  #drawTimes() {
    if (this.timesField !== undefined) show(this.timesField, this.repeat.value !== "0");
  }

  /** @returns {Series} */
  get series() {
    const { day, time, repeat, times, zone } = this;
    const every = repeat.value === "2" ? 2 : 1;
    const first = `${day.value}T${time.value.slice(0, 5)}`;
    return { first, zone: zone.value.trim(), every, times: repeat.value === "0" ? 1 : Number(times.value) };
  }

  /** Why these are no dates; "" where they are. @param {Series} series @param {readonly number[]} dates */
  #fault({ zone, times }, dates) {
    if (!isZone(zone)) return w.noZone;
    if (!Number.isInteger(times) || times < 1 || times > LIMITS.dates) return w.number;
    if (dates.length === 0) return w.noTime;
    return (dates[0] ?? 0) <= this.way.meetings.now ? w.past : "";
  }

  /** The dates, before they are sent. */
  #show() {
    const { series, trouble, sure, way } = this;
    const dates = datesOfSeries(series);
    const fault = this.#fault(series, dates);
    trouble.say(fault);
    if (fault !== "") return;
    const isElsewhere = series.zone !== deviceZone();
    const rows = dates.map((at) =>
      h(
        "li",
        {},
        dateWord(at, series.zone),
        isElsewhere && h("span", { class: "soft", text: ` (${w.yours(dateWord(at, deviceZone()))})` }),
        isMoved(at, series) && h("span", { class: "soft", text: ` ${w.moved}` }),
      ),
    );
    const sending = troubleLine((no) => hostRefusal(no, way.meetings.now));
    const title = h("h2", { text: w.sure(dates.length) });
    sure.replaceChildren(
      title,
      h("ol", { class: "host-dates-sure" }, ...rows),
      h("p", { class: "soft", text: w.zoneIs(series.zone) }),
      sending.element,
      h(
        "div",
        { class: "row" },
        button(w.send(dates.length), () => void sending.around(() => this.#send(series, dates.length)), {
          class: "act",
        }),
        button(w.change, () => this.#change(), { class: "quiet" }),
      ),
    );
    this.#turn(true);
    focusOn(title);
  }

  /** @param {boolean} isSure */
  #turn(isSure) {
    show(this.sure, isSure);
    if (this.form !== undefined) show(this.form, !isSure);
  }

  #change() {
    this.id = newId();
    this.#turn(false);
    this.day.focus();
  }

  /** @param {Series} series @param {number} n */
  async #send(series, n) {
    await this.way.meetings.edit("plan", { group: this.group, ...series }, this.id);
    this.way.tell(w.done(n));
    this.way.go({ name: "groups" });
  }
}
