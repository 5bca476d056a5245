/** The screen of one-to-one: whatever stage somebody is at, from asking to looking back. */

/** @import {CompanyView} from "wire" */
/** @import {Context, Standing, State, View, Wish} from "../../types.js" */

import { fetched } from "../../lib/api.js";
import { Refused } from "../../lib/client.js";
import { focusOn, h } from "../../lib/dom.js";
import { partner } from "./commands.js";
import { words } from "../../locales/en-listening.js";
import { endedStage } from "./ended.js";
import { missed } from "../../shell/trouble-line.js";
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
 * @property {boolean} leftCompany  they sat in company until just now, and wait on
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
      leftCompany: false,
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
  #nameOf({ state, open, session: talk, company }) {
    if (state === "session") return `talk ${talk?.id}`;
    if (state === "waiting" && this.turned === "change") return "change";
    if (company !== undefined) return `company ${company.id}`;
    if ((state === "ended" && this.turned === "anew") || state === "none") return open ? "intake" : "closed";
    return state;
  }

  /** @param {string} next @param {State} state @param {Standing} standing */
  #turnTo(next, state, standing) {
    const { session, say } = this.context;
    const isFirst = this.named === "";
    const wasSeated = this.named.startsWith("company");
    this.shared.leftCompany = wasSeated && next === "waiting";
    this.stage?.gone?.();
    this.named = next;
    if (!["change", "intake", "closed"].includes(next)) this.turned = "";
    const isTalk = next.startsWith("talk");
    const isSeated = next.startsWith("company");
    const talk = standing.session;
    const room = isTalk ? talk?.room : isSeated ? standing.company?.room : undefined;
    this.stage = this.#make(next, standing, wasSeated);
    // A conversation is laid out as a room, and so is company.
    document.body.dataset["screen"] = isTalk || isSeated ? "room" : "asking";
    session.show(room ?? null);
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

  /** @param {string} name @param {Standing} standing @param {boolean} wasSeated @returns {Stage} */
  #make(name, standing, wasSeated) {
    const { context, shared } = this;
    if (standing.session !== undefined && name.startsWith("talk"))
      return talkStage(context, standing.session, wasSeated);
    if (standing.session !== undefined && name === "ended") return endedStage(context, shared, standing.session);
    if (standing.company !== undefined && name.startsWith("company")) return companyFrame(context, standing.company);
    if (name === "waiting") return waitingStage(context, shared);
    if (name === "lapsed") return lapsedStage(context, shared);
    if (name === "closed") return closedStage(context);
    return intakeStage(context, shared, name === "change");
  }
}

/** Company while waiting, which is fetched by those who sit down. @param {Context} context @param {CompanyView} company @returns {Stage} */
function companyFrame(context, company) {
  const element = h("div", { class: "talk-side" }, h("h1", { text: words.waiting.title }));
  /** @type {Stage | null} */
  let stage = null;
  let isShown = false;
  let isGone = false;

  async function fill() {
    try {
      const { companyStage } = await fetched(() => import("./company.js"), "listening/seeker/company.js");
      const { state } = context.session;
      if (isGone || state.standing === null) return;
      stage = companyStage(context, company);
      element.replaceChildren(stage.element);
      stage.update?.(state, state.standing);
      if (!isShown) return;
      const heading = element.querySelector("h1");
      if (heading !== null) focusOn(heading);
      stage.shown?.();
    } catch (no) {
      if (!(no instanceof Refused)) throw no;
      missed(element, () => void fill());
    }
  }

  void fill();
  return {
    element,
    update: (state, standing) => stage?.update?.(state, standing),
    shown() {
      isShown = true;
      stage?.shown?.();
    },
    gone() {
      isGone = true;
      stage?.gone?.();
    },
  };
}
