/** A room: its name and welcome, its posts, who is here, and where one writes. */

/** @import {Context, View} from "../../types.js" */

import { fetched } from "../../lib/api.js";
import { attr, button, h, keyed, paragraphs, show, text } from "../../lib/dom.js";
import { hereWord, typingWord, unreadWord, words } from "../../locales/en.js";
import { joinedRooms } from "../state.js";
import { composer } from "./composer.js";
import { logView } from "./log.js";
import { troubleLine } from "../../shell/trouble-line.js";

const w = words.room;

/** @param {Context} context @param {string} id @returns {View} */
export function roomView(context, id) {
  const { session } = context;
  const name = h("h1", { class: "room-name" });
  const here = h("span", { class: "here" });
  const trouble = troubleLine();
  /** @type {ReturnType<typeof import("./people.js").peopleDialog> | undefined} */
  let people;
  const peopleButton = button("", () => void trouble.around(showPeople), { class: "pill", "aria-haspopup": "dialog" });
  const topic = h("p", { class: "topic" });
  const welcome = h("div");
  const fades = h("p", { class: "soft" });
  const leaving = h(
    "div",
    {},
    button(
      w.leave,
      () =>
        void trouble.around(async () => {
          const { askToLeave } = await fetched(() => import("./twice.js"), "rooms/views/twice.js");
          askToLeave(context, id, leaving);
        }),
      { class: "quiet" },
    ),
  );
  const pinned = h("details", { class: "pinned" }, h("summary", { text: w.welcome }), topic, welcome, fades, leaving);
  const write = composer(context, id);
  const log = logView(context, id, write);
  const typing = h("p", { class: "typing soft", "aria-live": "off" });
  const rooms = h("ul", { class: "room-list" });
  const element = h(
    "div",
    { class: "room" },
    h(
      "nav",
      { class: "side", "aria-label": w.list },
      button(w.all, context.back, { class: "quiet back" }),
      h("h2", { class: "soft", text: w.list }),
      rooms,
    ),
    h(
      "section",
      { class: "talk", "aria-label": w.posts("") },
      h(
        "header",
        { class: "room-top" },
        button("‹", context.back, { class: "quiet back narrow-only", "aria-label": w.all }),
        h("div", { class: "room-title" }, name, here),
        peopleButton,
        trouble.element,
      ),
      pinned,
      log.element,
      h("div", { class: "foot" }, log.newer, typing, write.element),
    ),
  );
  let welcomed = "";

  async function showPeople() {
    const { peopleDialog } = await fetched(() => import("./people.js"), "rooms/views/people.js");
    people ??= peopleDialog(context, id);
    element.append(people.element);
    people.update(session.state);
    people.open();
  }

  pinned.open =
    (session.state.rooms[id]?.read ?? 0) === 0 || Object.keys(session.state.rooms[id]?.posts ?? {}).length === 0;

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
      show(write.element, room.room.status !== "closed");
      people?.update(state);
      const writing = Object.keys(room.typing).filter((m) => !room.hidden.includes(m));
      text(typing, typingWord(writing.map((m) => state.names[m] ?? "")));
      keyed(
        rooms,
        joinedRooms(state),
        (r) => r.id,
        () => listed(context, id, trouble),
      );
    },
    shown: () => log.shown(),
    gone: () => log.gone(),
  };
}

/** One of the rooms one is in. @param {Context} context @param {string} current @param {ReturnType<typeof troubleLine>} trouble */
function listed(context, current, trouble) {
  const name = h("span");
  const unread = h("span", { class: "unread" });
  let id = "";
  const go = h(
    "button",
    {
      type: "button",
      class: "listed",
      on: { click: () => id !== current && void trouble.around(() => context.enter(id)) },
    },
    name,
    unread,
  );
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
