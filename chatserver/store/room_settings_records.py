"""What a store is told and tells of how rooms are set up."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import Publication, Room
from chatserver.domain.rooms.splitting import Tie


class StaffAction(msgspec.Struct, frozen=True, kw_only=True):
    """Who does something, by which command, why, and when. `digest` stands for the command's content."""

    by: MemberId
    command_id: CommandId
    digest: bytes
    reason: str
    now: Millis


class ChangedRooms(msgspec.Struct, frozen=True, kw_only=True):
    """The rooms as they are after it, the one that was named first, and what has to be announced."""

    rooms: tuple[Room, ...]
    publications: tuple[Publication, ...] = ()


class CompanionGraph(msgspec.Struct, frozen=True, kw_only=True):
    """What a split has to know of those who are in a room: who answered or reacted to whom lately, who of them became a
    guest when, and of which two of them one hides the other."""

    ties: tuple[Tie, ...]
    created_at: dict[MemberId, Millis]
    apart: tuple[tuple[MemberId, MemberId], ...] = ()
