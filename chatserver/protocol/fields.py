"""What the messages of every feature are made of: the kinds of their fields, and what every command has."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from chatserver.domain.floor import SessionId
from chatserver.domain.history import CommandId, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms import RoomId

_PRINTABLE: Final = r"^[!-~]*$(?!\n)"
"""Ids are printable ASCII without spaces: they end in logs' fields and in databases that refuse some characters."""
Id = Annotated[CommandId, Meta(min_length=1, max_length=64, pattern=_PRINTABLE)]
RoomName = Annotated[RoomId, Meta(min_length=1, max_length=64, pattern=_PRINTABLE)]
MemberName = Annotated[MemberId, Meta(min_length=1, max_length=64, pattern=_PRINTABLE)]
SessionName = Annotated[SessionId, Meta(min_length=1, max_length=64, pattern=_PRINTABLE)]
Version = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Place = Annotated[Offset, Meta(ge=1, le=2**53 - 1)]
Text = Annotated[str, Meta(max_length=65_536)]
"""The configured limit is checked by the domain; this one only keeps absurd values out of it."""


class Command(Struct, frozen=True, kw_only=True, tag_field="cmd"):
    """What every command has: the client's own `id`, echoed by its Reply and, for facts, the key that makes a repeat
    safe. Unknown fields are ignored."""

    id: Id
