/** Somebody waits: a card that cannot be missed, and that hurries nobody. */

/** @import {ConsoleView, ListenerApp, Part, Proposal} from "./types.js" */

import { button, focusOn, h, show, text } from "../../lib/dom.js";
import { duration, words } from "../../locales/en-listener.js";
import { isWriting, languageName, troubleLine } from "../../shell/fields.js";

const w = words.proposal;

/** @param {ListenerApp} app @returns {Part & {accept: () => void, decline: () => void}} */
export const proposalCard = (app) => new ProposalCard(app);

class ProposalCard {
  trouble = troubleLine();
  title = h("h2", { id: "proposal-title", text: w.title });
  who = h("p", { class: "lead" });
  facts = h("ul", { class: "facts" });
  why = h("ul", { class: "soft" });
  left = h("p", { class: "soft", "aria-live": "off" });
  bar = h("progress", { class: "countdown", "aria-hidden": "true", max: 1 });
  /** @type {Proposal | null} */
  current = null;
  /** The one that was answered here, until the view says so too. */
  answered = "";
  /** How long there was to answer, ms. */
  whole = 1;

  /** @param {ListenerApp} app */
  constructor(app) {
    this.app = app;
    const yes = button(w.accept, () => this.accept(), { class: "act", "aria-keyshortcuts": "Alt+Y" });
    const no = button(w.decline, () => this.decline(), { class: "act second", "aria-keyshortcuts": "Alt+N" });
    this.what = h(
      "details",
      { class: "proposal-more" },
      h("summary", { text: w.what }),
      h("div", { class: "proposal-what" }, this.facts, h("div", {}, h("h3", { text: w.why }), this.why)),
      h("p", { class: "soft", text: w.heard }),
    );
    this.element = h(
      "section",
      { class: "proposal card", "aria-labelledby": "proposal-title", hidden: true },
      this.title,
      this.who,
      this.what,
      this.trouble.element,
      h("div", { class: "row" }, yes, no, h("div", { class: "counting" }, this.left, this.bar)),
    );
  }

  accept() {
    const { current: one, app } = this;
    if (one === null) return;
    app.bell.wake();
    void this.trouble.around(async () => {
      await app.session.ask("accept", { proposal: one.id });
      this.answered = one.id;
      app.go("listen");
    });
  }

  decline() {
    const { current: one, app } = this;
    if (one === null) return;
    void this.trouble.around(async () => {
      await app.session.ask("decline", { proposal: one.id });
      this.answered = one.id;
      app.say(w.declined);
    });
  }

  /** @param {ConsoleView | null} view @param {number} now */
  update(view, now) {
    const { element, current: before } = this;
    const next = view?.proposal ?? null;
    const one = next !== null && next.id !== this.answered && next.deadline > now ? next : null;
    const isNew = one !== null && before?.id !== one.id;
    const hadFocus = element.contains(document.activeElement);
    this.current = one;
    show(element, one !== null);
    if (one === null) {
      if (hadFocus) document.getElementById("main")?.focus({ preventScroll: true });
      return;
    }
    if (isNew) this.#present(one, now);
    const left = one.deadline - now;
    text(this.who, w.waited((now - one.asked_at) / 1000));
    text(this.left, w.left(duration(Math.max(0, Math.ceil(left / 1000)))));
    this.bar.value = Math.max(0, Math.min(1, left / this.whole));
    // To its title, not to a button: whoever is pressing Enter at this moment has not decided anything.
    if (isNew && !isWriting()) focusOn(this.title);
  }

  /** @param {Proposal} one @param {number} now */
  #present(one, now) {
    const { session, bell, sayNow } = this.app;
    this.trouble.say("");
    // Whoever is writing to somebody keeps sight of what they write.
    this.what.open = !isWriting();
    this.whole = Math.max(1, one.deadline - now);
    const said = factsOf(one, new Map((session.state.lobby ?? []).map((card) => [card.id, card.name])));
    this.facts.replaceChildren(
      ...(said.length > 0 ? said : [w.nothing]).map((line) => h("li", { text: line })),
      h("li", { text: w.language(languageName(one.language ?? "en")) }),
    );
    const reasons = (one.why ?? []).map(words.whyWord).filter((line) => line !== "");
    this.why.replaceChildren(...reasons.map((line) => h("li", { text: line })));
    if (one.quiet !== true) bell.ring("call");
    sayNow(w.said(duration((one.deadline - now) / 1000)));
  }
}

/** What somebody said when they asked. @param {Proposal} one @param {Map<string, string>} rooms  names by id */
function factsOf(one, rooms) {
  const topics = (one.topics ?? []).map((topic) => rooms.get(topic) ?? topic);
  return [
    topics.length > 0 ? `${w.topics}: ${topics.join(", ")}` : "",
    one.need ? w.need[one.need] : "",
    one.heavy ? w.heavy(one.heavy) : "",
    one.minutes ? w.minutes(one.minutes) : "",
  ].filter((line) => line !== "");
}
