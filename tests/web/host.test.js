import assert from "node:assert/strict";
import { test } from "node:test";

import { TEMPLATES, words as w } from "../../web/js/locales/en-host.js";
import { datesOfSeries, isMoved, isZone, proposed } from "../../web/js/meetings/host/dates.js";
import {
  changing,
  differences,
  draftOfCard,
  draftOfTemplate,
  opening,
  problemsOf,
  rebased,
} from "../../web/js/meetings/host/draft.js";
import { FORMS, LIMITS, kindsOf, placesOf, plannedMinutes } from "../../web/js/meetings/host/forms.js";
import { HostMeetings } from "../../web/js/meetings/host/meetings.js";
import { hostRefusal } from "../../web/js/meetings/host/refusal.js";
import { linesIn, linesOf, presentLines, scriptOf } from "../../web/js/meetings/host/script.js";
import { initialHosting, lineAt, reduce, SAME_PRESS_MS, stepToSend } from "../../web/js/meetings/host/state.js";
import {
  concernsOf,
  countdown,
  leftOf,
  newsFor,
  nextOf,
  rowsOf,
  turnsAhead,
} from "../../web/js/meetings/host/steering.js";
import { frames, settled } from "./kit.js";

const { groups: GROUPS, meeting: MEETING, forms, limits } = frames.meetings;
/** A circle in its share: Brave Robin has the turn, Quiet Wren is next; Sam hosts. */
const VIEW = { ...MEETING.ok.meeting, may: ["step", "add_time", "pause", "send_out", "end_meeting", "step_out"] };
const [HOST, ROBIN, WREN] = VIEW.people.map(({ id }) => id);
const HOSTS = { ...VIEW, me: HOST, place: "host" };
const NOW = VIEW.turn.since + 60_000;
const CARD = {
  ...GROUPS.ok.groups[0],
  mine: true,
  script: ["Hello.", "[checkin] One line each."],
  hosts: [
    { id: "m_sam", name: "Sam" },
    { id: "m_kim", name: "Kim" },
  ],
  revision: 3,
};
const plain = (text) => text.replace(/\s/g, " ");
const live = (kind, fields = {}) => {
  const { turn: _, order: __, ...rest } = HOSTS;
  return { ...rest, phase: VIEW.phases.findIndex((each) => each.kind === kind), ...fields };
};

// ---------------------------------------------------------------------------------------------- groups

test("forms and limits are those of the server", () => {
  assert.deepEqual(FORMS, forms);
  assert.deepEqual(LIMITS, limits);
});

test("every template is a group that the server would open", () => {
  assert.deepEqual(
    TEMPLATES.map(({ title }) => title),
    ["Equal circle", "Raised hands", "Tools hour", "Themed talk", "Quiet together"],
  );
  for (const template of TEMPLATES) {
    const draft = { ...draftOfTemplate(template, "en"), about: "For tonight." };
    assert.deepEqual(problemsOf(draft), [], template.title);
    const kinds = kindsOf(template.form).map(([kind]) => kind);
    for (const kind of [...Object.keys(template.script), ...Object.keys(template.minutes)])
      assert.ok(kinds.includes(kind), `${template.title}: ${kind}`);
  }
});

test("only the lengths that differ from the form's are sent, and all of them are counted", () => {
  const tools = { ...draftOfTemplate(TEMPLATES[2], "en"), about: "For tonight." };
  assert.deepEqual(opening(tools).minutes, { welcome: 5, checkin: 10, closing: 10 });
  assert.equal(plannedMinutes("themed", tools.minutes), 70);
  assert.equal(plannedMinutes("quiet", {}), 64);
  // Two minutes of answers for each of those who share.
  assert.equal(plannedMinutes("circle", {}, placesOf("circle", 6, 0)), 71 + 12);
  assert.deepEqual([placesOf("hands", 12, 0), placesOf("hands", 12, 1), placesOf("quiet", 15, 0)], [8, 12, 15]);
});

