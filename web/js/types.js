/**
 * The shapes that the other files speak of: what the wire carries, under the page's names, and what the page keeps.
 * Types only; nothing here runs.
 *
 * The module `wire` is made from the server's messages (`chatserver types`, docs/protocol.md).
 *
 * @typedef {import("wire").Person} Person
 * @typedef {import("wire").RoomPerson} RoomPerson
 * @typedef {import("wire").StreamPosition} Position
 * @typedef {import("wire").Reaction} Reaction
 * @typedef {import("wire").Room} Room
 * @typedef {import("wire").RoomCard} RoomCard
 * @typedef {import("wire").PostView} Post
 * @typedef {import("wire").HelloOk} HelloOk
 * @typedef {import("wire").JoinOk} JoinOk
 * @typedef {import("wire").HistoryOk} HistoryOk
 * @typedef {import("wire").FactOk} FactOk
 * @typedef {import("wire").ErrorBody} ErrorBody
 * @typedef {import("wire").FactPush} Fact
 * @typedef {import("wire").AnyPush} Push
 * @typedef {import("wire").SessionPerson} TalkPerson
 * @typedef {import("wire").SessionView} TalkView
 * @typedef {Omit<import("wire").StandingOk, "ok">} Standing
 * @typedef {Omit<import("wire").AskForListener, "cmd" | "id" | "agreement">} Wish
 * @typedef {import("wire").Notice} Notice
 * @typedef {import("wire").MovedPush} Moved
 * @typedef {import("wire").ModerationNoticesPush} Decisions
 * @typedef {Pick<import("wire").LimitsView, "frame_bytes" | "text_length" | "warning_length" | "rooms_per_connection"
 *   | "edit_seconds" | "ping_seconds">} Limits  those that the page keeps to
 *
 * What the page keeps.
 *
 * @typedef {Post & {epoch?: string}} EpochPost  a post that is being changed, and what its offset is of
 *
 * @typedef {object} Pending  a post of one's own that is not known to be durable yet
 * @property {string} id  the command's id; the same for every attempt
 * @property {string} room
 * @property {string} text
 * @property {string | null} warning
 * @property {number | null} replyTo
 * @property {number} at  when it was written, by this device's clock
 * @property {string | null} epoch  the room's position when it was written:
 * @property {number} after  only an own post later than this can be this one
 * @property {number | null} sentAt  when it first went to a socket, by this device's clock
 * @property {number} [doubts]  how often it was sent without anybody saying whether it arrived
 * @property {"waiting" | "sending" | "sent" | "refused" | "unsure"} status
 * @property {string | null} why  the refusal's code
 * @property {Record<string, any>} [details]  and what it says besides
 * @property {boolean} [anyway]  sent although it was refused for the contact details in it
 * @property {number | null} offset  its place, once acknowledged
 *
 * @typedef {object} RoomState
 * @property {string} id
 * @property {Room} room
 * @property {string} epoch
 * @property {number} position  everything up to this offset has been applied
 * @property {Record<number, Post>} posts
 * @property {Record<number, Reaction[]>} mine  one's own reactions by offset
 * @property {boolean} more  whether older posts are kept on the server
 * @property {boolean} thin  no page of posts has been fetched yet
 * @property {boolean} gap  part of what was missed has expired
 * @property {"no" | "since" | "fresh"} hole  something is missing and must be asked for, and how
 * @property {Record<number, Fact>} ahead  facts that arrived before what precedes them
 * @property {number} here
 * @property {RoomPerson[]} people
 * @property {number} read
 * @property {number} unread
 * @property {number | null} line  the unread line stands after this offset
 * @property {Record<string, number>} typing  member to the moment it is forgotten
 * @property {number} retention  seconds
 * @property {string[]} me  one's own ids here, under each of one's names, the newest first
 * @property {string[]} hidden  the ids here of those one hides
 *
 * @typedef {object} Link  the connection, as far as a person cares
 * @property {"starting" | "open" | "lost" | "stopped"} status
 * @property {"" | WaitsFor | StopsFor} why
 * @property {number | null} retryAt
 * @property {boolean} back  it was lost and is open again, with nothing missing
 *
 * @typedef {object} State
 * @property {Link} link
 * @property {Person | null} me
 * @property {boolean} hasCode
 * @property {Person[]} muted  those one hides, by the names that they had then
 * @property {Record<string, string>} names  the latest known name of a member
 * @property {Limits} limits
 * @property {number} skew  the server's clock minus this device's
 * @property {RoomCard[] | null} lobby
 * @property {Record<string, RoomState>} rooms
 * @property {string | null} open  the room on the screen
 * @property {boolean} away  the page is hidden
 * @property {Record<string, number>} inSight  rooms whose end is on the screen, and the newest post there
 * @property {Pending[]} pending
 * @property {Standing | null} standing  where one stands with one-to-one; null: not known yet
 * @property {Decisions | null} decisions  what moderators have to say; null: nothing was told
 * @property {Place} place
 *
 * @typedef {object} Place  what is announced, and where somebody's place is
 * @property {Notice[]} notices
 * @property {string[]} putAway  notices that are not to be shown again
 * @property {Moved | null} moved  their place is elsewhere, since a room was split
 * @property {Moved | null} followed  the one of these that was followed last
 * @property {RoomMove | null} move  on its way
 * @property {{from: Moved, to: string} | null} led  where they were led, until they say that it is fine
 * @property {Record<string, boolean>} seatless  rooms where they read without a seat: whether everybody knows
 * @property {"" | "failed" | "no seat"} trouble  what did not work the last time
 * @property {string[]} busy  what they are in the middle of: a change to a post, a report, an answer, a dialog
 *
 * @typedef {object} RoomMove  from one room to another, where their place is
 * @property {Moved} from
 * @property {string} at  the room that they leave
 * @property {string} to
 * @property {"waiting" | "going" | "leaving"} step  until they can go; until they are there; until what they wrote is sent
 * @property {boolean} [isAsked]  they chose it themselves
 */

