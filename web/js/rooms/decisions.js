/**
 * What moderators have to say to this person, privately: decisions with their reason, and answers to reports. It stands
 * where they read, and where they may not write it says so before they do.
 */

/** @import {Context} from "../types.js" */

import { call } from "../lib/api.js";
import { daily } from "../lib/daily.js";
import { button, h, keyed, show, text } from "../lib/dom.js";
import { momentWord } from "../locales/en-moment.js";
import { refusalWord, words } from "../locales/en-decisions.js";
import { isTalk } from "./state.js";
import { standAbove } from "./views/above.js";

const w = words.decisions;

/**
 * @typedef {{id: string, kind: string, reason: string, until: number, room?: string, seen?: boolean, appealed?: boolean}} Decision
 * @typedef {{id: string, outcome: string, reply: string}} Answer
 * @typedef {{measures: Decision[], answers: Answer[], stranded?: boolean, contact?: string}} Decisions
 */

/** @param {Context} context @param {HTMLElement} stage  the screen, which it stands in or before */
export function decisionsCard({ session, say, sayNow }, stage) {
  const list = h("div", { class: "stack" });
  const banned = h("div", { hidden: true }, h("h1", { text: w.banned }), h("p", { text: w.bannedLead }));
  const element = h("section", { class: "card matters", "aria-label": w.label, hidden: true }, banned, list);
  const muted = mutedNote(stage, sayNow, (id) => reopen(id));
  /** @type {Set<string>} */
  const put = new Set();
  /** What was put away, and is shown once more to be answered. @type {Set<string>} */
  const again = new Set();
  /** @type {Set<string>} */
  const told = new Set();

  /** @param {string} id */
  async function seen(id) {
    put.add(id);
    again.delete(id);
    session.do({ type: "busy", what: `appeal ${id}`, on: false });
    if (shown !== null) draw(shown);
    writing()?.focus();
    await session.ask("seen", { ids: [id] }).catch(() => null);
  }

  /** Where one reads; in place of it where they may not be here. */
  function stand() {
    if (banned.hidden) standAbove(element, stage);
    else if (element.parentElement !== stage.parentElement) stage.before(element);
  }

  const writing = () => /** @type {HTMLElement | null} */ (stage.querySelector(".composer textarea"));

  /** Show a decision again that was put away, so that it can be answered. @param {string} id */
  function reopen(id) {
    again.add(id);
    put.delete(id);
    if (shown !== null) draw(shown);
    const row = list.querySelector(`[data-matter="${id}"]`);
    const [answer, done] = row?.querySelectorAll("button") ?? [];
    if (answer?.hidden === false) answer.click();
    else done?.focus();
    row?.scrollIntoView({ block: "nearest" });
  }

  /** @param {Decision} one */
  function decidedWord(one) {
    const where =
      one.room === undefined
        ? undefined
        : (session.state.lobby?.find((card) => card.id === one.room)?.name ?? one.room);
    return w.decided(one.kind, w.here(where), momentWord(one.until));
  }

  /** @param {Decision} one */
  function decision(one) {
    const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    const area = h("textarea", { id: `appeal-${one.id}`, rows: 3, maxlength: 2000 });
    const form = h(
      "form",
      { class: "stack", hidden: true },
      h("label", { for: area.id, text: w.answerLabel }),
      area,
      trouble,
      h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.send })),
    );
    const answered = h("p", { class: "soft", text: w.answered, hidden: one.appealed !== true });
    const open = button(
      w.answer,
      () => {
        show(form, true);
        session.do({ type: "busy", what: `appeal ${one.id}`, on: true });
        area.focus();
      },
      { class: "quiet", hidden: one.appealed === true },
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      show(trouble, false);
      call("/api/identity/appeal", { measure: one.id, text: area.value }).then(
        () => {
          show(form, false);
          session.do({ type: "busy", what: `appeal ${one.id}`, on: false });
          show(open, false);
          show(answered, true);
          say(w.answered);
        },
        (no) => {
          text(trouble, refusalWord(no));
          show(trouble, true);
        },
      );
    });
    return h(
      "div",
      { "data-matter": one.id },
      h(
        "p",
        {},
        daily(h("b"), (said) => text(said, decidedWord(one))),
      ),
      h("p", { text: w.why(one.reason) }),
      answered,
      h(
        "div",
        { class: "row" },
        open,
        one.kind !== "ban" && button(w.seen, () => void seen(one.id), { class: "quiet" }),
      ),
      form,
    );
  }

  /** @param {Answer} one */
  const answer = (one) =>
    h(
      "div",
      {},
      h("p", {}, h("b", { text: w.looked })),
      one.reply !== "" && h("p", { text: w.reply(one.reply) }),
      h(
        "div",
        { class: "row" },
        button(w.seen, () => void seen(one.id), { class: "quiet" }),
      ),
    );

  /** Nobody here may look at what they reported. @param {string} contact */
  const stranded = (contact) =>
    h(
      "div",
      {},
      h("p", {}, h("b", { text: w.stranded })),
      contact !== "" && h("p", { text: w.contact(contact) }),
      h(
        "div",
        { class: "row" },
        button(
          w.seen,
          () => {
            put.add("stranded");
            if (shown !== null) draw(shown);
          },
          { class: "quiet" },
        ),
      ),
    );

  /** @type {Decisions | null} */
  let shown = null;
  /** @type {Decisions | null} */
  let given = null;

  /** @param {Decisions} matters */
  function draw(matters) {
    const isNew = matters !== shown;
    shown = matters;
    const rows = [
      ...matters.measures
        .filter((one) => one.seen !== true || again.has(one.id))
        .map((one) => ({ id: one.id, make: () => decision(one), said: `${decidedWord(one)} ${w.why(one.reason)}` })),
      ...(matters.stranded === true
        ? [{ id: "stranded", make: () => stranded(matters.contact ?? ""), said: w.stranded }]
        : []),
      ...matters.answers.map((one) => ({
        id: one.id,
        make: () => answer(one),
        said: one.reply === "" ? w.looked : `${w.looked} ${w.reply(one.reply)}`,
      })),
    ].filter(({ id }) => !put.has(id));
    keyed(
      list,
      rows,
      ({ id }) => id,
      ({ make }) => ({ element: make(), update() {} }),
    );
    show(element, rows.length > 0 || !banned.hidden);
    stand();
    if (!isNew) return;
    const news = rows.filter(({ id }) => !told.has(id));
    for (const { id } of news) told.add(id);
    if (news.length > 0) sayNow([`${w.label}:`, ...news.map(({ said }) => said)].join(" "));
  }

  /** They may not be here: what there is to say is asked for by another way. */
  async function ask() {
    show(banned, true);
    show(element, true);
    stand();
    // What is left of the room is not theirs to look at or write in.
    show(stage, false);
    const matters = await call("/api/identity/matters", null).catch(() => null);
    if (matters !== null)
      draw({
        measures: matters.measures.map((/** @type {Decision} */ one) => ({ ...one, seen: false })),
        answers: matters.answers,
      });
  }

  /** Nobody is known here any more, or somebody else: what was said was not said to them. */
  function forget() {
    for (const each of [put, again, told]) each.clear();
    show(banned, false);
    show(stage, true);
    draw({ measures: [], answers: [] });
    shown = null;
  }

  let wasBanned = false;
  return {
    /** @param {Decisions | null} matters @param {boolean} isBanned */
    update(matters, isBanned) {
      if ((matters === null && given !== null) || (wasBanned && !isBanned)) forget();
      if (matters !== null && matters !== given) draw(matters);
      given = matters;
      if (element.isConnected || !element.hidden) stand();
      const { open, rooms, skew } = session.state;
      const room = open === null ? undefined : rooms[open]?.room;
      const at = Date.now() + skew;
      muted.update(
        room === undefined || isTalk(room.id)
          ? undefined
          : matters?.measures.find(
              ({ kind, until, room: where }) =>
                kind === "mute" && until > at && [undefined, room.id, room.split_of ?? room.id].includes(where),
            ),
        skew,
      );
      if (isBanned && !wasBanned) void ask();
      wasBanned = isBanned;
    },
  };
}