test("a draft says what the server would refuse, in the order of the form", () => {
  const draft = {
    ...draftOfTemplate(TEMPLATES[0], "en"),
    name: " ",
    about: "x".repeat(201),
    seats: 9,
    minutes: { ...draftOfTemplate(TEMPLATES[0], "en").minutes, open: 91, closing: Number.NaN },
    script: { welcome: ["x".repeat(495)], open: Array(41).fill("x") },
    cohosts: ["a", "b", "c", "d"],
  };
  assert.deepEqual(
    problemsOf(draft).map(({ field, kind, why }) => [field, kind, why].filter(Boolean).join(" ")),
    [
      "name empty",
      "about long",
      "seats number",
      "minutes open number",
      "minutes closing number",
      "script lines",
      "script welcome long",
      "cohosts many",
    ],
  );
});

test("a change sends only what is different, and keeps what a co-host changed meanwhile", () => {
  const base = draftOfCard(CARD);
  assert.deepEqual(changing(base, base), {});
  const mine = { ...base, name: "Late circle", about: "For me." };
  assert.deepEqual(changing(base, mine), { name: "Late circle", about: "For me." });
  const theirs = draftOfCard({ ...CARD, about: "For them.", seats: 8, script: ["Hi."] });
  const both = rebased(base, mine, theirs);
  assert.deepEqual(
    { name: both.name, about: both.about, seats: both.seats, script: both.script },
    { name: "Late circle", about: "For me.", seats: 8, script: { welcome: ["Hi."] } },
  );
  assert.deepEqual(changing(theirs, both), { name: "Late circle", about: "For me." });
  assert.deepEqual(differences(base, theirs), ["about", "script", "seats"]);
});

test("the co-hosts of a card are those after its owner", () => {
  assert.deepEqual(draftOfCard(CARD).cohosts, ["m_kim"]);
});

test("lines of a script are found by their phase, and go back as they came", () => {
  const kinds = VIEW.phases.map(({ kind }) => kind);
  const lines = ["Hello.", "[checkin] One line each.", "[quiet] Not in this form."];
  const script = scriptOf(lines, kinds);
  assert.deepEqual(script, { welcome: ["Hello.", "[quiet] Not in this form."], checkin: ["One line each."] });
  assert.deepEqual(scriptOf(linesOf(script, kinds), kinds), script);
  assert.deepEqual(scriptOf(["Hello."], ["gather", "quiet"]), { gather: ["Hello."] });
  assert.deepEqual(linesIn(" a \n\n b"), ["a", "b"]);
  assert.deepEqual(presentLines({ ...live("checkin"), script: lines }), ["One line each."]);
});

// ---------------------------------------------------------------------------------------------- dates

const shown = (series, zone = "Europe/Berlin") =>
  datesOfSeries({ zone, every: 1, times: 1, ...series }).map((at) => new Date(at).toISOString().slice(0, 16));

test("a series keeps its time of day when summer time begins and ends, as the server has it", () => {
  assert.deepEqual(shown({ first: "2026-03-22T19:30", times: 3 }), [
    "2026-03-22T18:30",
    "2026-03-29T17:30",
    "2026-04-05T17:30",
  ]);
  assert.deepEqual(shown({ first: "2026-10-18T19:30", every: 2, times: 2 }), ["2026-10-18T17:30", "2026-11-01T18:30"]);
});

test("a time that a day does not have moves forward, and is told; of one that it has twice the first is meant", () => {
  const series = { first: "2026-03-22T02:30", zone: "Europe/Berlin", every: 1, times: 2 };
  assert.deepEqual(shown(series), ["2026-03-22T01:30", "2026-03-29T01:30"]);
  assert.deepEqual(
    datesOfSeries(series).map((at) => isMoved(at, series)),
    [false, true],
  );
  assert.deepEqual(shown({ first: "2026-10-25T02:30" }), ["2026-10-25T00:30"]);
  assert.deepEqual(shown({ first: "2026-10-25T23:00" }, "Pacific/Kiritimati"), ["2026-10-25T09:00"]);
});

