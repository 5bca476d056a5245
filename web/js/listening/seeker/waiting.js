/** Waiting in line, and the place that was given up. */

/** @import {Context, RoomCard, Standing, State} from "../../types.js" */
/** @import {StageShared, Stage} from "./asking.js" */

import { fetched } from "../../lib/api.js";
import { button, h, keyed, show, text } from "../../lib/dom.js";
import { announceSeldom, commands, partner } from "./commands.js";
import { clock } from "../../lib/time.js";
import { duration, hereWord } from "../../locales/en.js";
import { estimateWord, momentWord, placeWord, words } from "../../locales/en-listening.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { breathing, helplines, ownCard } from "./parts.js";

const TICK_MS = 1_000;

/** @param {Context} context @param {StageShared} shared @returns {Stage} */
export const waitingStage = (context, shared) => new WaitingStage(context, shared);

class WaitingStage {
  title = h("h1", { text: words.waiting.title });
  first = h("p", { class: "lead first", hidden: true });
  kept = h("p");
  estimate = h("p");
  asked = h("p", { class: "here" });
  over = h("p", { hidden: true });
  others = h("p", { hidden: true, text: words.waiting.afterOthers });
  stood = h("p", { class: "done", hidden: true, text: words.waiting.stood });
  since = h("p", { class: "soft" });
  rooms = h("ul", { class: "cards" });
  trouble = troubleLine();

  /** @param {Context} context @param {StageShared} shared */
  constructor(context, shared) {
    const w = words.waiting;
    this.context = context;
    this.shared = shared;
    this.saySeldom = announceSeldom(context.say);
    this.sayAsked = announceSeldom(context.say);
    this.change = button(w.change, () => shared.turn("change"), { class: "quiet" });
    const leave = button(w.leave, () => void this.trouble.around(() => this.#leave()), { class: "act second" });
    this.company = companyFrame(context);
    this.alone = aloneCard(context, () => leave.click());
    this.element = h(
      "div",
      { class: "narrow line-up" },
      this.#line(leave),
      this.company.element,
      h("h2", { text: w.meanwhile }),
      breathing(),
      h("section", { class: "card" }, h("h2", { text: w.rooms }), h("p", { text: w.roomsLead }), this.rooms),
      h(
        "section",
        { class: "card" },
        h("h2", { text: w.help }),
        h("p", { text: w.helpLead }),
        h("div", { class: "row" }, helplines(words.ask.helplines), ownCard()),
      ),
    );
  }

  /** @param {State} state @param {Standing} standing */
  update(state, standing) {
    const w = words.waiting;
    const isAlone = standing.listeners === 0;
    const place = standing.place === undefined ? w.title : placeWord(standing.place);
    // Nobody is next where nobody comes.
    const said = isAlone ? w.alone : place;
    text(this.title, said);
    this.alone.update(isAlone, place);
    this.#updateLine(state, standing, isAlone);
    this.company.update(standing);
    show(this.stood, this.shared.leftCompany);
    show(this.change, this.shared.wish !== null);
    this.saySeldom(isAlone ? said : `${said} ${this.estimate.textContent}`, said);
    this.sayAsked(standing.being_asked ? w.asked : "", String(standing.being_asked));
    keyed(
      this.rooms,
      state.lobby ?? [],
      (card) => card.id,
      (card) => roomCard(this.context, card),
    );
  }

  /** @param {State} state @param {Standing} standing @param {boolean} isAlone */
  #updateLine({ skew }, standing, isAlone) {
    const w = words.waiting;
    const { opens_at: opens, asked_at: asked } = standing;
    const lost = standing.is_first && standing.session?.ending === "gone" ? partner(standing.session) : "";
    show(this.first, standing.is_first === true);
    text(this.first, w.first(lost));
    text(this.kept, w.kept(standing.kept_seconds));
    text(this.estimate, estimateWord(standing.estimate_seconds, standing.estimate_from));
    text(this.asked, standing.being_asked ? w.asked : w.none);
    show(this.asked, !isAlone);
    show(this.estimate, !isAlone);
    this.asked.classList.toggle("someone", standing.being_asked === true);
    show(this.others, standing.after_others === true);
    show(this.over, !standing.open);
    text(this.over, w.over(opens === undefined ? "" : momentWord(opens - skew, Date.now())));
    text(this.since, asked === undefined ? "" : w.since(clock(asked - skew)));
  }

  /** The place in the queue. @param {HTMLElement} leave */
  #line(leave) {
    return h(
      "section",
      { class: "card", "aria-label": words.waiting.title },
      this.title,
      this.stood,
      this.alone.element,
      this.first,
      this.kept,
      this.estimate,
      this.others,
      this.over,
      this.asked,
      this.since,
      this.trouble.element,
      h("div", { class: "row" }, leave, this.change),
    );
  }

