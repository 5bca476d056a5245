/** Who is in a room. Fetched when somebody asks. */

/** @import {Context, Person, State} from "../../types.js" */

import { fetched } from "../../lib/api.js";
import { button, focusOn, h, keyed, text } from "../../lib/dom.js";
import { people as w, words as acts } from "../../locales/en-tools.js";
import { words } from "../../locales/en.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { personLine } from "../../shell/person-line.js";

/** @param {Context} context @param {string} id */
export function peopleDialog(context, id) {
  const { session, say } = context;
  const list = h("ul", { class: "people" });
  const others = h("p", { class: "soft" });
  const title = h("h2", { id: "people-title", text: w.title });
  const element = h("dialog", { class: "sheet", "aria-labelledby": "people-title" });
  element.append(
    button(w.close, () => element.close(), { class: "quiet close" }),
    title,
    list,
    others,
  );
  element.addEventListener("click", (event) => {
    if (event.target === element) element.close();
  });
  element.addEventListener("close", () => session.do({ type: "busy", what: "people", on: false }));

  /** @type {Person | null} whoever is being reported stays in the list, though they go */
  let reported = null;

  /** @param {Person} person */
  function row(person) {
    const room = () => session.state.rooms[id];
    const isMe = room()?.me.includes(person.id) === true;
    const isHidden = () => room()?.hidden.includes(person.id) === true;
    const trouble = troubleLine();
    const act = button("", () => void trouble.around(toggle), { class: "quiet" });
    const tell = button(words.post.report, () => void trouble.around(report), {
      class: "quiet",
      "aria-label": `${words.post.report}: ${person.name}`,
    });
    const element = h(
      "li",
      {},
      personLine(person, isMe ? w.you : undefined),
      !isMe && act,
      !isMe && tell,
      trouble.element,
    );
    async function report() {
      const { reportPanel } = await fetched(() => import("../report.js"), "rooms/report.js");
      const panel = reportPanel(context, id, { member: person.id }, () => {
        panel.element.remove();
        reported = null;
        update(session.state);
        if (tell.isConnected) tell.focus();
        else focusOn(title);
      });
      list.querySelector(".report-panel")?.remove();
      reported = person;
      element.append(panel.element);
      panel.focus();
    }
    async function toggle() {
      const on = !isHidden();
      await session.mute(person.id, on);
      if (on) say(acts.muted(person.name));
    }
    return {
      element,
      update() {
        text(act, isHidden() ? acts.unhide(person.name) : acts.mute(person.name));
      },
    };
  }

  /** @param {State} state */
  function update(state) {
    const room = state.rooms[id];
    if (room === undefined) return;
    const me = room.people.filter((p) => room.me.includes(p.id));
    const others_ = room.people.filter((p) => !room.me.includes(p.id));
    const rest = reported === null || others_.some((p) => p.id === reported?.id) ? others_ : [...others_, reported];
    keyed(
      list,
      [...me, ...rest.sort((a, b) => a.name.localeCompare(b.name))],
      (p) => `${p.id} ${p.name} ${p.role}`,
      row,
    );
    const more = room.here - room.people.length;
    text(others, others_.length === 0 && more <= 0 ? w.alone : more > 0 ? w.others(more) : "");
  }

  return {
    element,
    open() {
      element.showModal();
      session.do({ type: "busy", what: "people", on: true });
    },
    update,
  };
}
