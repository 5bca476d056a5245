/**
 * The shapes that the other files speak of: what the wire carries (docs/protocol.md), and what the page keeps.
 * Types only; nothing here runs.
 *
 * @typedef {{id: string, name: string, role?: "moderator"}} Person
 * @typedef {{epoch: string, offset: number}} Position
 * @typedef {"with_you" | "same_here" | "strength" | "thank_you" | "hug"} Reaction
 *
 * @typedef {object} Room
 * @property {string} id
 * @property {string} name
 * @property {string} about
 * @property {string} topic
 * @property {string} welcome
 * @property {string} agreement
 * @property {number} agreement_version
 * @property {number} capacity
 * @property {number} slow_mode  least seconds between two posts of one person
 * @property {string} status
 * @property {string | null} [split_of]  the room that it was opened beside
 * @property {"attended" | "slowed" | "read_only"} attendance  how it is with the moderator whom it needs
 *
 * @typedef {object} RoomCard
 * @property {string} id
 * @property {string} name
 * @property {string} about
 * @property {number} here
 * @property {number} capacity
 * @property {number} slow_mode
 * @property {number} agreement_version
 * @property {boolean} agreed
 * @property {number} [unread]  given for rooms the member has joined
 * @property {boolean} [attended]  a moderator is in it
 *
 * @typedef {object} Post
 * @property {number} offset
 * @property {string} [epoch]  what that is an offset of, while it is being changed
 * @property {string} author
 * @property {string} name
 * @property {string} text
 * @property {number} at
 * @property {"moderator"} [role]
 * @property {string} [warning]
 * @property {number} [reply_to]
 * @property {number} [edited_at]
 * @property {boolean} [redacted]
 * @property {Partial<Record<Reaction, number>>} [reactions]
 *
 * @typedef {object} Limits
 * @property {number} frame_bytes
 * @property {number} text_length
 * @property {number} warning_length
 * @property {number} rooms_per_connection
 * @property {number} edit_seconds
 * @property {number} ping_seconds
 *
 * @typedef {object} HelloOk
 * @property {"hello"} ok
 * @property {number} version
 * @property {Person} member
 * @property {boolean} has_code
 * @property {Person[]} muted  those one hides, by the names that they had then
 * @property {Limits} limits
 * @property {number} now
 *
 * @typedef {object} JoinOk
 * @property {"join"} ok
 * @property {Room} room
 * @property {Position} position
 * @property {"page" | "exact" | "gap"} history
 * @property {Post[]} posts
 * @property {Record<string, Reaction[]>} mine
 * @property {Fact[]} missed
 * @property {boolean} [folded]  reactions that later ones replace are left out of it
 * @property {boolean} more
 * @property {number} here
 * @property {Person[]} people
 * @property {number} read
 * @property {number} unread
 * @property {number} retention_seconds
 * @property {string[]} me
 * @property {string[]} hidden
 *
 * @typedef {{ok: "history", position: Position, posts: Post[], mine: Record<string, Reaction[]>, more: boolean}} HistoryOk
 * @typedef {{ok: "fact", at: number, epoch?: string, offset?: number, care?: string}} FactOk
 * @typedef {{code: string, message: string, temporary: boolean, retry_after?: number,
 *   details?: Record<string, any>}} ErrorBody
 *
 * @typedef {{channel: string, epoch: string, offset: number, at: number}} FactBase
 * @typedef {FactBase & {push: "posted", post: Post}} PostedFact
 * @typedef {FactBase & {push: "edited", target: number, text: string, edited_at: number, warning?: string}} EditedFact
 * @typedef {FactBase & {push: "redacted", target: number}} RedactedFact
 * @typedef {FactBase & {push: "reacted", target: number, by: string, reaction: Reaction, on: boolean,
 *   counts: Partial<Record<Reaction, number>>}} ReactedFact
 * @typedef {FactBase & {push: "room_changed", room: Room}} RoomChangedFact
 * @typedef {PostedFact | EditedFact | RedactedFact | ReactedFact | RoomChangedFact} Fact
 *
 * @typedef {{push: "presence", channel: string, here: number, came: Person[], went: string[]}} PresencePush
 * @typedef {{push: "typing", channel: string, member: string}} TypingPush
 * @typedef {{push: "reading", channel: string}} ReadingPush
 * @typedef {{push: "read", room: string, offset: number}} ReadPush
 * @typedef {{push: "left", room: string}} LeftPush
 * @typedef {{push: "counts", here: Record<string, number>}} CountsPush
 * @typedef {{push: "gap", channel: string, position: Position}} GapPush
 * @typedef {{push: "self", member: Person, muted: Person[], rooms: Record<string, {me: string[], hidden: string[]}>}} SelfPush
 * @typedef {{push: "draining", reconnect_after: number}} DrainingPush
 * @typedef {Fact | PresencePush | TypingPush | ReadingPush | ReadPush | LeftPush | CountsPush | GapPush | SelfPush | DrainingPush | StandingPush | Decisions | Moved | Notices} Push
 *
 * One-to-one.
 *
 * @typedef {object} TalkPerson
 * @property {string} id
 * @property {string} name
 * @property {"seeker" | "listener"} role
 * @property {number} [gone_since]  they have no connection since then
 *
 * @typedef {object} TalkView  a session of one seeker and a listener, as one of its people sees it
 * @property {string} id
 * @property {string} room
 * @property {string} me  one's own id in it
 * @property {boolean} [hides]  one hides the other, or one of them
 * @property {TalkPerson[]} people
 * @property {number} started_at
 * @property {number} ends_at
 * @property {number} idle_at
 * @property {boolean} can_extend
 * @property {number} extension_minutes
 * @property {string[]} [extend]  who has asked for more time
 * @property {{listener: TalkPerson, handover?: boolean, waits_for: "seeker" | "listener"}} [invitation]
 * @property {string[]} [why]
 * @property {boolean} [flagged]
 * @property {number} [heavy]
 * @property {"listen" | "think"} [need]
 * @property {string[]} [topics]
 * @property {number} [ended_at]
 * @property {"you" | "other" | "length" | "idle" | "gone" | "staff"} [ending]
 * @property {number} [forget_at]
 * @property {boolean} [again]
 * @property {number} [heard]
 * @property {number} [heavy_after]
 * @property {boolean} [again_both]
 * @property {number} [nobody_at]  to a listener, until the seeker writes: from when on they may say that nobody is there
 *
 * @typedef {object} Standing  where one stands who asked, or might
 * @property {number} version
 * @property {"none" | "waiting" | "lapsed" | "session" | "ended"} state
 * @property {boolean} open
 * @property {number} listeners
 * @property {number} [free]
 * @property {boolean} [after_others]
 * @property {number} waiting
 * @property {number} kept_seconds
 * @property {number} length_minutes
 * @property {number} idle_minutes
 * @property {string[]} languages
 * @property {string[]} [topics]
 * @property {number} [opens_at]
 * @property {number} [place]
 * @property {number} [asked_at]
 * @property {number} [estimate_seconds]
 * @property {number} [estimate_from]
 * @property {boolean} [being_asked]
 * @property {boolean} [is_first]
 * @property {number} [lapsed_at]
 * @property {number} [gone_at]
 * @property {TalkView} [session]
 *
 * @typedef {Standing & {push: "standing"}} StandingPush
 *
 * @typedef {object} Wish  what one says when one asks; all of it optional
 * @property {string[]} [topics]
 * @property {"listen" | "think"} [need]
 * @property {string} [language]
 * @property {number} [minutes]
 * @property {string[]} [not_with]
 * @property {string[]} [rather_with]
 * @property {number} [heavy]
 * @property {string} [words]
 * @property {boolean} [only]
 *
 * What the page keeps.
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
 * @property {Person[]} people
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
 * @typedef {{name: "lobby"} | {name: "you", view: typeof import("./rooms/views/you.js").youView} | {name: "asking"} | {name: "room", room: string}
 *   | {name: "agreement", room: string, title: string, text: string, version: number, again: boolean}
 *   | {name: "full", room: string, rooms: {id: string, name: string, here: number}[], limit?: number, view: typeof import("./rooms/views/full.js").fullView}
 *   | {name: "gone", how: "forgotten" | "erased", view: typeof import("./rooms/views/gone.js").goneView}} Screen
 *
 * @typedef {object} Context  what every view is given
 * @property {import("./rooms/session.js").Session} session
 * @property {(screen: Screen) => void} go
 * @property {() => void} back
 * @property {(room: string, agreement?: number, insteadOf?: string) => Promise<void>} enter  into a room, or to what stands before it; `insteadOf` is a room whose seat is given up for it
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

/**
 * @typedef {{id: string, text: string, at: number, until: number, room?: string | null}} Notice
 * @typedef {{push: "notices", notices: Notice[]}} Notices
 * @typedef {{id: string, name: string, agreement_version: number}} PlaceToBe
 * @typedef {{push: "moved", room: string, to: PlaceToBe, beside: PlaceToBe[], at: number}} Moved
 */

/**
 * @typedef {object} Decisions  what moderators have to say, whole
 * @property {"matters"} push
 * @property {{id: string, kind: string, reason: string, until: number, room?: string, seen?: boolean, appealed?: boolean}[]} measures
 * @property {{id: string, outcome: string, reply: string}[]} answers
 */

export {};
