import assert from "node:assert/strict";
import { test } from "node:test";

import { FEELINGS } from "../../web/js/locales/en-feelings.js";
import {
  formWord,
  inWord,
  leftWord,
  phaseName,
  seatsWord,
  words as groupWords,
} from "../../web/js/locales/en-meeting.js";
import { words as w } from "../../web/js/locales/en-meeting-room.js";
import { refusalWord } from "../../web/js/locales/en.js";
import { dayName, momentWord, whenWord } from "../../web/js/meetings/clock.js";
import { calendarFile } from "../../web/js/meetings/ics.js";
import { KeptMeetings } from "../../web/js/meetings/kept.js";
import { Meetings } from "../../web/js/meetings/meetings.js";
import { meetingRefusal } from "../../web/js/meetings/refusal.js";
import {
  areDoorsOpen,
  datesOf,
  initialMeetings,
  inOrder,
  soonMeeting,
  presentMeeting,
  reduce,
} from "../../web/js/meetings/state.js";
import { frames, MemoryStorage, settled } from "./kit.js";

const { groups: GROUPS, meeting: MEETING, push: PUSH, gone: GONE } = frames.meetings;
/** Quiet Wren in the share of an evening circle. */
const VIEW = MEETING.ok.meeting;
const [CARD] = GROUPS.ok.groups;
const NOW = VIEW.turn.since + 60_000;
const plain = (text) => text.replace(/\s/g, " ");
const after = (...events) => events.reduce(reduce, initialMeetings());

// ---------------------------------------------------------------------------------------------- what is known

test("a meeting's newest view is kept, and changes its date in the card of its group", () => {
  const date = CARD.dates[0];
  const view = { ...VIEW, version: 7, free: 1, place: "waiting", called_until: NOW };
  const state = after({ type: "groups", groups: [CARD] }, { type: "meeting", meeting: view });
  assert.deepEqual(
    { ...state.groups[0].dates[0] },
    {
      ...date,
      stage: "live",
      free: 1,
      seats: 6,
      place: "waiting",
      called_until: NOW,
      starts_at: VIEW.starts_at,
      doors_at: VIEW.doors_at,
    },
  );
  assert.equal(reduce(state, { type: "meeting", meeting: { ...view, version: 6 } }), state);
  const off = reduce(state, {
    type: "meeting",
    meeting: { ...view, version: 8, place: undefined, called_until: undefined },
  });
  assert.equal("place" in off.groups[0].dates[0], false);
});

test("groups stand in the order in which they meet, those without a date last, and no ended one", () => {
  const on = (id, ...starts) => ({
    ...CARD,
    id,
    name: id,
    dates: starts.map((starts_at) => ({ ...CARD.dates[0], starts_at })),
  });
  const live = { ...on("live"), dates: [{ ...CARD.dates[0], stage: "live", starts_at: 5 }] };
  const over = { ...on("over"), ended_at: 1 };
  const called = { ...on("called"), dates: [{ ...CARD.dates[0], stage: "cancelled", starts_at: 1 }] };
  const order = inOrder([called, on("late", 90, 20), over, on("soon", 10), live]).map(({ id }) => id);
  assert.deepEqual(order, ["live", "soon", "late", "called"]);
  assert.deepEqual(
    datesOf(on("late", 90, 20)).map((date) => date.starts_at),
    [20, 90],
  );
  const date = CARD.dates[0];
  assert.equal(areDoorsOpen(date, date.doors_at - 1), false);
  assert.equal(areDoorsOpen(date, date.doors_at), true);
});

test("who is in a meeting no more was sent out, or stepped out", () => {
  const there = { type: "meeting", meeting: { ...VIEW, version: 1 } };
  const out = after(there, { type: "meeting", meeting: { ...VIEW, version: 2, here: false, place: "listener" } });
  assert.equal(out.over[VIEW.id], "out");
  assert.equal(presentMeeting(out), undefined);
  const stepped = after(there, { type: "meeting", meeting: { ...VIEW, version: 2, here: false, place: undefined } });
  assert.equal(stepped.over[VIEW.id], "stepped out");
  const back = reduce(stepped, { type: "meeting", meeting: { ...VIEW, version: 3 } });
  assert.equal(VIEW.id in back.over, false);
  assert.equal(presentMeeting(back)?.id, VIEW.id);
  const ended = after(there, { type: "meeting", meeting: { ...VIEW, version: 2, here: false, stage: "ended" } });
  assert.equal(VIEW.id in ended.over, false);
});

test("a forgotten meeting is gone, and nothing of it is kept", () => {
  const state = after({ type: "meeting", meeting: VIEW }, { type: "gone", meeting: VIEW.id });
  assert.deepEqual([state.views, state.over], [{}, { [VIEW.id]: "gone" }]);
});

