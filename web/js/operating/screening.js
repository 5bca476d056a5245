/** How much the model marks, what that is expected to find, and what moderators made of it: fetched when it is asked for. */

/** @import {Acting, LevelView, OutcomeSum, ScreeningOk} from "./types.js" */

import { button, focusOn, h, show } from "../lib/dom.js";
import { refusalWord, words } from "../locales/en-screening.js";
import { field, twoTouches } from "../shell/fields.js";

/** Closed as nothing so often that it is worth a thought. */
const MOSTLY = 0.8;

/** @param {OutcomeSum} each */
export const isMostlyNothing = ({ nothing, of }) => of > 0 && nothing / of >= MOSTLY;

/** The sentences about one level. @param {LevelView} level @param {ScreeningOk} ok */
export function levelSentences(level, ok) {
  const { found, urgent_found, near_marked, marked } = level;
  return [
    marked === undefined ? words.tooFew(ok.posts, ok.fewest) : words.marked(marked),
    found === undefined ? words.findsUnknown : words.finds(found, urgent_found ?? 0, near_marked ?? 0),
  ];
}

/** What stands out, in sentences. @param {ScreeningOk} ok @returns {string[]} */
export function suggestions({ phrases, bands }) {
  return [
    ...phrases
      .filter(isMostlyNothing)
      .map(({ phrase, nothing, of }) => `${words.phrase(phrase ?? "", nothing, of)} ${words.phraseAdvice}`),
    ...bands
      .filter(isMostlyNothing)
      .map(({ low, high, nothing, of }) => `${words.band(low ?? 0, high ?? 0, nothing, of)} ${words.bandAdvice}`),
  ];
}

/** Where the thresholds differ. @param {ScreeningOk} ok @param {(room: string) => string} nameOf */
function roomSentences(ok, nameOf) {
  const rooms = ok.rooms ?? [];
  const named = (/** @type {boolean} */ isHigher) =>
    rooms
      .filter(({ higher }) => higher > 0 === isHigher)
      .map(({ room, higher }) => words.room(nameOf(room), higher))
      .join(", ");
  const [higher, lower] = [named(true), named(false)];
  return [...(higher === "" ? [] : [words.higher(higher)]), ...(lower === "" ? [] : [words.lower(lower)])];
}

/** @param {string} said @param {string} [class_] */
const line = (said, class_ = "") => h("p", { class: class_, text: said });

/** @param {ScreeningOk} ok @param {Acting} acting */
function standing(ok, acting) {
  if (ok.first === undefined || ok.second === undefined) return [line(ok.model === "off" ? words.off : words.unusable)];
  const [marked, finds] = levelSentences(ok.second, ok);
  const [offered, offeredFinds] = levelSentences(ok.first, ok);
  const isKnown = ok.second.marked !== undefined;
  return [
    h("h3", { text: words.moderators }),
    line(`${marked} ${finds}`),
    h("h3", { text: words.writers }),
    line(`${isKnown ? `${offered} ` : ""}${words.writersSee} ${offeredFinds}`),
    line(words.lists, "soft"),
    line(ok.is_by_hand ? words.byHand : words.follows(ok.week ?? null), "soft"),
    ...roomSentences(ok, acting.nameOf).map((said) => line(said, "soft")),
    ...choices(ok),
  ];
}

/** @param {ScreeningOk} ok */
function choices(ok) {
  const found = ok.choices ?? [];
  if (found.length === 0) return [];
  return [
    h("h3", { text: words.choices }),
    line(words.choicesLead, "soft"),
    h(
      "dl",
      { class: "facts" },
      ...found.map((each) =>
        h(
          "div",
          {},
          h("dt", { text: words.choice(each.moderators) }),
          h("dd", { text: words.choiceFinds(each.found) }),
        ),
      ),
    ),
  ];
}