  async #leave() {
    await commands(this.context.session).leave();
    this.shared.hasLeft = true;
  }
}

/** Where one can sit with others who wait, fetched where there is such a place. @param {Context} context */
function companyFrame(context) {
  const element = h("div", {});
  /** @type {ReturnType<typeof import("./company.js").companyOffer> | null} */
  let offer = null;
  let isFetching = false;

  async function fill() {
    isFetching = true;
    // What does not come is asked for again with the next change.
    const found = await fetched(() => import("./company.js"), "listening/seeker/company.js").catch(() => null);
    isFetching = false;
    if (found === null || offer !== null) return;
    offer = found.companyOffer(context);
    element.replaceChildren(offer.element);
    const { standing } = context.session.state;
    if (standing !== null) offer.update(standing);
  }

  return {
    element,
    /** @param {Standing} standing */
    update(standing) {
      if (offer !== null) offer.update(standing);
      else if (standing.offer !== undefined && !isFetching) void fill();
    },
  };
}

/** Nobody listens at this moment: what there is instead, and whether to wait. @param {Context} context @param {() => void} leave */
function aloneCard({ go }, leave) {
  const w = words.waiting;
  const place = h("p");
  let isWaiting = false;
  const wait = button(
    w.aloneWait,
    () => {
      isWaiting = true;
      show(ask, false);
      show(done, true);
      done.focus();
    },
    { class: "act second" },
  );
  const ask = h(
    "div",
    {},
    h("p", { text: w.aloneAsk }),
    h(
      "div",
      { class: "row" },
      wait,
      button(w.aloneRooms, () => go({ name: "lobby" }), { class: "act second" }),
      helplines(words.ask.helplines),
      button(w.aloneLeave, leave, { class: "quiet" }),
    ),
  );
  const done = h("p", { class: "done", tabindex: -1, hidden: true, text: w.aloneDone });
  const element = h(
    "div",
    { class: "alone", hidden: true },
    h("p", { class: "lead", text: w.aloneLead }),
    place,
    ask,
    done,
  );
  return {
    element,
    /** @param {boolean} isAlone @param {string} where */
    update(isAlone, where) {
      text(place, where);
      show(element, isAlone);
      show(ask, !isWaiting);
    },
  };
}

/** @param {Context} context @param {RoomCard} first */
function roomCard({ enter }, first) {
  const trouble = troubleLine();
  const name = h("span", { class: "card-name" });
  const here = h("span", { class: "here" });
  const go = h(
    "button",
    { type: "button", class: "room-card", on: { click: () => void trouble.around(() => enter(first.id)) } },
    name,
    here,
  );
  return {
    element: h("li", {}, go, trouble.element),
    /** @param {RoomCard} card */
    update(card) {
      text(name, card.name);
      text(here, hereWord(card.here));
      here.classList.toggle("someone", card.here > 0);
    },
  };
}

/** @param {Context} context @param {StageShared} shared @returns {Stage} */
export function lapsedStage({ session }, shared) {
  const w = words.lapsed;
  const left = h("p", { class: "lead" });
  const trouble = troubleLine();
  const back = button(w.back, () => void trouble.around(() => commands(session).takeBack()), { class: "act" });
  const gone = button(
    w.gone,
    () =>
      void trouble.around(async () => {
        await commands(session).leave();
        shared.hasLeft = true;
      }),
    { class: "quiet" },
  );
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let ticking;
  function tick() {
    const { standing, skew } = session.state;
    const ms = (standing?.gone_at ?? 0) - (Date.now() + skew);
    text(left, ms > 0 ? w.lead(duration(ms / 1000)) : w.late);
    show(back, ms > 0);
    text(gone, ms > 0 ? w.gone : w.again);
  }
  return {
    element: h(
      "div",
      { class: "narrow" },
      h("h1", { text: w.title }),
      left,
      trouble.element,
      h("div", { class: "row" }, back, gone),
    ),
    update: tick,
    shown() {
      ticking = setInterval(tick, TICK_MS);
    },
    gone: () => clearInterval(ticking),
  };
}
