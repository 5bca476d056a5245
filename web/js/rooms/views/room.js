/** A room: its name and welcome, its posts, who is here, and where one writes. */

/** @import {Context, RoomState, State, View} from "../../types.js" */

import { fetched } from "../../lib/api.js";
import { attr, button, h, keyed, paragraphs, show, text } from "../../lib/dom.js";
import { hereWord, typingWord, unreadWord, words } from "../../locales/en.js";
import { joinedRooms } from "../state.js";
import { Composer } from "./composer.js";
import { LogView } from "./log.js";
import { troubleLine } from "../../shell/trouble-line.js";

const w = words.room;

/** @param {Context} context @param {string} id @returns {View} */
export const roomView = (context, id) => new RoomView(context, id);

class RoomView {
  /** @type {ReturnType<typeof import("./people.js").peopleDialog> | undefined} */
  people;
  welcomed = "";
  name = h("h1", { class: "room-name" });
  here = h("span", { class: "here" });
  trouble = troubleLine();
  topic = h("p", { class: "topic" });
  welcome = h("div");
  fades = h("p", { class: "soft" });
  typing = h("p", { class: "typing soft", "aria-live": "off" });
  rooms = h("ul", { class: "room-list" });
  peopleButton = button("", () => void this.trouble.around(() => this.#showPeople()), {
    class: "pill",
    "aria-haspopup": "dialog",
  });

  /** @param {Context} context @param {string} id */
  constructor(context, id) {
    this.context = context;
    this.id = id;
    this.write = new Composer(context, id);
    this.log = new LogView(context, id, this.write);
    this.pinned = this.#pinned();
    this.talk = this.#talk();
    const back = button(w.all, context.back, { class: "quiet back" });
    const title = h("h2", { class: "soft", text: w.list });
    const side = h("nav", { class: "side", "aria-label": w.list }, back, title, this.rooms);
    this.element = h("div", { class: "room" }, side, this.talk);
  }

  /** @param {State} state */
  update(state) {
    const { id, log, write } = this;
    const room = state.rooms[id];
    if (room === undefined) return;
    this.#head(room);
    log.update(state);
    write.update(state);
    show(write.element, room.room.status !== "closed");
    this.people?.update(state);
    const writing = Object.keys(room.typing).filter((m) => !room.hidden.includes(m));
    text(this.typing, typingWord(writing.map((m) => state.names[m] ?? "")));
    keyed(
      this.rooms,
      joinedRooms(state),
      (r) => r.id,
      () => listed(this.context, id, this.trouble),
    );
  }

  shown() {
    this.log.shown();
  }

  gone() {
    this.log.gone();
  }

  /** What the room is about, and how to leave it. It is open for those who read here for the first time. */
  #pinned() {
    const { context, id, topic, welcome, fades } = this;
    const leaving = h("div");
    const ask = async () => {
      const { askToLeave } = await fetched(() => import("./twice.js"), "rooms/views/twice.js");
      askToLeave(context, id, leaving);
    };
    leaving.append(button(w.leave, () => void this.trouble.around(ask), { class: "quiet" }));
    const title = h("summary", { text: w.welcome });
    const pinned = h("details", { class: "pinned" }, title, topic, welcome, fades, leaving);
    const room = context.session.state.rooms[id];
    pinned.open = (room?.read ?? 0) === 0 || Object.keys(room?.posts ?? {}).length === 0;
    return pinned;
  }

  #talk() {
    const { context, log, typing, write } = this;
    return h(
      "section",
      { class: "talk", "aria-label": w.posts("") },
      h(
        "header",
        { class: "room-top" },
        button("‹", context.back, { class: "quiet back narrow-only", "aria-label": w.all }),
        h("div", { class: "room-title" }, this.name, this.here),
        this.peopleButton,
        this.trouble.element,
      ),
      this.pinned,
      log.element,
      h("div", { class: "foot" }, log.newer, typing, write.element),
    );
  }

  /** @param {RoomState} state */
  #head({ room, here, retention }) {
    text(this.name, room.name);
    attr(this.talk, "aria-label", room.name);
    text(this.here, here <= 1 ? w.justYou : hereWord(here));
    this.here.classList.toggle("someone", here > 1);
    text(this.peopleButton, words.room.people);
    text(this.topic, room.topic);
    show(this.topic, room.topic !== "");
    if (this.welcomed !== room.welcome) {
      this.welcomed = room.welcome;
      this.welcome.replaceChildren(...paragraphs(room.welcome));
    }
    text(this.fades, w.fades(retention));
  }

  async #showPeople() {
    const { peopleDialog } = await fetched(() => import("./people.js"), "rooms/views/people.js");
    this.people ??= peopleDialog(this.context, this.id);
    this.element.append(this.people.element);
    this.people.update(this.context.session.state);
    this.people.open();
  }
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
