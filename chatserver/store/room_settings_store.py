"""What a store promises about the settings of rooms, and how it is done for every database.

Everything that staff do here is entered in the audit log, with its reason, in the same transaction, and raises the
version of moderation, which workers read twice a second. A repeated command does nothing more, and returns the same
result.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from functools import partial
from typing import TypeVar

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.rooms.coverage import Coverage, CoverageRules
from chatserver.domain.rooms.rooms import RoomEdit, RoomId
from chatserver.domain.rooms.settings import Hours, Notice, Raid, RoomMove, RoomSettings
from chatserver.store import coverage, room_settings
from chatserver.store.core.compiler import MakeOp
from chatserver.store.room_settings_records import ChangedRooms, CompanionGraph, StaffAction

T = TypeVar("T")


class RoomSettingsStore(ABC):
    """Keeps room settings. Raises `StoreUnavailable` like every part of the store, and TEXT_EMPTY or TEXT_TOO_LONG for
    a missing or too long reason."""

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def room_settings(self, now: Millis) -> RoomSettings:
        """Return all of it in one snapshot: rooms of every status in lobby order, and what has not ended."""
        return await self._read(partial(room_settings.room_settings, now))

    async def open_room(self, name: str, edit: RoomEdit, deed: StaffAction) -> ChangedRooms:
        """Open a new room. Raises as `domain.rooms.settings.open_room`."""
        return await self._write(partial(room_settings.open_room, name, edit, deed))

    async def change_room(self, room: RoomId, seen: int, edit: RoomEdit, deed: StaffAction) -> ChangedRooms:
        """Change a room, and publish `RoomChanged` if anything differs. Raises ROOM_UNKNOWN, and as
        `domain.rooms.settings.change_room`."""
        return await self._write(partial(room_settings.change_room, room, seen, edit, deed))

    async def split_room(
        self, room: RoomId, seen: int, groups: Collection[Collection[MemberId]], deed: StaffAction
    ) -> ChangedRooms:
        """Open, or reopen, a room beside it for each group but the first; make the people of those groups members
        there, keeping the agreement that they have accepted, and note where each is led. People who are no members of
        the room are ignored. Raises ROOM_UNKNOWN, ROOM_CLOSED or ROOM_CHANGED, the last one also without groups."""
        return await self._write(partial(room_settings.split_room, room, seen, groups, deed))

    async def coverages(self) -> dict[RoomId, Coverage]:
        """Return the coverage of open rooms that need a moderator, as far as `keep_coverage` has stored it."""
        return await self._read(coverage.coverages)

    async def keep_coverage(
        self, room: RoomId, *, is_attended: bool, rules: CoverageRules, now: Millis
    ) -> ChangedRooms:
        """Advance the coverage of an open room that needs a moderator (`domain.rooms.coverage.advance`), from its
        present state in the store. Publish `RoomChanged` if its attendance changed; nothing if another worker was
        first, or the room needs no moderator, is closed or does not exist."""
        return await self._write(partial(coverage.keep_coverage, room, is_attended=is_attended, how=rules, now=now))

    async def companions(self, room: RoomId, people: Collection[MemberId]) -> CompanionGraph:
        return await self._read(partial(room_settings.companions, room, people))

    async def confirm_move(self, member: MemberId, room: RoomId, to: RoomId) -> None:
        """Note that a member knows of a split, and that their place is `to`: where they were led, another room of the
        same family, or `room` itself. Raises ROOM_UNKNOWN if `to` is of another family."""
        await self._write(partial(room_settings.confirm_move, member, room, to))

    async def moves_of(self, member: MemberId, now: Millis) -> list[RoomMove]:
        """Return the moves that a member has not confirmed."""
        return await self._read(partial(room_settings.moves_of, member, now))

    async def announce(self, notice: Notice, deed: StaffAction) -> Notice:
        """Make an announcement. An id that is known already makes no other. Raises ROOM_UNKNOWN."""
        return await self._write(partial(room_settings.announce, notice, deed))

    async def withdraw(self, notice: str, deed: StaffAction) -> None:
        """Withdraw an announcement. Raises NOTICE_UNKNOWN. Doing it again changes nothing."""
        await self._write(partial(room_settings.withdraw, notice, deed))

    async def declare(self, raid: Raid, deed: StaffAction) -> Raid:
        """Begin a raid, and end another one of the same room. An id that is known already begins no other. Raises
        ROOM_UNKNOWN."""
        return await self._write(partial(room_settings.declare, raid, deed))

    async def end_raid(self, raid: str, deed: StaffAction) -> None:
        """End a raid. Raises RAID_UNKNOWN. Doing it again changes nothing."""
        await self._write(partial(room_settings.end_raid, raid, deed))

    async def set_hours(self, hours: Hours, deed: StaffAction) -> Hours:
        """Set the opening hours. `hours.revision` is the one that was seen. Return them with the next one. Raises
        HOURS_CHANGED."""
        return await self._write(partial(room_settings.set_hours, hours, deed))

    async def enter(self, act: Act) -> None:
        """Enter in the audit log what is done elsewhere. Raises TEXT_EMPTY or TEXT_TOO_LONG for its reason."""
        await self._write(partial(room_settings.enter, act))
