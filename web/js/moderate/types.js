/** The shapes of the moderators' page, as the server sends them. */

/** @import {Person, Post} from "../types.js" */

/**
 * @typedef {object} Report
 * @property {string} id
 * @property {number} at
 * @property {number} due_at
 * @property {string} room
 * @property {string} reason
 * @property {"open" | "claimed" | "closed"} status
 * @property {boolean} [is_call]
 * @property {number} [level]
 * @property {number} [offset]
 * @property {Person} [by]
 * @property {Person} [about]
 * @property {Person} [claimed_by]
 * @property {string} [outcome]
 * @property {string} [reply]
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
 * @property {string} [appeal]
 *
 * @typedef {object} Queue
 * @property {number} version
 * @property {Report[]} open
 * @property {number} open_count
 * @property {Report[]} closed
 * @property {Measure[]} measures
 * @property {number} unread_debriefs
 *
 * @typedef {{id: string, name: string, attendance: "slowed" | "read_only"}} AloneRoom
 *
 * @typedef {{report: Report, note: string, posts: Post[], notes: {by: Person, at: number, note: string}[], measures: Measure[]}} ReportFile
 * @typedef {{id: string, at: number, listener: Person, note: string, read_by?: Person}} Debrief
 *
 * @typedef {object} Office  what every part of this page is given
 * @property {(cmd: string, fields?: object) => Promise<any>} ask
 * @property {(cmd: string, fields?: object) => Promise<any>} askSurely  the same, for what may need the password again
 * @property {(cmd: string, fields: object, gate: string) => Promise<any>} fact
 * @property {(gate: string) => void} release
 * @property {Person} me
 * @property {(words: string) => void} say
 * @property {() => Queue | null} queue
 */

export {};
