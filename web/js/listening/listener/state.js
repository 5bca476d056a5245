/** What follows from a console's view and the moment. Pure: no clock, no storage, no DOM. */

/** @import {TalkView} from "../../types.js" */
/** @import {ConsoleView, Profile} from "./types.js" */

const ASK_BEFORE_MS = 60_000;

/** A view is no fact: the newest is right. @param {ConsoleView | null} held @param {ConsoleView} next */
export function newer(held, next) {
  return held !== null && next.version < held.version ? held : next;
}

/** Talks' rooms that the view no longer names: they are forgotten, or somebody else's now. @param {string[]} rooms @param {ConsoleView} view */
export function untold(rooms, view) {
  return rooms.filter((room) => room.startsWith("s-") && !(view.sessions ?? []).some((talk) => talk.room === room));
}

/** Whether to ask "still there?", and what is left. @param {ConsoleView} view @param {number} now @returns {number | null} seconds */
export function leaseLeft(view, now) {
  if (!view.wants || view.lease_until === undefined || view.lease_until === null) return null;
  const left = view.lease_until - now;
  return left > ASK_BEFORE_MS || left <= 0 ? null : Math.ceil(left / 1000);
}

/** Conversations as they stand side by side: those that go on first, as they began; the ended after them, newest first. @param {ConsoleView} view */
export function talksOf(view) {
  const all = [...(view.sessions ?? [])];
  const live = all.filter((talk) => !talk.ended_at).sort((a, b) => a.started_at - b.started_at);
  const ended = all.filter((talk) => talk.ended_at).sort((a, b) => (b.ended_at ?? 0) - (a.ended_at ?? 0));
  return { live, ended };
}

/** @param {TalkView} talk */
export const seekerOf = (talk) => talk.people.find((person) => person.role === "seeker") ?? { id: "", name: "" };

/** Whether this listener holds the conversation; the other one helps. @param {TalkView} talk */
export const holds = (talk) => talk.people.find((person) => person.role === "listener")?.id === talk.me;

/** What was handed over since: conversations that went on without this listener. @param {ConsoleView | null} before @param {ConsoleView} view */
export function handedOver(before, view) {
  return (before?.sessions ?? []).filter(
    (talk) =>
      !talk.ended_at &&
      talk.invitation?.handover === true &&
      !(view.sessions ?? []).some((other) => other.id === talk.id),
  );
}

/** A profile from the fields of a form, as the server takes it. @param {Profile} profile @returns {Profile} */
export function tidyProfile(profile) {
  return {
    ...profile,
    openings: profile.openings
      .map((opening) => opening.trim())
      .filter((opening) => opening !== "")
      .slice(0, 12),
    needs: profile.needs.length > 0 ? profile.needs : ["listen", "think"],
  };
}
