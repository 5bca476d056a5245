/** Being erased: what is said before it is done. Fetched when somebody asks for it. */

export const words = {
  goes: "What goes now",
  gone: [
    "Your name, your come-back code, your rooms and your place in the queue.",
    "The words of all your posts, for everybody who reads here. Unused parts of our files are cleared within two hours.",
    "What was flagged because you may have been in danger yourself.",
    "Your card in this browser, also a locked one. We never had it, so we can't remove one that is in another browser.",
  ],
  stays: "What stays for a while",
  kept: [
    "A sealed copy of your posts, until they would have faded anyway. Nobody reads it unless one of them is reported.",
    "Reports about you, and what you wrote that was flagged as harm to others. They are sealed for the moderators of that case, until 30 days after it is closed. Whoever runs this server may have chosen another number.",
    "A mute, removal or ban: that it was decided, why and until when, without your name.",
  ],
  sure: "This can't be undone. To be sure it is you, type the word below.",
  word: "erase",
  label: (/** @type {string} */ word) => `Type “${word}”`,
  yes: "Yes, erase me",
  keep: "No, keep it",
};