/** @param {ScreeningOk} ok */
function outcomes(ok) {
  const { phrases, bands, others } = ok;
  const all = [
    ...phrases.map(({ phrase, nothing, of }) => words.phrase(phrase ?? "", nothing, of)),
    ...bands.map(({ low, high, nothing, of }) => words.band(low ?? 0, high ?? 0, nothing, of)),
    ...(others === undefined || others === null ? [] : [words.others(others.nothing, others.of)]),
  ];
  const said = suggestions(ok);
  return [
    h("h3", { text: words.outcomes }),
    line(words.outcomesLead(ok.since, ok.until), "soft"),
    ...(all.length === 0 ? [line(words.none)] : []),
    ...(all.length > 0 && said.length === 0 ? [line(words.nothingStandsOut)] : []),
    ...(said.length === 0 ? [] : [h("ul", { class: "plain" }, ...said.map((each) => h("li", { text: each })))]),
    ...(all.length === 0
      ? []
      : [
          h(
            "details",
            {},
            h("summary", { text: words.all }),
            h("ul", { class: "plain" }, ...all.map((each) => h("li", { text: each }))),
          ),
        ]),
  ];
}

/** @param {number} value @param {readonly number[]} bounds @param {number} [step] */
const numberInput = (value, [least = 0, most = 0], step = 1) =>
  h("input", {
    type: "number",
    inputmode: step === 1 ? "numeric" : "decimal",
    min: least,
    max: most,
    step,
    value,
    required: true,
  });

/** @param {ScreeningOk} ok @param {Acting} acting @param {(next: ScreeningOk) => void} became @param {() => void} again */
function change(ok, acting, became, again) {
  const moderators = numberInput(ok.moderators, ok.moderators_bounds);
  const writers = numberInput(ok.writers, ok.writers_bounds);
  const second = numberInput(ok.second?.score ?? 0, ok.scores, 0.01);
  const first = numberInput(ok.first?.score ?? 0, ok.scores, 0.01);
  const how = h(
    "select",
    {},
    h("option", { value: "follow", text: words.follow }),
    h("option", { value: "keep", text: words.keep }),
  );
  how.value = ok.is_by_hand ? "keep" : "follow";
  const shares = h("div", {}, field(words.moderatorsField, moderators), field(words.writersField, writers));
  const scores = h("div", {}, field(words.secondField, second), field(words.firstField, first));
  const turn = () => {
    show(shares, how.value === "follow");
    show(scores, how.value === "keep");
  };
  how.addEventListener("change", turn);
  turn();
  const reason = h("textarea", { rows: 2, maxlength: 500, required: true });
  const made = twoTouches({
    ask: words.change,
    lead: words.changeLead,
    yes: words.yes,
    no: words.cancel,
    danger: false,
    fields: [field(words.how, how), shares, scores, field(words.reason, reason)],
    refusal: refusalWord,
    act: async () => {
      try {
        became(
          await acting.ask("set_screening", {
            moderators: Math.trunc(Number(moderators.value)),
            writers: Math.trunc(Number(writers.value)),
            ...(how.value === "keep" && { by_hand: { first: Number(first.value), second: Number(second.value) } }),
            seen: ok.revision,
            reason: reason.value,
          }),
        );
      } catch (no) {
        if (/** @type {any} */ (no)?.code === "screening_changed") again();
        throw no;
      }
    },
  });
  return h("div", { class: "one-act" }, made.first, made.panel);
}

/** @param {Acting} acting */
export function screeningView(acting) {
  const element = h("div", { class: "acting screening" }, line(words.loading, "soft"));
  const done = h("p", { class: "done", role: "status" });

  /** @param {ScreeningOk} ok */
  function draw(ok) {
    const parts = standing(ok, acting);
    const act = ok.second === undefined ? [] : [change(ok, acting, became, () => void load())];
    element.replaceChildren(done, ...parts, ...act, ...outcomes(ok));
  }

  /** @param {ScreeningOk} next */
  function became(next) {
    draw(next);
    done.textContent = words.done;
    const head = element.querySelector("h3");
    if (head !== null) focusOn(head);
  }

  async function load() {
    try {
      draw(await acting.ask("screening", {}));
      done.textContent = "";
    } catch (no) {
      element.replaceChildren(
        h("p", { class: "trouble", role: "alert", text: refusalWord(no) }),
        button(words.again, () => void load(), { class: "quiet" }),
      );
    }
  }

  return { element, load };
}
