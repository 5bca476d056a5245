/** One part of the card: as it is read, and as it is changed. What is written is kept with every letter. */

/** @import {Context} from "../types.js" */
/** @import {Item, Part} from "./model.js" */
/** @import {CardStore} from "./store.js" */

import { attr, button, h, keyed, show, text } from "../lib/dom.js";
import { newId } from "../lib/text.js";
import { parts, words as w } from "../locales/en-card.js";
import { troubleLine } from "../shell/trouble-line.js";
import { area, choice, field, line } from "./fields.js";
import { allLines } from "./lines.js";
import { dialled, isEmpty, moved, said, withItem, withoutItem, withoutPart, withPart } from "./model.js";

/** @param {Part} part */
export const titleOf = ({ kind, name }) => name || (parts[kind]?.title ?? w.own);

/** A part's words and things, to be read. @param {Part} part @param {Context} context */
export function contents(part, context) {
  const lines = part.text.split("\n").filter((each) => each.trim() !== "");
  return [
    ...(lines.length === 0
      ? []
      : [h("ul", { class: "written", translate: "no" }, ...lines.map((each) => h("li", { text: each })))]),
    ...said(part).map((item) => thing(item, context)),
  ];
}

/** @param {Item} item @param {Context} context */
function thing({ text: words, phone = "", room }, context) {
  if (room !== undefined) {
    const trouble = troubleLine();
    const go = button(words, () => void trouble.around(() => context.enter(room)), { class: "act second" });
    return h("div", { class: "thing" }, go, trouble.element);
  }
  if (phone === "") return h("p", { class: "thing kept", translate: "no", text: words });
  const said = [...(words === "" ? [] : [h("span", { text: words })]), h("b", { text: phone })];
  const number = dialled(phone);
  const call = number === "" ? said : [h("a", { class: "act second", href: `tel:${number}` }, ...said)];
  return h("p", { class: "thing", translate: "no" }, ...call);
}

export class PartSection {
  title = h("h2", { tabindex: -1 });
  hint = h("p", { class: "soft" });
  reading = h("div", { class: "reading" });
  trouble = troubleLine();
  form = h("form", { hidden: true, autocomplete: "off" });
  words = area();
  named = line({ maxlength: 100 });
  items = h("ul", { class: "items" });
  rooms = choice([]);
  open = button("", () => this.turn(true), { class: "act second" });
  element = h("section", { class: "card part" }, this.title, this.hint, this.reading, this.open, this.form);
  /** The rooms that can be chosen. @type {{id: string, name: string}[]} */
  known = [];
  /** What is there to be read. @type {Part | null} */
  drawn = null;

