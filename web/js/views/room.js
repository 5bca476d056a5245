/** A room: its name and welcome, its posts, who is here, and where one writes. */

/** @import {Context, Person, State, View} from "../types.js" */

import { attr, button, h, keyed, show, text } from "../lib/dom.js";
import { shape } from "../lib/shape.js";
import { hereWord, refusalWord, typingWord, unreadWord, words } from "../locales/en.js";
import { joinedRooms } from "../state.js";
import { composer } from "./composer.js";
import { logView } from "./log.js";
import { paragraphs, troubleLine } from "./lobby.js";

const w = words.room;

/** @param {Context} context @param {string} id @returns {View} */
export function roomView(context, id) {
  const { session } = context;
  const name = h("h1", { class: "room-name" });
  const here = h("span", { class: "here" });
  /** @type {ReturnType<typeof import("./people.js").peopleDialog> | null} */
  let people = null;
  async function open() {
    try {
      const made = (people ??= (await import("./people.js")).peopleDialog(context, id));
      element.append(made.element);
      made.update(session.state);
      made.open();
    } catch {
      context.sayNow(refusalWord("lost"));
    }
  }
  const peopleButton = button("", () => void open(), { class: "pill", "aria-haspopup": "dialog" });
  const topic = h("p", { class: "topic" });
  const welcome = h("div");
  const fades = h("p", { class: "soft" });
  const pinned = h("details", { class: "pinned" }, h("summary", { text: w.welcome }), topic, welcome, fades, leaving(context, id));
  const write = composer(context, id);
  const log = logView(context, id, write);
  const typing = h("p", { class: "typing soft", "aria-live": "off" });
  const rooms = h("ul", { class: "room-list" });
  const element = h(
    "div",
    { class: "room" },
    h("nav", { class: "side", "aria-label": w.list }, button(w.all, context.back, { class: "quiet back" }), h("h2", { class: "soft", text: w.list }), rooms),
    h(
      "section",
      { class: "talk", "aria-label": w.posts("") },
      h(
        "header",
        { class: "room-top" },
        button("‹", context.back, { class: "quiet back narrow-only", "aria-label": w.all }),
        h("div", { class: "room-title" }, name, here),
        peopleButton,
      ),
      pinned,
      log.element,
      h("div", { class: "foot" }, log.newer, typing, write.element),
    ),
  );
  let welcomed = "";
  pinned.open = (session.state.rooms[id]?.read ?? 0) === 0 || Object.keys(session.state.rooms[id]?.posts ?? {}).length === 0;

  return {
    element,
    update(state) {
      const room = state.rooms[id];
      if (room === undefined) return;
      text(name, room.room.name);
      attr(element.querySelector(".talk") ?? element, "aria-label", room.room.name);
      text(here, room.here <= 1 ? w.justYou : hereWord(room.here));
      here.classList.toggle("someone", room.here > 1);
      text(peopleButton, words.room.people);
      text(topic, room.room.topic);
      show(topic, room.room.topic !== "");
      if (welcomed !== room.room.welcome) {
        welcomed = room.room.welcome;
        welcome.replaceChildren(...paragraphs(welcomed));
      }
      text(fades, w.fades(room.retention));
      log.update(state);
      write.update(state);
      people?.update(state);
      const writing = Object.keys(room.typing).filter((m) => !state.muted.includes(m));
      text(typing, typingWord(writing.map((m) => state.names[m] ?? "")));
      keyed(rooms, joinedRooms(state), (r) => r.id, () => listed(context, id));
    },
    shown: () => log.shown(),
    gone: () => log.gone(),
  };
}

/** One of the rooms one is in. @param {Context} context @param {string} current */
function listed(context, current) {
  const name = h("span");
  const unread = h("span", { class: "unread" });
  let id = "";
  const go = h("button", { type: "button", class: "listed", on: { click: () => id !== current && void context.enter(id).catch(() => context.back()) } }, name, unread);
  return {
    element: h("li", {}, go),
    /** @param {{id: string, name: string, unread: number}} room */
    update(room) {
      id = room.id;
      text(name, room.name);
      attr(go, "aria-current", room.id === current ? "page" : null);
      text(unread, room.unread > 0 ? unreadWord(room.unread) : "");
      show(unread, room.unread > 0 && room.id !== current);
    },
  };
}

/** Leaving for good, with a question first. @param {Context} context @param {string} id */
function leaving(context, id) {
  const trouble = troubleLine();
  const ask = button(w.leave, () => turn(true), { class: "quiet" });
  const yes = button(w.leaveYes, () => void trouble.around(async () => {
    await context.session.leaveRoom(id);
    context.back();
  }), { class: "act danger" });
  const sure = h("div", { class: "sure", hidden: true }, h("p", { text: w.leaveSure }), h("div", { class: "row" }, yes, button(w.stay, () => turn(false), { class: "quiet" })));
  /** @param {boolean} isAsking */
  function turn(isAsking) {
    show(sure, isAsking);
    show(ask, !isAsking);
    (isAsking ? yes : ask).focus();
  }
  return h("div", {}, ask, sure, trouble.element);
}

/** @param {Person} person @param {string} [after] */
export function personLine(person, after) {
  const name = h("span", { text: person.name });
  return h("span", { class: "person" }, shape(person.id), name, after !== undefined && h("span", { class: "soft", text: after }));
}
