/** The shapes of the moderators' page, as the server sends them. */

/** @import {Person, Post} from "../types.js" */

/**
 * @typedef {object} Report
 * @property {string} id
 * @property {number} at
 * @property {number} due_at
 * @property {string} room
 * @property {string} reason
 * @property {"open" | "claimed" | "proposed" | "closed"} status  proposed: a second person has to agree with the outcome
 * @property {boolean} [is_call]
 * @property {number} [level]
 * @property {number} [offset]
 * @property {string} [epoch]  what that is an offset of
 * @property {Person} [by]
 * @property {Person} [about]
 * @property {Person} [claimed_by]
 * @property {string} [outcome]
 * @property {string} [reply]
 * @property {boolean} [about_staff]  for operators only, and closed by two of them
 * @property {Person} [taken_from]
 * @property {string} [taken_why]
 * @property {number} rank  3 is now, 2 a person's report, 1 a guess at words
 * @property {boolean} [new]  who reported, or wrote, had come less than an hour before
 * @property {number} [parts]  how many others it holds
 * @property {"words" | "reports"} [folds]  it holds a flood
 * @property {string} [card]
 * @property {string} [fold]
 * @property {number} [newest_at]
 *
 * @typedef {{reports: Report[], next?: string}} ReportPage
 *
 * @typedef {object} Measure
 * @property {string} id
 * @property {number} at
 * @property {string} kind
 * @property {Person} by
 * @property {Person} about
 * @property {string} reason
 * @property {number} expires_at
 * @property {string} [room]
 * @property {number} [lifted_at]
 * @property {string} [appeal]  empty where somebody else is to read it
 *
 * @typedef {object} Queue
 * @property {number} version
 * @property {Report[]} open
 * @property {number} open_count
 * @property {{now: number, reports: number, words: number}} ranks
 * @property {string} [next]
 * @property {Report[]} closed
 * @property {Measure[]} measures
 * @property {number} unread_debriefs
 *
 * @typedef {{id: string, name: string, attendance: "slowed" | "read_only"}} AloneRoom
 *
 * @typedef {{report: Report, note: string, posts: Post[], notes: {by: Person, at: number, note: string}[], measures: Measure[], earlier: Earlier[], network?: {others: number, newcomer: boolean} | null}} ReportFile
 * @typedef {{offset: number, author: string, name: string, text: string, at: number, until: number, ended: "edited" | "redacted" | "erased", warning?: string}} Earlier
 * @typedef {{id: string, at: number, listener: Person, note: string, read_by?: Person}} Debrief
 * @typedef {{listener: Person, hour: number, hour_cap: number, day: number, sessions: number}} Declines
 *
 * @typedef {object} ModeratorApp  what every part of this page is given
 * @property {(cmd: string, fields?: object) => Promise<any>} ask
 * @property {(cmd: string, fields?: object) => Promise<any>} askWithReauth  the same, for what may need the password again
 * @property {(cmd: string, fields: object, gate: string) => Promise<any>} fact
 * @property {import("./session.js").ModeratorSession} session
 * @property {Person} me
 * @property {(words: string) => void} say
 * @property {() => Queue | null} queue
 * @property {boolean} mayOperate
 * @property {(room: string) => string} roomName
 * @property {(room: string, offset?: number, epoch?: string) => void} openRoom
 */

export {};
