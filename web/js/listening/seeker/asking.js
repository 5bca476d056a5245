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
 * @typedef {object} StageShared  what the stages share
 * @property {Wish | null} wish  what was last asked for, as long as this page lives
 * @property {boolean} hasLeft  the line was left just now
 * @property {(turn: "" | "change" | "anew") => void} turn  to the form, or back from it
 */

/** @param {Context} context @returns {View} */
export const askingView = (context) => new AskingView(context);

class AskingView {
  /** @type {Stage | null} */
  stage = null;
  /** The name of the stage. */
  named = "";
  isShown = false;
  /** @type {"" | "change" | "anew"} */
  turned = "";
  element = h(
    "div",
    { class: "asking" },
    h("h1", { text: words.ask.title }),
    h("p", { class: "boot", text: words.ask.loading }),
  );

  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    const { session } = context;
    /** @type {StageShared} */
    this.shared = {
      wish: null,
      hasLeft: false,
      turn: (to) => {
        this.turned = to;
        this.update(session.state);
      },
    };
  }

  /** @param {State} state */
  update(state) {
    const { standing } = state;
    if (standing === null || state.lobby === null) return;
    const next = this.#nameOf(standing);
    if (next !== this.named) this.#turnTo(next, state, standing);
    this.stage?.update?.(state, standing);
  }

  shown() {
    this.isShown = true;
    if (this.stage === null) return;
    this.#focus();
    this.stage.shown?.();
  }

  gone() {
    this.stage?.gone?.();
  }

  /** @param {Standing} standing */
  #nameOf({ state, open, session: talk }) {
    if (state === "session") return `talk ${talk?.id}`;
    if (state === "waiting" && this.turned === "change") return "change";
    if ((state === "ended" && this.turned === "anew") || state === "none") return open ? "intake" : "closed";
    return state;
  }

  /** @param {string} next @param {State} state @param {Standing} standing */
  #turnTo(next, state, standing) {
    const { session, say } = this.context;
    const isFirst = this.named === "";
    this.stage?.gone?.();
    this.named = next;
    if (!["change", "intake", "closed"].includes(next)) this.turned = "";
    const isTalk = next.startsWith("talk");
    const talk = standing.session;
    this.stage = this.#make(next, standing);
    // A conversation is laid out as a room.
    document.body.dataset["screen"] = isTalk ? "room" : "asking";
    session.show(isTalk ? (talk?.room ?? null) : null);
    this.element.replaceChildren(this.stage.element);
    this.stage.update?.(state, standing);
    if (!this.isShown) return;
    if (!isFirst) scrollTo(0, 0);
    this.#focus();
    if (!isFirst && isTalk) say(words.waiting.came(partner(talk)));
    this.stage.shown?.();
  }

  #focus() {
    const heading = this.element.querySelector("h1");
    if (heading !== null) focusOn(heading);
  }

  /** @param {string} name @param {Standing} standing @returns {Stage} */
  #make(name, standing) {
    const { context, shared } = this;
    if (standing.session !== undefined && name.startsWith("talk")) return talkStage(context, standing.session);
    if (standing.session !== undefined && name === "ended") return endedStage(context, shared, standing.session);
    if (name === "waiting") return waitingStage(context, shared);
    if (name === "lapsed") return lapsedStage(context, shared);
    if (name === "closed") return closedStage(context);
    return intakeStage(context, shared, name === "change");
  }
}
