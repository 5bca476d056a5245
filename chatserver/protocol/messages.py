"""Every message of wire protocol v1, between a client and a worker.

A client sends Commands; each is answered by exactly one Reply that echoes its `id`. A worker sends Pushes unasked.
`docs/protocol.md` is the text for people; the AsyncAPI document is generated from the unions at the end of this file.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta, Struct

from chatserver.domain.errors import Reason
from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.people.staff import Role
from chatserver.domain.rooms.rooms import RoomId
from chatserver.protocol.exchange.messages import ExchangeCommand, ExchangeReply, ExchangesPush
from chatserver.protocol.fields import Command, DoneOk, Fields, MemberName
from chatserver.protocol.listening.messages import ListeningCommand, ListeningOk, ListeningPush
from chatserver.protocol.meetings.messages import MeetingCommand, MeetingReply, MeetingsPush
from chatserver.protocol.moderation.messages import ModerationCommand, ModerationOk, ModerationPush
from chatserver.protocol.operating.load_messages import LoadCommand, LoadOk, LoadPush
from chatserver.protocol.operating.messages import OperatingCommand, OperatingPush, OperatingReply
from chatserver.protocol.operating.screening_messages import ScreeningCommand, ScreeningOk
from chatserver.protocol.people.account_messages import AccountsOk, AccountsPush, AskAccounts
from chatserver.protocol.rooms.messages import MembersRoomCommand, MembersRoomOk, MembersRoomPush

VERSION: Final = 1
SUBPROTOCOL_JSON: Final = "chat.v1.json"
SUBPROTOCOL_MSGPACK: Final = "chat.v1.msgpack"

# --------------------------------------------------------------------------------------------------- commands


class Hello(Command, frozen=True, kw_only=True, tag="hello"):
    """The first command on every connection.

    The page is known by its cookie; another client gives its `token`, or asks to become a new guest (`guest`), whose
    token is in the reply. With `staff` the staff sign-in counts, by its cookie or its token.
    """

    answer: ClassVar[str] = "hello"
    refusals: ClassVar[tuple[Reason, ...]] = (
        Reason.ALREADY_SAID_HELLO,
        Reason.IDENTITY_REQUIRED,
        Reason.IDENTITY_UNKNOWN,
        Reason.BANNED,
        Reason.DRAINING,
    )
    example: ClassVar[Fields] = {"guest": True, "client": "example/1.0"}

    token: Annotated[str, Meta(max_length=1_024)] | None = None
    guest: bool = False
    staff: bool = False
    client: Annotated[str, Meta(max_length=64)] = ""


class MuteMember(Command, frozen=True, kw_only=True, tag="mute"):
    """Stop seeing somebody, and being seen by them as present or typing. `member` is their id in a room that this
    connection is in. To see them again, it is the same id, or the one in `muted`. Personal; nobody is told."""

    cost: ClassVar[float] = 5.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.MEMBER_UNKNOWN, Reason.TOO_MANY_MUTES)
    example: ClassVar[Fields] = {"member": "p_FXJfE6nWv_EVIsl_5TBadi0oEa2YZAhFAw", "on": True}

    member: MemberName
    on: bool


class Rename(Command, frozen=True, kw_only=True, tag="rename"):
    """Take another name. It is trimmed and normalised; the reply holds the result."""

    answer: ClassVar[str] = "rename"
    cost: ClassVar[float] = 5.0
    refusals: ClassVar[tuple[Reason, ...]] = (
        Reason.NAME_TAKEN,
        Reason.NAME_REFUSED,
        Reason.NOT_ALLOWED,
        Reason.MEMBER_UNKNOWN,
        Reason.MUTED,
        Reason.REMOVED,
        Reason.BANNED,
        Reason.UNATTENDED,
        Reason.READ_ONLY,
    )
    example: ClassVar[Fields] = {"name": "Night Wren"}

    name: Annotated[str, Meta(max_length=256)]


class MakeCode(Command, frozen=True, kw_only=True, tag="code"):
    """Make a new come-back code; an earlier one stops working."""

    answer: ClassVar[str] = "code"
    cost: ClassVar[float] = 20.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_ALLOWED,)


class Ping(Command, frozen=True, kw_only=True, tag="ping"):
    """Check the connection. Browsers cannot see WebSocket pings, so the page asks this way."""

    cost: ClassVar[float] = 0.25


AnyCommand = (
    Hello
    | MembersRoomCommand
    | MuteMember
    | Rename
    | MakeCode
    | Ping
    | ListeningCommand
    | MeetingCommand
    | ExchangeCommand
    | ModerationCommand
    | LoadCommand
    | AskAccounts
    | OperatingCommand
    | ScreeningCommand
)


# --------------------------------------------------------------------------------------------------- replies


class LimitsView(Struct, frozen=True, kw_only=True):
    """What a client must know to stay within the limits. Sizes in bytes, lengths in characters, times in seconds.

    For each rate: how much is added a second, and how much may be saved up for a burst. A command is charged to the
    rates of the connection and of the member; `post` and `edit` also take one post, `react` one reaction.
    """

    frame_bytes: int
    text_length: int
    warning_length: int
    rooms_per_connection: int
    edit_seconds: int
    ping_seconds: int
    commands_per_second: float
    command_burst: float
    member_commands_per_second: float
    member_command_burst: float
    posts_per_second: float
    post_burst: float
    reactions_per_second: float
    reaction_burst: float


class HelloOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="hello", omit_defaults=True):
    """Who the member is, and what a client must know. `token` is given to a new guest that is no browser page. `roles`
    are those of staff who said hello as such. `member.id` is sent to nobody else: in a room they have the ids that
    `join` returns. `muted` are the members they hide, by the ids with which `mute` takes it back, under the names they
    had then."""

    version: int
    member: Person
    has_code: bool
    muted: list[Person]
    limits: LimitsView
    now: Millis
    token: str | None = None
    roles: list[Role] = []


class RenameOk(Struct, frozen=True, tag_field="ok", tag="rename"):
    """Who the member is now."""

    member: Person


class CodeOk(Struct, frozen=True, tag_field="ok", tag="code"):
    """The come-back code, shown once and stored only as a hash."""

    code: str


AnyOk = (
    HelloOk
    | MembersRoomOk
    | RenameOk
    | CodeOk
    | DoneOk
    | ListeningOk
    | MeetingReply
    | ExchangeReply
    | ModerationOk
    | LoadOk
    | AccountsOk
    | OperatingReply
    | ScreeningOk
)


class ErrorBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`temporary` says whether the same command, unchanged, may succeed later; `retry_after` is in seconds."""

    code: str
    message: str
    temporary: bool
    retry_after: float | None = None
    details: dict[str, object] | None = None


