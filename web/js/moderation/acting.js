/** What a moderator can do about somebody from where their words stand: write to them, and what limits them. */

/** @import {ModeratorApp} from "./types.js" */

import { attr, button, h, show } from "../lib/dom.js";
import { field, twoTouches } from "../shell/fields.js";
import { refusalWord, words } from "../locales/en-moderate.js";
import { chooser, moment } from "./parts.js";

const w = words.acting;
const m = words.measure;

/**
 * @typedef {object} Target  whom it is about, and where
 * @property {string} name
 * @property {string} member  an id of staff's, or one in a room that one is in
 * @property {string} room
 * @property {number} [offset]  the post, where it is about one
 * @property {string} [epoch]  what that is an offset of
 * @property {string} [report]
 *
 * @typedef {"message" | "offer" | "redact" | "mute" | "remove" | "ban"} Way
 */

/** @type {Record<Way, string>} the kind of measure that each is */
const KINDS = { message: "notice", offer: "notice", redact: "redact", mute: "mute", remove: "remove", ban: "ban" };

/**
 * One thing to do: a button, and the form that it opens.
 * @param {ModeratorApp} app @param {Target} target @param {Way} way @param {() => void} [done]
 */
export function acting({ askWithReauth, say }, target, way, done = () => {}) {
  const kind = KINDS[way];
  const isMessage = kind === "notice";
  const said = h("textarea", { rows: isMessage ? 4 : 2, maxlength: 500, required: true });
  const usual = way === "offer" ? w.offerUsual : "";
  said.value = usual;
  const where = chooser([
    ["here", m.here],
    ["everywhere", m.everywhere],
  ]);
  const time = chooser(m.times);
  return twoTouches({
    ask: w.ways[way],
    lead: w.leads[way](target.name),
    yes: w.yes[way],
    no: words.file.cancel,
    danger: kind === "remove" || kind === "ban",
    fields: [
      kind === "mute" && field(m.where, where),
      ["mute", "remove", "ban"].includes(kind) && field(m.time, time),
      field(isMessage ? w.message : m.reason, said),
    ],
    refusal: refusalWord,
    act: async () => {
      const isPost = target.offset !== undefined && (isMessage || kind === "redact");
      const isHere = isPost || kind === "remove" || (kind === "mute" && where.value === "here");
      const ok = await askWithReauth("measure", {
        kind,
        reason: said.value,
        ...(target.report !== undefined && { report: target.report }),
        ...(isPost ? { offset: target.offset, epoch: target.epoch } : { member: target.member }),
        ...(isHere && { room: target.room }),
        ...(["mute", "remove", "ban"].includes(kind) && { minutes: Number(time.value) }),
      });
      said.value = usual;
      say(isMessage ? w.sent(target.name) : m.done(kind, moment(ok.until)));
      done();
    },
  });
}

/**
 * Several of them, of which one is open at a time.
 * @param {ModeratorApp} app @param {Target} target @param {readonly Way[]} ways @param {() => void} [done]
 */
export function actings(app, target, ways, done) {
  const all = ways.map((way) => acting(app, target, way, done));
  for (const one of all) {
    one.first.addEventListener("click", () => {
      for (const other of all) if (other !== one) show(other.panel, false);
      for (const other of all) attr(other.first, "aria-expanded", String(!other.panel.hidden));
    });
  }
  return { firsts: all.map(({ first }) => first), panels: all.map(({ panel }) => panel) };
}

/**
 * The menu of a post, where it stands. Escape closes it, and the focus goes back to what opened it.
 * @param {ModeratorApp} app @param {Target} target @param {boolean} isRemoved @param {HTMLElement} from
 */
export function postMenu(app, target, isRemoved, from) {
  const ways = /** @type {Way[]} */ (["message", "offer", ...(isRemoved ? [] : ["redact"]), "mute", "remove", "ban"]);
  const { firsts, panels } = actings(app, target, ways, close);
  const element = h(
    "div",
    { class: "post-acts", role: "group", "aria-label": w.menu(target.name) },
    h("div", { class: "row" }, ...firsts, button(w.close, close, { class: "quiet" })),
    ...panels,
  );
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  attr(from, "aria-expanded", "true");

  function close() {
    element.remove();
    attr(from, "aria-expanded", "false");
    from.focus();
  }
  return { element, close, focus: () => firsts[0]?.focus() };
}
