/**
 * What the console speaks of: what the wire carries for listeners (docs/protocol.md, "One to one" and "Staff"), under the
 * page's names, and what its parts are given. Types only; nothing here runs.
 *
 * @typedef {import("wire").SessionView} TalkView
 * @typedef {import("wire").Role} Role
 * @typedef {import("wire").StaffResponse} SignedIn
 * @typedef {import("wire").AccountResponse} Account
 * @typedef {import("wire").ProfileView} Profile
 * @typedef {import("wire").ProposalView} Proposal
 * @typedef {import("wire").LeftSession} LeftTalk
 * @typedef {import("wire").Pause} Pause
 * @typedef {Omit<import("wire").ConsoleOk, "ok">} ConsoleView
 * @typedef {import("wire").SceneLine} Line
 * @typedef {import("wire").SceneView} Scene
 * @typedef {import("wire").PracticeOk} Practice
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