/**
 * @typedef {{name: "lobby"} | {name: "you", view: typeof import("./rooms/views/you.js").youView} | {name: "meetings" | "card", place: string, view: (context: Context) => View} | {name: "asking"} | {name: "room", room: string}
 *   | {name: "agreement", room: string, title: string, text: string, version: number, again: boolean}
 *   | {name: "full", room: string, rooms: {id: string, name: string, here: number}[], limit?: number, view: typeof import("./rooms/views/full.js").fullView}
 *   | {name: "gone", how: "forgotten" | "erased", view: typeof import("./rooms/views/gone.js").goneView}} Screen
 *
 * @typedef {object} Context  what every view is given
 * @property {import("./rooms/session.js").Session} session
 * @property {(screen: Screen) => void} go
 * @property {() => void} back
 * @property {(room: string, agreement?: number, insteadOf?: string) => Promise<void>} enter  into a room, or to what stands before it; `insteadOf` is a room whose seat is given up for it
 * @property {(place: string) => Promise<void>} meet  to the groups that meet ("#groups"), to a group or to a meeting
 * @property {(words: string) => void} say  politely, for people who listen
 * @property {(words: string) => void} sayNow  at once: something one did, did not work
 *
 * @typedef {object} StandingLine
 * @property {(state: State, screen: string) => void} update
 *
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {(state: State) => void} [update]
 * @property {() => void} [shown]  after it is on the page
 * @property {() => void} [gone]  before it leaves the page
 */

/**
 * What may happen to the state.
 *
 * @typedef {{type: "link", link: Partial<Link>}
 *   | {type: "hello", ok: HelloOk, now: number}
 *   | {type: "lobby", rooms: RoomCard[]}
 *   | {type: "joined", ok: JoinOk, since: Position | null}
 *   | {type: "left", room: string}
 *   | {type: "history", room: string, ok: HistoryOk}
 *   | {type: "missing", room: string}
 *   | {type: "trimmed", room: string, most: number}
 *   | {type: "push", push: Push, now: number}
 *   | {type: "opened", room: string | null}
 *   | {type: "away", away: boolean}
 *   | {type: "in sight", room: string, offset: number | null}
 *   | {type: "read", room: string, offset: number}
 *   | {type: "mine", room: string, offset: number, reaction: Reaction, on: boolean}
 *   | {type: "named", names: Record<string, string>}
 *   | {type: "me", member: Person}
 *   | {type: "code made"}
 *   | {type: "put away", notice: string}
 *   | {type: "move", move: RoomMove | null, led?: {from: Moved, to: string} | null, trouble?: "" | "failed"}
 *   | {type: "move failed", move: RoomMove}
 *   | {type: "no seat", trouble: "" | "failed" | "no seat"}
 *   | {type: "seated", room: string}
 *   | {type: "busy", what: string, on: boolean}
 *   | {type: "tick", now: number}
 *   | {type: "written", post: Pending}
 *   | {type: "sending", id: string, now: number}
 *   | {type: "trouble", id: string, doubts: number}
 *   | {type: "refused", id: string, why: string, details?: Record<string, any>}
 *   | {type: "unsure", id: string}
 *   | {type: "again", id: string}
 *   | {type: "acked", id: string, offset: number | null}
 *   | {type: "dropped", id: string}} Happening
 */

