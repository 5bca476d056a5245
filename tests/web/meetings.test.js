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
import { actOfKey, actOfText, actsOf } from "../../web/js/meetings/acts.js";
import { dayName, momentWord, whenWord } from "../../web/js/meetings/clock.js";
import { afterTouch, feelingsLine } from "../../web/js/meetings/feelings.js";
import { calendarFile } from "../../web/js/meetings/ics.js";
import { KeptMeetings } from "../../web/js/meetings/kept.js";
import { Meetings } from "../../web/js/meetings/meetings.js";
import { meetingRefusal } from "../../web/js/meetings/refusal.js";
import {
  areDoorsOpen,
  datesOf,
  initialMeetings,
  inOrder,
  presentMeeting,
  reduce,
} from "../../web/js/meetings/state.js";
import { aboutPerson } from "../../web/js/meetings/strip.js";
import { closedWord, endWords, isLineDue, lineLeft, markOf, newsOf, stripOf } from "../../web/js/meetings/telling.js";
import { frames, MemoryStorage, settled } from "./kit.js";

const { groups: GROUPS, meeting: MEETING, push: PUSH, gone: GONE } = frames.meetings;
/** Quiet Wren in the share of an evening circle: Brave Robin has the turn, and she is next. */
const VIEW = MEETING.ok.meeting;
const [CARD] = GROUPS.ok.groups;
const [SAM, ROBIN, WREN] = VIEW.people;
const NOW = VIEW.turn.since + 60_000;
const PHASE = Object.fromEntries(VIEW.phases.map(({ kind }, index) => [kind, index]));
const at = (kind, fields = {}) => {
  const { turn: _, order: __, allotment: ___, ...rest } = VIEW;
  return { ...rest, phase: PHASE[kind], phase_until: NOW + 200_000, ...fields };
};
const voice = (fields) => ({
  who: "all",
  some: [],
  since: 0,
  once: false,
  length: 0,
  pace: 0,
  phase: "",
  until: null,
  ...fields,
});
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
  const session = {
    client,
    hears: new Set(),
    state: { link: { status: "open" }, lobby: [], rooms: {}, me: { id: "m_wren" }, skew: 0 },
    now: () => NOW,
    subscribe: (f) => listeners.push(f),
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

test("whose turn it is stands above the log, with what is left and one's own place", () => {
  const left = VIEW.turn.ends_at - NOW;
  assert.deepEqual(stripOf(VIEW, NOW), {
    name: "Sharing",
    part: "part 5 of 7",
    said: "Brave Robin is sharing.",
    left: leftWord(left),
    next: "You're next.",
    notes: [],
    isMine: false,
  });
  const mine = { ...VIEW, turn: { ...VIEW.turn, holder: WREN.id }, order: [ROBIN.id] };
  assert.deepEqual(
    [stripOf(mine, NOW).said, stripOf(mine, NOW).next, stripOf(mine, NOW).isMine],
    ["It's your turn.", "Brave Robin is next.", true],
  );
  assert.equal(stripOf({ ...VIEW, order: ["p_x", WREN.id] }, NOW).next, "You come after somebody.");
  assert.equal(stripOf({ ...VIEW, order: [ROBIN.id], passed: [WREN.id] }, NOW).next, w.passed);
  assert.equal(stripOf({ ...VIEW, order: [], aside: [WREN.id] }, NOW).next, w.aside);
  assert.equal(stripOf({ ...VIEW, order: [] }, NOW).next, `${w.hadTurn} ${w.last}`);
});

test("no time is said that nobody can know: in overtime, while it is paused, or past the estimate", () => {
  assert.equal(stripOf({ ...VIEW, turn: { ...VIEW.turn, over: true } }, NOW).left, "");
  assert.equal(stripOf({ ...VIEW, turn: { ...VIEW.turn, over: true } }, NOW).said, "Brave Robin is finishing.");
  assert.equal(stripOf({ ...VIEW, held: true }, NOW).left, "");
  assert.equal(stripOf({ ...VIEW, held: true }, NOW).said, w.held);
  assert.equal(stripOf(VIEW, VIEW.turn.ends_at + 5_000).left, "");
  assert.equal(stripOf(at("welcome", { phase_until: NOW - 1 }), NOW).left, "");
});

test("before the beginning it says when that is, and whom it waits for", () => {
  const gather = at("gather", { phase_until: VIEW.starts_at + 600_000 });
  assert.match(plain(stripOf(gather, VIEW.starts_at - 60_000).said), /^We begin at .*M\. Three people are here\.$/);
  assert.match(stripOf(gather, VIEW.starts_at).said, /as soon as the facilitator is ready/);
  assert.match(
    stripOf({ ...gather, people: [ROBIN, WREN] }, VIEW.starts_at).said,
    /isn't here yet\. We wait for them until/,
  );
  assert.match(
    stripOf({ ...gather, form: "quiet", people: [WREN] }, VIEW.starts_at).said,
    /in a moment\. Just you are here/,
  );
});

test("raised hands are counted, and one's own place among them", () => {
  const phases = [...VIEW.phases.slice(0, 4), { kind: "hands", minutes: 40 }];
  const hands = (...ids) => at("share", { phases, hands: ids });
  assert.equal(stripOf(hands(), NOW).said, w.handsNone);
  assert.equal(stripOf({ ...hands(), place: "listener" }, NOW).said, w.handsListen);
  assert.equal(stripOf(hands(WREN.id, ROBIN.id), NOW).next, "Two hands are up. Yours is next.");
  assert.equal(stripOf(hands(ROBIN.id, SAM.id, WREN.id), NOW).next, "Three hands are up. Before yours: 2.");
  assert.equal(stripOf(hands(ROBIN.id), NOW).next, "One hand is up.");
});

test("who has lost the connection is named, and so is the facilitator", () => {
  const lost = { ...VIEW, people: [{ ...SAM, lost: true }, { ...ROBIN, lost: true }, WREN], host_lost: true };
  assert.deepEqual(stripOf(lost, NOW).notes, [
    "Sam has lost the connection. The meeting goes on as planned.",
    "Brave Robin has lost the connection. Their place is kept.",
  ]);
  assert.equal(
    aboutPerson({ ...ROBIN, lost: true, hand: true }, VIEW),
    "has the turn, hand is up, lost the connection",
  );
  assert.equal(aboutPerson(WREN, VIEW), "you");
  assert.equal(aboutPerson(SAM, VIEW), "facilitator");
});

test("a phase of a newer server is shown by its name", () => {
  const strip = stripOf(at("share", { phases: [...VIEW.phases.slice(0, 4), { kind: "music", minutes: 3 }] }), NOW);
  assert.deepEqual([strip.name, strip.said, strip.next], ["Music", "", ""]);
});

// ---------------------------------------------------------------------------------------------- news

test("one's own turn is told at once, and everything else politely", () => {
  const mine = { ...VIEW, turn: { holder: WREN.id, since: NOW, ends_at: NOW + 660_000 }, order: [] };
  assert.deepEqual(newsOf(VIEW, mine, NOW), [
    { said: "It's your turn: 11 minutes left.", isUrgent: true, isTurn: true },
  ]);
  const [open] = newsOf(VIEW, at("open"), NOW);
  assert.deepEqual(open, { said: "Open time. Everybody may write, a little slowly.", isUrgent: false, isTurn: false });
  assert.equal(newsOf(VIEW, { ...VIEW, held: true }, NOW)[0].said, w.held);
  assert.equal(newsOf({ ...VIEW, held: true }, VIEW, NOW)[0].said, w.goesOn);
  assert.equal(newsOf({ ...VIEW, order: [SAM.id, WREN.id] }, VIEW, NOW)[0].said, "You're next, after Brave Robin.");
  assert.match(newsOf(VIEW, { ...VIEW, host_lost: true }, NOW)[0].said, /^Sam has lost the connection/);
  assert.equal(newsOf({ ...VIEW, place: "waiting" }, VIEW, NOW)[0].said, w.hasSeat);
  const overMine = { ...mine, turn: { ...mine.turn, over: true } };
  assert.equal(newsOf(mine, overMine, NOW)[0].said, w.mineOver);
});

test("nothing is news to somebody who has just come, or is not in it", () => {
  assert.deepEqual(newsOf(undefined, VIEW, NOW), []);
  assert.deepEqual(newsOf({ ...VIEW, here: false }, VIEW, NOW), []);
  assert.deepEqual(newsOf(VIEW, { ...VIEW, here: false, phase: 5 }, NOW), []);
  assert.deepEqual(newsOf(VIEW, { ...VIEW, version: 9 }, NOW), []);
});

test("the holder of a turn is told two minutes and half a minute before its end, once each", () => {
  const end = NOW + 660_000;
  const mine = { ...VIEW, turn: { holder: WREN.id, since: NOW, ends_at: end } };
  const told = [];
  for (let now = NOW; now <= end; now += 1_000) told.push(markOf(mine, now - 1_000, now));
  assert.deepEqual(told.filter(Boolean), [w.twoMinutes, w.halfMinute]);
  assert.equal(markOf(VIEW, VIEW.turn.ends_at - 121_000, VIEW.turn.ends_at - 119_000), "", "another's turn");
  assert.equal(markOf({ ...mine, held: true }, end - 121_000, end - 119_000), "");
  const short = { ...mine, turn: { ...mine.turn, since: end - 125_000 } };
  assert.equal(markOf(short, end - 121_000, end - 119_000), "", "it is as long as that from the beginning");
});

// ---------------------------------------------------------------------------------------------- writing

test("the composer says why nothing can be sent, and that what is written is kept", () => {
  const me = [WREN.id];
  const some = (...ids) => voice({ who: "some", some: ids });
  const none = voice({ who: "none" });
  assert.equal(
    closedWord(VIEW, some(ROBIN.id), me, false),
    "Brave Robin has the turn. What you write is kept here for yours.",
  );
  assert.equal(closedWord(VIEW, some("p_old", WREN.id), me, false), "");
  assert.match(closedWord({ ...VIEW, order: [] }, some(ROBIN.id), me, false), /kept here for the open time/);
  assert.equal(closedWord({ ...VIEW, place: "listener" }, some(ROBIN.id), me, false), w.closed.listen);
  assert.equal(closedWord(at("prepare"), none, me, false), w.closed.prepare);
  assert.equal(closedWord(at("welcome"), voice({ who: "hosts", some: [SAM.id] }), me, false), w.closed.welcome);
  assert.equal(closedWord({ ...VIEW, held: true }, voice({ who: "hosts", some: [SAM.id] }), me, false), w.closed.held);
  assert.equal(closedWord(at("open"), voice({ pace: 10 }), me, false), "");
  assert.equal(closedWord(at("open"), null, me, true), "");
  assert.equal(closedWord({ ...VIEW, stage: "ended" }, none, me, false), w.closed.over);
});

test("in a round one line can be sent, which has a length", () => {
  const round = voice({ once: true, length: 200 });
  const due = at("checkin", { may: ["pass"] });
  assert.equal(closedWord(due, round, [WREN.id], false), "");
  assert.equal(closedWord(due, round, [WREN.id], true), w.closed.sending);
  assert.equal(closedWord(at("checkin", { may: [] }), round, [WREN.id], false), w.closed.said);
  assert.deepEqual([isLineDue(due, "checkin"), isLineDue(due, "closing")], [true, false]);
  assert.equal(isLineDue(at("checkin", { may: [] }), "checkin"), false);
  assert.deepEqual(
    [lineLeft(round, "x".repeat(190)), lineLeft(round, "😀"), lineLeft(round, ""), lineLeft(voice({}), "x")],
    [10, 199, null, null],
  );
});

test("buttons are shown for what one may do, and for nothing that this page does not know", () => {
  const names = (fields) => actsOf({ ...VIEW, ...fields }).map(({ name }) => name);
  assert.deepEqual(names({ may: ["step_out", "later", "pass", "sing"] }), ["pass", "later"]);
  assert.deepEqual(names({ may: ["finish", "pass"] }), ["finish", "pass"]);
  assert.deepEqual(names({ may: ["pass"], passed: [WREN.id] }), ["back"]);
  assert.deepEqual(names({ may: ["raise"], hands: [] }), ["raise"]);
  assert.deepEqual(names({ may: ["raise"], hands: [WREN.id] }), ["lower"]);
  assert.deepEqual(names({ may: ["sit_back"], place: "seat" }), ["sitBack"]);
  assert.deepEqual(names({ may: ["sit_back"], place: "listener" }), ["sitUp"]);
  assert.deepEqual(names({ may: ["step", "pause", "send_out", "end_meeting"] }), []);
  assert.deepEqual(actsOf({ ...VIEW, may: ["raise"], hands: [WREN.id] })[0].fields, { on: false });
});

test("“!” alone raises a hand and “done” alone ends a turn, as the keys do", () => {
  const may = { ...VIEW, may: ["raise", "finish"] };
  assert.equal(actOfText(may, " ! ")?.cmd, "raise");
  assert.equal(actOfText(may, "Done")?.cmd, "finish");
  assert.equal(actOfText(may, "done with it all"), undefined);
  assert.equal(actOfText({ ...VIEW, may: [] }, "done"), undefined);
  assert.equal(actOfText({ ...VIEW, may: ["raise"], hands: [WREN.id] }, "!"), undefined, "it is up already");
  assert.equal(actOfKey(may, "H")?.cmd, "raise");
  assert.equal(actOfKey(may, "D")?.cmd, "finish");
  assert.equal(actOfKey(may, "X"), undefined);
});

test("there are 24 words for a feeling, each with a hint, and one says up to three", () => {
  const all = FEELINGS.flatMap(({ feelings }) => feelings);
  assert.deepEqual([FEELINGS.length, all.length, new Set(all.map(([word]) => word)).size], [4, 24, 24]);
  assert.ok(all.every(([word, hint]) => word !== "" && hint !== ""));
  const chosen = ["tired", "hopeful", "glad", "calm"].reduce(afterTouch, []);
  assert.equal(feelingsLine(chosen), "tired, hopeful, glad");
  assert.deepEqual(afterTouch(chosen, "hopeful"), ["tired", "glad"]);
  const longest = all.map(([word]) => word).sort((a, b) => b.length - a.length);
  assert.ok(feelingsLine(longest.slice(0, 3)).length <= 200, "it fits into one line of a round");
});

test("how it ended is said in a sentence, with when it is forgotten", () => {
  const ended = (ending) => endWords({ ...VIEW, stage: "ended", ending, forget_at: NOW });
  for (const ending of ["script", "host", "danger", "no_host", "too_few", "abandoned"]) {
    assert.ok(ended(ending)[0].length > 10, ending);
    assert.match(plain(ended(ending)[1]), /removed for everybody at \d/);
  }
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