  /** @param {Context} context @param {CardStore} store @param {Part} part */
  constructor(context, store, part) {
    this.context = context;
    this.store = store;
    this.part = part;
    this.title.id = `part-${part.id}`;
    attr(this.element, "aria-labelledby", this.title.id);
    const { id } = part;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.turn(false);
    });
    this.words.addEventListener("input", () => this.#change(withPart(store.card, id, { text: this.words.value })));
    this.named.addEventListener("input", () => this.#change(withPart(store.card, id, { name: this.named.value })));
    this.element.addEventListener("keydown", (event) => {
      if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
      event.preventDefault();
      this.#move(event.key === "ArrowUp" ? -1 : 1);
    });
  }

  /** @param {import("./model.js").Card} card */
  #change(card) {
    void this.store.change(card);
  }

  /** @param {Part} part */
  update(part) {
    this.part = part;
    const title = titleOf(part);
    const isBlank = isEmpty(part);
    text(this.title, title);
    text(this.hint, parts[part.kind]?.hint ?? "");
    show(this.hint, isBlank && this.hint.textContent !== "");
    text(this.open, isBlank ? w.begin : w.change);
    attr(this.open, "aria-label", isBlank ? w.beginOf(title) : w.changeOf(title));
    this.element.classList.toggle("blank", isBlank);
    if (!this.form.hidden) return this.#fill();
    if (this.drawn !== part) this.reading.replaceChildren(...contents(part, this.context));
    this.drawn = part;
  }

  /** @param {{id: string, name: string}[]} rooms */
  offer(rooms) {
    if (JSON.stringify(rooms) === JSON.stringify(this.known)) return;
    this.known = rooms;
    this.rooms.replaceChildren(...rooms.map(({ id, name }) => h("option", { value: id, text: name })));
  }

  /** @param {boolean} isChanging */
  turn(isChanging) {
    if (isChanging && this.form.childElementCount === 0) this.form.append(...this.#fields());
    show(this.form, isChanging);
    show(this.open, !isChanging);
    this.element.classList.toggle("changing", isChanging);
    this.update(this.part);
    if (isChanging) this.words.focus();
    else this.open.focus();
    if (!isChanging) void navigator.storage?.persist?.();
  }

  #fill() {
    const { part, words, named } = this;
    if (words.value !== part.text) words.value = part.text;
    if (named.value !== part.name) named.value = part.name;
    attr(named, "placeholder", parts[part.kind]?.title ?? "");
    keyed(
      this.items,
      part.items,
      (item) => item.id,
      (item) => itemRow(item, this.store, part.id),
    );
  }

  #fields() {
    const { kind } = this.part;
    const isForCalls = ["people", "lines", "own"].includes(kind);
    const person = kind === "lines" ? w.addLine : w.addPerson;
    return [
      field(w.write, this.words, parts[kind]?.hint),
      this.items,
      isForCalls && button(person, () => this.#add({ text: "", phone: "" }, true), { class: "act second" }),
      kind === "lines" && this.#countries(),
      kind === "places" && this.#places(),
      this.#arranging(),
      h("div", { class: "row" }, h("button", { type: "submit", class: "act", text: w.done })),
    ].filter((each) => each !== false);
  }

  /** @param {Omit<Item, "id">} item @param {boolean} isWritten  it is filled in next @param {string} [id] */
  #add(item, isWritten, id = newId()) {
    this.#change(withItem(this.store.card, this.part.id, { id, ...item }));
    this.#fill();
    const row = this.items.lastElementChild;
    if (isWritten) row?.querySelector("input")?.focus();
  }

  #countries() {
    const all = allLines();
    const chosen = choice(all.map(({ country }) => country));
    const add = () => {
      for (const { id, ...item } of all[Number(chosen.value)]?.items ?? []) this.#add(item, false, id);
    };
    return h("div", { class: "row" }, field(w.country, chosen), button(w.addCountry, add, { class: "act second" }));
  }

  #places() {
    const add = () => {
      const room = this.known.find(({ id }) => id === this.rooms.value);
      if (room !== undefined) this.#add({ text: room.name, room: room.id }, false, room.id);
    };
    const choose = [field(w.room, this.rooms), button(w.addRoom, add, { class: "act second" })];
    return h(
      "div",
      { class: "row" },
      ...(this.known.length > 0 ? choose : [h("p", { class: "soft", text: w.noRooms })]),
    );
  }

  #arranging() {
    const sure = h("div", { hidden: true });
    const out = button(w.leaveOut, () => this.#askToLeaveOut(sure), { class: "quiet danger" });
    return h(
      "details",
      { class: "arrange" },
      h("summary", { text: w.arrange }),
      field(w.name, this.named),
      h(
        "div",
        { class: "row" },
        button(w.up, (event) => this.#move(-1, event.currentTarget), { class: "act second" }),
        button(w.down, (event) => this.#move(1, event.currentTarget), { class: "act second" }),
        out,
      ),
      sure,
    );
  }

  /** @param {HTMLElement} place */
  #askToLeaveOut(place) {
    const leave = () => {
      const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
      this.#change(withoutPart(this.store.card, this.part.id));
      const heading = next?.querySelector("h2");
      if (heading instanceof HTMLElement) heading.focus();
    };
    if (isEmpty(this.part)) return leave();
    const yes = button(w.leaveOutYes, leave, { class: "act danger" });
    const no = button(w.keep, () => show(place, false), { class: "quiet" });
    place.replaceChildren(h("p", { text: w.leaveOutSure }), h("div", { class: "row" }, yes, no));
    show(place, true);
    yes.focus();
  }

  /** @param {-1 | 1} by @param {EventTarget | null} [from]  what keeps the focus */
  #move(by, from = document.activeElement) {
    this.#change(moved(this.store.card, this.part.id, by));
    if (from instanceof HTMLElement) from.focus();
    this.element.scrollIntoView({ block: "nearest" });
    const { parts: all } = this.store.card;
    this.context.say(w.movedTo(all.findIndex(({ id }) => id === this.part.id) + 1, all.length));
  }
}

/** A thing that is being changed. @param {Item} first @param {CardStore} store @param {string} part */
function itemRow(first, store, part) {
  let item = first;
  const isCall = first.phone !== undefined;
  const name = line({ maxlength: 200 });
  const number = line({ type: "tel", class: "number", maxlength: 60 });
  const words = h("span", { class: "kept", translate: "no" });
  const keep = () => void store.change(withItem(store.card, part, { ...item, text: name.value, phone: number.value }));
  for (const input of [name, number]) input.addEventListener("input", keep);
  const take = () => {
    const form = element.closest("form");
    void store.change(withoutItem(store.card, part, first.id));
    form?.querySelector("textarea")?.focus();
  };
  const away = button(w.take, take, { class: "quiet danger" });
  const element = h(
    "li",
    { class: "row" },
    ...(isCall ? [field(w.who, name), field(w.number, number)] : [words]),
    away,
  );
  return {
    element,
    /** @param {Item} next */
    update(next) {
      item = next;
      text(words, next.text);
      if (name.value !== next.text) name.value = next.text;
      if (number.value !== (next.phone ?? "")) number.value = next.phone ?? "";
      attr(away, "aria-label", w.takeOf(next.text || next.phone || ""));
    },
  };
}
