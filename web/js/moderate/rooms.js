/** Being in a room as a moderator: which rooms there are, which wait for somebody, and the one that is on the screen. */

/** @import {Fact, JoinOk, Post, RoomCard} from "../types.js" */
/** @import {AloneRoom, Office} from "./types.js" */

import { Refused } from "../lib/client.js";
import { attr, button, focusOn, h, keyed, show, text } from "../lib/dom.js";
import { roomOf } from "../lib/facts.js";
import { clock } from "../lib/time.js";
import { troubleLine } from "../listen/parts.js";
import { refusalWord, words } from "../locales/en-moderate.js";

const w = words.rooms;
const POSTS = 200;
const NEAR_END_PX = 80;

/** @param {Office} office @param {() => void} changed */
export function roomsView(office, changed) {
  /** @type {RoomCard[] | null} */
  let cards = null;
  /** @type {AloneRoom[]} */
  let alone = [];
  /** @type {Map<string, ReturnType<typeof paneView>>} the rooms that one is in */
  const inside = new Map();
  let at = "";

  const list = h("ul", { class: "reports" });
  const none = h("p", { class: "soft", role: "status", text: w.loading });
  const trouble = troubleLine(refusalWord);
  const empty = h("p", { class: "soft choose", text: w.choose });
  const place = h("div", { class: "file-place" }, empty);
  const title = h("h1", { id: "rooms-title", text: w.title });
  const both = h("div", { class: "both" }, h("section", { class: "queue", "aria-labelledby": "rooms-title" }, title, h("p", { class: "soft", text: w.lead }), trouble.element, none, list), place);

  /** Those that wait first. */
  function rows() {
    const waiting = new Map(alone.map((room) => [room.id, room]));
    const found = (cards ?? []).map((card) => ({ card, wait: waiting.get(card.id)?.attendance, isIn: inside.has(card.id), isShown: at === card.id }));
    return found.sort((a, b) => Number(b.wait !== undefined) - Number(a.wait !== undefined));
  }

  function row() {
    let id = "";
    const name = h("b");
    const here = h("span", { class: "soft" });
    const why = h("span", { class: "due" });
    const go = button("", () => void trouble.around(() => enter(id)), { class: "act second" });
    const element = h("li", { class: "card place-row" }, h("div", {}, h("p", {}, name), h("p", {}, here), why), go);
    return {
      element,
      /** @param {ReturnType<typeof rows>[number]} item */
      update({ card, wait, isIn, isShown }) {
        id = card.id;
        text(name, card.name);
        text(here, `${w.here(card.here)}${card.attended === true && !isIn ? `, ${w.attended}` : ""}`);
        text(why, wait === undefined ? "" : w.ways[wait]);
        show(why, wait !== undefined);
        element.classList.toggle("waits", wait !== undefined);
        text(go, isIn ? w.open : w.into);
        attr(go, "aria-label", (isIn ? w.openOf : w.intoOf)(card.name));
        attr(go, "aria-current", isShown ? "true" : null);
      },
    };
  }

  /** @param {string} id @param {number | null} [agreement]  the version that was accepted just now */
  async function enter(id, agreement = null) {
    const known = inside.get(id);
    if (known !== undefined) return turn(id, known);
    const name = nameOf(id);
    try {
      const ok = /** @type {JoinOk} */ (await office.ask("join", agreement === null ? { room: id } : { room: id, agreement }));
      const pane = paneView(office, ok, () => void trouble.around(() => leave(id)), back);
      inside.set(id, pane);
      turn(id, pane);
      office.say(w.opened);
      void look();
    } catch (no) {
      if (!(no instanceof Refused) || no.code !== "agreement_required") throw no;
      const details = no.details ?? {};
      const sure = agreementView(name, String(details["agreement"] ?? ""), () => enter(id, Number(details["agreement_version"])), back);
      place.replaceChildren(sure);
      both.dataset["chosen"] = "yes";
      focusOn(/** @type {HTMLElement} */ (sure.querySelector("h1")));
    }
  }

  /** @param {string} id @param {ReturnType<typeof paneView>} pane */
  function turn(id, pane) {
    at = id;
    place.replaceChildren(pane.element);
    both.dataset["chosen"] = "yes";
    pane.shown();
    changed();
    focusOn(/** @type {HTMLElement} */ (pane.element.querySelector("h1")));
  }

  function back() {
    at = "";
    place.replaceChildren(empty);
    delete both.dataset["chosen"];
    changed();
    focusOn(title);
  }

  /** @param {string} id */
  async function leave(id) {
    await office.ask("leave", { room: id });
    inside.delete(id);
    back();
    office.say(w.left);
    void look();
  }

  async function look() {
    try {
      cards = (await office.ask("rooms", { watch: true })).rooms;
    } catch {
      // The connection went; the next one asks anew.
    }
    changed();
  }

  /** @param {string} id */
  const nameOf = (id) => cards?.find((card) => card.id === id)?.name ?? id;

  return {
    element: both,
    /** The connection is there, perhaps again: be where one was. */
    async opened() {
      for (const [id, pane] of [...inside]) {
        try {
          pane.again(/** @type {JoinOk} */ (await office.ask("join", { room: id })));
        } catch (no) {
          // Lost again: the next connection is for the same rooms.
          if (!(no instanceof Refused) || no.temporary) return;
          inside.delete(id);
          if (at === id) back();
        }
      }
      await look();
    },
    look,
    get waiting() {
      return alone.length;
    },
    /** @param {AloneRoom[]} rooms @returns {AloneRoom[]} those that are new to wait, or wait for longer */
    wait(rooms) {
      const before = new Map(alone.map((room) => [room.id, room.attendance]));
      alone = rooms;
      return rooms.filter((room) => before.get(room.id) !== room.attendance);
    },
    /** @param {any} push */
    take(push) {
      if (push.push === "counts" && cards !== null) {
        cards = cards.map((card) => (push.here[card.id] === undefined ? card : { ...card, here: push.here[card.id] }));
        changed();
      } else if (typeof push.channel === "string") inside.get(roomOf(push.channel) ?? "")?.take(push);
    },
    update() {
      keyed(list, rows(), ({ card }) => card.id, row);
      text(none, cards === null ? w.loading : w.none);
      show(none, cards === null || cards.length === 0);
    },
  };
}

