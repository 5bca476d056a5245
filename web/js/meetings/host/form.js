/** Opening a group from a template, and changing one. What is written is kept on this device until it is saved. */

/** @import {Vault} from "../../rooms/vault.js" */
/** @import {GroupDraft, Problem} from "./draft.js" */
/** @import {Screen, Way} from "./part.js" */

import { Refused } from "../../lib/client.js";
import { button, h, keyed, show, text } from "../../lib/dom.js";
import { json, newId } from "../../lib/text.js";
import { formSentence } from "../../locales/en-meeting.js";
import { FIELD_NAMES, TEMPLATES, words } from "../../locales/en-host.js";
import { check, field, troubleLine } from "../../shell/fields.js";
import { languageWord } from "../clock.js";
import { FORMS, LIMITS, kindsOf, placesOf, plannedMinutes } from "./forms.js";
import { changing, differences, draftOfCard, draftOfTemplate, opening, problemsOf, rebased } from "./draft.js";
import { hostRefusal } from "./refusal.js";
import { linesIn } from "./script.js";

const w = words.form;
const LANGUAGES = [
  "ar",
  "cs",
  "da",
  "de",
  "el",
  "en",
  "es",
  "fi",
  "fr",
  "he",
  "hu",
  "it",
  "ja",
  "nl",
  "no",
  "pl",
  "pt",
];
const MORE_LANGUAGES = ["ro", "ru", "sv", "tr", "uk", "zh"];

/** @param {string} group */
const keyOf = (group) => `host-form/${group || "new"}`;

/**
 * A form that was begun and not saved, with the group as it was then.
 * @param {Vault} vault @param {string} group @returns {{draft: GroupDraft, base: GroupDraft, seen: number, id: string} | null}
 */
export function keptForm(vault, group) {
  try {
    const kept = JSON.parse(vault.draft(keyOf(group))?.text ?? "null");
    return kept?.draft?.form in FORMS ? kept : null;
  } catch {
    return null;
  }
}

/** @param {Way} way @param {string} group  "": a new one @param {string} template @returns {Screen} */
export const groupForm = (way, group, template) => new GroupForm(way, group, template);

class GroupForm {
  changed = h("p", { class: "trouble", role: "alert", hidden: true });
  theirs = h("div", { class: "host-theirs" });
  faultList = h("ul", {});
  faults = h("div", { class: "trouble", role: "alert", hidden: true }, this.faultList);
  total = h("p", { class: "soft", "aria-live": "polite" });
  cohosts = h("div", { class: "boxes" });
  cohostsNote = h("p", { class: "soft", hidden: true });
  /** @type {Map<string, HTMLInputElement>} */
  boxes = new Map();

  /** @param {Way} way @param {string} group @param {string} template */
  constructor(way, group, template) {
    this.way = way;
    this.group = group;
    this.vault = way.context.session.vault;
    const card = way.meetings.group(group);
    const kept = template === "" ? keptForm(this.vault, group) : null;
    const from = TEMPLATES.find(({ id }) => id === template) ?? /** @type {typeof TEMPLATES[number]} */ (TEMPLATES[0]);
    const fresh =
      card === undefined ? draftOfTemplate(from, navigator.language.split("-")[0] ?? "en") : draftOfCard(card);
    /** As it was when this form was begun. */
    this.base = kept?.base ?? fresh;
    this.draft = kept?.draft ?? fresh;
    this.seen = kept?.seen ?? card?.revision ?? 0;
    /** Sent again, it is the same group and not a second one. */
    this.id = kept?.id ?? newId();
    this.trouble = troubleLine((no) => hostRefusal(no, way.meetings.now));
    this.fields = fieldsOf(this.draft, way);
    this.element = this.#frame(card?.name ?? "");
    this.element.addEventListener("input", () => this.#written());
    this.element.addEventListener("change", () => this.#written());
    this.#drawTotal();
    void this.#offerCohosts();
  }

  update() {}

  /** @param {string} name */
  #frame(name) {
    const { fields: f, draft, group } = this;
    const isNew = group === "";
    const parts = kindsOf(draft.form).map(([kind]) => kind);
    const form = h(
      "form",
      { class: "stack", novalidate: true },
      h("p", { text: w.form(formSentence(draft.form)) }),
      field(w.name, f.name),
      field(w.about, f.about, w.aboutLead),
      h("div", { class: "row" }, field(w.theme, f.theme), field(w.language, f.language)),
      field(w.agreement, f.agreement, isNew ? undefined : w.agreementLead),
      field(w.seats(FORMS[draft.form].mostSeats), f.seats, seatsLead(draft.form)),
      field(w.closedAfter, f.closed_after, w.closedAfterLead),
      draft.form === "circle" &&
        h("div", {}, f.no_crosstalk.element, h("p", { class: "soft", text: w.noCrosstalkLead })),
      h(
        "fieldset",
        {},
        h("legend", { text: w.lengths }),
        h("div", { class: "host-lengths" }, ...parts.map((kind) => phaseField(kind, f.minutes))),
        this.total,
      ),
      h(
        "fieldset",
        {},
        h("legend", { text: w.script }),
        h("p", { class: "soft", text: w.scriptLead }),
        ...parts.map((kind) => phaseField(kind, f.script)),
      ),
      h(
        "fieldset",
        {},
        h("legend", { text: w.cohosts }),
        h("p", { class: "soft", text: w.cohostsLead }),
        this.cohosts,
        this.cohostsNote,
      ),
      this.changed,
      this.theirs,
      this.faults,
      this.trouble.element,
      h(
        "div",
        { class: "row" },
        h("button", { type: "submit", class: "act", text: isNew ? w.open : w.save }),
        button(words.back, () => this.way.go({ name: "groups" }), { class: "quiet" }),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save();
    });
    const title = h("h1", { text: isNew ? w.newTitle : w.title(name) });
    const lead = h("p", { class: "soft", text: w.changeLead, hidden: isNew });
    return h("div", { class: "narrow" }, title, lead, h("section", { class: "card" }, form));
  }

  /** What stands in the form. @returns {GroupDraft} */
  #read() {
    const { fields: f, draft, boxes } = this;
    const kinds = kindsOf(draft.form).map(([kind]) => kind);
    return {
      form: draft.form,
      name: f.name.value,
      about: f.about.value,
      theme: f.theme.value,
      language: f.language.value,
      agreement: f.agreement.value,
      seats: Number(f.seats.value),
      closed_after: Number(f.closed_after.value),
      no_crosstalk: f.no_crosstalk.input.checked,
      minutes: Object.fromEntries(kinds.map((kind) => [kind, Number(f.minutes[kind]?.value)])),
      script: Object.fromEntries(
        kinds.map((kind) => [kind, linesIn(f.script[kind]?.value ?? "")]).filter(([, lines]) => lines?.length !== 0),
      ),
      cohosts: boxes.size === 0 ? draft.cohosts : [...boxes].filter(([, box]) => box.checked).map(([id]) => id),
    };
  }

