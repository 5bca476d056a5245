/** What is announced, what is closed, and where one's place is since a room was split. */

/** @import {Context, Moved, Notice, RoomCard, Screen, State} from "../types.js" */

import { fetched } from "../lib/api.js";
import { button, h, keyed, show, text } from "../lib/dom.js";
import { clock } from "../lib/time.js";
import { words as w } from "../locales/en-notices.js";
import { standAbove } from "./views/above.js";

const SOON_MS = 500;
const ASK_MS = 15_000;
const WAYS = 2;

/** @param {Context} context @param {HTMLElement} stage */
export function noticesCard(context, stage) {
  const { session, say } = context;
  const list = h("div", { class: "stack" });
  const element = h("section", { class: "card house", "aria-label": w.label, hidden: true }, list);
  /** @type {Set<string>} what somebody has put away, or was told */
  const hidden = new Set();
  /** @type {Set<string>} */
  const told = new Set();
  /** @type {{from: Moved, to: string} | null} where they were led, until they say it is fine */
  let led = null;
  /** @type {Moved | null} */
  let following = null;
  /** @type {Screen} */
  let screen = { name: "lobby" };
  let failed = "";
  /** Of several moves that are on their way, only the last one may leave anything. */
  let moves = 0;
  /** @type {Map<string, boolean>} by the channel of a room where one reads without a place: whether everybody knows */
  const reading = new Map();
  /** @type {object | null} */
  let readingSince = null;
  /** @type {Map<string, string>} how rooms were that need a moderator */
  const alones = new Map();
  /** @type {RoomCard[]} where one is */
  let staffed = [];
  let askedAt = 0;

  /** @typedef {{id: string, said: string, more?: string, acts: [string, () => void][]}} Note */

  /** @param {State} state @returns {Note[]} */
  function notes(state) {
    const now = Date.now() + state.skew;
    const here = screen.name === "room" ? screen.room : null;
    const found = /** @type {Note[]} */ ([]);
    if (led !== null && here === led.to && state.rooms[here]?.room.status === "open")
      found.push(moveNote(led.from, led.to));
    const room = here === null ? undefined : state.rooms[here]?.room;
    if (room?.status === "closed") {
      const root = room.split_of;
      const name =
        root === undefined || root === null ? "" : (state.lobby?.find((card) => card.id === root)?.name ?? root);
      found.push({
        id: `closed-${room.id}`,
        said: name === "" ? w.closed : w.closedBeside,
        acts: name === "" ? [] : [[w.toRoot(name), () => void context.enter(String(root)).catch(() => null)]],
      });
    }
    if (room !== undefined && room.status === "open") found.push(...alone(room), ...seatless(room.id));
    const waiting = state.pending.find((post) => post.room === here && post.why === "read_only");
    const until = Number(waiting?.details?.["until"] ?? 0);
    if (until > now) found.push({ id: `quiet-${until}`, said: w.quiet(clock(until - state.skew)), acts: [] });
    for (const notice of session.house.notices) {
      const isHere = notice.room === undefined || notice.room === null || notice.room === here;
      if (!isHere || notice.until <= now || hidden.has(notice.id)) continue;
      found.push({ id: notice.id, said: notice.text, more: w.label, acts: [[w.hide, () => put(notice)]] });
    }
    return found;
  }

  /** A room that needs a moderator and has none. @param {import("../types.js").Room} room @returns {Note[]} */
  function alone({ id, attendance }) {
    const was = alones.get(id);
    alones.set(id, attendance);
    if (attendance !== "slowed" && attendance !== "read_only") {
      // What is said anew is told anew.
      for (const how of ["slowed", "read_only"]) told.delete(`${how}-${id}`);
      if (was !== undefined && was !== attendance) say(w.back);
      return [];
    }
    if (attendance === "slowed") return [{ id: `slowed-${id}`, said: w.slowed, acts: [] }];
    if (session.client.isOpen && Date.now() - askedAt > ASK_MS) {
      askedAt = Date.now();
      session.ask("rooms").then(
        (ok) => {
          staffed = ok.rooms.filter(
            (/** @type {RoomCard} */ card) => card.attended === true && card.here < card.capacity,
          );
          draw();
        },
        () => null,
      );
    }
    const there = staffed.filter((card) => card.id !== id).slice(0, WAYS);
    return [
      {
        id: `read_only-${id} ${there.map((card) => card.id).join(" ")}`,
        said: w.alone,
        acts: [
          ...there.map(
            (card) =>
              /** @type {[string, () => void]} */ ([
                w.toStaffed(card.name),
                () => void context.enter(card.id).catch(lost),
              ]),
          ),
          [w.toListeners, () => context.go({ name: "asking" })],
        ],
      },
    ];
  }

  /** A full room where somebody else has one's place now. @param {string} id @returns {Note[]} */
  function seatless(id) {
    const channel = `room:${id}`;
    if (!reading.has(channel)) return [];
    const room = session.state.rooms[id];
    const isListed = room?.people.some((person) => room.me.includes(person.id));
    if (isListed && reading.get(channel)) {
      // Whoever writes has it again without asking.
      reading.delete(channel);
      return [];
    }
    if (!isListed) reading.set(channel, true);
    return [
      {
        id: `reading-${id}`,
        said: w.reading,
        more: failed || (session.vault.draft(id) === null ? "" : w.readingMore),
        acts: [[w.writeAgain, () => void sit(id)]],
      },
    ];
  }

  /** @param {string} id */
  async function sit(id) {
    failed = "";
    try {
      await session.enter(id);
      reading.delete(`room:${id}`);
      say(w.seatBack);
      /** @type {HTMLElement | null} */ (document.querySelector("#writing"))?.focus();
    } catch (no) {
      const { code = "", details = {} } = /** @type {Partial<import("../lib/client.js").Refused>} */ (no);
      if (code === "seats_used") {
        const full = await fetched(() => import("./views/full.js"), "rooms/views/full.js").catch(() => null);
        if (full !== null)
          return context.go({
            name: "full",
            room: id,
            rooms: details["rooms"],
            limit: details["limit"],
            view: full.fullView,
          });
      }
      failed = code === "only_reading" ? w.noSeat : w.failed;
    }
    draw();
  }

  /** @param {Moved} from @param {string} to @returns {Note} */
  function moveNote(from, to) {
    const beside = from.beside.filter((place) => place.id !== to);
    const name = (/** @type {string} */ id) => from.beside.find((place) => place.id === id)?.name ?? id;
    return {
      id: `moved-${to}`,
      said: w.moved(name(from.room), name(to)),
      more: failed || (session.vault.draft(to) !== null ? w.kept : ""),
      acts: [
        [
          w.fine,
          () => {
            led = null;
            draw();
          },
        ],
        ...beside.map(
          ({ id, name: label }) =>
            /** @type {[string, () => void]} */ ([
              id === from.room ? w.stay(label) : w.rather(label),
              () => void move(from, to, id).catch(lost),
            ]),
        ),
      ],
    };
  }

  /** @param {Notice} notice */
  function put(notice) {
    hidden.add(notice.id);
    draw();
  }

  function lost() {
    failed = w.failed;
    draw();
  }

  /** Somebody's place is elsewhere: go there with what they were writing. @param {Moved} from @param {string} at @param {string} to */
  async function move(from, at, to) {
    failed = "";
    const mine = ++moves;
    const version = from.beside.find((place) => place.id === to)?.agreement_version ?? null;
    await session.enter(to, version, true);
    await session.ask("settle", { room: from.room, to });
    if (mine !== moves) return;
    carry(at, to);
    if (screen.name === "room" && screen.room === at) {
      const area = /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#writing"));
      const isWriting = area !== null && document.activeElement === area;
      led = { from, to };
      context.go({ name: "room", room: to });
      if (isWriting) /** @type {HTMLElement | null} */ (document.querySelector("#writing"))?.focus();
      const name = (/** @type {string} */ id) => from.beside.find((place) => place.id === id)?.name ?? id;
      if (to !== from.room) say(w.moved(name(from.room), name(to)));
      if (to === from.room) led = null;
    }
    // What was on its way goes first.
    while (
      session.state.pending.some((post) => post.room === at && post.status !== "refused" && post.status !== "unsure")
    ) {
      await new Promise((done) => setTimeout(done, SOON_MS));
    }
    const isBack = mine !== moves || (screen.name === "room" && screen.room === at);
    if (!isBack && !session.state.pending.some((post) => post.room === at)) await session.leaveRoom(at, true);
    draw();
  }

  /** What somebody was writing comes along, and stays in one place. @param {string} at @param {string} to */
  function carry(at, to) {
    const here = session.vault.draft(at);
    if (here === null) return;
    const there = session.vault.draft(to);
    const texts = [...new Set([there?.text ?? "", here.text])].filter((words) => words !== "");
    session.vault.keepDraft(to, { ...here, text: texts.join("\n\n"), replyTo: null });
    session.vault.keepDraft(at, { text: "", warning: null, replyTo: null });
  }

  /** Nobody is taken away from the middle of a change to a post, of a report, or of an answer to the moderators. */
  const isChanging = () =>
    document.querySelector(
      ".composer .about:not([hidden]), .report-panel, .matters form:not([hidden]), dialog[open]",
    ) !== null;

  /** @param {Moved} moved */
  async function follow(moved) {
    while (isChanging() && session.house.moved === moved) await new Promise((done) => setTimeout(done, SOON_MS));
    // What is on its way is sent from where it was written.
    while (
      session.client.isOpen &&
      session.state.pending.some(
        (post) => post.room === moved.room && (post.status === "waiting" || post.status === "sending"),
      )
    ) {
      await new Promise((done) => setTimeout(done, SOON_MS));
    }
    if (session.house.moved === moved) await move(moved, moved.room, moved.to.id);
  }

  function draw() {
    const found = notes(session.state);
    keyed(
      list,
      found,
      ({ id }) => id,
      (note) => {
        const said = h("p", { text: note.said });
        const more = h("p", { class: "soft" });
        const acts = h(
          "div",
          { class: "row" },
          ...note.acts.map(([label, act], i) =>
            button(label, act, { class: i === 0 && note.acts.length > 1 ? "act second" : "quiet" }),
          ),
        );
        return {
          element: h("div", {}, said, more, note.acts.length > 0 && acts),
          update: (next) => {
            text(said, next.said);
            text(more, next.more ?? "");
            show(more, (next.more ?? "") !== "");
          },
        };
      },
    );
    show(element, found.length > 0);
    const write = /** @type {HTMLElement | null} */ (stage.querySelector(".room .composer"));
    if (write !== null) show(write, !found.some(({ id }) => id.startsWith("closed-")));
    for (const note of found) {
      // A way more is no news.
      const news = note.id.split(" ")[0] ?? "";
      if (told.has(news)) continue;
      told.add(news);
      if (!note.id.startsWith("moved-")) say(note.more === w.label ? w.news(note.said) : note.said);
    }
  }

  return {
    /** @param {Screen} now */
    update(now) {
      screen = now;
      standAbove(element, stage);
      const { moved, reading: since } = session.house;
      if (since && since !== readingSince) {
        readingSince = since;
        reading.set(since.channel, false);
      }
      draw();
      const isHere = moved !== null && screen.name === "room" && screen.room === moved.room;
      if (isHere && moved !== following && session.client.isOpen) {
        following = moved;
        void follow(moved).catch(() => {
          following = null;
        });
      }
    },
  };
}
