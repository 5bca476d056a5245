/** How a listener stands: the one switch, the state in words, what was done today, and "Still there?". */

/** @import {ConsoleView, ListenerApp, Part} from "./types.js" */

import { attr, button, h, show, text } from "../../lib/dom.js";
import { clock, dayOf } from "../../lib/time.js";
import { words } from "../../locales/en-listener.js";
import { check, isWriting, troubleLine } from "../../shell/fields.js";
import { leaseLeft, talksOf } from "./state.js";

const w = words.state;

/** Whether they are still there: asked before what they said runs out. @param {ListenerApp} app */
function stillThere({ session, sayNow, bell }) {
  const left = h("p", { class: "soft small", "aria-live": "off" });
  const yes = button(
    w.stillYes,
    () => {
      session.toldAt = 0;
      session.doing();
    },
    { class: "act" },
  );
  const box = h(
    "div",
    { class: "still card", role: "group", "aria-label": w.still, hidden: true },
    h("h2", { text: w.still }),
    h("p", { text: w.stillLead }),
    left,
    yes,
  );
  return {
    element: box,
    /** @param {number | null} seconds */
    update(seconds) {
      const isNew = seconds !== null && box.hidden;
      show(box, seconds !== null);
      if (seconds !== null) text(left, w.stillLeft(Math.ceil(seconds / 10) * 10));
      if (!isNew) return;
      bell.ring("ask");
      sayNow(`${w.still} ${w.stillLead}`);
      if (!isWriting()) yes.focus({ preventScroll: true });
    },
  };
}

/** @param {ListenerApp} app @returns {Part} */
export function statusBar(app) {
  const { session, say, go, bell } = app;
  const trouble = troubleLine();
  const value = h("span", { class: "switch-value" });
  const knob = h("span", { class: "knob", "aria-hidden": "true" });
  const turn = h(
    "button",
    { type: "button", class: "switch", role: "switch", "aria-checked": "false" },
    knob,
    h("span", { text: w.label }),
    value,
  );
  const state = h("p", { class: "availability-state" });
  const toPractice = button(w.toPractice, () => go("practice"), { class: "act", hidden: true });
  const counts = h("p", { class: "soft small" });
  const waiting = h("p", { class: "soft small" });
  const still = stillThere(app);
  const element = h(
    "section",
    { class: "availability", "aria-label": words.title },
    turn,
    h("div", { class: "availability-lines" }, state, waiting, counts, trouble.element),
    toPractice,
    still.element,
  );
  let wants = false;

  turn.addEventListener("click", () => {
    bell.wake();
    const on = !wants;
    void trouble.around(async () => {
      await session.ask("available", { on });
      say(on ? w.said.on : w.said.off);
    });
  });

  return {
    element,
    update(view, now) {
      show(element, view !== null);
      if (view === null) return;
      wants = view.wants;
      attr(turn, "aria-checked", String(wants));
      text(value, wants ? w.on : w.off);
      show(turn, view.state !== "practice");
      show(toPractice, view.state === "practice");
      text(state, stateWord(view, session.state.skew));
      element.dataset["state"] = view.state;
      text(counts, w.counts(view.today, view.day_cap, view.week, view.week_cap));
      show(counts, view.state !== "practice");
      text(waiting, w.waiting(view.waiting, (now - (view.oldest_asked_at ?? now)) / 1000));
      show(waiting, view.state !== "practice");
      still.update(leaseLeft(view, now));
    },
  };
}

/** How one stands, in words. @param {ConsoleView} view @param {number} skew */
export function stateWord(view, skew) {
  const live = talksOf(view).live.length;
  if (view.state === "practice") return w.practice;
  if (view.pause === "debrief") return w.debrief;
  if (view.pause && view.paused_until) return w.paused(moment(view.paused_until - skew), view.pause);
  if (!view.wants) return live > 0 ? w.last(live) : w.away;
  if (view.state === "busy") return w.busy(live);
  return live > 0 ? w.some(live) : w.free;
}

/** A moment as one says it: today the time, later the day too. @param {number} at  ms, by this device's clock */
function moment(at) {
  if (dayOf(at) === dayOf(Date.now())) return clock(at);
  return `${new Intl.DateTimeFormat(undefined, { weekday: "long" }).format(at)}, ${clock(at)}`;
}

/** Sounds and keys. @param {ListenerApp} app */
export function comforts({ bell }) {
  const call = check(w.sound, bell.on.call);
  const ask = check(w.soundStill, bell.on.ask);
  call.input.addEventListener("change", () => bell.set("call", call.input.checked));
  ask.input.addEventListener("change", () => bell.set("ask", ask.input.checked));
  const keys = h(
    "dl",
    { class: "keys" },
    ...w.keysList.flatMap(([key, what]) => [h("dt", { text: key ?? "" }), h("dd", { text: what ?? "" })]),
  );
  return h(
    "div",
    { class: "comforts" },
    h(
      "details",
      {},
      h("summary", { text: w.sounds }),
      h(
        "div",
        { class: "row" },
        call.element,
        button(w.soundTry, () => bell.play("call"), { class: "quiet" }),
      ),
      ask.element,
    ),
    h("details", {}, h("summary", { text: w.keys }), keys),
  );
}
