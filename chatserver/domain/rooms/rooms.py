"""Themed rooms: what they are made of, what members do in them, and what follows.

Pure: `domain/rooms/decide.py` answers commands with events or a Refusal, and applies events to what a reader holds.
Time and ids arrive as arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal, NewType

import msgspec

from chatserver.domain.history import ChannelName, Epoch, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.coverage import LEAST_PACE, Attendance
from chatserver.domain.text.contact_details import ContactKind

RoomId = NewType("RoomId", str)
"""A room's short name in addresses: lower-case letters, digits and hyphens."""

ROOM_CHANNEL_PREFIX: Final = "room:"


def room_channel(room: RoomId) -> ChannelName:
    """Return the channel on which a room's publications travel."""
    return ChannelName(ROOM_CHANNEL_PREFIX + room)


def room_of(channel: ChannelName) -> RoomId:
    """Return the room of a room channel."""
    return RoomId(channel.removeprefix(ROOM_CHANNEL_PREFIX))


class RoomStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class RoomKind(StrEnum):
    THEMED = "themed"
    """In the lobby, for everybody."""
    SESSION = "session"
    """The conversation of a one-to-one session: in no lobby, only for the members whom the session admitted."""
    MEETING = "meeting"
    """What is written in a support group's meeting: in no lobby, only for the members whom the meeting admitted."""
    COMPANY = "company"
    """What people write who wait for a listener together: in no lobby, only for those who sit there and their host."""
    BOARD = "board"
    """A board of offers and requests."""

    @property
    def is_closed(self) -> bool:
        """Return whether a room of this kind does not exist for anybody but the members whom its feature admitted. It
        has no seats, and its feature says when it is forgotten."""
        return self in ID_PREFIXES


ID_PREFIXES: Final[Mapping[RoomKind, str]] = {
    RoomKind.SESSION: "s-",
    RoomKind.MEETING: "m--",
    RoomKind.COMPANY: "c--",
}
"""How the ids of closed rooms begin. No other room has such an id: the id of a room with a name never has two hyphens
in a row at its beginning, nor begins with `s-`."""


def kind_of(room: RoomId) -> RoomKind:
    """Return of which kind a room is, as far as its id tells: a closed kind, or THEMED for every open one."""
    for kind, prefix in ID_PREFIXES.items():
        if room.startswith(prefix):
            return kind
    return RoomKind.THEMED


def is_closed_room(room: RoomId) -> bool:
    """Return whether the room with this id is a closed one."""
    return kind_of(room).is_closed


class Reaction(StrEnum):
    """The small supportive set. There is no other reaction, and none that can hurt."""

    WITH_YOU = "with_you"
    SAME_HERE = "same_here"
    STRENGTH = "strength"
    THANK_YOU = "thank_you"
    HUG = "hug"


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """Who may write in a room at present, where its feature gives people turns.

    `some` are those who may where `who` is `some` or `hosts`. `since` is when this began: with `once`, each may write
    one post after it. A post has at most `length` characters (0: as elsewhere), and somebody's posts are `pace` seconds
    apart. Others may still write aside where `aside_length` is not 0: so many characters, and every `aside_pace`
    seconds. `phase` and `until` are for people: nothing is decided by them.
    """

    who: Literal["all", "some", "hosts", "none"] = "all"
    some: tuple[MemberId, ...] = ()
    since: Millis = Millis(0)
    once: bool = False
    length: int = 0
    pace: int = 0
    aside_length: int = 0
    aside_pace: int = 0
    phase: str = ""
    until: Millis | None = None

    def is_of(self, member: MemberId) -> bool:
        """Return whether a member may write, were it not for what they wrote already."""
        return self.who == "all" or member in self.some


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A standing place with a theme. `slow_mode` is the least number of seconds between two posts of one person."""

    id: RoomId
    name: str
    about: str
    topic: str = ""
    welcome: str = ""
    agreement: str = ""
    agreement_version: int = 1
    capacity: int = 200
    slow_mode: int = 0
    status: RoomStatus = RoomStatus.OPEN
    position: int = 0
    """The place of the room in the lobby."""
    kind: RoomKind = RoomKind.THEMED
    needs_moderator: bool = False
    """Whether people may write here only while a moderator is at hand."""
    revision: int = 0
    """Rises with every change, so that nobody overwrites a change that they have not seen."""
    split_of: RoomId | None = None
    """The room that became too full, beside which this one was opened."""
    split_at: int = 0
    """How many members the room may have before it is split automatically; 0: never."""
    attendance: Attendance = Attendance.ATTENDED
    """The state that follows from whether a needed moderator is there. It changes by itself, without a new
    `revision`."""
    voice: Voice | None = None
    """Who may write at present; None: everybody. It changes by itself, without a new `revision`."""

    @property
    def pace(self) -> int:
        """Return the least number of seconds between two posts of one person at this moment."""
        pace = self.slow_mode if self.voice is None else max(self.slow_mode, self.voice.pace)
        return pace if self.attendance is Attendance.ATTENDED else max(pace, LEAST_PACE)


class RoomEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different in a room; None is as it is. `slow_mode` in seconds; `split_at` 0: never by itself."""

    name: str | None = None
    about: str | None = None
    topic: str | None = None
    welcome: str | None = None
    agreement: str | None = None
    capacity: int | None = None
    slow_mode: int | None = None
    needs_moderator: bool | None = None
    split_at: int | None = None
    status: RoomStatus | None = None


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A member's state in a room: the agreement accepted, how far they read, when they last posted. Nothing is shown to
    them of what was written up to `from_offset`."""

    room: RoomId
    agreement_version: int
    read: Offset = Offset(0)
    last_post_at: Millis = Millis(0)
    from_offset: Offset = Offset(0)


class Post(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person wrote, in its present state. `offset` is its place in its room and its only id.

    A redacted post keeps its place and loses its text, warning and reactions. `generation` says under which of their
    names the author wrote it.
    """

    offset: Offset
    author: MemberId
    name: str
    text: str
    at: Millis
    warning: str | None = None
    reply_to: Offset | None = None
    edited_at: Millis | None = None
    redacted: bool = False
    reactions: dict[Reaction, int] = {}
    generation: int = 0


