/** Everything the page knows of groups and meetings, and how one happening changes it. Pure: no clock, no storage, no DOM. */

/** @import {DateView, GroupCard, MeetingView} from "wire" */

/**
 * How a meeting is over for somebody before its end: they were sent out, stepped out, or it is forgotten.
 * @typedef {"out" | "stepped out" | "gone"} Over
 *
 * @typedef {object} Meetings
 * @property {GroupCard[] | null} groups  null: not asked for yet
 * @property {Record<string, MeetingView>} views  the newest view of each meeting that is followed
 * @property {Record<string, Over>} over
 *
 * @typedef {{type: "groups", groups: GroupCard[]}
 *   | {type: "group", group: GroupCard}
 *   | {type: "meeting", meeting: MeetingView}
 *   | {type: "stepped out", meeting: string}
 *   | {type: "gone", meeting: string}} MeetingHappening
 */

/** @returns {Meetings} */
export const initialMeetings = () => ({ groups: null, views: {}, over: {} });

/**
 * What each happening does. A happening that is not here cannot happen.
 * @type {{[K in MeetingHappening["type"]]: (state: Meetings, event: Extract<MeetingHappening, {type: K}>) => Meetings}}
 */
const AFTER = {
  groups: (state, { groups }) => ({ ...state, groups }),
  group: (state, { group }) => {
    const groups = state.groups ?? [];
    const isNew = groups.every((each) => each.id !== group.id);
    return {
      ...state,
      groups: isNew ? [...groups, group] : groups.map((each) => (each.id === group.id ? group : each)),
    };
  },
  meeting: (state, { meeting }) => {
    const before = state.views[meeting.id];
    if ((before?.version ?? 0) > (meeting.version ?? 0)) return state;
    return {
      ...state,
      groups: state.groups?.map((group) => inDates(group, meeting)) ?? null,
      views: { ...state.views, [meeting.id]: meeting },
      over: overAfter(state.over, before, meeting),
    };
  },
  "stepped out": (state, { meeting }) => ({ ...state, over: { ...state.over, [meeting]: "stepped out" } }),
  gone: (state, { meeting }) => {
    const { [meeting]: _, ...views } = state.views;
    return { ...state, views, over: { ...state.over, [meeting]: "gone" } };
  },
};

/** The state after a happening. @param {Meetings} state @param {MeetingHappening} event @returns {Meetings} */
export function reduce(state, event) {
  const after = /** @type {(state: Meetings, event: MeetingHappening) => Meetings} */ (AFTER[event.type]);
  return after(state, event);
}

/** A meeting's date in its group's card is as new as the meeting. @param {GroupCard} group @param {MeetingView} meeting @returns {GroupCard} */
function inDates(group, meeting) {
  if (group.id !== meeting.group) return group;
  const dates = group.dates.map((date) => (date.id === meeting.id ? newer(date, meeting) : date));
  return { ...group, dates };
}

/** @param {DateView} date @param {MeetingView} meeting @returns {DateView} */
function newer(date, { stage, free, seats, starts_at, doors_at, place, called_until }) {
  const { place: _, called_until: __, ...rest } = date;
  return {
    ...rest,
    stage,
    free,
    seats,
    starts_at,
    doors_at,
    ...(place !== undefined && { place }),
    ...(called_until !== undefined && { called_until }),
  };
}

/**
 * Whoever was in it and is not any more, though it goes on, stepped out, here or on another page of theirs, or was sent
 * out: only then a place for listening is left to them.
 * @param {Record<string, Over>} over @param {MeetingView | undefined} before @param {MeetingView} meeting
 * @returns {Record<string, Over>}
 */
function overAfter(over, before, meeting) {
  const { [meeting.id]: was, ...others } = over;
  if (meeting.here) return was === undefined ? over : others;
  if (before?.here !== true || meeting.stage !== "live" || was !== undefined) return over;
  return { ...over, [meeting.id]: meeting.place === "listener" ? "out" : "stepped out" };
}

/** The groups, one that meets now or soon first, and those without a date last. @param {readonly GroupCard[]} groups */
export function inOrder(groups) {
  const first = (/** @type {GroupCard} */ group) =>
    Math.min(...group.dates.filter(isAhead).map((date) => date.starts_at), Infinity);
  return groups
    .filter((group) => group.ended_at === undefined || group.dates.some(isAhead))
    .sort((a, b) => first(a) - first(b) || a.name.localeCompare(b.name));
}

/** It is live, or will be. @param {DateView} date */
export const isAhead = ({ stage }) => stage === "live" || stage === "announced";

/** The dates of a group that are live or ahead, in their order. @param {GroupCard} group */
export const datesOf = (group) => group.dates.filter(isAhead).sort((a, b) => a.starts_at - b.starts_at);

/** Whether one can go in. @param {DateView} date @param {number} now  by the server's clock */
export const areDoorsOpen = (date, now) => isAhead(date) && now >= date.doors_at;

/** The meetings that one has a part in. @param {Meetings} state */
export const ownDates = (state) =>
  (state.groups ?? []).flatMap((group) =>
    group.dates.filter((date) => date.place !== undefined).map((date) => ({ group, date })),
  );

const SOON_MS = 15 * 60_000;
const LATE_MS = 60 * 60_000;

/**
 * A meeting to be reminded of: one signed up for it, and it was called off, or its doors are open or will be soon.
 * @param {Meetings} state @param {number} now  by the server's clock @param {readonly string[]} kept  those signed up for
 * @returns {MeetingView | undefined}
 */
export const soonMeeting = ({ views }, now, kept) =>
  Object.values(views).find(({ id, here, place, stage, may, starts_at: at, doors_at: doors }) => {
    if (stage === "cancelled") return kept.includes(id);
    const isDue = now >= doors - SOON_MS && now < at + LATE_MS;
    // Whoever was sent out cannot enter, and nobody can while it closes.
    return isDue && here !== true && place !== undefined && (stage === "announced" || may.includes("enter"));
  });

/** The meeting that one is in and that goes on, if any. @param {Meetings} state @returns {MeetingView | undefined} */
export const presentMeeting = (state) =>
  Object.values(state.views).find(({ here, stage }) => here === true && stage === "live");