// ---------------------------------------------------------------------------------------------- asking and hearing

class Server {
  constructor(answers) {
    this.asked = [];
    this.socket = {};
    this.isOpen = true;
    this.answers = answers;
  }

  async patient(cmd, fields = {}) {
    this.asked.push({ cmd, ...fields });
    const answer = this.answers[cmd];
    if (answer instanceof Error) throw answer;
    return answer ?? { ok: "done" };
  }
}

function page(answers = {}) {
  const client = new Server({ groups: GROUPS.ok, meeting: MEETING.ok, enter: MEETING.ok, ...answers });
  const listeners = [];
  const entered = [];
  const forgotten = [];
  const session = {
    client,
    hears: new Set(),
    state: { link: { status: "open" }, lobby: [], rooms: {}, me: { id: "m_wren" }, skew: 0 },
    now: () => NOW,
    subscribe: (f) => listeners.push(f),
    vault: { forgetRoom: (room) => forgotten.push(room) },
    dropRoom: (room) => delete session.state.rooms[room],
    enter: async (room) => {
      entered.push(room);
      session.state.rooms[room] = {};
    },
  };
  const storage = new MemoryStorage();
  const meetings = new Meetings(session, new KeptMeetings(storage, { isWiped: false }));
  const changed = () => listeners.forEach((f) => f());
  return {
    client,
    session,
    meetings,
    storage,
    entered,
    forgotten,
    changed,
    of: (cmd) => client.asked.filter((a) => a.cmd === cmd),
  };
}

const refused = (code, details = {}) => Object.assign(new Error(code), { code, details, temporary: false });

test("groups are asked for when somebody looks, and one's own meetings are followed and remembered", async () => {
  const { meetings, of, storage } = page();
  await meetings.fetchGroups();
  await settled();
  assert.deepEqual(of("meeting"), [{ cmd: "meeting", meeting: VIEW.id }]);
  assert.deepEqual(
    JSON.parse(storage.getItem("chat.v1.meetings")).map(({ id, name }) => [id, name]),
    [[VIEW.id, CARD.name]],
  );
});

test("whoever enters is in the meeting's room, and is told of it again on a new connection", async () => {
  const { client, session, meetings, entered, of, changed } = page();
  changed();
  await meetings.enter(VIEW.id, 1, "share");
  assert.deepEqual(of("enter"), [{ cmd: "enter", meeting: VIEW.id, agreement: 1, side: "share" }]);
  assert.equal(session.state.rooms[VIEW.room] !== undefined, true);
  assert.ok(entered.includes(VIEW.room));
  client.socket = {};
  changed();
  await settled();
  assert.equal(of("meeting").length, 1);
  changed();
  assert.equal(of("meeting").length, 1, "once for each connection");
});

test("what is pushed is taken in, and what is forgotten is followed no more", async () => {
  const { session, meetings, client, changed, of } = page();
  changed();
  for (const hear of session.hears) hear({ ...PUSH, meeting: { ...PUSH.meeting, here: false } });
  assert.equal(meetings.state.views[VIEW.id].name, VIEW.name);
  await meetings.follow(VIEW.id);
  for (const hear of session.hears) hear(GONE);
  client.socket = {};
  changed();
  await settled();
  assert.equal(of("meeting").length, 1, "only when it was followed first");
  assert.equal(meetings.state.over[VIEW.id], "gone");
});

test("what is forgotten is forgotten on the device too", async () => {
  const { session, meetings, forgotten } = page();
  await meetings.enter(VIEW.id, 1, "share");
  assert.deepEqual(forgotten, []);
  for (const hear of session.hears) hear({ ...GONE, id: VIEW.id });
  assert.deepEqual(forgotten, [VIEW.room]);
  assert.equal(session.state.rooms[VIEW.room], undefined);
});

test("a meeting that is nothing of one's own is followed no more, and that is said", async () => {
  const { meetings } = page({ meeting: refused("meeting_unknown") });
  await assert.rejects(meetings.follow(VIEW.id), { code: "meeting_unknown" });
  assert.equal(meetings.followed.size, 0);
  assert.equal(meetings.state.over[VIEW.id], "gone");
});

test("another person on this page sees nothing of the one before", async () => {
  const { session, meetings, changed } = page();
  await meetings.fetchGroups();
  await settled();
  session.state = { ...session.state, me: null };
  changed();
  assert.deepEqual(meetings.state, initialMeetings());
  assert.equal(meetings.followed.size, 0);
});

