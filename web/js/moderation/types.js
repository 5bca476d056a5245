/**
 * What the moderators' page speaks of: what the wire carries (docs/protocol.md, "Moderation"), under the page's names, and
 * what its parts are given. Types only; nothing here runs.
 *
 * @typedef {import("wire").ReportView} Report
 * @typedef {import("wire").ReportPageOk} ReportPage
 * @typedef {import("wire").MeasureView} Measure
 * @typedef {Omit<import("wire").ReportsOk, "ok">} Queue
 * @typedef {import("wire").AloneRoom} AloneRoom
 * @typedef {import("wire").ReportOk} ReportFile
 * @typedef {import("wire").EarlierVersion} Earlier
 * @typedef {import("wire").DebriefView} Debrief
 * @typedef {import("wire").DeclinesView} Declines
 *
 * @typedef {object} ModeratorApp  what every part of this page is given
 * @property {(cmd: string, fields?: object) => Promise<any>} ask
 * @property {(cmd: string, fields?: object) => Promise<any>} askWithReauth  the same, for what may need the password again
 * @property {(cmd: string, fields: object, gate: string) => Promise<any>} fact
 * @property {import("./session.js").ModeratorSession} session
 * @property {import("wire").Person} me
 * @property {(words: string) => void} say
 * @property {() => Queue | null} queue
 * @property {boolean} mayOperate
 * @property {(room: string) => string} roomName
 * @property {(room: string, offset?: number, epoch?: string) => void} openRoom
 */

export {};