/** @param {string} name @param {string} agreement @param {() => Promise<void>} accept @param {() => void} back */
function agreementView(name, agreement, accept, back) {
  const trouble = troubleLine(refusalWord);
  const said = agreement === "" ? [w.noAgreement] : agreement.split(/\n+/);
  return h("section", { class: "card" }, h("h1", { text: w.sure(name) }), ...said.map((line) => h("p", { text: line })), trouble.element,
    h("div", { class: "row" }, button(w.keep, () => void trouble.around(accept), { class: "act" }), button(w.notNow, back, { class: "quiet" })));
}

/** One room: what is written there, and a line to write. @param {Office} office @param {JoinOk} first @param {() => void} leave @param {() => void} back */
function paneView(office, first, leave, back) {
  const { id, name } = first.room;
  /** @type {Map<number, Post>} */
  let posts = new Map();
  const log = h("ol", { class: "room-log", tabindex: 0, "aria-label": name });
  const empty = h("p", { class: "soft", text: w.quiet });
  const area = h("textarea", { id: `say-${id}`, rows: 2, maxlength: 2000 });
  const trouble = troubleLine(refusalWord);
  const form = h("form", { class: "stack", on: { submit } }, h("label", { for: `say-${id}`, text: w.write(name) }), area, trouble.element, h("div", { class: "row" }, h("button", { type: "submit", class: "act", text: w.send }), button(w.leave, leave, { class: "quiet" })));
  const element = h("section", { class: "card in-room", "aria-labelledby": `in-${id}` }, button(w.back, back, { class: "quiet back-to-queue" }), h("h1", { id: `in-${id}`, text: name }), h("p", { class: "soft", text: w.youAre(office.me.name) }), empty, log, form);

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    const written = area.value.trim();
    if (written === "") return;
    void trouble.around(async () => {
      await office.fact("post", { room: id, text: written }, id);
      if (area.value.trim() === written) area.value = "";
      area.focus();
    });
  }

  /** @param {JoinOk} ok */
  function again(ok) {
    posts = new Map(ok.posts.map((post) => [post.offset, post]));
    office.release(id);
    draw();
    toEnd();
  }

  function toEnd() {
    log.scrollTop = log.scrollHeight;
  }

  /** @param {Fact} fact */
  function take(fact) {
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
    if (fact.push === "posted") {
      posts.set(fact.post.offset, fact.post);
      if (fact.post.author !== office.me.id && element.isConnected) office.say(w.said(fact.post.name, fact.post.text));
    } else if (fact.push === "redacted" || fact.push === "edited") {
      const post = posts.get(fact.target);
      if (post === undefined) return;
      posts.set(fact.target, fact.push === "redacted" ? { ...post, text: "", redacted: true } : { ...post, text: fact.text });
    } else return;
    for (const offset of [...posts.keys()].slice(0, Math.max(0, posts.size - POSTS))) posts.delete(offset);
    draw();
    if (isAtEnd) toEnd();
  }

  function draw() {
    keyed(log, [...posts.values()].sort((a, b) => a.offset - b.offset), (post) => String(post.offset), () => {
      const who = h("b");
      const when = h("span", { class: "soft" });
      const warning = h("p", { class: "soft" });
      const what = h("p", { class: "said" });
      return {
        element: h("li", {}, h("p", {}, who, " ", when), warning, what),
        /** @param {Post} post */
        update(post) {
          text(who, post.name);
          text(when, clock(post.at));
          text(warning, post.warning === undefined ? "" : w.warning(post.warning));
          show(warning, post.warning !== undefined);
          text(what, post.redacted === true ? w.redacted : post.text);
          what.classList.toggle("soft", post.redacted === true);
        },
      };
    });
    show(empty, posts.size === 0);
  }

  again(first);
  return { element, again, take, shown: toEnd };
}