/**
 * Says above the place where one writes that one may not, until when, and how to answer. Nothing is sent meanwhile: what
 * was written stays where it is.
 * @param {HTMLElement} stage @param {(said: string) => void} sayNow @param {(id: string) => void} answer
 */
function mutedNote(stage, sayNow, answer) {
  /** @type {Decision | undefined} */
  let holds;
  let until = 0;
  /** @type {HTMLElement} */
  const said = daily(
    h("p", { id: "muted-note" }),
    () => holds !== undefined && text(said, w.mutedHere(momentWord(until))),
  );
  const open = button(w.answerMute, () => answer(holds?.id ?? ""), { class: "quiet" });
  const element = h("div", { class: "muted-note" }, said, open);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let ending;

  stage.addEventListener(
    "submit",
    (event) => {
      if (holds === undefined || !(event.target instanceof Element) || !event.target.matches(".composer")) return;
      event.preventDefault();
      event.stopPropagation();
      sayNow(said.textContent ?? "");
      event.target.querySelector("textarea")?.focus();
    },
    { capture: true },
  );

  /** @param {Decision | undefined} measure @param {number} skew */
  function update(measure, skew) {
    clearTimeout(ending);
    holds = measure;
    const composer = stage.querySelector(".composer");
    const area = composer?.querySelector("textarea");
    const names = (area?.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .filter((name) => name !== "" && name !== said.id);
    if (measure === undefined || composer === null) {
      element.remove();
      area?.setAttribute("aria-describedby", names.join(" "));
      return;
    }
    until = measure.until - skew;
    text(said, w.mutedHere(momentWord(until)));
    text(open, measure.appealed === true ? w.readMute : w.answerMute);
    if (composer.previousElementSibling !== element) composer.before(element);
    const all = [said.id, ...names].join(" ");
    if (area?.getAttribute("aria-describedby") !== all) area?.setAttribute("aria-describedby", all);
    ending = setTimeout(() => update(undefined, skew), Math.min(measure.until - skew - Date.now(), 2 ** 31 - 1));
  }
  return { update };
}
