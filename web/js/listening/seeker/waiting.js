/** Waiting in line, and the place that was given up. */

/** @import {Context, RoomCard, State} from "../../types.js" */
/** @import {StageShared, Stage} from "./asking.js" */

import { button, h, keyed, show, text } from "../../lib/dom.js";
import { announceSeldom, commands, partner } from "./commands.js";
import { clock } from "../../lib/time.js";
import { duration, hereWord } from "../../locales/en.js";
import { estimateWord, momentWord, placeWord, words } from "../../locales/en-listening.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { breathing, helplines } from "./parts.js";

const TICK_MS = 1_000;

/** @param {Context} context @param {StageShared} shared @returns {Stage} */
export function waitingStage(context, shared) {
  const w = words.waiting;
  const { session, say } = context;
  const title = h("h1", { text: w.title });
  const alone = aloneCard(context, () => leave.click());
  const first = h("p", { class: "lead first", hidden: true });
  const kept = h("p");
  const estimate = h("p");
  const asked = h("p", { class: "here" });
  const over = h("p", { hidden: true });
  const others = h("p", { hidden: true, text: w.afterOthers });
  const since = h("p", { class: "soft" });
  const trouble = troubleLine();
  const change = button(w.change, () => shared.turn("change"), { class: "quiet" });
  const leave = button(
    w.leave,
    () =>
      void trouble.around(async () => {
        await commands(session).leave();
        shared.hasLeft = true;
      }),
    { class: "act second" },
  );
  const rooms = h("ul", { class: "cards" });
  const saySeldom = announceSeldom(say);
  const sayAsked = announceSeldom(say);

  return {
    element: h(
      "div",
      { class: "narrow line-up" },
      h(
        "section",
        { class: "card", "aria-label": w.title },
        title,
        alone.element,
        first,
        kept,
        estimate,
        others,
        over,
        asked,
        since,
        trouble.element,
        h("div", { class: "row" }, leave, change),
      ),
      h("h2", { text: w.meanwhile }),
      breathing(),
      h("section", { class: "card" }, h("h2", { text: w.rooms }), h("p", { text: w.roomsLead }), rooms),
      h(
        "section",
        { class: "card" },
        h("h2", { text: w.help }),
        h("p", { text: w.helpLead }),
        helplines(words.ask.helplines),
      ),
    ),
    update(state, standing) {
      const isAlone = standing.listeners === 0;
      const place = standing.place === undefined ? w.title : placeWord(standing.place);
      // Nobody is next where nobody comes.
      const said = isAlone ? w.alone : place;
      const lost = standing.is_first && standing.session?.ending === "gone" ? partner(standing.session) : "";
      show(first, standing.is_first === true);
      text(first, w.first(lost));
      text(title, said);
      alone.update(isAlone, place);
      text(kept, w.kept(standing.kept_seconds));
      text(estimate, estimateWord(standing.estimate_seconds, standing.estimate_from));
      text(asked, standing.being_asked ? w.asked : w.none);
      show(asked, !isAlone);
      show(estimate, !isAlone);
      asked.classList.toggle("someone", standing.being_asked === true);
      show(others, standing.after_others === true);
      show(over, !standing.open);
      text(over, w.over(standing.opens_at === undefined ? "" : momentWord(standing.opens_at - state.skew, Date.now())));
      text(since, standing.asked_at === undefined ? "" : w.since(clock(standing.asked_at - state.skew)));
      show(change, shared.wish !== null);
      saySeldom(isAlone ? said : `${said} ${estimate.textContent}`, said);
      sayAsked(standing.being_asked ? w.asked : "", String(standing.being_asked));
      keyed(
        rooms,
        state.lobby ?? [],
        (card) => card.id,
        (card) => roomCard(context, card),
      );
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
