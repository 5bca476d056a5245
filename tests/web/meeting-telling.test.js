import assert from "node:assert/strict";
import { test } from "node:test";

import { FEELINGS } from "../../web/js/locales/en-feelings.js";
import { leftWord } from "../../web/js/locales/en-meeting.js";
import { words as w } from "../../web/js/locales/en-meeting-room.js";
import { actOfKey, actOfText, actsOf } from "../../web/js/meetings/acts.js";
import { afterTouch, feelingsLine } from "../../web/js/meetings/feelings.js";
import { aboutPerson } from "../../web/js/meetings/strip.js";
import {
  closedWord,
  endWords,
  isLineDue,
  isOffered,
  lineLeft,
  markOf,
  newsOf,
  stripOf,
} from "../../web/js/meetings/telling.js";
import { frames } from "./kit.js";

/** Quiet Wren in the share of an evening circle: Brave Robin has the turn, and she is next. */
const VIEW = frames.meetings.meeting.ok.meeting;
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

test("after a share everybody may answer, and it says for how long", () => {
  const { turn: _, ...rest } = VIEW;
  const answers = { ...rest, answers_until: NOW + 120_000 };
  const strip = stripOf(answers, NOW);
  assert.deepEqual([strip.name, strip.said, strip.left], ["Kind words", w.answers(""), "2 minutes left"]);
  assert.equal(stripOf(answers, NOW + 121_000).left, "");
  assert.match(newsOf(VIEW, answers, NOW)[0].said, /^A kind word/);
});

test("an offer to talk with one listener is shown while it stands", () => {
  const offered = { ...VIEW, may: ["answer_aside"], offered_until: NOW + 1 };
  assert.deepEqual([isOffered(offered, NOW), isOffered(offered, NOW + 1), isOffered(VIEW, NOW)], [true, false, false]);
  assert.equal(isOffered({ ...offered, may: [] }, NOW), false);
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
  assert.match(closedWord({ ...VIEW, order: [] }, some(ROBIN.id), me, false), /What you write is kept here\.$/);
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
