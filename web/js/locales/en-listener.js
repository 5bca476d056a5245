/** Every word of the listener's console. Plain, short, kind and true. Another language is another file with these names. */

import { duration, refusalWord as pageRefusalWord } from "./en.js";

/** @param {number} n */
const SMALL = (n) => ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][n] ?? String(n);
/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => (n === 1 ? `one ${one}` : `${SMALL(n)} ${many}`);
/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Why a pause. Said after "Paused until 21:40, because". @type {Record<string, string>} */
const PAUSES = {
  after_session: "a conversation has just ended. Stand up, drink something, look out of a window.",
  cool_down: "that was a heavy one. Take this time; you may use it to talk with somebody.",
  debrief: "the last conversation was heavy, and its note is still to be written. It is below.",
  declines:
    "several proposals passed you by in this hour. The next ones come in a while. A supervisor sees how many, not whose.",
  day_cap: "you have listened as much as is good in one day. Thank you. Rest is part of it.",
  week_cap: "you have listened as much as is good in one week. Thank you. Rest is part of it.",
};

/** Why this pairing. @type {Record<string, string>} */
const WHY = {
  came_back: "They have talked with you before and would like to again.",
  rather_with: "They would rather talk with somebody like you.",
  lived: "You know one of their topics from your own life.",
  lost_listener: "They lost their listener's connection, so they go first.",
  referred: "They come from a group whose host offered them to go first.",
  waited_longest: "They have waited longest.",
  free_longest: "You have been free longest.",
};

export const ROLES = /** @type {const} */ ({
  listener: "Listener",
  facilitator: "Facilitator",
  moderator: "Moderator",
  operator: "Operator",
});

export const TRAITS = /** @type {const} */ ({
  under_25: "under 25",
  "25_to_40": "25 to 40",
  "40_to_60": "40 to 60",
  over_60: "over 60",
});

