/** One's own corner: name, come-back code, privacy, look. Fetched when it is opened. */

import { words as common } from "./en.js";

export const words = {
  title: "Your name and privacy",
  back: "Back",
  nameTitle: "Your name here",
  nameLead:
    "Nobody needs to know who you are. Choose something that can't lead back to you. To others, a new name is a new person: in a room, they see one go and another come. To get away, leave the room first.",
  nameLabel: "Name",
  nameSave: "Use this name",
  nameDone: (/** @type {string} */ name) => `You are ${name} now.`,
  codeTitle: "Come back on another device",
  codeLead:
    "A come-back code is a few words that open this same name somewhere else. We can show it once. Keep it where only you look.",
  codeMake: "Make a come-back code",
  codeRemake: "Make a new code",
  codeHas: "You have a code. A new one makes the old one stop working.",
  codeShown: "Write it down now. It won't be shown again.",
  codeCopy: "Copy",
  codeCopied: "Copied.",
  codeNoCopy: "Copying isn't allowed here. Please write it down.",
  codeHide: "I have it, put it away",
  others: "Sign out everywhere else",
  restoreTitle: "Use a code you have",
  restoreLead: "This browser then becomes the person the code belongs to, instead of",
  restoreLabel: "Come-back code",
  restoreDo: "Come back with this code",
  restoreDone: (/** @type {string} */ name) => `Welcome back, ${name}.`,
  restoreWait: "Something you wrote is still on its way. Let it arrive, or remove it, and then try again.",
  hiddenTitle: "People you hide",
  hiddenNone: "You hide nobody.",
  hiddenSomebody: "Somebody you hid earlier",
  dataTitle: "What is kept about you",
  dataLead:
    "A name, the rooms you are in, your posts until they fade, also what you took back, your reactions, and whom you hide. No e-mail, no password, no address.",
  dataGet: "Save a copy of it all",
  forgetTitle: "Forget me on this browser",
  forgetLead:
    "For a shared computer. Your name stays, and only a come-back code can open it again. Your card goes from this browser, also a locked one.",
  forgetLeadNoCode:
    "For a shared computer. You have no come-back code, so nobody could open this name again, not even you. Your card goes from this browser, also a locked one.",
  forgetDo: "Forget me here",
  forgetYes: "Yes, forget me here",
  eraseTitle: "Erase me everywhere",
  eraseLead: "Removes your name and your posts. What stays for a while is said before you decide.",
  eraseDo: "Erase me",
  keep: "No, keep it",
  lookTitle: "How this page looks",
  theme: "Light or dark",
  themes: { auto: "Like my device", light: "Light", dark: "Dark" },
  size: "Size of the text",
  sizes: { normal: "Normal", large: "Large", larger: "Larger" },
  exitTitle: "Leaving quickly",
  exitLead:
    "“Leave now” or pressing Shift three times shows another site at once, and clears what this browser kept: your card too, unless you locked it and chose to keep it. Your browser's history may still name this address.",
};

export const gone = {
  title: "See you",
  forgotten: "This browser no longer knows you.",
  erased: "Your name and your posts are gone.",
  again: "Come in as somebody new",
};

Object.assign(common.refusals, {
  name_taken: "Somebody here has this name, or one that looks much like it. Maybe add a word to it?",
  name_refused: "This name can't be used here. Letters, digits, spaces and hyphens work, up to 24.",
  code_unknown: "We don't know this code. Please check the words, their order and the spelling.",
});
