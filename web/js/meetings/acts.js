/** What somebody can do in a meeting, from the `may` of its view: a button is shown for nothing else. Pure. */

/** @import {MeetingView} from "wire" */

import { words } from "../locales/en-meeting-room.js";
import { kindOf } from "./telling.js";

const w = words.acts;

/**
 * @typedef {object} Act
 * @property {"raise" | "lower" | "finish" | "pass" | "back" | "later" | "sitBack" | "sitUp"} name
 * @property {string} label
 * @property {string} cmd
 * @property {{on?: boolean}} fields
 * @property {boolean} isFirst  it is what one most likely wants
 * @property {string} [key]  with Alt
 */

/** What stands above the place where one writes. Commands that this page does not know are not shown. @param {MeetingView} view @returns {Act[]} */
export function actsOf(view) {
  const { may, me } = view;
  const has = (/** @type {string} */ cmd) => may.includes(cmd);
  /** @type {Act[]} */
  const acts = [];
  if (has("finish")) acts.push({ name: "finish", label: w.finish, cmd: "finish", fields: {}, isFirst: true, key: "D" });
  if (has("raise")) {
    const isUp = (view.hands ?? []).includes(me);
    acts.push({
      name: isUp ? "lower" : "raise",
      label: isUp ? w.lower : w.raise,
      cmd: "raise",
      fields: { on: !isUp },
      isFirst: !isUp && !has("finish"),
      key: "H",
    });
  }
  if (has("pass")) {
    const isBack = kindOf(view) === "share" && (view.passed ?? []).includes(me);
    const label = isBack ? w.back : w.pass;
    acts.push({ name: isBack ? "back" : "pass", label, cmd: "pass", fields: { on: !isBack }, isFirst: false });
  }
  if (has("later")) acts.push({ name: "later", label: w.later, cmd: "later", fields: {}, isFirst: false });
  if (has("sit_back")) {
    const isBack = view.place === "seat";
    const label = isBack ? w.sitBack : w.sitUp;
    acts.push({ name: isBack ? "sitBack" : "sitUp", label, cmd: "sit_back", fields: { on: isBack }, isFirst: false });
  }
  return acts;
}

/** What somebody means who writes only this, as people do in other text meetings: a hand, or the end of their turn. @param {MeetingView} view @param {string} text @returns {Act | undefined} */
export function actOfText(view, text) {
  const said = text.trim().toLowerCase();
  const name = said === "!" ? "raise" : said === "done" ? "finish" : "";
  return actsOf(view).find((act) => act.name === name);
}

/** What a key does, held with Alt. @param {MeetingView} view @param {string} key @returns {Act | undefined} */
export const actOfKey = (view, key) => actsOf(view).find((act) => act.key === key);
