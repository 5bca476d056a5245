"""What every store MUST do for those who run this place. Part of `contract.Store`, and proved by the same suite.

Whatever staff does here is entered in the audit log, with its reason, in the same transaction, and raises the version
of moderation, which workers ask for twice a second. A command that comes again does nothing more, and answers the same.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import msgspec

from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.rooms.coverage import Coverage, CoverageRules
from chatserver.domain.rooms.rooms import Publication, Room, RoomId
from chatserver.domain.rooms.settings import Hours, Notice, Raid, RoomEdit, RoomMove, RoomSettings
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


class RoomSettingsStore(Protocol):
    """Raises `StoreUnavailable` as all of the store, and TEXT_EMPTY or TEXT_TOO_LONG for a reason that is none."""

    async def room_settings(self, now: Millis) -> RoomSettings:
        """Everything, in one snapshot: rooms of every status in lobby order, and what is not over."""
        ...

    async def open_room(self, name: str, edit: RoomEdit, deed: StaffAction) -> ChangedRooms:
        """Raises as `domain.house.open_room`."""
        ...

    async def change_room(self, room: RoomId, seen: int, edit: RoomEdit, deed: StaffAction) -> ChangedRooms:
        """Publishes `RoomChanged` where anything is different. Raises ROOM_UNKNOWN, and as `domain.house`."""
        ...

    async def split_room(
        self, room: RoomId, seen: int, groups: Collection[Collection[MemberId]], deed: StaffAction
    ) -> ChangedRooms:
        """Open (again) a room beside it for each group but the first; make the others members there, with the
        agreement that they have accepted, and note where each one's place is. Who is no member of the room is passed
        over. Raises ROOM_UNKNOWN, ROOM_CLOSED or ROOM_CHANGED, the last one without groups, too."""
        ...

    async def coverages(self) -> dict[RoomId, Coverage]:
        """Of the open rooms that need a moderator, as far as `keep_coverage` was told of them."""
        ...

    async def keep_coverage(
        self, room: RoomId, *, is_attended: bool, rules: CoverageRules, now: Millis
    ) -> ChangedRooms:
        """Settle an open room that needs a moderator (`domain.duty.settle`), by what the store has at that moment.
        Publishes `RoomChanged` where its attendance is another, and nothing where another worker was first, or the
        room needs nobody, is closed or unknown."""
        ...

    async def companions(self, room: RoomId, people: Collection[MemberId]) -> CompanionGraph: ...

    async def confirm_move(self, member: MemberId, room: RoomId, to: RoomId) -> None:
        """They know of it, and their place is `to`: where they were led, another room beside it, or `room` itself.
        Raises ROOM_UNKNOWN where that is none of the same family."""
        ...

    async def moves_of(self, member: MemberId, now: Millis) -> list[RoomMove]:
        """Those that they have not settled."""
        ...

    async def announce(self, notice: Notice, deed: StaffAction) -> Notice:
        """The same id again is the same announcement. Raises ROOM_UNKNOWN."""
        ...

    async def withdraw(self, notice: str, deed: StaffAction) -> None:
        """Raises NOTICE_UNKNOWN. Doing it again changes nothing."""
        ...

    async def declare(self, raid: Raid, deed: StaffAction) -> Raid:
        """The same id again is the same raid; one that is on for the same room ends. Raises ROOM_UNKNOWN."""
        ...

    async def end_raid(self, raid: str, deed: StaffAction) -> None:
        """Raises RAID_UNKNOWN. Doing it again changes nothing."""
        ...

    async def set_hours(self, hours: Hours, deed: StaffAction) -> Hours:
        """`hours.revision` is the one that was seen. Returns them with the next one. Raises HOURS_CHANGED."""
        ...

    async def enter(self, act: Act) -> None:
        """Enter in the audit log what is done elsewhere. Raises as above for a reason that is none."""
        ...