test("after everything was wiped nothing is remembered any more", () => {
  const storage = new MemoryStorage();
  const vault = { isWiped: false };
  const kept = new KeptMeetings(storage, vault);
  kept.keep([{ id: "m--1", name: "Evening circle", at: NOW }]);
  assert.equal(kept.all.length, 1);
  storage.clear();
  vault.isWiped = true;
  kept.keep([{ id: "m--1", name: "Evening circle", at: NOW }]);
  assert.deepEqual(kept.all, []);
});

// ---------------------------------------------------------------------------------------------- in words

test("forms and phases have plain words, also those of a newer server", () => {
  assert.equal(formWord("circle"), "everyone gets an equal turn");
  for (const { kind } of VIEW.phases) assert.match(phaseName(kind), /^[A-Z]/);
  assert.equal(phaseName("slow_round"), "Slow round");
  assert.equal(formWord("newest"), "");
});

test("what is left is never said to be more than it is", () => {
  const said = [0, 9, 10, 45, 59, 60, 89, 90, 239, 299, 300, 659].map((s) => leftWord(s * 1000));
  assert.deepEqual(said, [
    "a few seconds left",
    "a few seconds left",
    "10 seconds left",
    "40 seconds left",
    "50 seconds left",
    "1 minute left",
    "1 minute left",
    "1½ minutes left",
    "3½ minutes left",
    "4½ minutes left",
    "5 minutes left",
    "10 minutes left",
  ]);
});

test("dates are said in the reader's own zone and words", () => {
  const now = Date.parse("2026-03-03T16:30Z");
  const zone = "Europe/Berlin";
  assert.equal(plain(whenWord(now + 2 * 3_600_000, now, zone)), "today at 7:30 PM, in 2 hours");
  assert.equal(plain(whenWord(now + 10 * 3_600_000, now, zone)), "tomorrow at 3:30 AM, in 10 hours");
  assert.equal(plain(momentWord(Date.parse("2026-03-06T18:30Z"), now, zone)), "Friday at 7:30 PM");
  assert.match(dayName(Date.parse("2026-03-20T18:30Z"), now, zone), /Friday.*March 20|Friday.*20 March/);
  assert.equal(dayName(Date.parse("2026-03-03T23:30Z"), now, "America/New_York"), "today");
  assert.deepEqual([30_000, 0, -90_000, 59 * 60_000, 40 * 3_600_000].map(inWord), [
    "in 1 minute",
    "beginning now",
    "began 1 minute ago",
    "in 59 minutes",
    "in 2 days",
  ]);
});

test("tomorrow is the next day, also where a day has 23 or 25 hours", () => {
  const zone = "Europe/Berlin";
  const say = (at_, now) => dayName(Date.parse(at_), Date.parse(now), zone);
  assert.equal(say("2026-03-29T23:30+02:00", "2026-03-28T23:30+01:00"), "tomorrow");
  assert.equal(say("2026-10-26T00:30+01:00", "2026-10-25T00:10+02:00"), "tomorrow");
  assert.equal(say("2026-10-25T23:30+01:00", "2026-10-25T00:10+02:00"), "today");
});

test("seats are said with who waits for them", () => {
  assert.deepEqual(
    [seatsWord(6, 6, 0), seatsWord(2, 6, 0), seatsWord(0, 6, 0), seatsWord(0, 6, 3)],
    ["all 6 seats are free", "2 of 6 seats free", "full", "full, three people on the waiting list"],
  );
});

// ---------------------------------------------------------------------------------------------- refusals

test("every refusal of a meeting is one true sentence, with the moment it names", () => {
  for (const code of Object.keys(groupWords.refusals))
    assert.notEqual(refusalWord(code), groupWords.refusalOther, code);
  const early = refused("not_yet", { doors_at: Date.parse("2026-03-03T18:20Z") });
  const now = Date.parse("2026-03-03T16:30Z");
  assert.equal(
    plain(meetingRefusal(early, now, "Europe/Berlin")),
    "The doors aren't open yet. You can go in today at 7:20 PM.",
  );
  assert.match(meetingRefusal(refused("too_many_sign_ups", { limit: 10 }), now), /10 meetings/);
  assert.match(meetingRefusal(refused("meeting_full"), now), /Every place in this meeting is taken/);
  assert.equal(meetingRefusal(refused("not_yet"), now), groupWords.refusals.not_yet);
});

test("the words are kind: no cold words, no exclamation marks but the one that raises a hand", () => {
  const said = [];
  const walk = (node) => {
    if (typeof node === "string") said.push(node);
    else if (typeof node === "function") said.push(node.length > 1 ? node("Evening circle", "today") : tried(node));
    else for (const inner of Object.values(node)) walk(inner);
  };
  walk([groupWords, w, FEELINGS]);
  for (const sentence of said.flat())
    assert.doesNotMatch(String(sentence).replace("“!”", ""), /\b(error|invalid|user|submit|oops|failed)\b|!/i);
});