  #written() {
    this.draft = this.#read();
    this.#drawTotal();
    this.#keep();
  }

  #keep() {
    const { draft, base, seen, id } = this;
    this.vault.keepDraft(keyOf(this.group), { text: json({ draft, base, seen, id }), warning: null, replyTo: null });
  }

  #drawTotal() {
    const { form, minutes, seats, cohosts, no_crosstalk: isSilent } = this.draft;
    const n = plannedMinutes(form, minutes, isSilent ? 0 : placesOf(form, seats, cohosts.length));
    text(this.total, Number.isFinite(n) ? w.total(n) : "");
  }

  async #offerCohosts() {
    const { way, group } = this;
    const owner = way.meetings.group(group)?.hosts?.[0]?.id;
    const held = (way.meetings.group(group)?.hosts ?? []).slice(1);
    const others = await way.meetings.fetchFacilitators().catch(() => []);
    const all = new Map([...held, ...others].filter(({ id }) => id !== owner).map(({ id, name }) => [id, name]));
    for (const [id, name] of all) {
      const { input, element } = check(name, this.draft.cohosts.includes(id));
      this.boxes.set(id, input);
      this.cohosts.append(element);
    }
    text(this.cohostsNote, all.size === 0 ? w.nobody : "");
    show(this.cohostsNote, all.size === 0);
  }

  async #save() {
    this.draft = this.#read();
    const problems = problemsOf(this.draft);
    keyed(this.faultList, problems.map(problemWord), String, (said) => ({
      element: h("li", { text: said }),
      update() {},
    }));
    show(this.faults, problems.length > 0);
    const [first] = problems;
    if (first !== undefined) return this.#inputOf(first)?.focus();
    await this.trouble.around(async () => {
      try {
        await this.#send();
      } catch (no) {
        if (!(no instanceof Refused) || no.code !== "group_changed") throw no;
        await this.#bringTogether();
      }
    });
  }

  async #send() {
    const { way, group, draft, base, seen, id } = this;
    if (group === "") {
      const opened = await way.meetings.edit("open_group", opening(draft), id);
      this.vault.forgetRoom(keyOf(""));
      way.tell(w.opened);
      way.go({ name: "plan", group: opened.id });
      return;
    }
    await way.meetings.edit("change_group", { group, seen, ...changing(base, draft) });
    this.vault.forgetRoom(keyOf(group));
    way.tell(w.saved);
    way.go({ name: "groups" });
  }

  /** Somebody else changed the group: one's own words stay, and what one did not touch is as it is now. */
  async #bringTogether() {
    const { way, base, draft } = this;
    await way.meetings.fetchGroups();
    const card = way.meetings.group(this.group);
    if (card === undefined) return;
    const now = draftOfCard(card);
    const changed = differences(base, now);
    const mine = differences(base, draft);
    this.draft = rebased(base, draft, now);
    this.base = now;
    this.seen = card.revision ?? this.seen;
    this.#fill();
    this.#keep();
    text(this.changed, w.changed(changed.map((each) => FIELD_NAMES[each] ?? each)));
    show(this.changed, true);
    const both = changed.filter((each) => mine.includes(each) && typeof now[each] !== "object");
    this.theirs.replaceChildren(
      ...both.flatMap((each) => [
        h("p", { class: "soft", text: w.same(FIELD_NAMES[each] ?? each) }),
        h("blockquote", { text: String(now[each]) }),
      ]),
    );
  }

  #fill() {
    const { fields: f, draft, boxes } = this;
    for (const name of /** @type {const} */ (["name", "about", "theme", "language", "agreement"]))
      f[name].value = draft[name];
    f.seats.value = String(draft.seats);
    f.closed_after.value = String(draft.closed_after);
    f.no_crosstalk.input.checked = draft.no_crosstalk;
    for (const [kind] of kindsOf(draft.form)) {
      const [minutes, script] = [f.minutes[kind], f.script[kind]];
      if (minutes !== undefined) minutes.value = String(draft.minutes[kind] ?? "");
      if (script !== undefined) script.value = (draft.script[kind] ?? []).join("\n");
    }
    for (const [id, box] of boxes) box.checked = draft.cohosts.includes(id);
    this.#drawTotal();
  }

  /** @param {Problem} problem @returns {HTMLElement | undefined} */
  #inputOf({ field: name, kind }) {
    const { fields: f, boxes } = this;
    if (name === "minutes" || name === "script") return f[name][kind ?? kindsOf(this.draft.form)[0]?.[0] ?? ""];
    if (name === "no_crosstalk") return f.no_crosstalk.input;
    return name === "cohosts" ? boxes.values().next().value : f[name];
  }
}