test("what is no time, no zone or no number makes no dates", () => {
  for (const fields of [
    { first: "2026-02-30T19:30" },
    { first: "T19:30" },
    { first: "2026-03-16T" },
    { first: "2026-03-16T19:30", zone: "Europe/Atlantis" },
    { first: "2026-03-16T19:30", zone: "" },
    { first: "2026-03-16T19:30", times: 0 },
    { first: "2026-03-16T19:30", times: 1.5 },
  ])
    assert.deepEqual(shown(fields), [], JSON.stringify(fields));
  assert.equal(isZone("America/Sao_Paulo"), true);
  assert.equal(proposed(Date.parse("2026-03-16T23:30Z"), "Europe/Berlin"), "2026-03-18T19:30");
});

// ---------------------------------------------------------------------------------------------- the page

test("after a reload somebody is back in their meeting, unless they were quicker", () => {
  const found = { type: "found", meeting: VIEW.id };
  assert.deepEqual(reduce(initialHosting(), found).screen, { name: "meeting", meeting: VIEW.id });
  const chosen = reduce(initialHosting(), { type: "go", screen: { name: "form", group: "", template: "circle" } });
  assert.equal(reduce(chosen, found), chosen);
});

test("two presses in a row are one step, also where the meeting has gone on between them", () => {
  const pressed = reduce(initialHosting(), { type: "pressed", meeting: VIEW.id, step: 6, at: NOW });
  assert.equal(stepToSend(initialHosting(), VIEW, NOW), 6);
  assert.equal(stepToSend(pressed, VIEW, NOW + 100), 6);
  assert.equal(stepToSend(pressed, { ...VIEW, step: 7 }, NOW + 100), null);
  assert.equal(stepToSend(pressed, { ...VIEW, step: 7 }, NOW + SAME_PRESS_MS), 7);
  assert.equal(stepToSend(pressed, { ...VIEW, id: "m--other", step: 7 }, NOW + 100), 7);
});

test("the script begins anew with each phase, and ends at its last line", () => {
  const line = (state, by, view = VIEW) => reduce(state, { type: "line", view, by, most: 2 });
  const second = line(initialHosting(), 1);
  assert.equal(lineAt(second, VIEW), 1);
  assert.equal(lineAt(line(second, 1), VIEW), 1);
  assert.equal(lineAt(line(line(second, -1), -1), VIEW), 0);
  assert.equal(lineAt(second, { ...VIEW, phase: 5 }), 0);
});

// ---------------------------------------------------------------------------------------------- the console

test("what goes on next is said: a turn, the end of a turn, a part, the end", () => {
  const next = (view) => nextOf({ no_crosstalk: true, ...view }, NOW).what;
  assert.equal(nextOf({ ...HOSTS, no_crosstalk: false }, NOW).what, "Kind words");
  assert.equal(next(HOSTS), "Quiet Wren's turn");
  assert.equal(next({ ...HOSTS, order: [] }), "Open time");
  assert.equal(next(live("gather")), "Welcome");
  assert.equal(next(live("closing")), w.console.end);
  const phases = [{ kind: "hands", minutes: 40 }];
  assert.equal(next({ ...HOSTS, phases, phase: 0, order: [], hands: [] }), "end Brave Robin's turn");
  assert.equal(next({ ...HOSTS, phases, phase: 0, order: [], hands: [WREN] }), "Quiet Wren's turn");
  assert.equal(next({ ...HOSTS, held: true }), w.console.goOn);
});

test("where nothing goes on yet, it is said why and until when", () => {
  const closed = { may: [], starts_at: NOW };
  const early = nextOf(live("gather", closed), NOW - 1);
  assert.equal(early.isOpen, false);
  assert.match(plain(early.why), /^You can begin at \d/);
  assert.match(plain(nextOf(live("prepare", closed), NOW).why), /^People who signed up can still come until \d/);
  assert.equal(nextOf(live("open", closed), NOW).why, w.console.notNow);
  assert.equal(nextOf(HOSTS, NOW).why, "");
  assert.equal(nextOf({ ...HOSTS, held: true, may: ["step", "pause"] }, NOW).isOpen, true);
});

