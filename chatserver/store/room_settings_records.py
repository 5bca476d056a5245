"""What callers and the store pass each other about the settings of rooms."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import Publication, Room
from chatserver.domain.rooms.splitting import Tie


class StaffAction(msgspec.Struct, frozen=True, kw_only=True):
    """Who does something, by which command, why and when. `digest` is a hash of the command's content."""

    by: MemberId
    command_id: CommandId
    digest: bytes
    reason: str
    now: Millis


class ChangedRooms(msgspec.Struct, frozen=True, kw_only=True):
    """The rooms as they are afterwards, the one that was named first, and what has to be announced."""

    rooms: tuple[Room, ...]
    publications: tuple[Publication, ...] = ()


class CompanionGraph(msgspec.Struct, frozen=True, kw_only=True):
    """What a split needs to know about the people in a room: who recently answered or reacted to whom, when each member
    was created, and which pairs hide one another."""

    ties: tuple[Tie, ...]
    created_at: dict[MemberId, Millis]
    apart: tuple[tuple[MemberId, MemberId], ...] = ()
