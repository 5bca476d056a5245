/** What is done with posts and people. Fetched with the panels that do it. */

import { count, words as common } from "./en.js";

export const words = {
  menu: (/** @type {string} */ name) => `For the post of ${name}`,
  react: "Say something with one touch",
  reply: "Answer this",
  edit: "Change it",
  remove: "Remove it",
  removeSure: "Remove this post for everybody? Only moderators can still see it, if it is reported before it fades.",
  removeYes: "Yes, remove it",
  keep: "Keep it",
  mute: (/** @type {string} */ name) => `Hide ${name}`,
  muteHint:
    "You won't see their posts, nor they when you are here or writing. They are not told. It goes with their name.",
  unhide: (/** @type {string} */ name) => `See ${name} again`,
  muted: (/** @type {string} */ name) => `You no longer see ${name}. You can undo this under “Your name and privacy”.`,
  keepIt: "Keep this for me",
  close: "Close",
};

/** What one writes about a post. */
export const about = {
  answering: (/** @type {string} */ name) => `Answering ${name}`,
  editing: "Changing your post",
  editLabel: "Change your post",
  editFirst: "Save your change first, or cancel it.",
  save: "Save the change",
  cancel: "Cancel",
};

export const people = {
  title: "Who is here",
  close: "Close",
  you: "you",
  others: (/** @type {number} */ n) => `and ${count(n, "other", "others")}`,
  alone: "Just you at the moment. People come and go at all hours.",
};

export const leaving = {
  leaveSure: "Leave this room? Your posts stay until they fade. You can come back any time.",
  leaveYes: "Yes, leave it",
  stay: "Stay",
};

Object.assign(common.refusals, {
  not_yours: "Only the person who wrote it can change it.",
  edit_too_late: "It can no longer be changed, but you can still remove it.",
  too_many_mutes: "You hide as many people as one person can.",
  member_unknown: "This person isn't here any more.",
});
