/** Who is in a room. Fetched when somebody asks. */

/** @import {Context, RoomPerson, State} from "../../types.js" */

import { fetched } from "../../lib/api.js";
import { button, focusOn, h, keyed, text } from "../../lib/dom.js";
import { people as w, words as acts } from "../../locales/en-tools.js";
import { words } from "../../locales/en.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { personLine } from "../../shell/person-line.js";

/** @param {Context} context @param {string} id */
export const peopleDialog = (context, id) => new PeopleDialog(context, id);

class PeopleDialog {
  /** Whoever is being reported stays in the list, though they go. @type {RoomPerson | null} */
  reported = null;
  list = h("ul", { class: "people" });
  others = h("p", { class: "soft" });
  title = h("h2", { id: "people-title", text: w.title });
  element = h("dialog", { class: "sheet", "aria-labelledby": "people-title" });

  /** @param {Context} context @param {string} id */
  constructor(context, id) {
    this.context = context;
    this.session = context.session;
    this.id = id;
    const { element } = this;
    const close = button(w.close, () => element.close(), { class: "quiet close" });
    element.append(close, this.title, this.list, this.others);
    element.addEventListener("click", (event) => {
      if (event.target === element) element.close();
    });
    element.addEventListener("close", () => this.session.do({ type: "busy", what: "people", on: false }));
  }

  open() {
    this.element.showModal();
    this.session.do({ type: "busy", what: "people", on: true });
  }

  /** @param {State} state */
  update(state) {
    const room = state.rooms[this.id];
    if (room === undefined) return;
    const { reported } = this;
    const me = room.people.filter((p) => room.me.includes(p.id));
    const others = room.people.filter((p) => !room.me.includes(p.id));
    const rest = reported === null || others.some((p) => p.id === reported.id) ? others : [...others, reported];
    keyed(
      this.list,
      [...me, ...rest.sort((a, b) => a.name.localeCompare(b.name))],
      (p) => `${p.id} ${p.name} ${p.role}`,
      (p) => this.#row(p),
    );
    const more = room.here - room.people.length;
    text(this.others, others.length === 0 && more <= 0 ? w.alone : more > 0 ? w.others(more) : "");
  }

  /** @param {RoomPerson} person */
  #row(person) {
    const room = () => this.session.state.rooms[this.id];
    const isMe = room()?.me.includes(person.id) === true;
    const isHidden = () => room()?.hidden.includes(person.id) === true;
    const trouble = troubleLine();
    const toggle = async () => {
      const on = !isHidden();
      await this.session.mute(person.id, on);
      if (on) this.context.say(acts.muted(person.name));
    };
    const act = button("", () => void trouble.around(toggle), { class: "quiet" });
    const tell = button(words.post.report, () => void trouble.around(() => this.#report(person, tell, element)), {
      class: "quiet",
      "aria-label": `${words.post.report}: ${person.name}`,
    });
    const line = personLine(person, isMe ? w.you : undefined);
    const element = h("li", {}, line, !isMe && act, !isMe && tell, trouble.element);
    return {
      element,
      update() {
        text(act, isHidden() ? acts.unhide(person.name) : acts.mute(person.name));
      },
    };
  }

  /** @param {RoomPerson} person @param {HTMLElement} from  what was pressed @param {HTMLElement} row */
  async #report(person, from, row) {
    const { reportPanel } = await fetched(() => import("../report.js"), "rooms/report.js");
    const panel = reportPanel(this.context, this.id, { member: person.id }, () => {
      panel.element.remove();
      this.reported = null;
      this.update(this.session.state);
      if (from.isConnected) from.focus();
      else focusOn(this.title);
    });
    this.list.querySelector(".report-panel")?.remove();
    this.reported = person;
    row.append(panel.element);
    panel.focus();
  }
}
