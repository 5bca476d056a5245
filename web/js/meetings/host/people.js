/** Who is in a meeting, as its host sees them: in the order of turns, with what can be done for each. */

/** @import {MeetingView} from "wire" */
/** @import {RoomState} from "../../types.js" */
/** @import {Way} from "./part.js" */
/** @import {PersonRow} from "./steering.js" */

import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { avatar } from "../../lib/avatar.js";
import { words } from "../../locales/en-host.js";
import { idFor, troubleLine, twoTouches } from "../../shell/fields.js";
import { LIMITS } from "./forms.js";
import { hostRefusal } from "./refusal.js";
import { concernsOf, rowsOf } from "./steering.js";

const w = words.people;

/** @param {Way} way @param {string} meeting */
export function peopleList(way, meeting) {
  const trouble = troubleLine((no) => hostRefusal(no, way.meetings.now));
  const none = h("p", { class: "soft", text: w.none });
  const list = h("ul", { class: "host-people" });
  const notes = h("ul", { class: "host-notes" });
  const noted = h("div", { class: "host-noted", hidden: true }, h("p", { text: words.notes.lead }), notes);
  const element = h(
    "section",
    { class: "card host-people-card", "aria-labelledby": "host-people" },
    h("h2", { id: "host-people", text: w.title }),
    trouble.element,
    noted,
    none,
    list,
  );
  return {
    element,
    /** @param {MeetingView} view @param {RoomState | undefined} room @param {number} now  by this device's clock */
    update(view, room, now) {
      const rows = rowsOf(view, room, now);
      const concerns = concernsOf(view);
      show(none, rows.length === 0);
      show(noted, concerns.length > 0);
      keyed(
        notes,
        concerns,
        ({ key }) => key,
        ({ said }) => ({ element: h("li", { text: said }), update() {} }),
      );
      keyed(
        list,
        rows,
        ({ person }) => `${person.id} ${person.name}`,
        (row) => personRow(way, meeting, row, trouble),
      );
    },
  };
}

/** @param {Way} way @param {string} meeting @param {PersonRow} first @param {ReturnType<typeof troubleLine>} trouble */
function personRow(way, meeting, { person }, trouble) {
  const { name } = person;
  const facts = h("span", { class: "soft" });
  const give = (/** @type {string} */ cmd, /** @type {string} */ said) =>
    void trouble.around(async () => {
      await way.meetings.act(meeting, cmd, { member: person.id });
      way.context.say(said);
    });
  const callOn = button(w.callOn, () => give("call_on", w.called(name)), {
    class: "pill",
    "aria-label": w.callOnOf(name),
  });
  const offer = button(w.offer, () => give("aside", w.offeredTo(name)), {
    class: "pill",
    "aria-label": w.offerOf(name),
  });
  const out = sendingOut(way, meeting, person);
  const said = h("p", { class: "host-person-said" }, h("b", { text: name }), " ", facts);
  const element = h(
    "li",
    {},
    h("div", { class: "host-person" }, avatar(name), said, callOn, offer, out.first),
    out.panel,
  );
  return {
    element,
    /** @param {PersonRow} row */
    update(row) {
      text(facts, row.facts.join(", "));
      element.classList.toggle("has-turn", row.hasTurn);
      element.classList.toggle("is-lost", row.person.lost === true);
      show(callOn, row.mayCallOn);
      show(offer, row.mayOffer);
      show(out.first, row.maySendOut);
      if (!row.maySendOut) show(out.panel, false);
    },
  };
}

/** @param {Way} way @param {string} meeting @param {PersonRow["person"]} person */
function sendingOut({ meetings, context }, meeting, { id, name }) {
  const reason = h("textarea", { rows: 2, maxlength: LIMITS.reason, id: idFor("reason") });
  const out = twoTouches({
    ask: w.sendOut,
    lead: w.sendOutLead(name),
    yes: w.sendOutYes,
    no: w.keep,
    danger: true,
    refusal: (no) => hostRefusal(no, meetings.now),
    fields: [h("div", { class: "field" }, h("label", { for: reason.id, text: w.reason }), reason)],
    act: async () => {
      await meetings.act(meeting, "send_out", { member: id, reason: reason.value });
      context.say(w.sent(name));
    },
  });
  attr(out.first, "aria-label", w.sendOutOf(name));
  // Not the first thing to be seen of everybody; what follows is red.
  out.first.classList.replace("danger", "soft");
  return out;
}
