/** Who is in a room. Fetched when somebody asks. */

/** @import {Context, Person, State} from "../types.js" */

import { button, h, keyed, text } from "../lib/dom.js";
import { refusalWord, words } from "../locales/en.js";
import { personLine } from "./room.js";

/** @param {Context} context @param {string} id */
export function peopleDialog(context, id) {
  const { session, say, sayNow } = context;
  const list = h("ul", { class: "people" });
  const others = h("p", { class: "soft" });
  const title = h("h2", { id: "people-title", text: words.people.title });
  const element = h("dialog", { class: "sheet", "aria-labelledby": "people-title" });
  element.append(button(words.people.close, () => element.close(), { class: "quiet close" }), title, list, others);
  element.addEventListener("click", (event) => {
    if (event.target === element) element.close();
  });

  /** @param {Person} person */
  function row(person) {
    const isMe = person.id === session.state.me?.id;
    const act = button("", () => void toggle(), { class: "quiet" });
    const tell = button(words.post.report, () => void report(), { class: "quiet", "aria-label": `${words.post.report}: ${person.name}` });
    const element = h("li", {}, personLine(person, isMe ? words.people.you : undefined), !isMe && act, !isMe && tell);
    async function report() {
      try {
        const { reportPanel } = await import("../report.js");
        const panel = reportPanel(context, id, { member: person.id }, () => {
          panel.element.remove();
          tell.focus();
        });
        element.querySelector(".report-panel")?.remove();
        element.append(panel.element);
        panel.focus();
      } catch {
        sayNow(refusalWord("lost"));
      }
    }
    async function toggle() {
      const on = !session.state.muted.includes(person.id);
      try {
        await session.mute(person.id, person.name, on);
        if (on) say(words.post.muted(person.name));
      } catch (no) {
        sayNow(refusalWord(no));
      }
    }
    return {
      element,
      update() {
        text(act, session.state.muted.includes(person.id) ? words.you.unhide(person.name) : words.post.mute(person.name));
      },
    };
  }

  return {
    element,
    open() {
      element.showModal();
    },
    /** @param {State} state */
    update(state) {
      const room = state.rooms[id];
      if (room === undefined) return;
      const me = room.people.filter((p) => p.id === state.me?.id);
      const rest = room.people.filter((p) => p.id !== state.me?.id).sort((a, b) => a.name.localeCompare(b.name));
      keyed(list, [...me, ...rest], (p) => `${p.id} ${p.name}`, row);
      const more = room.here - room.people.length;
      text(others, rest.length === 0 && more <= 0 ? words.people.alone : more > 0 ? words.people.others(more) : "");
    },
  };
}
