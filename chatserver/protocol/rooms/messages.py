"""The messages of rooms: entering and leaving, writing and reading, and what members of a room are told."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from chatserver.domain.errors import Reason
from chatserver.domain.history import ChannelName, Epoch, Millis, Offset, StreamPosition
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.moderation.crisis_phrases import Category
from chatserver.domain.people.shown_roles import ShownRole
from chatserver.domain.rooms.rooms import Reaction, Room, RoomId
from chatserver.protocol.fields import Command, EpochName, Fields, Place, RoomName, Text, Version
from chatserver.protocol.refusals import FACT, IN_ROOM, VOICE, WORDS


class ListRooms(Command, frozen=True, kw_only=True, tag="rooms"):
    """List the rooms of the lobby. With `watch`, `counts` pushes follow until it is sent again without."""

    answer: ClassVar[str] = "rooms"
    cost: ClassVar[float] = 2.0
    example: ClassVar[Fields] = {"watch": True}

    watch: bool = False


class JoinRoom(Command, frozen=True, kw_only=True, tag="join"):
    """Enter a room, accepting `agreement` (its version) if that was not done before.

    `since` is the last position seen: the reply then holds exactly what was missed, or says `gap`. `exact` insists on
    this very room instead of one beside it; `proof` is the answer to a `challenge`. `instead_of` gives one's seat in
    another room up for it, on all one's connections; they become readers there.
    """

    answer: ClassVar[str] = "join"
    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (
        Reason.ROOM_UNKNOWN,
        Reason.ROOM_CLOSED,
        Reason.ROOM_FULL,
        Reason.AGREEMENT_REQUIRED,
        Reason.TOO_MANY_ROOMS,
        Reason.SEATS_USED,
        Reason.ONLY_READING,
        Reason.REMOVED,
        Reason.BANNED,
        Reason.ROOM_SPLIT,
        Reason.CHALLENGE,
        Reason.JOINS_SLOWED,
    )
    example: ClassVar[Fields] = {"room": "sleep", "agreement": 1, "since": {"epoch": "b7Jk2mQx", "offset": 41}}

    room: RoomName
    agreement: Version | None = None
    since: StreamPosition | None = None
    exact: bool = False
    proof: Annotated[str, Meta(max_length=128)] | None = None
    instead_of: RoomName | None = None


class LeaveRoom(Command, frozen=True, kw_only=True, tag="leave"):
    """Leave a room for good. Closing the connection leaves no room."""

    refusals: ClassVar[tuple[Reason, ...]] = (Reason.ROOM_UNKNOWN,)
    example: ClassVar[Fields] = {"room": "sleep"}

    room: RoomName


class PostCommand(Command, frozen=True, kw_only=True, tag="post"):
    """Write in a room, where its `voice` lets one.

    `warning` is a content warning: the post is shown collapsed behind it. `reply_to` is a post of `epoch`. `anyway`
    sends a post that was refused for contact details, if the operator leaves that to the author.
    """

    answer: ClassVar[str] = "fact"
    refusals: ClassVar[tuple[Reason, ...]] = (
        *FACT,
        *IN_ROOM,
        *VOICE,
        *WORDS,
        Reason.SAID_ONCE,
        Reason.POST_UNKNOWN,
        Reason.EPOCH_STALE,
    )
    example: ClassVar[Fields] = {"room": "sleep", "text": "Yes. With you.", "reply_to": 41, "epoch": "b7Jk2mQx"}

    room: RoomName
    text: Text
    warning: Text | None = None
    reply_to: Place | None = None
    epoch: EpochName | None = None
    anyway: bool = False


class EditCommand(Command, frozen=True, kw_only=True, tag="edit"):
    """Change one's own post, for some minutes after it was written. `text` and `warning` replace what was there.

    While a room's `voice` does not let one write they may not be longer than what they replace. A post that somebody in
    the room is not shown, because they came later, cannot be changed: `edit_too_late`.
    """

    answer: ClassVar[str] = "fact"
    refusals: ClassVar[tuple[Reason, ...]] = (
        *FACT,
        *IN_ROOM,
        *VOICE,
        *WORDS,
        Reason.POST_UNKNOWN,
        Reason.POST_REDACTED,
        Reason.NOT_YOURS,
        Reason.EDIT_TOO_LATE,
        Reason.EPOCH_STALE,
    )
    example: ClassVar[Fields] = {"room": "sleep", "offset": 42, "epoch": "b7Jk2mQx", "text": "Yes. I am with you."}

    room: RoomName
    offset: Place
    epoch: EpochName | None = None
    text: Text
    warning: Text | None = None
    anyway: bool = False


class RedactCommand(Command, frozen=True, kw_only=True, tag="redact"):
    """Take back one's own post, at any time. Its place stays, its text is gone for everybody."""

    answer: ClassVar[str] = "fact"
    refusals: ClassVar[tuple[Reason, ...]] = (*FACT, Reason.POST_UNKNOWN, Reason.NOT_YOURS, Reason.EPOCH_STALE)
    example: ClassVar[Fields] = {"room": "sleep", "offset": 42, "epoch": "b7Jk2mQx"}

    room: RoomName
    offset: Place
    epoch: EpochName | None = None


