/** Signing out everywhere else. Fetched when somebody asks for it. */

export const words = {
  lead: "If somebody else may be using your name, for instance with your come-back code: this ends it in every other browser within a second. The code stops working too. Make a new one afterwards, and keep it to yourself.",
  yes: "Yes, sign out the others",
  no: "Keep it as it is",
  done: "Done. Only this browser is you now, and your old come-back code no longer works.",
};