class Reply(Struct, frozen=True, kw_only=True):
    """The answer to the command whose id is `re`."""

    re: CommandId
    ok: AnyOk


class ErrorReply(Struct, frozen=True, kw_only=True):
    """The refusal of the command whose id is `re`, or of a frame whose id could not be read (`re` is null)."""

    re: CommandId | None
    error: ErrorBody


# --------------------------------------------------------------------------------------------------- pushes


class RoomSelf(Struct, frozen=True, kw_only=True):
    """The member's ids in one room, and the members they do not see there: `me` and `hidden` as in the reply to
    `join`."""

    me: list[MemberId]
    hidden: list[MemberId]


class SelfPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="self", omit_defaults=True):
    """The member changed: their name, the members they hide, or, if they are staff, their roles. Also sent to the
    connection that changed it, before its reply. `rooms` are those that this connection is in."""

    member: Person
    muted: list[Person]
    rooms: dict[RoomId, RoomSelf]
    roles: list[Role] = []


class DrainingPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="draining"):
    """This worker is stopping. The connection will be closed with 1012; come back `reconnect_after` seconds later."""

    reconnect_after: float


AnyPush = (
    MembersRoomPush
    | SelfPush
    | DrainingPush
    | ListeningPush
    | MeetingsPush
    | ExchangesPush
    | ModerationPush
    | LoadPush
    | AccountsPush
    | OperatingPush
)
AnyServerMessage = Reply | ErrorReply | AnyPush

# JoinOk names FactPush before it is defined; resolve it now rather than at the first encode.
msgspec.inspect.type_info(Reply)
