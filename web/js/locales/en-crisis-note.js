/** Every word of the private note. Plain, short, kind and true. Another language is another file with these names. */

export const words = {
  label: "Only you see this note",
  lead: {
    self_harm: "That sounds very hard. You don't have to carry it alone.",
    method: "If this is about you: you don't have to carry it alone.",
    abuse: "If somebody is hurting you, it is not your fault, and there is help.",
    guess: "If this is a heavy moment: you don't have to carry it alone.",
    danger: "It is good that you say it. If anybody is in danger now, please call for help.",
  },
  how: "Your post is there as you wrote it. A moderator may look in, but we can't promise it. If it is urgent, please call.",
  howGuess:
    "The server guessed this from your words, and may be wrong. Your post is there as you wrote it. If it is urgent, please call.",
  lines: "Who to call",
  ask: "A listener",
  card: "My card",
  wrong: "Not what I meant",
  close: "Close",
};
