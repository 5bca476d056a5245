/** Asking: one page, all of it optional but the agreement. And the honest page when no listeners are here. */

/** @import {Context, Standing, State, Wish} from "../../types.js" */
/** @import {StageShared, Stage} from "./asking.js" */

import { Refused } from "../../lib/client.js";
import { button, h, show, text } from "../../lib/dom.js";
import { commands } from "./commands.js";
import { HEAVY, TRAITS, languageWord, momentWord, presenceWord, words } from "../../locales/en-listening.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { helplines } from "./parts.js";

const w = words.ask;
const HEAVIEST = 5;
const SHORTER = [15, 30];

/** @param {Context} context @param {StageShared} shared @param {boolean} isChange  one waits already @returns {Stage} */
export function intakeStage(context, shared, isChange) {
  const standing = /** @type {Standing} */ (context.session.state.standing);
  const left = h("p", {
    class: "done",
    hidden: !shared.hasLeft,
    text: `${w.left}${shared.wish === null ? "" : ` ${w.again}`}`,
  });
  const presence = h("p", { class: "soft" });
  return {
    element: h(
      "div",
      { class: "narrow" },
      h("h1", { text: isChange ? words.waiting.change : w.title }),
      left,
      !isChange && h("p", { class: "lead", text: w.lead }),
      !isChange && presence,
      !isChange && agreement(standing),
      wishForm(context, shared, standing, isChange),
    ),
    update(_, now) {
      text(presence, presenceWord(now.listeners, now.waiting, now.free));
    },
    gone() {
      shared.hasLeft = false;
    },
  };
}

/** @param {Standing} standing */
function agreement({ length_minutes: minutes }) {
  return h(
    "section",
    { class: "card know", "aria-labelledby": "know-title" },
    h("h2", { id: "know-title", text: w.agreementTitle }),
    h("ul", { class: "plain" }, ...w.agreement(minutes, w.forgotten).map((line) => h("li", { text: line }))),
    helplines(w.helplines),
  );
}

/** @param {Context} context @param {StageShared} shared @param {Standing} standing @param {boolean} isChange */
function wishForm({ session }, shared, standing, isChange) {
  const trouble = troubleLine();
  const again = h("p", { class: "soft", hidden: true });

  /** When one may ask again, where the server says so. @param {unknown} no */
  function later(no) {
    const at = Number(no instanceof Refused ? no.details?.["again_at"] : undefined);
    text(again, at > 0 ? w.askAgain(momentWord(at - session.state.skew, Date.now())) : "");
    show(again, at > 0);
  }

  /** @param {Wish} wanted */
  async function ask(wanted) {
    try {
      await commands(session).ask(wanted);
    } catch (no) {
      later(no);
      throw no;
    }
    shared.wish = wanted;
    shared.hasLeft = false;
    shared.turn("");
  }

  const go = h(
    "div",
    { class: "row" },
    h("button", { type: "submit", class: "act", text: isChange ? w.change : w.go }),
    isChange && button(w.keep, () => shared.turn(""), { class: "quiet" }),
  );
  const rooms = (session.state.lobby ?? []).map(({ id, name }) => /** @type {[string, string]} */ ([id, name]));
  const form = h(
    "form",
    { class: "wish", autocomplete: "off" },
    h("p", { class: "lead", text: w.optional }),
    ...aboutMe(shared.wish ?? {}, standing, rooms),
    aboutThem(shared.wish ?? {}, rooms),
    comeBack(shared.wish ?? {}),
    h("div", { class: "foot go" }, trouble.element, again, go),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void trouble.around(() => ask(read(form)));
  });
  return form;
}

/** What it is about, and what one needs. @param {Wish} wish @param {Standing} standing @param {[string, string][]} rooms */
function aboutMe(wish, standing, rooms) {
  const none = /** @type {[string, string]} */ (["", w.heavyNone]);
  const minutes = SHORTER.filter((n) => n < standing.length_minutes);
  return [
    chips("topics", w.topics, rooms, wish.topics),
    choice(
      "need",
      w.need,
      [
        ["listen", w.needs.listen],
        ["think", w.needs.think],
        ["", w.needs.any],
      ],
      wish.need ?? "",
    ),
    ...howHeavy(wish, [...HEAVY.map((word, i) => /** @type {[string, string]} */ ([String(i + 1), word])), none]),
    standing.languages.length > 1 && languages(standing.languages, wish.language),
    choice(
      "minutes",
      w.minutes,
      [["", w.minutesAny], ...minutes.map((n) => /** @type {[string, string]} */ ([String(n), w.minutesSome(n)]))],
      String(wish.minutes ?? ""),
    ),
  ];
}

/** Where it is very heavy, helplines are named at once. @param {Wish} wish @param {[string, string][]} options */
function howHeavy({ heavy }, options) {
  const heaviest = h("p", { class: "heaviest", hidden: heavy !== HEAVIEST }, `${w.heaviest} `, helplines(w.helplines));
  const asked = choice("heavy", w.heavy, options, String(heavy ?? ""));
  asked.addEventListener("change", () => {
    const chosen = asked.querySelector("input:checked");
    show(heaviest, chosen?.getAttribute("value") === String(HEAVIEST));
  });
  return [asked, heaviest];
}

