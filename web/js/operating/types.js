/**
 * What the operators' page speaks of: what the wire carries (docs/protocol.md, "Load" and "Running the rooms"), under the
 * page's names, and what it shows. Types only; nothing here runs.
 *
 * @typedef {import("wire").RoomLoad} Row  what goes on in a room
 * @typedef {import("wire").PlaceView} Place
 * @typedef {import("wire").WorkerView} Worker
 * @typedef {import("wire").ListeningLoad} Floor
 * @typedef {import("wire").Alert} Concern
 * @typedef {import("wire").Totals} Totals
 * @typedef {import("wire").LoadPush} LoadPush
 * @typedef {import("wire").LoadOk} LoadOk
 * @typedef {import("wire").Room} RoomSet  a room as it is set
 * @typedef {import("wire").Notice} Notice
 * @typedef {import("wire").Raid} Raid
 * @typedef {import("wire").Figures} Figures
 * @typedef {import("wire").Simulation} Simulated
 * @typedef {import("wire").ScreeningOk} ScreeningOk
 * @typedef {import("wire").LevelView} LevelView
 * @typedef {import("wire").OutcomeSum} OutcomeSum
 *
 * @typedef {object} Picture  everything that is shown
 * @property {number} at
 * @property {ReadonlyMap<string, Place>} places
 * @property {ReadonlyMap<string, Row>} rooms
 * @property {ReadonlyMap<string, readonly number[]>} history
 * @property {number} step  ms between two numbers of a history
 * @property {Totals} totals
 * @property {Worker[]} workers
 * @property {Floor} floor
 * @property {Concern[]} attention
 * @property {number} concerns
 * @property {ReadonlySet<string>} changed  rooms that look different from the picture before
 *
 * @typedef {Place & Required<Omit<Row, "p50" | "p99">> & {p50: number | null, p99: number | null, isOpen: boolean}} Room
 *
 * @typedef {object} Acting  what acts are given
 * @property {(cmd: string, fields: object) => Promise<any>} ask
 * @property {(room: string) => string} nameOf
 * @property {boolean} mayOperate
 *
 * @typedef {{key: string, isDown: boolean}} Order
 */

export {};