/**
 * The connection.
 *
 * @typedef {{now: () => number, setTimeout: (f: () => void, ms: number) => any, clearTimeout: (t: any) => void}} Timers
 * @typedef {"network" | "draining" | "busy" | "crowd" | "tabs" | "blocked" | "server" | "store"} WaitsFor
 *   what keeps the connection away: the network, a worker that leaves, too many people, too many from this address, too
 *   many tabs of one's own, something that lets pages through and no sockets, a server that does not answer, its store
 * @typedef {"identity" | "refused" | "banned" | "out" | "origin" | "cookies"} StopsFor
 * @typedef {{status: "connecting"} | {status: "waiting", why: WaitsFor, until: number} | {status: "stopped", why: StopsFor}} Trouble
 * @typedef {object} ClientOptions
 * @property {string} url
 * @property {typeof WebSocket} WebSocket
 * @property {Timers} timers
 * @property {() => number} random
 * @property {() => string} newId
 * @property {object} [hello]  what hello says besides
 * @property {() => Promise<void>} prepare  makes sure that there is an identity; rejects when it cannot be reached
 * @property {() => Promise<void>} [reach]  asks over HTTP whether the server is there; rejects with Refused
 * @property {(ok: HelloOk) => void} onOpen
 * @property {(push: Push) => void} onPush
 * @property {(trouble: Trouble) => void} onTrouble
 */

/**
 * @typedef {object} Leaving  what is needed to leave at once
 * @property {Document} document
 * @property {Location} location
 * @property {Storage | null} local
 * @property {Storage | null} session
 * @property {EventTarget} page  told `chat:leaving` once the page is blank, so that nothing is written any more
 *
 * @typedef {object} FactHow
 * @property {string} gate  the room that it waits for
 * @property {string} [id]
 * @property {number} [doubts]  how often it went before, and nobody said whether it happened
 * @property {() => void} [onSending]
 * @property {(doubts: number) => void} [onWaiting]
 *
 * @typedef {object} FactEntry
 * @property {string} id
 * @property {string} cmd
 * @property {object} fields
 * @property {string} gate
 * @property {number} tries
 * @property {number} doubts  how often it went without anybody saying whether it happened
 * @property {boolean} flying
 * @property {any} timer
 * @property {() => void} onSending
 * @property {(doubts: number) => void} onWaiting
 * @property {(ok: any) => void} resolve
 * @property {(reason: import("./lib/client.js").Refused) => void} reject
 */

/**
 * @typedef {{text: string, warning: string | null, replyTo: number | null, epoch?: string, anyway?: boolean,
 *   editing?: {room: string, offset: number, epoch?: string, text: string, warning: string | null}}} Draft
 *   `editing`: a post that is being changed, and how far that is
 */

/**
 * Rows of the log.
 *
 * @typedef {{kind: "post", key: string, post: Post, mine: Reaction[], isMe: boolean, isJoined: boolean, quoted: Quote | null}} PostItem
 * @typedef {{kind: "pending", key: string, pending: Pending, me: Person, isJoined: boolean}} PendingItem
 * @typedef {{post: Post | undefined, isHidden: boolean}} Quote
 *
 * @typedef {object} LogHow
 * @property {HTMLElement} [scroller]  what scrolls, where it is not the page
 * @property {{empty: string, begin: string, posts: string}} [says]  where it is not a room of many
 * @property {boolean} [two]  there are just two people: nobody is to be hidden from here
 *
 * @typedef {object} Acts
 * @property {(offset: number, reaction: Reaction, on: boolean, epoch?: string) => void} react
 * @property {(offset: number) => void} jump
 * @property {(offset: number, from: HTMLElement) => void} menu
 * @property {boolean} [two]
 */

export {};
