/** The screen of one-to-one: whatever stage somebody is at, from asking to looking back. */

/** @import {Context, Standing, State, View, Wish} from "../../types.js" */

import { focusOn, h } from "../../lib/dom.js";
import { partner } from "./commands.js";
import { words } from "../../locales/en-listening.js";
import { endedStage } from "./ended.js";
import { closedStage, intakeStage } from "./intake.js";
import { lapsedStage, waitingStage } from "./waiting.js";
import { talkStage } from "./talk.js";

/**
 * @typedef {object} Stage  what is shown of one state
 * @property {HTMLElement} element
 * @property {(state: State, standing: Standing) => void} [update]
 * @property {() => void} [shown]
 * @property {() => void} [gone]
 *
 * @typedef {object} ListenerApp  what the stages share
 * @property {Wish | null} wish  what was last asked for, as long as this page lives
 * @property {boolean} hasLeft  the line was left just now
 * @property {(turn: "" | "change" | "anew") => void} turn  to the form, or back from it
 */

/** @param {Context} context @returns {View} */
export function askingView(context) {
  const { session, say } = context;
  const element = h(
    "div",
    { class: "asking" },
    h("h1", { text: words.ask.title }),
    h("p", { class: "boot", text: words.ask.loading }),
  );
  // How many wait and listen is told to nobody unasked who has not asked for a listener.
  session.stand().catch(() => {});
  /** @type {Stage | null} */
  let stage = null;
  let shown = "";
  let isShown = false;
  /** @type {"" | "change" | "anew"} */
  let turned = "";
  /** @type {ListenerApp} */
  const desk = {
    wish: null,
    hasLeft: false,
    turn: (to) => {
      turned = to;
      update(session.state);
    },
  };

  /** @param {State} state */
  function update(state) {
    const { standing } = state;
    if (standing === null || state.lobby === null) return;
    const next = nameOf(standing);
    if (next !== shown) turnTo(next, state, standing);
    stage?.update?.(state, standing);
  }

  /** @param {Standing} standing */
  function nameOf({ state, open, session: talk }) {
    if (state === "session") return `talk ${talk?.id}`;
    if (state === "waiting" && turned === "change") return "change";
    if ((state === "ended" && turned === "anew") || state === "none") return open ? "intake" : "closed";
    return state;
  }

  /** @param {string} next @param {State} state @param {Standing} standing */
  function turnTo(next, state, standing) {
    const isFirst = shown === "";
    stage?.gone?.();
    shown = next;
    if (!["change", "intake", "closed"].includes(next)) turned = "";
    const talk = standing.session;
    stage = make(next, standing);
    // A conversation is laid out as a room.
    document.body.dataset["screen"] = next.startsWith("talk") ? "room" : "asking";
    session.show(next.startsWith("talk") ? (talk?.room ?? null) : null);
    element.replaceChildren(stage.element);
    stage.update?.(state, standing);
    if (!isShown) return;
    if (!isFirst) scrollTo(0, 0);
    const heading = element.querySelector("h1");
    if (heading !== null) focusOn(heading);
    if (!isFirst && next.startsWith("talk")) say(words.waiting.came(partner(talk)));
    stage.shown?.();
  }

  /** @param {string} name @param {Standing} standing @returns {Stage} */
  function make(name, standing) {
    if (standing.session !== undefined && name.startsWith("talk")) return talkStage(context, standing.session);
    if (standing.session !== undefined && name === "ended") return endedStage(context, desk, standing.session);
    if (name === "waiting") return waitingStage(context, desk);
    if (name === "lapsed") return lapsedStage(context, desk);
    if (name === "closed") return closedStage(context);
    return intakeStage(context, desk, name === "change");
  }

  return {
    element,
    update,
    shown() {
      isShown = true;
      if (stage === null) return;
      const heading = element.querySelector("h1");
      if (heading !== null) focusOn(heading);
      stage.shown?.();
    },
    gone: () => stage?.gone?.(),
  };
}
