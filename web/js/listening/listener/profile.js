/** What a listener takes on: languages, what they know from life, what they'd rather not, how long and how many. */

/** @import {ConsoleView, ListenerApp, Part, Profile} from "./types.js" */

import { button, h, keyed } from "../../lib/dom.js";
import { TRAITS, words } from "../../locales/en-listener.js";
import { card, choices, doneLine, field, languageName, troubleLine } from "../../shell/fields.js";
import { tidyProfile } from "./state.js";

const w = words.profile;
const LENGTHS = [15, 30, 45, 60, 90, 120];
const MOST_OPENINGS = 12;

/** @param {ListenerApp} app @returns {Part} */
export function profileView(app) {
  const place = h("div", {});
  const element = h(
    "div",
    { class: "narrow" },
    h("h1", { text: w.title }),
    h("p", { class: "lead", text: w.lead }),
    place,
  );
  let isMade = false;
  return {
    element,
    update(view) {
      // Made once: what is being filled in is not to change under somebody's hands.
      if (isMade || view === null || app.session.state.lobby === null) return;
      isMade = true;
      place.append(form(app, view));
    },
  };
}

/** @param {ListenerApp} app @param {ConsoleView} view */
function form({ session, say }, { profile, most_cap: most, languages: known }) {
  const trouble = troubleLine();
  const done = doneLine(say);
  /** @type {[string, string][]} */
  const rooms = (session.state.lobby ?? []).map((room) => [room.id, room.name]);
  const tongues = [...new Set([...known, ...profile.languages])];
  const languages = choices(
    w.languages,
    tongues.map((code) => [code, languageName(code)]),
    profile.languages,
  );
  const needs = choices(w.needs, Object.entries(w.need), profile.needs);
  const lived = choices(w.lived, rooms, profile.lived);
  const notTopics = choices(w.notTopics, rooms, profile.not_topics);
  const { age, minutes, cap } = selects(profile, most);
  const openings = openingFields(profile.openings);
  const element = h(
    "form",
    { class: "stack", novalidate: true },
    h("div", { class: "card" }, languages.element),
    h("div", { class: "card" }, needs.element),
    h("div", { class: "card" }, lived.element),
    h("div", { class: "card" }, notTopics.element),
    h("div", { class: "card stack" }, field(w.cap, cap), field(w.minutes, minutes), field(w.traits, age)),
    openings.element,
    trouble.element,
    done.element,
    h("div", { class: "row keep" }, h("button", { type: "submit", class: "act", text: w.save })),
  );
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    done.say("");
    if (languages.value.length === 0) return trouble.say(w.noLanguage);
    /** @type {Profile} */
    const next = {
      languages: languages.value,
      traits: age.value === "" ? [] : /** @type {Profile["traits"]} */ ([age.value]),
      lived: lived.value,
      not_topics: notTopics.value,
      needs: /** @type {Profile["needs"]} */ (needs.value),
      most_minutes: minutes.value === "" ? null : Number(minutes.value),
      cap: Number(cap.value),
      openings: openings.value,
    };
    void trouble.around(async () => {
      await session.ask("profile", tidyProfile(next));
      done.say(w.saved);
    });
  });
  return element;
}

/** @param {Profile} profile @param {number} most */
function selects(profile, most) {
  const option = (/** @type {string | number} */ value, /** @type {string} */ label) =>
    h("option", { value, text: label });
  const traits = Object.entries(TRAITS).map(([value, label]) => option(value, label));
  const age = h("select", {}, option("", w.traitNone), ...traits);
  age.value = profile.traits[0] ?? "";
  const own = profile.most_minutes ? [profile.most_minutes] : [];
  const lengths = [...new Set([...LENGTHS, ...own])].sort((a, b) => a - b);
  const minutes = h("select", {}, option("", w.minutesAny), ...lengths.map((n) => option(n, w.minutesWord(n))));
  minutes.value = String(profile.most_minutes ?? "");
  const cap = h("select", {}, ...Array.from({ length: most }, (_, i) => option(i + 1, w.capWord(i + 1))));
  cap.value = String(Math.min(profile.cap, most));
  return { age, minutes, cap };
}

/** @param {string[]} before */
function openingFields(before) {
  let last = 0;
  const line = (/** @type {string} */ value) => ({
    id: (last += 1),
    area: h("textarea", { rows: 2, maxlength: 500 }, value),
  });
  let lines = [...before, ""].slice(0, MOST_OPENINGS).map(line);
  const list = h("ul", { class: "opening-fields" });
  const add = button(
    w.openingAdd,
    () => {
      lines.push(line(""));
      draw();
      lines.at(-1)?.area.focus();
    },
    { class: "quiet" },
  );

  function draw() {
    keyed(
      list,
      lines,
      (one) => String(one.id),
      (one) => {
        const n = lines.indexOf(one) + 1;
        const remove = button(
          w.openingRemove(n),
          () => {
            lines = lines.filter((other) => other !== one);
            draw();
            add.focus();
          },
          { class: "quiet" },
        );
        return { element: h("li", {}, field(w.opening(n), one.area), remove), update() {} };
      },
    );
    add.hidden = lines.length >= MOST_OPENINGS;
  }
  draw();
  return {
    element: card(w.openings, h("p", { class: "soft", text: w.openingsLead }), list, add),
    get value() {
      return lines.map((one) => one.area.value);
    },
  };
}
