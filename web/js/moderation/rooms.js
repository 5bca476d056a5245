/** Being in a room as a moderator: which rooms there are, which wait for somebody, and the one that is on the screen. */

/** @import {JoinOk, RoomCard} from "../types.js" */
/** @import {Pane} from "./room.js" */
/** @import {AloneRoom, ModeratorApp} from "./types.js" */

import { Refused } from "../lib/client.js";
import { attr, button, focusOn, h, keyed, show, text } from "../lib/dom.js";
import { roomOf } from "../lib/facts.js";
import { troubleLine } from "../shell/fields.js";
import { refusalWord, words } from "../locales/en-moderate.js";
import { paneView } from "./room.js";

const w = words.rooms;

/** @param {ModeratorApp} app @param {() => void} changed */
export function roomsView(app, changed) {
  /** @type {RoomCard[] | null} */
  let cards = null;
  /** @type {AloneRoom[]} */
  let alone = [];
  /** @type {Map<string, Pane>} the rooms that one is in */
  const inside = new Map();
  let at = "";

  const list = h("ul", { class: "reports" });
  const none = h("p", { class: "soft", role: "status", text: w.loading });
  const trouble = troubleLine(refusalWord);
  const empty = h("p", { class: "soft choose", text: w.choose });
  const place = h("div", { class: "file-place" }, empty);
  const title = h("h1", { id: "rooms-title", text: w.title });
  const both = h(
    "div",
    { class: "both" },
    h(
      "section",
      { class: "queue", "aria-labelledby": "rooms-title" },
      title,
      h("p", { class: "soft", text: w.lead }),
      trouble.element,
      none,
      list,
    ),
    place,
  );

  /** Those that wait first. */
  function rows() {
    const waiting = new Map(alone.map((room) => [room.id, room]));
    const found = (cards ?? []).map((card) => ({
      card,
      wait: waiting.get(card.id)?.attendance,
      isIn: inside.has(card.id),
      isShown: at === card.id,
    }));
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
      const ok = /** @type {JoinOk} */ (
        await app.ask("join", agreement === null ? { room: id } : { room: id, agreement })
      );
      const pane = paneView(app, ok, () => void trouble.around(() => leave(id)), back);
      inside.set(id, pane);
      turn(id, pane);
      app.say(w.opened);
      void look();
    } catch (no) {
      if (!(no instanceof Refused) || no.code !== "agreement_required") throw no;
      const details = no.details ?? {};
      const sure = agreementView(
        name,
        String(details["agreement"] ?? ""),
        () => enter(id, Number(details["agreement_version"])),
        back,
      );
      place.replaceChildren(sure);
      both.dataset["chosen"] = "yes";
      focusOn(/** @type {HTMLElement} */ (sure.querySelector("h1")));
    }
  }

  /** @param {string} id @param {Pane} pane */
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
  function drop(id) {
    inside.get(id)?.gone();
    inside.delete(id);
  }

  /** @param {string} id */
  async function leave(id) {
    await app.ask("leave", { room: id });
    drop(id);
    back();
    app.say(w.left);
    void look();
  }

  async function look() {
    try {
      cards = (await app.ask("rooms", { watch: true })).rooms;
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
          await pane.again();
        } catch (no) {
          // It tries again by itself.
          if (!(no instanceof Refused) || no.temporary) continue;
          drop(id);
          if (at === id) back();
          trouble.say(`${nameOf(id)}: ${refusalWord(no)}`);
        }
      }
      await look();
    },
    look,
    nameOf,
    /** From elsewhere on the page: into a room, to a post of it where one is named. @param {string} id @param {number} [offset] @param {string} [epoch] */
    async open(id, offset, epoch) {
      await trouble.around(() => enter(id));
      if (offset !== undefined) inside.get(id)?.show(offset, epoch);
    },
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
      } else if (push.push === "left") {
        drop(push.room);
        if (at === push.room) back();
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
  return h(
    "section",
    { class: "card" },
    h("h1", { text: w.sure(name) }),
    ...said.map((line) => h("p", { text: line })),
    trouble.element,
    h(
      "div",
      { class: "row" },
      button(w.keep, () => void trouble.around(accept), { class: "act" }),
      button(w.notNow, back, { class: "quiet" }),
    ),
  );
}