# Commands: what a member asks of a room.


class WritePost(msgspec.Struct, frozen=True, kw_only=True):
    """`anyway` says that the author was told of the contact details in the text, and wants to send them."""

    text: str
    warning: str | None = None
    reply_to: Offset | None = None
    anyway: bool = False


class EditPost(msgspec.Struct, frozen=True, kw_only=True):
    """`anyway` as in `WritePost`."""

    target: Offset
    text: str
    warning: str | None = None
    anyway: bool = False


class RedactPost(msgspec.Struct, frozen=True, kw_only=True):
    target: Offset


class ReactToPost(msgspec.Struct, frozen=True, kw_only=True):
    target: Offset
    reaction: Reaction
    on: bool


RoomCommand = WritePost | EditPost | RedactPost | ReactToPost


# Events: what happened. Each becomes one publication.


class Posted(msgspec.Struct, frozen=True, tag="posted"):
    """A post was written. Its own offset is its publication's, so `post.offset` is 0 until it is saved."""

    post: Post


class Edited(msgspec.Struct, frozen=True, kw_only=True, tag="edited"):
    target: Offset
    text: str
    warning: str | None
    edited_at: Millis


class Redacted(msgspec.Struct, frozen=True, kw_only=True, tag="redacted"):
    target: Offset


class Reacted(msgspec.Struct, frozen=True, kw_only=True, tag="reacted"):
    """`counts` is the whole of the post's reactions after this one, so that replaying it twice changes nothing.
    `generation` says under which of their names the member reacted."""

    target: Offset
    by: MemberId
    reaction: Reaction
    on: bool
    counts: dict[Reaction, int]
    generation: int = 0


class RoomChanged(msgspec.Struct, frozen=True, kw_only=True, tag="room_changed"):
    """The room's own settings after the change."""

    room: Room


RoomEvent = Posted | Edited | Redacted | Reacted | RoomChanged


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place. The same `(channel, epoch, offset)` always names the same fact."""

    channel: ChannelName
    epoch: Epoch
    offset: Offset
    at: Millis
    event: RoomEvent


class RestrictionKind(StrEnum):
    MUTE = "mute"
    REMOVE = "remove"
    BAN = "ban"


class Restriction(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator's measure forbids a member, in one room or (`room` None) everywhere, until it is over."""

    measure: str
    kind: RestrictionKind
    room: RoomId | None
    until: Millis


class RoomState(msgspec.Struct, frozen=True, kw_only=True):
    """What `decide` needs to know, loaded in the transaction that will save its events.

    `target` is the post that the command names (by `target` or `reply_to`), if it exists; `target_reactions` are the
    author's own reactions on it; `restrictions` are what moderators forbade the author. Posts up to `hidden_upto` are
    hidden from somebody who came later.
    """

    room: Room
    membership: Membership | None
    target: Post | None = None
    target_reactions: frozenset[Reaction] = frozenset()
    restrictions: tuple[Restriction, ...] = ()
    hidden_upto: Offset = Offset(0)


class RoomRules(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that an operator may set. Lengths in characters (code points), times in milliseconds."""

    text_length: int = 2_000
    warning_length: int = 80
    edit_window: int = 10 * 60 * 1000
    contact_policy: Literal["off", "warn", "refuse"] = "warn"
    """How contact details in one-to-one sessions are treated: with `warn` the author is told, and may send them all the
    same."""
    room_contact_policy: Literal["off", "warn", "refuse"] = "warn"
    """The same in themed rooms, where newcomers may not send them at all."""

    def contacts_in(self, kind: RoomKind) -> Literal["off", "warn", "refuse"]:
        """Return how contact details in a room of this kind are treated."""
        return self.contact_policy if kind is RoomKind.SESSION else self.room_contact_policy


class Noticed(msgspec.Struct, frozen=True, kw_only=True):
    """What was noticed in a text before it is decided: kinds of contact details, including those that it completes
    together with the author's last post, and whether the author came here within the last hour."""

    contacts: frozenset[ContactKind] = frozenset()
    is_newcomer: bool = False


APPEAL_PATH: Final = "/api/identity/appeal"