/** What is to be known of many seats. @param {GroupDraft["form"]} form */
const seatsLead = (form) => (form !== "quiet" && FORMS[form].mostSeats > LIMITS.oneHostSeats ? w.seatsLead : undefined);

/** @param {string} kind @param {Record<string, HTMLInputElement | HTMLTextAreaElement>} inputs */
function phaseField(kind, inputs) {
  const input = inputs[kind];
  return input === undefined ? false : field(words.phaseField(kind), input);
}

/** @param {GroupDraft} draft @param {Way} way */
function fieldsOf(draft, way) {
  const { lobby } = way.context.session.state;
  const themes = [["", w.noTheme], ...(lobby ?? []).map((card) => [card.id, card.name])];
  if (themes.every(([id]) => id !== draft.theme)) themes.push([draft.theme, draft.theme]);
  const languages = [...new Set([draft.language, ...LANGUAGES, ...MORE_LANGUAGES])].map((code) => [
    code,
    languageWord(code),
  ]);
  languages.sort(([, a], [, b]) => String(a).localeCompare(String(b)));
  const number = (/** @type {number} */ value, /** @type {number} */ least, /** @type {number} */ most) =>
    h("input", { type: "number", inputmode: "numeric", min: least, max: most, value });
  const area = (/** @type {number} */ rows, /** @type {string} */ value) => filled(h("textarea", { rows }), value);
  const kinds = kindsOf(draft.form).map(([kind]) => kind);
  return {
    name: h("input", { type: "text", autocomplete: "off", maxlength: LIMITS.name, value: draft.name }),
    about: area(2, draft.about),
    theme: choice(themes, draft.theme),
    language: choice(languages, draft.language),
    agreement: area(5, draft.agreement),
    seats: number(draft.seats, 1, FORMS[draft.form].mostSeats),
    closed_after: number(draft.closed_after ?? 0, 0, LIMITS.closedAfter),
    no_crosstalk: check(w.noCrosstalk, draft.no_crosstalk ?? false),
    /** @type {Record<string, HTMLInputElement>} */
    minutes: Object.fromEntries(
      kinds.map((kind) => [kind, number(draft.minutes[kind] ?? 0, LIMITS.shortest, LIMITS.longest)]),
    ),
    /** @type {Record<string, HTMLTextAreaElement>} */
    script: Object.fromEntries(kinds.map((kind) => [kind, area(2, (draft.script[kind] ?? []).join("\n"))])),
  };
}

/** @param {HTMLTextAreaElement} area @param {string} value */
function filled(area, value) {
  area.value = value;
  area.rows = Math.max(area.rows, value.split("\n").length);
  return area;
}

/** @param {string[][]} options  value and label @param {string} chosen */
function choice(options, chosen) {
  const select = h("select", {}, ...options.map(([value, label]) => h("option", { value, text: label })));
  select.value = chosen;
  return select;
}

/** @param {Problem} problem */
function problemWord({ field: name, kind, why }) {
  const p = words.problems;
  const called = kind === undefined ? (FIELD_NAMES[name] ?? name) : `${FIELD_NAMES[name]}, ${words.phaseField(kind)}`;
  if (why === "empty") return p.empty(called);
  if (why === "lines" || why === "many") return p[why];
  if (why === "number")
    return name === "seats"
      ? p.number(called, 1, 15)
      : name === "closed_after"
        ? p.number(called, 0, LIMITS.closedAfter)
        : p.number(called, LIMITS.shortest, LIMITS.longest);
  return p.long(called, name === "script" ? LIMITS.line : LIMITS[/** @type {"name"} */ (name)]);
}
