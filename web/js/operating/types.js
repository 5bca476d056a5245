/**
 * What the operators' page speaks of: docs/protocol.md, "Load". Types only; nothing here runs.
 *
 * @typedef {object} Row  what goes on in a room
 * @property {string} id
 * @property {number} [members]
 * @property {number} [writers]
 * @property {number} [posts]
 * @property {number} [reactions]
 * @property {number} [behind]
 * @property {number} [outbox]
 * @property {number} [moderators]
 * @property {number} [p50]
 * @property {number} [p99]
 *
 * @typedef {{id: string, name: string, capacity: number, slow_mode?: number, status?: string}} Place
 *
 * @typedef {object} Worker
 * @property {string} id
 * @property {string} name
 * @property {string} version
 * @property {number} started_at
 * @property {number} age_ms
 * @property {number} connections
 * @property {number} cpu
 * @property {number} rss
 * @property {number} lag_ms
 * @property {number} [bus_ms]
 * @property {boolean} [is_attached]
 * @property {number} [dropped]
 * @property {number} [healed]
 * @property {number} [evictions]
 * @property {string} [store]
 * @property {number} [store_ms]
 * @property {number} [store_failures]
 * @property {boolean} [is_draining]
 * @property {number} [members]
 *
 * @typedef {object} Floor
 * @property {number} waiting
 * @property {number} oldest_wait_ms
 * @property {number | null} estimate
 * @property {number} estimate_from
 * @property {number} proposals
 * @property {number} sessions
 * @property {boolean} is_open
 * @property {Record<string, number>} listeners
 * @property {number} near_cap
 * @property {number} idle_ms
 * @property {Record<string, number>} broken
 *
 * @typedef {{kind: string, words: string, urgent?: boolean, room?: string, worker?: string}} Concern
 *
 * @typedef {object} Totals
 * @property {number} members
 * @property {number} connections
 * @property {number} posts
 * @property {number} reactions
 * @property {number} behind
 * @property {number} outbox
 * @property {number} occupied
 * @property {number} workers
 * @property {number | null} p50
 * @property {number | null} p99
 *
 * @typedef {object} LoadPush
 * @property {number} at
 * @property {Totals} totals
 * @property {Worker[]} workers
 * @property {Row[]} [rooms]
 * @property {Place[]} [places]
 * @property {string[]} [gone]
 * @property {Floor} [floor]
 * @property {Concern[]} [attention]
 * @property {number} [concerns]
 *
 * @typedef {Required<Omit<LoadPush, "gone">> & {here: string, history: Record<string, number[]>, history_seconds: number}} LoadOk
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
 * @typedef {object} RoomSet  a room as it is set
 * @property {string} id
 * @property {string} name
 * @property {string} about
 * @property {string} topic
 * @property {string} welcome
 * @property {string} agreement
 * @property {number} capacity
 * @property {number} slow_mode
 * @property {boolean} needs_moderator
 * @property {number} split_at
 * @property {string | null} split_of
 * @property {number} revision
 * @property {string} status
 *
 * @typedef {{id: string, text: string, until: number, room?: string | null}} Notice
 * @typedef {{id: string, until: number, room?: string | null}} Raid
 *
 * @typedef {{key: string, isDown: boolean}} Order
 */

/**
 * How a queue went, as `GET /api/staff/simulation` tells it. Waits in seconds.
 * @typedef {object} Figures
 * @property {number} asks
 * @property {number | null} half @property {number | null} nine_in_ten @property {number | null} longest
 * @property {{bound: "is" | "under" | "over", percent: number}} soon
 * @property {number | null} left @property {number | null} busy
 */

/**
 * @typedef {object} Simulated
 * @property {Figures} recorded @property {Figures} replayed @property {Figures} imagined
 */

export {};
