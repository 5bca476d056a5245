"""The kinds of fields that all messages use, and what every command has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, TypeVar

from msgspec import Meta, Struct, convert, to_builtins

from chatserver.domain.errors import Reason
from chatserver.domain.history import CommandId, Epoch, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.state import SessionId
from chatserver.domain.moderation.measures import REASONS
from chatserver.domain.people.staff import Capability
from chatserver.domain.rooms.rooms import RoomId

C = TypeVar("C", bound="Command")
Fields = Mapping[str, Any]

PRINTABLE: Final = r"^[!-~]*$(?!\n)"
"""Ids are printable ASCII without spaces: they are written to log fields and to databases that refuse some
characters."""
Id = Annotated[CommandId, Meta(min_length=1, max_length=64, pattern=PRINTABLE)]
RoomName = Annotated[RoomId, Meta(min_length=1, max_length=64, pattern=PRINTABLE)]
MemberName = Annotated[MemberId, Meta(min_length=1, max_length=64, pattern=PRINTABLE)]
SessionName = Annotated[SessionId, Meta(min_length=1, max_length=64, pattern=PRINTABLE)]
Version = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Place = Annotated[Offset, Meta(ge=1, le=2**53 - 1)]
EpochName = Annotated[Epoch, Meta(max_length=64)]
"""The numbering in which an offset was read: the `epoch` of the fact, or of the reply, that told it."""
ReportReason = Annotated[
    str,
    Meta(
        max_length=64,
        examples=[*REASONS],
        description="One of the examples; anything else is taken, and counted as `other`.",
    ),
]
Text = Annotated[str, Meta(max_length=65_536)]
"""The configured limit is checked by the domain; this one only keeps absurd values out of it."""


class Command(Struct, frozen=True, kw_only=True, tag_field="cmd"):
    """What every command has: the client's own `id`, echoed by its Reply and, for facts, the key that makes a repeat
    safe. Unknown fields are ignored.

    Everything else about a command is declared on its class; the AsyncAPI document and the checks read it there.
    """

    answer: ClassVar[str] = "done"
    """The `ok` of its reply if it is not refused."""
    cost: ClassVar[float] = 1.0
    """The tokens that it costs of the buckets of a connection and its member (`limits.commands_per_second`)."""
    capability: ClassVar[Capability | None] = None
    """What the sender must be allowed to do; None: every member may use it."""
    is_dangerous: ClassVar[bool] = False
    """Whether it needs a password given within the last ten minutes, whatever its fields say."""
    refusals: ClassVar[tuple[Reason, ...]] = ()
    """The reasons for which it can be refused, besides those of any command."""
    example: ClassVar[Fields] = {}
    """Its fields except `id`, in the documents and in tests."""

    id: Id

    def requires_confirmation(self) -> bool:
        """Return whether this very command is a dangerous one."""
        return self.is_dangerous


class DoneOk(Struct, frozen=True, tag_field="ok", tag="done"):
    """The command was carried out, and there is nothing more to say."""


def example_of(kind: type[C], id_: CommandId) -> C:
    """Return the example of a command. Raises msgspec.ValidationError if it is not valid."""
    return convert({"cmd": kind.__struct_config__.tag, "id": id_, **kind.example}, kind)


def place_of_nul(message: object) -> str | None:
    """Return where in a message a text holds U+0000, such as `$.text`, or None. PostgreSQL cannot keep that character,
    so that a command with it would fail, be sent again, and fail, for ever."""
    return _place_of_nul(to_builtins(message), "$")


def _place_of_nul(value: object, place: str) -> str | None:
    if isinstance(value, str):
        return place if "\0" in value else None
    if isinstance(value, dict):
        inner = [(each, f"{place}.{name}") for name, each in value.items()]
    elif isinstance(value, list):
        inner = [(each, f"{place}[{at}]") for at, each in enumerate(value)]
    else:
        return None
    return next((found for each, where in inner if (found := _place_of_nul(each, where)) is not None), None)
