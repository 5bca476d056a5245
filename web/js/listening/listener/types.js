/**
 * What the console speaks of: the wire's views for listeners (docs/protocol.md, "One to one" and "Staff").
 * Types only; nothing here runs.
 *
 * @typedef {import("../../types.js").TalkView} TalkView
 * @typedef {"listener" | "facilitator" | "moderator" | "operator"} Role
 *
 * @typedef {object} SignedIn  the answer of /api/staff/me
 * @property {import("../../types.js").Person} member
 * @property {string} login
 * @property {Role[]} roles
 * @property {boolean} has_totp
 * @property {number} expires_at
 * @property {number} confirmed_until
 * @property {boolean} [has_passkey]
 * @property {number} [operator_from]
 * @property {number} [failed_tries]
 * @property {number} [last_failed_at]
 *
 * @typedef {object} Account  a row of the team
 * @property {import("../../types.js").Person} member
 * @property {string} login
 * @property {Role[]} roles
 * @property {boolean} has_totp
 * @property {number} created_at
 * @property {number} [revoked_at]
 * @property {number} [operator_from]
 *
 * @typedef {object} Profile
 * @property {string[]} languages
 * @property {string[]} traits
 * @property {string[]} lived
 * @property {string[]} not_topics
 * @property {("listen" | "think")[]} needs
 * @property {number | null} most_minutes
 * @property {number} cap
 * @property {string[]} openings
 *
 * @typedef {object} Proposal
 * @property {string} id
 * @property {number} asked_at
 * @property {number} deadline
 * @property {string[]} [topics]
 * @property {"listen" | "think"} [need]
 * @property {string} [language]
 * @property {number} [minutes]
 * @property {number} [heavy]
 * @property {string[]} [why]
 * @property {boolean} [came_back]
 * @property {boolean} [quiet]  no bell for this one
 *
 * @typedef {{id: string, seeker: import("../../types.js").Person, started_at: number, left_at: number, flagged: boolean}} LeftTalk
 *
 * @typedef {"after_session" | "cool_down" | "debrief" | "day_cap" | "week_cap" | "declines"} Pause
 *
 * @typedef {object} ConsoleView
 * @property {number} version
 * @property {"practice" | "away" | "free" | "busy" | "paused"} state
 * @property {boolean} wants
 * @property {Profile} profile
 * @property {number} most_cap
 * @property {number} today
 * @property {number} day_cap
 * @property {number} week
 * @property {number} week_cap
 * @property {number} waiting
 * @property {string[]} languages  what somebody who asks can choose
 * @property {string[]} [topics]  likewise
 * @property {Pause} [pause]
 * @property {number} [paused_until]
 * @property {number} [lease_until]
 * @property {number} [oldest_asked_at]
 * @property {string} [owes]
 * @property {Proposal} [proposal]
 * @property {TalkView[]} [invitations]
 * @property {TalkView[]} [sessions]
 * @property {LeftTalk[]} [left]  handed over, or left before the end
 * @property {{id: string, name: string, free: boolean}[]} [colleagues]
 *
 * @typedef {{text: string, reply: string[], advice: string, is_good: boolean, next: number | null}} Line
 * @typedef {{says: string[], answers: Line[]}} Scene
 * @typedef {{scenes: Scene[], questions: {text: string, answers: string[]}[]}} Practice
 *
 * @typedef {object} ListenerApp  what every part of the console is given
 * @property {import("./session.js").ListenerSession} session
 * @property {SignedIn} account
 * @property {(words: string) => void} say
 * @property {(words: string) => void} sayNow
 * @property {(page: string) => void} go
 * @property {import("../../shell/bell.js").Bell} bell
 * @property {Promise<unknown> | null} renewing  a new password, and with it a new sign-in, is under way
 *
 * @typedef {object} Part
 * @property {HTMLElement} element
 * @property {(view: ConsoleView | null, now: number) => void} [update]  `now` is by the server's clock
 * @property {() => void} [shown]
 * @property {() => void} [gone]
 */

export {};