test("the clock is the turn's, else the part's, and stands while the meeting is held", () => {
  assert.equal(leftOf(HOSTS, NOW), VIEW.turn.ends_at - NOW);
  assert.equal(leftOf({ ...HOSTS, turn: { ...VIEW.turn, over: true } }, NOW), null);
  assert.equal(leftOf({ ...HOSTS, held: true }, NOW), null);
  assert.equal(leftOf(live("open", { phase_until: NOW - 5 }), NOW), 0);
  assert.equal(leftOf(live("gather", { starts_at: NOW + 90_000, phase_until: NOW + 690_000 }), NOW), 90_000);
  assert.equal(countdown(605_999), "10:05");
});

test("people stand in the order of their turns, with what is to be known of each", () => {
  const rows = rowsOf(HOSTS, undefined, NOW);
  assert.deepEqual(
    rows.map(({ person }) => person.id),
    [ROBIN, WREN, HOST],
  );
  const facts = rows.map((row) => plain(row.facts.join(", ")));
  assert.equal(facts[0], "has the turn");
  assert.match(facts[1], /^turn at about \d/);
  assert.equal(facts[2], "you, host");
  assert.deepEqual(
    rows.map(({ maySendOut, hasTurn }) => [maySendOut, hasTurn]),
    [
      [true, true],
      [true, false],
      [false, false],
    ],
  );
  assert.deepEqual(
    [...turnsAhead({ ...HOSTS, order: [WREN, HOST], allotment: 60 }, NOW)],
    [
      [WREN, VIEW.turn.ends_at],
      [HOST, VIEW.turn.ends_at + 60_000],
    ],
  );
  const lost = HOSTS.people.map((each) => (each.id === WREN ? { ...each, lost: true } : each));
  const [, wren] = rowsOf({ ...HOSTS, people: lost, order: [], passed: [WREN] }, undefined, NOW);
  assert.deepEqual(wren.facts, ["passed", "lost the connection"]);
});

test("raised hands stand in their order, and only they are called on", () => {
  const people = HOSTS.people.map((each) => (each.id === WREN ? { ...each, hand: true } : each));
  const phases = [{ kind: "hands", minutes: 40 }];
  const view = { ...HOSTS, people, phases, phase: 0, order: [], hands: [WREN], may: ["step", "call_on"] };
  const [robin, wren] = rowsOf(view, undefined, NOW);
  assert.deepEqual(wren.facts, ["hand is up, number 1"]);
  assert.deepEqual([robin.mayCallOn, wren.mayCallOn], [false, true]);
});

test("in a round it is shown who has written since it began", () => {
  const posts = { 1: { author: WREN, at: NOW - 2 }, 2: { author: ROBIN, at: NOW + 1 } };
  const rows = rowsOf(live("checkin", { phase_since: NOW }), { posts }, NOW);
  const of = (id) => rows.find(({ person }) => person.id === id)?.facts;
  assert.deepEqual([of(ROBIN), of(WREN)], [["has written"], ["not yet"]]);
});

test("news are told once: a part, a turn, its end, a hand, a lost connection, a pause", () => {
  assert.equal(newsFor(undefined, HOSTS), "");
  assert.equal(newsFor(HOSTS, HOSTS), "");
  assert.equal(newsFor(live("prepare"), HOSTS), "Sharing. Brave Robin has the turn.");
  const turn = { ...VIEW.turn, holder: WREN };
  assert.equal(newsFor(HOSTS, { ...HOSTS, turn, order: [] }), "Quiet Wren has the turn.");
  assert.equal(newsFor(HOSTS, { ...HOSTS, turn: { ...VIEW.turn, over: true } }), "Brave Robin's time is over.");
  assert.equal(newsFor(HOSTS, { ...HOSTS, hands: [WREN] }), "Quiet Wren raised a hand.");
  assert.equal(newsFor(HOSTS, { ...HOSTS, held: true }), w.console.held);
  const people = HOSTS.people.map((each) => (each.id === ROBIN ? { ...each, lost: true } : each));
  assert.equal(newsFor(HOSTS, { ...HOSTS, people }), "Brave Robin lost the connection.");
});

