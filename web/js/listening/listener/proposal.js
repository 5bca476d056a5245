/** Somebody waits: a card that cannot be missed, and that hurries nobody. */

/** @import {ListenerApp, Part, Proposal} from "./types.js" */

import { button, focusOn, h, show, text } from "../../lib/dom.js";
import { duration, words } from "../../locales/en-listener.js";
import { isWriting, languageName, troubleLine } from "../../shell/fields.js";

const w = words.proposal;

/** @param {ListenerApp} app @returns {Part & {accept: () => void, decline: () => void}} */
export function proposalCard({ session, say, sayNow, go, bell }) {
  const trouble = troubleLine();
  const title = h("h2", { id: "proposal-title", text: w.title });
  const who = h("p", { class: "lead" });
  const facts = h("ul", { class: "facts" });
  const why = h("ul", { class: "soft" });
  const left = h("p", { class: "soft", "aria-live": "off" });
  const bar = h("progress", { class: "countdown", "aria-hidden": "true", max: 1 });
  const yes = button(w.accept, () => accept(), { class: "act", "aria-keyshortcuts": "Alt+Y" });
  const no = button(w.decline, () => decline(), { class: "act second", "aria-keyshortcuts": "Alt+N" });
  const what = h(
    "details",
    { class: "proposal-more" },
    h("summary", { text: w.what }),
    h("div", { class: "proposal-what" }, facts, h("div", {}, h("h3", { text: w.why }), why)),
    h("p", { class: "soft", text: w.heard }),
  );
  const element = h(
    "section",
    { class: "proposal card", "aria-labelledby": "proposal-title", hidden: true },
    title,
    who,
    what,
    trouble.element,
    h("div", { class: "row" }, yes, no, h("div", { class: "counting" }, left, bar)),
  );
  /** @type {Proposal | null} */
  let shown = null;
  /** The one that was answered here, until the view says so too. */
  let answered = "";
  let whole = 1;

  const key = (/** @type {Proposal} */ one) => one.id;

  function accept() {
    const one = shown;
    if (one === null) return;
    bell.wake();
    void trouble.around(async () => {
      await session.ask("accept", { proposal: one.id });
      answered = key(one);
      go("listen");
    });
  }

  function decline() {
    const one = shown;
    if (one === null) return;
    void trouble.around(async () => {
      await session.ask("decline", { proposal: one.id });
      answered = key(one);
      say(w.declined);
    });
  }

  /** @param {Proposal} one @param {number} now */
  function present(one, now) {
    trouble.say("");
    // Whoever is writing to somebody keeps sight of what they write.
    what.open = !isWriting();
    whole = Math.max(1, one.deadline - now);
    const rooms = new Map((session.state.lobby ?? []).map((card) => [card.id, card.name]));
    const topics = (one.topics ?? []).map((topic) => rooms.get(topic) ?? topic);
    const said = [
      topics.length > 0 ? `${w.topics}: ${topics.join(", ")}` : "",
      one.need ? w.need[one.need] : "",
      one.heavy ? w.heavy(one.heavy) : "",
      one.minutes ? w.minutes(one.minutes) : "",
    ].filter((line) => line !== "");
    facts.replaceChildren(
      ...(said.length > 0 ? said : [w.nothing]).map((line) => h("li", { text: line })),
      h("li", { text: w.language(languageName(one.language ?? "en")) }),
    );
    why.replaceChildren(
      ...(one.why ?? [])
        .map(words.whyWord)
        .filter((line) => line !== "")
        .map((line) => h("li", { text: line })),
    );
    if (one.quiet !== true) bell.ring("call");
    sayNow(w.said(duration((one.deadline - now) / 1000)));
  }

  return {
    element,
    accept,
    decline,
    update(view, now) {
      const next = view?.proposal ?? null;
      const one = next !== null && key(next) !== answered && next.deadline > now ? next : null;
      const isNew = one !== null && (shown === null || key(shown) !== key(one));
      const hadFocus = element.contains(document.activeElement);
      shown = one;
      show(element, one !== null);
      if (one === null) {
        if (hadFocus) document.getElementById("main")?.focus({ preventScroll: true });
        return;
      }
      if (isNew) present(one, now);
      text(who, w.waited((now - one.asked_at) / 1000));
      const seconds = Math.max(0, Math.ceil((one.deadline - now) / 1000));
      text(left, w.left(duration(seconds)));
      bar.value = Math.max(0, Math.min(1, (one.deadline - now) / whole));
      // To its title, not to a button: whoever is pressing Enter at this moment has not decided anything.
      if (isNew && !isWriting()) {
        focusOn(title);
      }
    },
  };
}