class ReactCommand(Command, frozen=True, kw_only=True, tag="react"):
    """Put one's reaction on a post, or take it off again. If that is so already, nothing changes."""

    answer: ClassVar[str] = "fact"
    refusals: ClassVar[tuple[Reason, ...]] = (
        *FACT,
        *IN_ROOM,
        *VOICE,
        Reason.POST_UNKNOWN,
        Reason.POST_REDACTED,
        Reason.EPOCH_STALE,
    )
    example: ClassVar[Fields] = {"room": "sleep", "offset": 41, "epoch": "b7Jk2mQx", "reaction": "with_you", "on": True}

    room: RoomName
    offset: Place
    epoch: EpochName | None = None
    reaction: Reaction
    on: bool


class PageHistory(Command, frozen=True, kw_only=True, tag="history"):
    """Get older posts of a room, those before offset `before`, newest last."""

    answer: ClassVar[str] = "history"
    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.ROOM_UNKNOWN, Reason.NOT_IN_ROOM, Reason.EPOCH_STALE)
    example: ClassVar[Fields] = {"room": "sleep", "before": 41, "epoch": "b7Jk2mQx", "limit": 20}

    room: RoomName
    before: Place
    epoch: EpochName | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class MarkRead(Command, frozen=True, kw_only=True, tag="read"):
    """Mark everything up to `offset` as read. Never moves backwards."""

    cost: ClassVar[float] = 0.5
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_IN_ROOM, Reason.EPOCH_STALE)
    example: ClassVar[Fields] = {"room": "sleep", "offset": 42, "epoch": "b7Jk2mQx"}

    room: RoomName
    offset: Place
    epoch: EpochName | None = None


class Typing(Command, frozen=True, kw_only=True, tag="typing"):
    """Say that one is writing here: the others are told for some seconds. Send it at most every three."""

    cost: ClassVar[float] = 0.5
    refusals: ClassVar[tuple[Reason, ...]] = IN_ROOM
    example: ClassVar[Fields] = {"room": "sleep"}

    room: RoomName


class RoomCard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A room in the lobby. `unread` is given for rooms that the member has joined; `attended` says that a moderator is
    in it."""

    id: RoomId
    name: str
    about: str
    here: int
    capacity: int
    slow_mode: int
    agreement_version: int
    agreed: bool
    unread: int | None = None
    attended: bool = False


class RoomsOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="rooms"):
    """The lobby: every open room, in its order."""

    rooms: list[RoomCard]


class RoomPerson(Person, frozen=True, omit_defaults=True):
    """A member who is in a room, by their id there. A moderator who came as one has the `role`."""

    role: ShownRole | None = None


class PostView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person wrote, in its present state. `offset` is its place in its room and its only id; `author` is their
    id in this room, under the `name` with which they wrote. A moderator who wrote as one has the `role`.

    A redacted post keeps its place and loses its text, warning and reactions.
    """

    offset: Offset
    author: MemberId
    name: str
    text: str
    at: Millis
    role: ShownRole | None = None
    warning: str | None = None
    reply_to: Offset | None = None
    edited_at: Millis | None = None
    redacted: bool = False
    reactions: dict[Reaction, int] = {}


class JoinOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="join"):
    """The room, who is there, and its posts.

    `history` says what `posts` and `missed` are: `page`, the newest posts (no `since` was given); `exact`, `missed` is
    every fact after `since` and `posts` is empty; `gap`, part of what was missed is gone, and `posts` is the newest
    page. `position` is where the live stream goes on. `folded` says that reactions that a later one replaces are left
    out of `missed`, because there were too many facts. `me` are the member's own ids in this room, under each of their
    names, the newest first; `hidden` the ids here of the members they hide.
    """

    room: Room
    position: StreamPosition
    history: Literal["page", "exact", "gap"]
    posts: list[PostView]
    mine: dict[Offset, list[Reaction]]
    missed: list[FactPush]
    more: bool
    here: int
    people: list[RoomPerson]
    read: Offset
    unread: int
    retention_seconds: int
    me: list[MemberId]
    hidden: list[MemberId]
    folded: bool = False


class HistoryOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="history"):
    """`mine` are the member's own reactions by offset. `more` says whether still older posts are kept. `position` says
    up to which fact the page is complete: it includes everything that was sent before this reply."""

    position: StreamPosition
    posts: list[PostView]
    mine: dict[Offset, list[Reaction]]
    more: bool


class FactOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="fact", omit_defaults=True):
    """A fact is durable, at this position. `offset` is absent if it was already so and nothing had to be written.
    `care` is sent to the author alone, if words of a post sound as if help were needed: which kind."""

    at: Millis
    epoch: Epoch | None = None
    offset: Offset | None = None
    care: Category | None = None


class FactBase(Struct, frozen=True, kw_only=True, tag_field="push", omit_defaults=True):
    """What every fact has: its channel and its place in it."""

    channel: ChannelName
    epoch: Epoch
    offset: Offset
    at: Millis


class PostedPush(FactBase, frozen=True, kw_only=True, tag="posted"):
    """Somebody wrote. `post.offset` is the `offset` of the push."""

    post: PostView


class EditedPush(FactBase, frozen=True, kw_only=True, tag="edited"):
    """An author changed the post at `target`, to `text` and `warning`."""

    target: Offset
    text: str
    edited_at: Millis
    warning: str | None = None


class RedactedPush(FactBase, frozen=True, kw_only=True, tag="redacted"):
    """The post at `target` was taken back: its text, warning and reactions are gone."""

    target: Offset


class ReactedPush(FactBase, frozen=True, kw_only=True, tag="reacted"):
    """Somebody put a reaction on the post at `target` or took it off; `counts` are all its reactions now."""

    target: Offset
    by: MemberId
    reaction: Reaction
    on: bool
    counts: dict[Reaction, int]


class RoomChangedPush(FactBase, frozen=True, kw_only=True, tag="room_changed"):
    """The room's own settings, such as its topic, as they are now."""

    room: Room


FactPush = PostedPush | EditedPush | RedactedPush | ReactedPush | RoomChangedPush


class PresencePush(Struct, frozen=True, kw_only=True, tag_field="push", tag="presence", omit_defaults=True):
    """Who came and went since the last one, named up to a bound. Not a fact: the newest count is right. A new name
    looks like one person who went and another one who came.

    If `people` is given it replaces the whole list: after this connection had fallen behind, or if more came or went
    than are named.
    """

    channel: ChannelName
    here: int
    came: list[RoomPerson]
    went: list[MemberId]
    people: list[RoomPerson] | None = None


class TypingPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="typing"):
    """Somebody is writing. Not a fact: forget it after six seconds."""

    channel: ChannelName
    member: MemberId


class ReadingPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="reading"):
    """Your seat in a full room went to somebody else, because you did nothing there for long. Everything still comes;
    `join` again, or write, to have a seat as soon as there is one."""

    channel: ChannelName


class ReadPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="read"):
    """Another connection of yours has marked a room as read up to `offset`. The connection that did so gets only its
    reply."""

    room: RoomId
    offset: Offset


class LeftPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="left"):
    """You left a room on another connection, and are no longer in it on this one: nothing of it follows."""

    room: RoomId


class CarePush(Struct, frozen=True, kw_only=True, tag_field="push", tag="care"):
    """For the author of a post in `room` alone: the model takes its words for a cry for help, and may be wrong. A
    client offers help once, not at each such post."""

    room: RoomId
    care: Category


class CountsPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="counts"):
    """The number of people in each room where it changed."""

    here: dict[RoomId, int]


class GapPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="gap"):
    """This connection fell behind by more than is kept. The live stream goes on after `position`; join again with no
    `since` to see the newest page."""

    channel: ChannelName
    position: StreamPosition


MembersRoomCommand = (
    ListRooms
    | JoinRoom
    | LeaveRoom
    | PostCommand
    | EditCommand
    | RedactCommand
    | ReactCommand
    | PageHistory
    | MarkRead
    | Typing
)
MembersRoomOk = RoomsOk | JoinOk | HistoryOk | FactOk
MembersRoomPush = (
    FactPush | PresencePush | TypingPush | ReadingPush | ReadPush | LeftPush | CarePush | CountsPush | GapPush
)
