/** The screen "My card": what stands on it, how it is changed and kept, and the way through it step by step. */

/** @import {Context, State} from "../types.js" */
/** @import {CardStore} from "./store.js" */

import { button, h, keyed, show, text } from "../lib/dom.js";
import { newId } from "../lib/text.js";
import { keeping, parts, words as w } from "../locales/en-card.js";
import { field, line } from "./fields.js";
import { awayCard, promiseLine, removeCard, troubleOf } from "./keeping.js";
import { isEmpty, KINDS, withNew } from "./model.js";
import { PartSection } from "./part.js";
import { lockCard, unlockForm } from "./passphrase.js";
import { steps } from "./steps.js";

export class CardView {
  title = h("h1", { text: w.title });
  trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  leaves = h("p", { class: "leaves" });
  lockFirst = h("p", { class: "soft" });
  sections = h("div", { class: "parts" });
  missing = h("div", { class: "row" });
  promise = promiseLine();
  closed = h("div", { class: "closed" });
  /** @type {Map<string, PartSection>} */
  made = new Map();

  /** @param {Context} context @param {CardStore} store @param {() => void} back */
  constructor(context, store, back) {
    this.context = context;
    this.store = store;
    const { say } = context;
    this.lock = lockCard(store, say);
    this.start = button(w.start, () => this.#step(), { class: "act next" });
    this.back = button(w.back, back, { class: "quiet back" });
    this.lead = h("div", { class: "lead-in" }, h("p", { class: "lead", text: w.lead }), h("p", { text: w.where }));
    this.body = h(
      "div",
      {},
      h("div", { class: "go" }, this.start),
      this.leaves,
      this.lockFirst,
      this.sections,
      this.#adding(),
      h("div", { class: "keeping" }, this.lock.element, this.#kept(), awayCard(store, say), this.#removing()),
    );
    this.page = h("div", {}, this.back, this.title, this.trouble, this.lead, this.closed, this.body);
    this.element = h("div", { class: "my-card" }, this.page);
    this.lockFirst.append(
      w.lockFirst,
      " ",
      button(keeping.lock, () => this.#toLock(), { class: "quiet" }),
    );
    this.draw = () => this.#draw();
    store.listeners.add(this.draw);
    this.#draw();
  }

  gone() {
    this.store.listeners.delete(this.draw);
  }

  /** @param {State} state */
  update({ lobby }) {
    const rooms = (lobby ?? []).map(({ id, name }) => ({ id, name }));
    for (const section of this.made.values()) section.offer(rooms);
  }

  #draw() {
    const { store, made } = this;
    const { card, isClosed } = store;
    const isWritten = store.stored !== null;
    text(this.trouble, troubleOf(store));
    show(this.trouble, this.trouble.textContent !== "");
    // What another tab locked or removed is not to be read here any longer.
    if ((isClosed || store.isGone) && this.page.parentElement === null) this.element.replaceChildren(this.page);
    show(this.body, !isClosed);
    show(this.closed, isClosed);
    if (isClosed && this.closed.childElementCount === 0) this.closed.append(...this.#closedParts());
    if (!isClosed) this.closed.replaceChildren();
    show(this.start, !card.parts.every(isEmpty));
    text(this.leaves, store.keeps ? w.stays : w.leaves);
    show(this.leaves, isWritten);
    show(this.lockFirst, !isWritten);
    this.lock.update();
    void this.promise.update();
    for (const id of made.keys()) if (isClosed || !card.parts.some((part) => part.id === id)) made.delete(id);
    keyed(
      this.sections,
      isClosed ? [] : card.parts,
      (part) => part.id,
      (part) => this.#section(part),
    );
    this.update(this.context.session.state);
    this.#drawMissing();
  }

  /** @param {import("./model.js").Part} part */
  #section(part) {
    const section = new PartSection(this.context, this.store, part);
    this.made.set(part.id, section);
    return section;
  }

  /** Parts that were left out. */
  #drawMissing() {
    const { store } = this;
    const missing = KINDS.filter((kind) => !store.card.parts.some((part) => part.id === kind));
    const title = (/** @type {string} */ kind) => parts[kind]?.title ?? kind;
    const put = (/** @type {string} */ kind) => {
      void store.change(withNew(store.card, kind));
      this.#open(kind);
    };
    this.missing.replaceChildren(
      ...missing.map((kind) => button(w.putBack(title(kind)), () => put(kind), { class: "quiet" })),
    );
    show(this.missing, missing.length > 0);
  }

  /** @param {string} id */
  #open(id) {
    const section = this.made.get(id);
    section?.turn(true);
    section?.element.scrollIntoView({ block: "nearest" });
  }

  #adding() {
    const name = line({ maxlength: 100 });
    const form = h(
      "form",
      { class: "row", autocomplete: "off" },
      field(w.own, name),
      h("button", { type: "submit", class: "act second", text: w.addOwn }),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (name.value.trim() === "") return name.focus();
      const id = newId();
      void this.store.change(withNew(this.store.card, "own", id, name.value.trim()));
      name.value = "";
      this.#open(id);
    });
    return h("div", { class: "adding" }, form, this.missing);
  }

  #kept() {
    return h(
      "section",
      { class: "card", "aria-label": keeping.title },
      h("h2", { text: keeping.title }),
      this.promise.element,
    );
  }

  #removing() {
    return removeCard(this.store, () => {
      this.context.say(keeping.removed);
      this.title.tabIndex = -1;
      this.title.focus();
      scrollTo(0, 0);
    });
  }

  /** It is locked: what there is to do. */
  #closedParts() {
    const { say } = this.context;
    const opened = () => {
      this.title.tabIndex = -1;
      this.title.focus();
    };
    return [
      h(
        "section",
        { class: "card", "aria-label": keeping.closed },
        h("h2", { text: keeping.closed }),
        unlockForm(this.store, say, opened),
      ),
      this.#removing(),
    ];
  }

  #toLock() {
    const heading = this.lock.element.querySelector("h2");
    this.lock.element.scrollIntoView();
    const open = this.lock.element.querySelector("button");
    (open ?? heading)?.focus();
  }

  #step() {
    const close = () => {
      this.element.replaceChildren(this.page);
      this.start.focus();
    };
    const way = steps(this.store.card, this.context, close);
    this.element.replaceChildren(way.element);
    way.begin();
  }
}