/** With whom one would rather talk, and with whom not. @param {Wish} wish @param {[string, string][]} rooms */
function aboutThem(wish, rooms) {
  return folded(
    w.with,
    (wish.rather_with?.length ?? 0) + (wish.not_with?.length ?? 0) > 0,
    h("p", { class: "soft", text: w.withNote }),
    chips("rather_with", w.rather, traits(rooms), wish.rather_with),
    chips("not_with", w.not, traits(rooms), wish.not_with),
  );
}

/** The come-back words, which lead to the same listener again. @param {Wish} wish */
function comeBack(wish) {
  return folded(
    w.words,
    wish.words !== undefined,
    h(
      "div",
      { class: "field" },
      h("label", { for: "come-back", text: w.wordsLabel }),
      h("input", {
        type: "text",
        id: "come-back",
        name: "words",
        maxlength: 256,
        autocapitalize: "none",
        spellcheck: "false",
        "aria-describedby": "come-back-note",
        value: wish.words ?? "",
      }),
    ),
    h("p", { id: "come-back-note", class: "soft", text: w.wordsNote }),
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", name: "only", checked: wish.only === true }),
      h("span", { text: w.only }),
    ),
  );
}

/** @param {Context} context @returns {Stage} */
export function closedStage(context) {
  const c = words.closed;
  const when = h("p", { class: "lead" });
  return {
    element: h(
      "div",
      { class: "narrow" },
      h("h1", { text: c.title }),
      when,
      h("p", { text: c.lead }),
      h(
        "div",
        { class: "row" },
        button(c.rooms, () => context.go({ name: "lobby" }), { class: "act" }),
        helplines(w.helplines),
      ),
    ),
    update(state, { opens_at: opens }) {
      text(when, opens === undefined ? c.never : c.next(momentWord(opens - state.skew, Date.now())));
    },
  };
}

/** What the form says; what is empty is not said. @param {HTMLFormElement} form @returns {Wish} */
export function read(form) {
  const data = new FormData(form);
  const one = (/** @type {string} */ name) => String(data.get(name) ?? "").trim();
  const many = (/** @type {string} */ name) => data.getAll(name).map(String);
  /** @type {Wish} */
  const wish = {};
  if (many("topics").length > 0) wish.topics = many("topics");
  if (one("need") !== "") wish.need = /** @type {"listen" | "think"} */ (one("need"));
  if (one("heavy") !== "") wish.heavy = Number(one("heavy"));
  if (one("language") !== "") wish.language = one("language");
  if (one("minutes") !== "") wish.minutes = Number(one("minutes"));
  if (many("rather_with").length > 0) wish.rather_with = many("rather_with");
  if (many("not_with").length > 0) wish.not_with = many("not_with");
  if (one("words") !== "") {
    wish.words = one("words");
    if (data.has("only")) wish.only = true;
  }
  return wish;
}

/** @param {[string, string][]} rooms @returns {[string, string][]} */
const traits = (rooms) => [...rooms, ...Object.entries(TRAITS)];

/** @param {string} name @param {string} legend @param {[string, string][]} options @param {readonly string[]} [chosen] */
function chips(name, legend, options, chosen = []) {
  return h(
    "fieldset",
    {},
    h("legend", { text: legend }),
    h(
      "div",
      { class: "picks" },
      ...options.map(([value, label]) =>
        h(
          "label",
          { class: "pick" },
          h("input", { type: "checkbox", name, value, checked: chosen.includes(value) }),
          h("span", { text: label }),
        ),
      ),
    ),
  );
}

/** @param {string} name @param {string} legend @param {[string, string][]} options @param {string} chosen */
export function choice(name, legend, options, chosen) {
  return h(
    "fieldset",
    {},
    h("legend", { text: legend }),
    h(
      "div",
      { class: "picks" },
      ...options.map(([value, label]) =>
        h(
          "label",
          { class: "pick" },
          h("input", { type: "radio", name, value, checked: value === chosen }),
          h("span", { text: label }),
        ),
      ),
    ),
  );
}

/** @param {string[]} tags @param {string | null | undefined} chosen */
function languages(tags, chosen) {
  const wanted =
    chosen ??
    navigator.languages
      .flatMap((own) => [own.toLowerCase(), own.split("-")[0] ?? ""])
      .find((own) => tags.includes(own)) ??
    tags[0];
  return h(
    "div",
    { class: "field" },
    h("label", { for: "language", text: w.language }),
    h(
      "select",
      { id: "language", name: "language" },
      ...tags.map((tag) => h("option", { value: tag, text: languageWord(tag), lang: tag, selected: tag === wanted })),
    ),
  );
}

/** @param {string} summary @param {boolean} open @param {...HTMLElement} children */
function folded(summary, open, ...children) {
  return h("details", { class: "pinned fold", open }, h("summary", { text: summary }), ...children);
}
