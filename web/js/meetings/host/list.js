/** The groups that a facilitator leads, with their dates and sign-ups as numbers, and the templates for a new one. */

/** @import {DateView, GroupCard} from "wire" */
/** @import {Screen, Way} from "./part.js" */

import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { clock } from "../../lib/time.js";
import { TEMPLATES, words as w } from "../../locales/en-host.js";
import { doneLine, troubleLine, twoTouches } from "../../shell/fields.js";
import { whenWord } from "../clock.js";
import { areDoorsOpen, datesOf, inOrder } from "../state.js";
import { FORMS, LIMITS, plannedMinutes } from "./forms.js";
import { keptForm } from "./form.js";
import { hostRefusal } from "./refusal.js";

const SHOWN = 4;

/** @param {Way} way @returns {Screen} */
export function groupList(way) {
  const { meetings, context } = way;
  const refusal = (/** @type {unknown} */ no) => hostRefusal(no, meetings.now);
  const done = doneLine(context.say);
  const trouble = troubleLine(refusal);
  const loading = h("p", { class: "soft", role: "status", text: w.loading });
  const none = h("p", { text: w.none, hidden: true });
  const cards = h("div", { class: "host-groups" });
  const fetchAgain = () => void trouble.around(() => meetings.fetchGroups());
  const element = h(
    "div",
    { class: "narrow host-list" },
    h("h1", { text: w.title }),
    h("p", { class: "soft", text: w.lead }),
    done.element,
    trouble.element,
    loading,
    none,
    cards,
    templates(way),
  );
  done.say(way.news);
  const deps = { way, refusal, done, fetchAgain };
  return {
    element,
    update() {
      const isKnown = meetings.state.groups !== null;
      const mine = inOrder(meetings.mine);
      show(loading, !isKnown);
      show(none, isKnown && mine.length === 0);
      keyed(
        cards,
        mine,
        (group) => group.id,
        (group) => groupCard(deps, group),
      );
    },
  };
}

/** @typedef {{way: Way, refusal: (no: unknown) => string, done: {say: (what: string) => void}, fetchAgain: () => void}} Deps */

/** @param {Deps} deps @param {GroupCard} first */
function groupCard({ way, refusal, done, fetchAgain }, first) {
  const { id } = first;
  const name = h("h2", { id: `group-${id}` });
  const about = h("p", { class: "soft" });
  const how = h("p", { class: "soft small" });
  const hosts = h("p", { class: "soft small" });
  const dates = h("ul", { class: "host-dates" });
  const more = h("p", { class: "soft small", hidden: true });
  const ending = withWhy(
    `end-${id}`,
    refusal,
    { ask: w.card.end, lead: w.card.endLead, yes: w.card.endYes },
    async (why) => {
      await way.meetings.edit("end_group", { group: id, why });
      done.say(w.card.ended);
      fetchAgain();
    },
  );
  const edit = button(w.card.edit, () => way.go({ name: "form", group: id, template: "" }), { class: "act second" });
  const plan = button(w.card.plan, () => way.go({ name: "plan", group: id }), { class: "act second" });
  const row = h("div", { class: "row" }, plan, edit, ending.first);
  const element = h(
    "section",
    { class: "card", "aria-labelledby": `group-${id}` },
    name,
    about,
    how,
    hosts,
    dates,
    more,
    row,
    ending.panel,
  );
  return {
    element,
    /** @param {GroupCard} group */
    update(group) {
      const ahead = datesOf(group);
      text(name, group.name);
      text(about, group.about);
      text(how, w.templateLine(group.form, group.minutes));
      const others = (group.hosts ?? []).map((host) => host.name);
      text(hosts, w.card.hosts(others));
      show(hosts, others.length > 1);
      attr(edit, "aria-label", w.card.editOf(group.name));
      attr(plan, "aria-label", w.card.planOf(group.name));
      attr(ending.first, "aria-label", w.card.endOf(group.name));
      keyed(
        dates,
        ahead.slice(0, SHOWN),
        (date) => date.id,
        (date) => dateRow({ way, refusal, done, fetchAgain }, group, date),
      );
      text(more, w.card.more(ahead.length - SHOWN));
      show(more, ahead.length > SHOWN);
    },
  };
}

/** @param {Deps} deps @param {GroupCard} group @param {DateView} first */
function dateRow({ way, refusal, done }, group, first) {
  const { id } = first;
  const when = h("b");
  const taken = h("span", { class: "soft" });
  const doors = h("span", { class: "soft small" });
  const calling = withWhy(
    `cancel-${id}`,
    refusal,
    { ask: w.card.cancel, lead: w.card.cancelLead, yes: w.card.cancelYes },
    async (why) => {
      await way.meetings.callOff(id, why);
      done.say(w.card.cancelled);
    },
  );
  const trouble = troubleLine(refusal);
  const goIn = () =>
    trouble.around(async () => {
      await way.meetings.goIn(id);
      way.go({ name: "meeting", meeting: id });
    });
  const go = button(w.card.goIn, () => void goIn(), { class: "act" });
  const said = h("p", { class: "host-date" }, when, " ", taken, " ", doors);
  return {
    element: h("li", {}, said, h("div", { class: "row" }, go, calling.first), trouble.element, calling.panel),
    /** @param {DateView} date */
    update(date) {
      const { now } = way.meetings;
      const { skew } = way.context.session.state;
      const isOpen = areDoorsOpen(date, now) || date.stage === "live";
      const moment = whenWord(date.starts_at - skew, now - skew);
      text(when, moment);
      text(taken, w.card.taken(date.seats - date.free, date.seats, date.waiting ?? 0));
      text(doors, isOpen ? w.card.live : w.card.doors(clock(date.doors_at - skew)));
      doors.classList.toggle("someone", isOpen);
      show(go, isOpen);
      attr(go, "aria-label", w.card.goInTo(group.name, moment));
      show(calling.first, !isOpen);
      attr(calling.first, "aria-label", w.card.cancelOf(moment));
      if (isOpen) show(calling.panel, false);
    },
  };
}

/**
 * Something that takes two touches, and says why to those who signed up.
 * @param {string} id @param {(no: unknown) => string} refusal @param {{ask: string, lead: string, yes: string}} said
 * @param {(why: string) => Promise<void>} act
 */
function withWhy(id, refusal, said, act) {
  const why = h("textarea", { rows: 2, maxlength: LIMITS.why, id });
  const fields = [h("div", { class: "field" }, h("label", { for: id, text: w.card.why }), why)];
  return twoTouches({ ...said, no: w.card.keep, danger: true, refusal, fields, act: () => act(why.value) });
}

/** @param {Way} way */
function templates(way) {
  const rows = TEMPLATES.map(({ id, title, form, minutes }) =>
    h(
      "li",
      {},
      h(
        "span",
        {},
        h("b", { text: title }),
        " ",
        h("span", { class: "soft", text: w.templateLine(form, plannedMinutes(form, minutes, FORMS[form].seats)) }),
      ),
      button(w.beginWith, () => way.go({ name: "form", group: "", template: id }), {
        class: "act second",
        "aria-label": w.use(title),
      }),
    ),
  );
  const isKept = keptForm(way.context.session.vault, "") !== null;
  const keepOn = button(w.keepOn, () => way.go({ name: "form", group: "", template: "" }), { class: "act" });
  return h(
    "section",
    { class: "card", "aria-labelledby": "host-begin" },
    h("h2", { id: "host-begin", text: w.begin }),
    isKept && h("p", {}, w.kept, " ", keepOn),
    h("ul", { class: "host-templates" }, ...rows),
  );
}
