/** The words about what opens an account, and of operators about accounts. Another language is another file with these names. */

/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

/** @type {Record<string, string>} */
const ROLES = { operator: "operator", moderator: "moderator", facilitator: "facilitator", listener: "listener" };
/** @param {string} detail  roles as the log has them */
const roles = (detail) =>
  detail
    .split(", ")
    .map((role) => ROLES[role] ?? role)
    .join(", ");

export const words = {
  factor: {
    title: "A second step when signing in",
    lead: "Besides your password, an app on your phone shows six digits that change every half minute.",
    isOn: "It is on.",
    isOff: "It is off.",
    left: (/** @type {number} */ n) =>
      n === 0
        ? "You have no recovery codes left. Please make new ones."
        : `You have ${count(n, "recovery code", "recovery codes")} left.`,
    begin: "Turn it on",
    replace: "Use another app",
    renew: "Make new recovery codes",
    renewLead: "The old codes stop working when you have the new ones.",
    off: "Turn it off",
    offLead: "Your password alone will open your account then. Other devices are signed out.",
    offDone: "The second step is off. Other devices are signed out.",
    scan: "Point the camera of your authenticator app at this picture.",
    qr: "QR code for your authenticator app",
    secret: "Or type this into the app:",
    link: "Or open it in an app on this device",
    code: "The six digits that the app shows now",
    on: "Turn it on now",
    onLead: "Then your second step is on, and other devices are signed out.",
    replaceLead:
      "Please show the second step that you had until now, or a recovery code. Other devices are signed out.",
    onDone: "The second step is on. Next time we'll ask for the digits.",
    cancel: "Cancel",
  },
  codes: {
    title: "Your recovery codes",
    lead: "If you lose your phone, one of these opens your account together with your password. Each works once. We can't show them again: write them down or print them, and keep them away from your phone.",
    kept: "I have kept them",
    copy: "Copy all",
    copied: "Copied.",
    noCopy: "Copying isn't allowed here. Please write them down.",
  },
  passkeys: {
    title: "Passkeys",
    lead: "A passkey is kept by your phone, your computer or a security key. It signs you in with your finger, your face or a PIN, without the password, and it can't be told to anybody by mistake.",
    none: "You have none yet.",
    name: "A name for the new passkey",
    nameLead: "Such as “My phone”. Only you see it.",
    nameMissing: "Please give it a name first.",
    add: "Add a passkey",
    addLead: "Then your device asks you to make the passkey. Other devices are signed out.",
    added: "The passkey is added. You can sign in with it from now on.",
    nowhere: "Passkeys need a safe connection (https), and don't work at an address that is only numbers.",
    unused: "Not used yet.",
    used: (/** @type {string} */ when) => `Last used: ${when}.`,
    elsewhere: "It was made at another address of this place and works only there.",
    remove: "Remove",
    removeLead: (/** @type {string} */ name) => `“${name}” opens nothing here any more. Other devices are signed out.`,
    removeYes: "Yes, remove it",
    removeProof: "Please show that it's you before the passkey goes.",
    removed: "The passkey is removed.",
    cancel: "Cancel",
  },
  elsewhere: {
    title: "Other devices",
    out: "Sign out everywhere else",
    lead: "All other devices are signed out, and we forget every other browser where you signed in before.",
    yes: "Yes, sign them out",
    done: "Done. Only this browser is signed in.",
    cancel: "Cancel",
  },
  acts: {
    title: "Accounts",
    lead: "What was done with the accounts of people who work here, newest first. Every line is an entry of the audit log.",
    none: "Nothing yet.",
    fresh: "new",
    more: "Show more",
    machine: "Somebody at the server",
    nobody: "Somebody",
    gone: "a deleted account",
    /** @type {Record<string, (by: string, about: string, detail: string) => string>} */
    said: {
      account_made: (by, about, detail) => `${by} made the account of ${about} (${roles(detail)}).`,
      account_invited: (by, _about, detail) => `${by} made an invitation (${roles(detail)}).`,
      account_accepted: (_by, about, detail) => `${about} accepted an invitation (${roles(detail)}).`,
      account_roles: (by, about, detail) => `${by} gave ${about} these roles: ${roles(detail)}.`,
      account_agreed: (by, about) => `${by} agreed that ${about} is an operator.`,
      account_revoked: (by, about) => `${by} took the account of ${about} away.`,
      account_erased: () => "Somebody who worked here erased their account.",
      account_reset: (by, about) => `${by} reset the account of ${about}. Its owner needs the link to come back.`,
      account_reset_used: (_by, about) => `${about} came back by a reset link.`,
      account_signed_in: (_by, about) => `${about} signed in.`,
      account_tried: (_by, about, detail) =>
        about === ""
          ? `${count(Number(detail), "wrong try", "wrong tries")} for names that nobody has.`
          : `${count(Number(detail), "wrong password or code", "wrong passwords or codes")} for ${about}.`,
      account_signed_out: (_by, about, detail) =>
        detail === "" ? `${about} signed out.` : `${about} signed out everywhere else.`,
      account_password: (_by, about) => `${about} changed the password.`,
      account_factor_on: (_by, about) => `${about} turned the second step on.`,
      account_factor_replaced: (_by, about) => `${about} replaced the second step.`,
      account_factor_off: (_by, about) => `${about} turned the second step off.`,
      account_passkey_added: (_by, about) => `${about} added a passkey.`,
      account_passkey_removed: (_by, about) => `${about} removed a passkey.`,
      account_recovery_made: (_by, about) => `${about} made new recovery codes.`,
      account_recovery_used: (_by, about, detail) => `${about} used a recovery code (${detail}).`,
      debriefs_read: (by) => `${by} was shown listeners' notes.`,
      debrief_read: (by, about) => `${by} marked a note of ${about} as read.`,
    },
    waitingTitle: "Operators who don't count yet",
    waiting: (/** @type {string} */ name, /** @type {string} */ when, /** @type {string} */ by) =>
      `${when}: ${name} becomes an operator, unless somebody takes the role away. ${by} gave the role.`,
    agree: "Agree now",
    agreeLead: (/** @type {string} */ name) =>
      `${name} can do everything here at once: rooms, bans, accounts. Agree only if you know that this is meant.`,
    agreeYes: "Yes, I agree",
    agreed: (/** @type {string} */ name) => `${name} is an operator now.`,
    mine: "You gave this role, so somebody else has to agree.",
    toTeam: "If it isn't meant, take the role away",
    team: "on the page of the team",
    cancel: "Cancel",
  },
};