test("what planning is refused for is said in words that help", () => {
  const no = (problem) => ({ code: "invalid", details: { field: "$.dates", problem } });
  const { dates, hosts, many } = w.plan.refused;
  assert.equal(hostRefusal(no("an hour after a host's last meeting, and before the next"), NOW), hosts);
  assert.equal(hostRefusal(no("from 1 to 26 ahead"), NOW), many);
  assert.equal(hostRefusal(no("in the coming year"), NOW), dates);
  assert.equal(hostRefusal({ code: "group_changed", details: {} }, NOW), w.refusals.group_changed);
});

test("a listener is offered to whoever takes part and is not asked already; what screening found is told once", () => {
  const view = { ...HOSTS, may: ["aside"] };
  const offers = (people) => rowsOf({ ...view, people }, undefined, NOW).map(({ mayOffer }) => mayOffer);
  assert.deepEqual(offers(HOSTS.people), [true, true, false]);
  const asked = HOSTS.people.map((each) => (each.id === ROBIN ? { ...each, offered: true } : each));
  assert.deepEqual(offers(asked), [false, true, false]);
  assert.ok(rowsOf({ ...view, people: asked }, undefined, NOW)[0].facts.includes("is offered a listener"));
  const notes = [{ member: WREN, offset: 7, category: "self_harm", level: 3, at: NOW }];
  const said = "Quiet Wren: may be thinking of self-harm or suicide, now";
  assert.deepEqual(concernsOf({ ...HOSTS, notes }), [{ key: "7 self_harm", said }]);
  assert.equal(newsFor(HOSTS, { ...HOSTS, notes }), said);
  assert.equal(newsFor({ ...HOSTS, notes }, { ...HOSTS, notes }), "");
});

test("while people answer a share, the clock is that of the answers and the next turn is named", () => {
  const view = { ...live("share", { answers_until: NOW + 30_000 }), order: [WREN] };
  assert.equal(leftOf(view, NOW), 30_000);
  assert.equal(nextOf(view, NOW).what, "Quiet Wren's turn");
});

// ---------------------------------------------------------------------------------------------- what is asked

/** A session whose server answers what a test says. @param {Record<string, (fields: any) => any>} answers */
function sessionWith(answers) {
  const asked = [];
  const session = {
    state: { me: null, skew: 0, link: { status: "open" }, lobby: [], rooms: {} },
    now: () => NOW,
    hears: new Set(),
    subscribe() {},
    entered: [],
    async enter(room) {
      session.entered.push(room);
    },
    client: {
      isOpen: true,
      socket: {},
      async patient(cmd, fields) {
        asked.push([cmd, fields]);
        return answers[cmd]?.(fields) ?? { ok: "done" };
      },
    },
  };
  return { session, asked };
}

test("of the meetings ahead only those whose doors are open are asked for", async () => {
  const dates = [
    { ...CARD.dates[0], id: "m--live", stage: "live", doors_at: NOW - 1 },
    { ...CARD.dates[0], id: "m--later", doors_at: NOW + 1 },
  ];
  const other = { ...CARD, id: "g-other", mine: undefined, dates: [{ ...dates[0], id: "m--other" }] };
  const { session, asked } = sessionWith({
    groups: () => ({ groups: [{ ...CARD, dates }, other] }),
    meeting: ({ meeting }) => ({ meeting: { ...HOSTS, id: meeting, here: true } }),
  });
  const meetings = new HostMeetings(session);
  await meetings.begin();
  await settled();
  assert.deepEqual(
    asked.filter(([cmd]) => cmd === "meeting").map(([, { meeting }]) => meeting),
    ["m--live"],
  );
  assert.deepEqual(
    meetings.mine.map(({ id }) => id),
    [CARD.id],
  );
  assert.equal(meetings.present?.id, "m--live");
  assert.deepEqual(session.entered, [VIEW.room]);
});
