/** What operators do with rooms and workers: fetched when somebody begins. Each act has a reason and two touches. */

/** @import {Acting, Notice, Raid, RoomSet} from "./types.js" */

import { Refused } from "../lib/client.js";
import { button, focusOn, h, show } from "../lib/dom.js";
import { momentWord } from "../locales/en-moment.js";
import { field, twoTouches } from "../shell/fields.js";
import { refusalWord, words } from "../locales/en-acts.js";

const TEXTS = /** @type {const} */ (["name", "about", "topic", "welcome", "agreement"]);

/** @param {number} value @param {number} least @param {number} most */
const numberInput = (value, least, most) =>
  h("input", { type: "number", inputmode: "numeric", min: least, max: most, step: 1, value });
const reasonInput = () => h("textarea", { rows: 2, maxlength: 500, required: true });

/**
 * A dialog whose contents are made anew whenever something was done.
 * @param {string} title @param {(turn: (text: string) => void) => Promise<HTMLElement[]>} contents
 */
function sheetOf(title, contents) {
  const before = document.activeElement;
  const inside = h("div", { class: "acting" });
  const head = h("h2", { id: "acting-title", text: title });
  const done = h("p", { class: "done", role: "status" });
  const element = h(
    "dialog",
    { class: "sheet acting-sheet", "aria-labelledby": "acting-title" },
    button(words.close, () => element.close(), { class: "quiet close" }),
    head,
    done,
    inside,
  );
  element.addEventListener("close", () => {
    element.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  /** @param {string} said */
  async function draw(said) {
    try {
      const made = await contents((text) => void draw(text));
      inside.replaceChildren(...made);
    } catch (no) {
      inside.replaceChildren(h("p", { class: "trouble", role: "alert", text: refusalWord(no) }));
    }
    done.textContent = said;
    if (said !== "" && element.open) focusOn(head);
  }
  inside.append(h("p", { class: "soft", text: words.loading }));
  document.body.append(element);
  element.showModal();
  void draw("");
}

/**
 * One act: its button, and what stands behind it. @param {object} how
 * @param {string} how.ask @param {string} how.lead @param {string} how.yes @param {Node[]} [how.fields] @param {boolean} [how.danger]
 * @param {(reason: string) => Promise<unknown>} how.act
 */
function act({ ask, lead, yes, fields = [], danger = false, act: run }) {
  const reason = reasonInput();
  const made = twoTouches({
    ask,
    lead,
    yes,
    no: words.cancel,
    danger,
    fields: [...fields.filter((node) => node instanceof Node), field(words.reason, reason)],
    refusal: refusalWord,
    act: () => run(reason.value),
  });
  return h("div", { class: "one-act" }, made.first, made.panel);
}

// ------------------------------------------------------------------------------------------------ one room

/** @param {Acting} acting @param {string} id @param {string} name */
export function roomSheet(acting, id, name) {
  sheetOf(words.room.title(name), async (again) => {
    const house = await acting.ask("house", { room: id });
    const room = /** @type {RoomSet} */ (house.rooms[0]);
    const isOpen = room.status === "open";
    const w = words.room;
    return [
      h("p", { class: "soft", text: room.about }),
      ...(isOpen ? [] : [h("p", { class: "marked", text: w.isClosed })]),
      ...(room.split_of === null ? [] : [h("p", { class: "soft", text: w.isBeside })]),
      ...standing(
        acting,
        house.notices.filter((/** @type {Notice} */ each) => each.room === id),
        house.raids.filter((/** @type {Raid} */ each) => each.room === id),
        () => "",
        again,
      ),
      announceAct(acting, again, id),
      slowAct(acting, again, room),
      ...(acting.mayOperate
        ? [
            editAct(acting, again, room),
            ...(isOpen ? [splitAct(acting, again, room), raidAct(acting, again, id)] : []),
            act({
              ask: isOpen ? w.closeAsk : w.openAsk,
              lead: isOpen ? w.closeLead : w.openLead,
              yes: isOpen ? w.closeYes : w.openYes,
              danger: isOpen,
              act: async (reason) => {
                await acting.ask(isOpen ? "close_room" : "reopen_room", { room: id, seen: room.revision, reason });
                again(words.done);
              },
            }),
          ]
        : []),
    ];
  });
}

/** The fields of a room. @param {Partial<RoomSet>} room */
function roomFields(room) {
  const w = words.room;
  const texts = {
    name: h("input", { type: "text", maxlength: 40, required: true, autocomplete: "off", value: room.name ?? "" }),
    about: h("input", { type: "text", maxlength: 200, required: true, autocomplete: "off", value: room.about ?? "" }),
    topic: h("input", { type: "text", maxlength: 200, autocomplete: "off", value: room.topic ?? "" }),
    welcome: h("textarea", { rows: 3, maxlength: 4000 }),
    agreement: h("textarea", { rows: 5, maxlength: 4000 }),
  };
  texts.welcome.value = room.welcome ?? "";
  texts.agreement.value = room.agreement ?? "";
  const numbers = {
    capacity: numberInput(room.capacity ?? 50, 2, 10_000),
    slow_mode: numberInput(room.slow_mode ?? 0, 0, 3_600),
    split_at: numberInput(room.split_at ?? 45, 0, 10_000),
  };
  const flags = Object.entries(w.flags).map(([key, label]) => {
    const box = h("input", { type: "checkbox" });
    box.checked = /** @type {any} */ (room)[key] ?? false;
    return { key, box, element: h("label", { class: "check" }, box, h("span", { text: label })) };
  });
  return {
    elements: [
      ...TEXTS.map((key) => field(w[key], texts[key])),
      field(w.capacity, numbers.capacity),
      field(w.slow, numbers.slow_mode),
      field(w.splitAt, numbers.split_at),
      ...flags.map((flag) => flag.element),
    ],
    /** What is different from how it is. @returns {Record<string, string | number | boolean>} */
    get value() {
      const all = /** @type {Record<string, string | number | boolean>} */ ({
        ...Object.fromEntries(TEXTS.map((key) => [key, texts[key].value])),
        ...Object.fromEntries(Object.entries(numbers).map(([key, input]) => [key, Math.trunc(Number(input.value))])),
        ...Object.fromEntries(flags.map((flag) => [flag.key, flag.box.checked])),
      });
      return Object.fromEntries(Object.entries(all).filter(([key, value]) => /** @type {any} */ (room)[key] !== value));
    },
  };
}

/** @param {Acting} acting @param {(text: string) => void} again @param {RoomSet} room */
function editAct(acting, again, room) {
  const fields = roomFields(room);
  return act({
    ask: words.room.edit,
    lead: words.room.editLead,
    yes: words.room.save,
    fields: fields.elements,
    act: async (reason) => {
      await acting.ask("change_room", { room: room.id, seen: room.revision, reason, ...fields.value });
      again(words.done);
    },
  });
}

/** @param {Acting} acting @param {(text: string) => void} again @param {RoomSet} room */
function slowAct(acting, again, room) {
  const seconds = numberInput(room.slow_mode, 0, 3_600);
  return act({
    ask: words.room.slowAsk,
    lead: words.room.slowLead,
    yes: words.room.slowYes,
    fields: [field(words.room.slowSeconds, seconds)],
    act: async (reason) => {
      await acting.ask("slow_room", {
        room: room.id,
        seen: room.revision,
        seconds: Math.trunc(Number(seconds.value)),
        reason,
      });
      again(words.done);
    },
  });
}

/** @param {Acting} acting @param {(text: string) => void} again @param {RoomSet} room */
function splitAct(acting, again, room) {
  const w = words.split;
  const parts = h(
    "select",
    {},
    h("option", { value: "", text: w.usual }),
    ...[2, 3, 4, 5, 6, 8, 10].map((n) => h("option", { value: String(n), text: String(n) })),
  );
  const preview = h("div", { class: "preview", role: "status" });
  /** @type {{seen: number, plan: string} | null} what was shown, and is to be done */
  let shown = null;
  parts.addEventListener("change", () => {
    shown = null;
    preview.replaceChildren();
  });
  async function look() {
    const ok = await acting.ask("plan_split", {
      room: room.id,
      ...(parts.value === "" ? {} : { parts: Number(parts.value) }),
    });
    shown = { seen: ok.revision, plan: ok.plan };
    preview.replaceChildren(h("h3", { text: w.preview }), ...ok.groups.map(groupOf));
    return shown;
  }
  const lookOrSay = () =>
    look().catch((no) => preview.replaceChildren(h("p", { class: "trouble", text: refusalWord(no) })));
  return act({
    ask: w.ask,
    lead: w.lead,
    yes: w.yes,
    danger: true,
    fields: [field(w.parts, parts), button(w.look, () => void lookOrSay(), { class: "quiet" }), preview],
    act: async (reason) => {
      const plan = shown ?? (await look());
      try {
        const ok = await acting.ask("split", { room: room.id, reason, ...plan });
        again(w.done(ok.rooms.length));
      } catch (no) {
        if (!(no instanceof Refused) || no.code !== "room_changed") throw no;
        await look();
        throw new Refused({ code: "plan_changed", message: "", temporary: false });
      }
    },
  });
}

/** @param {{id: string, name: string}[]} group @param {number} nth */
function groupOf(group, nth) {
  const w = words.split;
  return h(
    "section",
    {},
    h("h4", { text: `${nth === 0 ? w.stays : w.goes(nth + 1)} (${group.length})` }),
    h("p", { text: group.map((person) => person.name).join(", ") }),
  );
}

// ------------------------------------------------------------------------------------------------ parts of both

/** @param {Acting} acting @param {(text: string) => void} again @param {string | null} room */
function announceAct(acting, again, room) {
  const w = words.notice;
  const said = h("textarea", { rows: 2, maxlength: 280, required: true });
  const minutes = numberInput(30, 1, 10_080);
  return act({
    ask: room === null ? w.askAll : w.ask,
    lead: room === null ? w.leadAll : w.lead,
    yes: w.yes,
    fields: [field(w.text, said), field(w.minutes, minutes)],
    act: async (reason) => {
      const fields = { text: said.value, minutes: Math.trunc(Number(minutes.value)), reason };
      await (room === null ? acting.ask("announce_all", fields) : acting.ask("announce", { room, ...fields }));
      again(words.done);
    },
  });
}

/** @param {Acting} acting @param {(text: string) => void} again @param {string | null} room */
function raidAct(acting, again, room) {
  const w = words.raid;
  const minutes = numberInput(60, 1, 1_440);
  const quiet = numberInput(10, 0, 1_440);
  return act({
    ask: room === null ? w.askAll : w.ask,
    lead: w.lead,
    yes: room === null ? w.yesAll : w.yes,
    danger: true,
    fields: [field(w.minutes, minutes), field(w.quiet, quiet)],
    act: async (reason) => {
      const fields = {
        minutes: Math.trunc(Number(minutes.value)),
        quiet_minutes: Math.trunc(Number(quiet.value)),
        reason,
      };
      await (room === null ? acting.ask("raid_all", fields) : acting.ask("raid", { room, ...fields }));
      again(words.done);
    },
  });
}

/**
 * What is announced and protected, each with its end.
 * @param {Acting} acting @param {Notice[]} notices @param {Raid[]} raids @param {(room: string) => string} named @param {(text: string) => void} again
 */
function standing(acting, notices, raids, named, again) {
  /** @param {{room?: string | null}} each */
  const where = ({ room }) =>
    room === undefined || room === null ? `${words.notice.everywhere}, ` : named(room) === "" ? "" : `${named(room)}, `;
  const rows = [
    ...notices.map((each) =>
      h(
        "li",
        {},
        h("p", { text: `“${each.text}”` }),
        h("p", { class: "soft", text: `${where(each)}${words.notice.until(momentWord(each.until))}` }),
        (acting.mayOperate || (each.room ?? null) !== null) &&
          act({
            ask: words.notice.withdraw,
            lead: words.notice.withdrawLead,
            yes: words.notice.withdrawYes,
            act: async (reason) => {
              await acting.ask("withdraw", { notice: each.id, reason });
              again(words.done);
            },
          }),
      ),
    ),
    ...raids.map((each) =>
      h(
        "li",
        {},
        h("p", { class: "marked", text: `${where(each)}${words.raid.until(momentWord(each.until))}` }),
        acting.mayOperate &&
          act({
            ask: words.raid.end,
            lead: words.raid.endLead,
            yes: words.raid.endYes,
            act: async (reason) => {
              await acting.ask("end_raid", { raid: each.id, reason });
              again(words.done);
            },
          }),
      ),
    ),
  ];
  return rows.length === 0 ? [] : [h("ul", { class: "standing-now" }, ...rows)];
}

// ------------------------------------------------------------------------------------------------ the house

/** @param {Acting} acting */
export function settingsSheet(acting) {
  sheetOf(words.settings.title, async (again) => {
    const house = await acting.ask("house", {});
    const now = standing(acting, house.notices, house.raids, acting.nameOf, again);
    const w = words.settings;
    const parts = [
      h("h3", { text: words.notice.title }),
      ...(now.length === 0 ? [h("p", { class: "soft", text: `${words.notice.none} ${words.raid.none}` })] : now),
    ];
    if (!acting.mayOperate) return parts;
    const hours = h("input", { type: "text", maxlength: 500, autocomplete: "off", value: house.hours });
    const zone = h("input", {
      type: "text",
      maxlength: 64,
      autocomplete: "off",
      required: true,
      value: house.timezone,
    });
    const fresh = roomFields({});
    return [
      ...parts,
      announceAct(acting, again, null),
      raidAct(acting, again, null),
      act({
        ask: w.open,
        lead: w.openLead,
        yes: w.openYes,
        fields: fresh.elements,
        act: async (reason) => {
          const ok = await acting.ask("open_room", { ...fresh.value, reason });
          again(w.opened(ok.room.name));
        },
      }),
      h("h3", { text: w.hours }),
      h("p", { text: w.hoursNow(house.hours, house.timezone) }),
      act({
        ask: w.hoursAsk,
        lead: w.hoursLead,
        yes: w.hoursYes,
        fields: [field(w.hoursField, hours), field(w.zone, zone)],
        act: async (reason) => {
          await acting.ask("set_hours", {
            hours: hours.value,
            timezone: zone.value,
            seen: house.hours_revision,
            reason,
          });
          again(words.done);
        },
      }),
    ];
  });
}

/** @param {Acting} acting @param {string} id @param {string} name */
export function workerSheet(acting, id, name) {
  const w = words.worker;
  sheetOf(w.title(name), (again) => {
    const drain = act({
      ask: w.ask,
      lead: w.lead,
      yes: w.yes,
      danger: true,
      act: async (reason) => {
        await acting.ask("drain", { worker: id, reason });
        again(w.done(name));
      },
    });
    const panel = drain.querySelector("form");
    if (panel !== null) show(panel, true);
    drain.querySelector("button")?.remove();
    return Promise.resolve([drain]);
  });
}