/** A text called with a list, a number or a name, whichever it takes. */
function tried(make) {
  for (const given of [["Ann", "Ben"], 3, "Ann"]) {
    try {
      return make(given);
    } catch {
      // It takes something else.
    }
  }
  throw new Error(`nothing fits ${make}`);
}

// ---------------------------------------------------------------------------------------------- calendar

test("a calendar file has the dates, the chosen title, and nothing else that tells what it is", () => {
  let n = 0;
  const file = calendarFile({
    dates: [Date.parse("2026-03-03T18:30Z"), Date.parse("2026-03-10T18:30Z")],
    minutes: 71,
    title: "Reminder",
    now: Date.parse("2026-03-01T10:00Z"),
    newId: () => `id${(n += 1)}`,
  });
  assert.ok(file.startsWith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && file.endsWith("END:VCALENDAR\r\n"));
  assert.equal(file.match(/BEGIN:VEVENT/g)?.length, 2);
  assert.match(file, /DTSTART:20260303T183000Z\r\nDTEND:20260303T194100Z/);
  assert.match(file, /UID:id1[^]*UID:id2/);
  assert.match(file, /SUMMARY:Reminder\r\n/);
  assert.doesNotMatch(file, /URL:|Lamplight|circle|http|LOCATION/i);
  assert.ok(file.split("\r\n").every((line) => !line.includes("\n")));
});

test("a title keeps its commas and lines, and long lines are folded between characters", () => {
  const title = `Tea, cake; a\\b\n${"ü😀".repeat(40)}`;
  const file = calendarFile({
    dates: [NOW],
    minutes: 60,
    title,
    address: "https://x.example/",
    now: NOW,
    newId: () => "1",
  });
  for (const line of file.split("\r\n")) assert.ok(new TextEncoder().encode(line).length <= 75, line);
  const whole = file.replaceAll("\r\n ", "");
  assert.ok(whole.includes(`SUMMARY:Tea\\, cake\\; a\\\\b\\n${"ü😀".repeat(40)}\r\n`));
  assert.ok(whole.includes("URL:https://x.example/\r\n"));
  assert.doesNotMatch(file, /\ufffd/);
});

// ---------------------------------------------------------------------------------------------- reminders

test("whoever signed up is told on their next visit, once the doors are about to open", async () => {
  const { meetings, of, changed } = page();
  changed();
  meetings.kept.keep([{ id: VIEW.id, name: CARD.name, at: VIEW.starts_at }]);
  meetings.recall();
  await settled();
  assert.deepEqual(of("meeting"), [{ cmd: "meeting", meeting: VIEW.id }]);
  assert.equal(of("groups").length, 0);
});

test("one is reminded of a meeting that one is not in yet, and of one that was called off until that is seen", () => {
  const soon = { ...VIEW, here: false, stage: "announced", may: [] };
  const live = { ...soon, stage: "live", may: ["enter"] };
  const at = (now, view = soon, kept = []) => soonMeeting({ views: { [VIEW.id]: view } }, now, kept)?.id;
  assert.equal(at(VIEW.doors_at - 16 * 60_000), undefined);
  assert.equal(at(VIEW.doors_at - 14 * 60_000), VIEW.id);
  assert.equal(at(VIEW.doors_at, VIEW), undefined, "they are in it");
  assert.equal(at(VIEW.doors_at, { ...soon, place: undefined }), undefined);
  assert.equal(at(VIEW.starts_at, live), VIEW.id);
  assert.equal(at(VIEW.starts_at, { ...live, may: [] }), undefined, "they were sent out, or it is closing");
  assert.equal(at(VIEW.starts_at + 61 * 60_000, live), undefined);
  assert.equal(at(0, { ...soon, stage: "cancelled" }, [VIEW.id]), VIEW.id);
  assert.equal(at(0, { ...soon, stage: "cancelled" }), undefined);
});

test("a meeting that is over is remembered no more, and one to come until it was told of", async () => {
  const { meetings, client } = page({ meeting: refused("meeting_unknown") });
  client.isOpen = true;
  meetings.kept.keep([
    { id: "m--past", name: "A", at: NOW - 1 },
    { id: "m--ahead", name: "B", at: NOW + 1 },
  ]);
  for (const id of ["m--past", "m--ahead"]) await assert.rejects(meetings.follow(id));
  assert.deepEqual(
    meetings.kept.all.map(({ id }) => id),
    ["m--ahead"],
  );
  meetings.putAway("m--ahead");
  assert.deepEqual(meetings.kept.all, []);
});