export const words = {
  title: "Listening",
  waitingTitle: "Somebody is waiting",
  writtenTitle: (/** @type {number} */ n) => `${capital(count(n, "new message", "new messages"))} · Listening`,
  pages: {
    listen: "Listening",
    practice: "Practice",
    profile: "What I take on",
    groups: "Groups",
    company: "Company",
    account: "My account",
    team: "Team",
  },
  loadingPart: "One moment…",
  pagesLabel: "Parts of this page",
  ring: "A listener calls for a moderator.",
  ringGo: "Go to the reports",
  signIn: {
    title: "Sign in to listen",
    lead: "This is for people who listen here. If you are looking for somebody to talk with, the rooms are the right place.",
    rooms: "To the rooms",
    login: "Sign-in name",
    password: "Password",
    code: "Code from your authenticator app",
    codeLead:
      "Your account has a second step. Open your authenticator app and type the six digits it shows, or type a recovery code.",
    passkey: "Sign in with a passkey",
    enter: "Sign in",
    again: "Try again",
    unreachable: "We can't reach the server at the moment. Nothing is wrong with your account.",
    over: "Your sign-in is over, here or everywhere. Please sign in again. What you had written is still kept.",
    out: "You are signed out. Thank you for listening.",
    inviteTitle: "Welcome. Somebody would like you to listen here",
    inviteLead: "Choose how you sign in and how people here see you. The link works once.",
    loginLead: "Only for signing in; nobody else sees it. Small letters, digits, dots and hyphens.",
    name: "Name that others see",
    nameLead: "Choose something that can't lead back to you. Your role stands beside it.",
    passwordLead:
      "At least 12 characters. Three or four words that don't belong together are easy to keep and hard to guess.",
    accept: "Make my account",
    instead: "I have an account. Sign in instead",
    resetTitle: "Welcome back",
    resetLead:
      "Choose a new password. Your name, your roles and everything else are as they were. The link works once. Afterwards please turn your second step on again.",
    resetDo: "Set my password",
    broken:
      "This link isn't whole: something is missing at its end. Please copy all of it from the message, or ask for a new one.",
    reveal: "Show the password",
  },
  state: {
    label: "I'm listening now",
    on: "On",
    off: "Off",
    said: { on: "You are listening now.", off: "You are away. Nobody is sent to you." },
    practice:
      "Before your first conversation there is a practice one, and a short check. It takes about a quarter of an hour.",
    toPractice: "Go to the practice",
    away: "You are away. Nobody is sent to you.",
    free: "You are free. The next person who fits may be suggested to you.",
    busy: (/** @type {number} */ n) =>
      `You are with ${n === 1 ? "somebody" : `${SMALL(n)} people`}, as many as you take at once.`,
    some: (/** @type {number} */ n) =>
      `You are with ${n === 1 ? "somebody" : `${SMALL(n)} people`}, and free for another.`,
    last: (/** @type {number} */ n) =>
      `You are with ${n === 1 ? "somebody" : `${SMALL(n)} people`}. Nobody else is sent to you.`,
    paused: (/** @type {string} */ until, /** @type {string} */ why) =>
      `Paused until ${until}, because ${PAUSES[why] ?? "you have earned a rest."}`,
    debrief: `Paused, because ${PAUSES["debrief"] ?? ""}`,
    waiting: (/** @type {number} */ n, /** @type {number} */ seconds) => {
      if (n === 0) return "Nobody is waiting.";
      const who = n === 1 ? "One person is waiting" : `${capital(SMALL(n))} people are waiting`;
      if (seconds < 60) return `${who}.`;
      return `${who}, ${n === 1 ? "" : "the first "}for ${duration(seconds)}.`;
    },
    counts: (
      /** @type {number} */ d,
      /** @type {number} */ dayCap,
      /** @type {number} */ w,
      /** @type {number} */ weekCap,
    ) => `Conversations: ${d} of at most ${dayCap} in a day, ${w} of at most ${weekCap} in a week.`,
    still: "Still there?",
    stillLead:
      "You haven't done anything here for a while. If that goes on, you'll be set to away, so that nobody waits for an empty chair.",
    stillYes: "Yes, I'm here",
    stillLeft: (/** @type {number} */ s) => `About ${duration(s)} left.`,
    sounds: "Sounds",
    sound: "Sound when somebody waits for me",
    soundStill: "Sound for “Still there?”",
    soundTry: "Hear it",
    keys: "Keyboard",
    keysList: [
      ["Alt + Y", "talk with the person who waits"],
      ["Alt + N", "not now"],
      ["Alt + 1 to 4", "go to that conversation and write"],
      ["Enter", "send; Shift + Enter begins a new line"],
      ["Shift three times", "leave this page at once"],
    ],
    link: "This shows how things stood before the connection dropped.",
  },
  proposal: {
    title: "Somebody would like to talk",
    said: (/** @type {string} */ time) =>
      `Somebody would like to talk with you. You have ${time} to say. Alt and Y: talk. Alt and N: not now.`,
    waited: (/** @type {number} */ seconds) =>
      `${seconds < 60 ? "They have just asked." : `They have been waiting for ${duration(seconds)}.`} You learn their name when you begin.`,
    left: (/** @type {string} */ time) =>
      `${capital(time)} to decide. Then somebody else is asked, and that's all right.`,
    topics: "About",
    need: { listen: "Hopes for somebody who listens", think: "Hopes for help with thinking it through" },
    heavy: (/** @type {number} */ n) => `How heavy it feels: ${n} of 5`,
    minutes: (/** @type {number} */ n) => `Has about ${duration(n * 60)}`,
    language: (/** @type {string} */ name) => `In ${name}`,
    nothing: "They said nothing more. That is fine; many don't.",
    why: "Why you",
    heard:
      "If words sound as if somebody is in danger, theirs or yours, moderators are shown that one post. If the conversation is reported, they also see what was changed or taken back.",
    what: "What they said, and why you",
    accept: "Talk with them",
    decline: "Not now",
    declined: "All right. Somebody else is asked.",
  },
  whyWord: (/** @type {string} */ key) => WHY[key] ?? "",
  talks: {
    title: "Your conversations",
    none: "No conversation at the moment.",
    noneLead:
      "When somebody is suggested to you, a card comes up here, with a sound if you like. You can always say “Not now”.",
    tab: (/** @type {string} */ name, /** @type {number} */ n) =>
      n > 0 ? `${name}, ${count(n, "new message", "new messages")}` : name,
    label: (/** @type {string} */ name) => `Conversation with ${name}`,
    about: "What they said",
    openings: "First words",
    openingsNone: "Your own first words can be kept under “What I take on”.",
    more: "More",
    nobody: "Nobody was there",
    nobodyLead:
      "They have written nothing yet. Some people need a while for the first words. If you think nobody is there, you can end it here; it costs you no pause.",
    nobodyDone: "It has ended. You are free again.",
    colleague: "Ask a colleague",
    colleagueLead: "They are asked first whether they want this. Your colleague comes only then.",
    colleagueNone: "No other listener is here at the moment.",
    colleagueWho: "Whom?",
    busyColleague: (/** @type {string} */ name) => `${name}, busy just now`,
    join: "Ask them to join us",
    handover: "Hand over to them",
    waitsSeeker: (/** @type {string} */ name, /** @type {boolean} */ over) =>
      `Waiting for their word on ${name} ${over ? "taking over" : "joining"}.`,
    waitsListener: (/** @type {string} */ name) => `They said yes. Waiting for ${name}.`,
    joined: (/** @type {string} */ name) => `${name} is with you in this conversation.`,
    handed: (/** @type {string} */ name, /** @type {string} */ to) =>
      `${to} is with ${name} now. Thank you for handing over so gently.`,
    lost: "That conversation is over for you.",
    helping: (/** @type {string} */ name) => `${name} holds this conversation; you are helping.`,
    flag: "This is heavy for me",
    flagOn: "Marked as heavy. A longer pause follows, and a note to a supervisor. They don't see it.",
    flagSure:
      "A longer pause follows, and a note to a supervisor. They don't see it. Once it is over this can't be taken back.",
    flagYes: "Mark it as heavy",
    flagOff: "It isn't that heavy after all",
    call: "Call a moderator silently",
    callSure: "A moderator is told, with what was last written. Nothing shows on their side.",
    callYes: "Call a moderator",
    called: "A moderator has been told. Nothing shows on their side.",
    end: "End kindly",
    endTitle: "Your last line",
    endLead: "It is sent, and then the conversation ends. Change it until it sounds like you.",
    endLine:
      "I have to go now. Thank you for trusting me with this. Be gentle with yourself tonight; you can come back here at any hour.",
    endYes: "Send this and end",
    notYet: "Not yet",
    block: "Block",
    blockSure:
      "This ends the conversation at once, and you two never meet here again. They only see that it has ended.",
    blockYes: "End it and block",
    blockSureAfter: "You two never meet here again. They aren't told.",
    blockYesAfter: "Yes, block",
    blocked: "You two don't meet here again.",
    report: "Report",
    reportLead: "Moderators read it, with what was last written. It doesn't end the conversation.",
    reportLeadAfter: "Moderators read it, with what was last written. They aren't told.",
    reportWhat: "What happened?",
    reasons: {
      threat: "Threats or hate",
      sexual: "Sexual messages",
      danger: "Somebody is in danger",
      other: "Something else",
    },
    reportChoose: "Choose…",
    reportFirst: "Choose what happened first.",
    reportNote: "What should they know? (If you like)",
    reportYes: "Send this report",
    reported: "Thank you. The moderators have it.",
    cancel: "Cancel",
    ended: {
      you: "You ended this conversation.",
      other: "They ended this conversation. That is their right, and says nothing about you.",
      length: "The time was over, so this conversation ended.",
      idle: "It was quiet for long, so this conversation ended.",
      gone: "The connection was lost for long, so this conversation ended.",
      staff: "This conversation was ended by the people who run this place.",
    },
    until: (/** @type {string} */ time) => `You both can read it until ${time}. Then it is gone.`,
    again: "I'd talk with them again",
    againLead: "Nobody is told. Only if they say the same, they get words that lead to you.",
    putAway: "Put it away",
    kept: "Ended, and still kept",
    leftAt: (/** @type {string} */ time) => `handed over or left at ${time}`,
    leftTitle: "Conversations that you left",
    shelfLead: "They can be opened again, and reported, until they are gone.",
    lookBack: (/** @type {string} */ name, /** @type {string} */ until) =>
      until === "" ? name : `${name}, until ${until}`,
  },
  asked: {
    title: (/** @type {string} */ who) => `${who} asks for you`,
    join: (/** @type {string} */ seeker) => `Would you join the conversation with ${seeker}? They agreed.`,
    handover: (/** @type {string} */ seeker) => `Would you take over the conversation with ${seeker}? They agreed.`,
    yes: "Yes, I will",
    no: "Not now",
  },
  debrief: {
    title: "A note about you",
    lead: "The last conversation was heavy. Before the next one, write a few lines to a supervisor: how are you, and what would help? It is about you, not about the person you talked with.",
    label: "How are you after this?",
    yes: "Send the note",
    done: "Thank you. A supervisor reads it.",
  },
  practice: {
    title: "A conversation to practise with",
    lead: "Nobody is on the other side. Choose what you would say, see what comes back, and read why. You can do it as often as you like.",
    begin: "Begin",
    again: "Begin again",
    choose: "What do you say?",
    them: "They",
    you: "You",
    good: "Well said",
    think: "Worth a thought",
    try: "Try another answer",
    on: "Go on",
    over: "That was the conversation. The check below asks eight short questions about it.",
    checkTitle: "Before the first real one",
    checkLead: "A few questions. There is no score, and you can answer as often as you need.",
    check: "Look at my answers",
    missing: "Some questions have no answer yet.",
    passed: "You are ready. When you want, turn on “I'm listening now”.",
    toListen: "Go to listening",
    notYet: (/** @type {number} */ n) =>
      `${n === 1 ? "One answer is" : `${capital(SMALL(n))} answers are`} worth thinking about again. The reasons stand below them.`,
    done: "You have been through this already, and may listen. You can practise again at any time.",
  },
  profile: {
    title: "What I take on",
    lead: "The pairing goes by this. Nobody sees it as a list; it only keeps away what you'd rather not have.",
    languages: "Languages I can listen in",
    needs: "People who hope for",
    need: { listen: "somebody who listens", think: "help with thinking it through" },
    lived: "Topics I know from my own life",
    notTopics: "Topics I'd rather not take",
    traits: "My age, for those who would rather talk with somebody near theirs",
    traitNone: "I'd rather not say",
    minutes: "Longest conversation",
    minutesAny: "As long as it takes",
    minutesWord: (/** @type {number} */ n) => duration(n * 60),
    cap: "How many at once",
    capWord: (/** @type {number} */ n) => count(n, "person", "people"),
    openings: "First words of my own",
    openingsLead:
      "They stand beside a conversation, and go into the field with one touch. They are not sent until you send them.",
    opening: (/** @type {number} */ n) => `First words, number ${n}`,
    openingAdd: "Add another",
    openingRemove: (/** @type {number} */ n) => `Remove number ${n}`,
    save: "Keep this",
    saved: "Kept.",
    noLanguage: "Please choose at least one language.",
  },
  account: {
    title: "My account",
    who: (/** @type {string} */ name, /** @type {string} */ login) =>
      `Others see you as ${name}. You sign in as ${login}.`,
    signOut: "Sign out",
    signOutLead: "This browser then no longer knows you. What you wrote and was not sent is forgotten here.",
    signOutYes: "Yes, sign out",
    stay: "Stay",
    passwordTitle: "Change my password",
    current: "Password until now",
    next: "New password",
    change: "Change it",
    changed: "Your password is changed. Other devices are signed out.",
    passwordProof: "Then your password is the new one. Other devices are signed out.",
    loading: "One moment…",
    lost: "The rest of this page didn't arrive. Please load the page again.",
    operatorWaits: "You'll be an operator when another operator agrees, or a day after you got the role.",
    tries: {
      said: (/** @type {number} */ n, /** @type {string} */ when) =>
        `Since you were last here, somebody gave a wrong password or code for your account ${n === 1 ? "once" : `${n} times`}. The last time: ${when}.`,
      lead: "If that wasn't you, nothing has happened: they weren't let in. A second step or a passkey keeps it so.",
      seen: "All right",
    },
    confirm: "Please show that it's you",
    confirmLead: "What you are about to do is hard to take back. After this it's not asked again for ten minutes.",
    proofCode: "The six digits from your authenticator app",
    proofCodeLead: "Or one of your recovery codes.",
    byPasskey: "Use a passkey",
    confirmDo: "Go on",
    cancel: "Cancel",
  },
  team: {
    title: "Team",
    lead: "Everybody who works here. Nobody sees this but moderators and operators.",
    revoked: "no longer here",
    invite: "Invite somebody",
    inviteLead: "The link makes one account with these roles, once. Send it only to the person it is for.",
    inviteDo: "Make a link",
    inviteNone: "Please choose at least one role.",
    link: "Invitation link",
    until: (/** @type {string} */ time) => `It works until ${time}.`,
    copy: "Copy",
    copied: "Copied.",
    noCopy: "Copying isn't allowed here. Please mark the text and copy it.",
    roles: (/** @type {string} */ name) => `Roles of ${name}`,
    change: "Change",
    changeLead: "Other roles count at once, on every open page of theirs.",
    changeSave: "Keep these roles",
    revoke: "Take the account away",
    revokeSure: (/** @type {string} */ name) =>
      `${name} is signed out everywhere at once, also from conversations. This can't be taken back.`,
    revokeYes: "Yes, take it away",
    you: "you",
    secondStep: "second step on",
    waits: "operator after another one agrees, or after a day",
    reset: "Reset the account",
    resetSure: (/** @type {string} */ name) =>
      `For ${name}, who lost the password or the phone. They are signed out everywhere, and nothing opens the account but a link that you give them. They keep everything else. All operators see this.`,
    resetYes: "Yes, make the link",
    resetLink: (/** @type {string} */ name) => `Link for ${name}`,
    resetLinkLead: "Give it only to them, in a way that you know is theirs. It works once.",
  },
  passwordWhy: /** @type {Record<string, string>} */ ({
    short: "That is shorter than 12 characters.",
    long: "That is longer than we can keep.",
    repeated: "The same few letters come again and again. Please mix more.",
    login: "It is too much like your sign-in name.",
    common: "Many people have a password like this. Please choose another.",
  }),
  nameWhy: /** @type {Record<string, string>} */ ({
    login: "A sign-in name has small letters, digits, and dots or hyphens inside, up to 40.",
  }),
  refusals: /** @type {Record<string, string>} */ ({
    sign_in_refused:
      "This name and password don't fit together. Please look at both again; capitals matter in the password.",
    code: "Please type the six digits that your app shows right now, or a recovery code. Each works once.",
    new_code: "These aren't the digits that go with this picture. Please type those that the app shows right now.",
    passkey: "This passkey isn't known here. Please use another one, or your password.",
    passkey_none: "No passkey was chosen. You can try again, or use your password.",
    passkey_there: "This device has a passkey for your account already.",
    passkey_place: "Passkeys don't work at this address.",
    place: "Passkeys don't work at this address.",
    no_passkey: "You have no passkey for this address.",
    not_waiting: "This is settled already.",
    invitation_unknown: "This invitation was used already, or is too old. Please ask for a new one.",
    name_taken: "Somebody has this name already, or one that looks like it. Please choose another.",
    rate_limited: "That was tried often in a short time. Please wait a few minutes.",
    proposal_gone: "They aren't waiting for you any more. Nothing you did was wrong.",
    not_nobody: "They have written something, or have only just come.",
    line_missing: "Please leave them a line. It can be short.",
    session_over: "This conversation is over already.",
    session_unknown: "This conversation isn't here any more.",
    no_more_time: "It can't become longer than this.",
    not_holding: "Only the listener who holds this conversation can do that.",
    listener_busy: "They have no room for it at the moment.",
    not_ready: "Please go through the practice and the check first.",
    not_allowed: "This isn't yours to do here.",
    last_operator: "There must always be one operator. Make somebody else one first.",
    self: "You can't take this from yourself. Another operator can.",
    contact_details:
      "There seems to be a way to reach somebody elsewhere in it. Please leave it out; it keeps you both safe.",
    confirmation_required: "Please show first that it's you.",
    identity_required: "Your sign-in is over. Please load the page again.",
    origin_refused:
      "This page can't be used under the address that it has here: its server doesn't know it as its own. Trying again won't help. Whoever runs the server has to allow this address.",
  }),
};

/** @param {unknown} no @returns {string} what a refusal means, in words */
export function refusalWord(no) {
  const code = no instanceof Error && "code" in no ? String(no.code) : "";
  const details = no instanceof Error && "details" in no ? /** @type {Record<string, any>} */ (no.details) : {};
  const why = String(details["why"] ?? "");
  if (code === "password_weak") return words.passwordWhy[why] ?? words.passwordWhy["common"] ?? "";
  if (code === "name_refused" && words.nameWhy[why] !== undefined) return words.nameWhy[why];
  // Whoever has to wait is told that, whatever it is that was tried.
  return words.refusals[code === "rate_limited" ? code : why] ?? words.refusals[code] ?? pageRefusalWord(no);
}

export { duration };
