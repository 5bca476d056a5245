"""What a store promises to those who run the rooms, and how it is kept for every database.

Whatever staff does here is entered in the audit log, with its reason, in the same transaction, and raises the version
of moderation, which workers ask for twice a second. A command that comes again does nothing more, and answers the same.
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
    """Raises `StoreUnavailable` as all of the store, and TEXT_EMPTY or TEXT_TOO_LONG for a reason that is none."""

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def room_settings(self, now: Millis) -> RoomSettings:
        """Everything, in one snapshot: rooms of every status in lobby order, and what is not over."""
        return await self._read(partial(room_settings.room_settings, now))

    async def open_room(self, name: str, edit: RoomEdit, deed: StaffAction) -> ChangedRooms:
        """Raises as `domain.house.open_room`."""
        return await self._write(partial(room_settings.open_room, name, edit, deed))

    async def change_room(self, room: RoomId, seen: int, edit: RoomEdit, deed: StaffAction) -> ChangedRooms:
        """Publishes `RoomChanged` where anything is different. Raises ROOM_UNKNOWN, and as `domain.house`."""
        return await self._write(partial(room_settings.change_room, room, seen, edit, deed))

    async def split_room(
        self, room: RoomId, seen: int, groups: Collection[Collection[MemberId]], deed: StaffAction
    ) -> ChangedRooms:
        """Open (again) a room beside it for each group but the first; make the others members there, with the
        agreement that they have accepted, and note where each one's place is. Who is no member of the room is passed
        over. Raises ROOM_UNKNOWN, ROOM_CLOSED or ROOM_CHANGED, the last one without groups, too."""
        return await self._write(partial(room_settings.split_room, room, seen, groups, deed))

    async def coverages(self) -> dict[RoomId, Coverage]:
        """Of the open rooms that need a moderator, as far as `keep_coverage` was told of them."""
        return await self._read(coverage.coverages)

    async def keep_coverage(
        self, room: RoomId, *, is_attended: bool, rules: CoverageRules, now: Millis
    ) -> ChangedRooms:
        """Settle an open room that needs a moderator (`domain.duty.settle`), by what the store has at that moment.
        Publishes `RoomChanged` where its attendance is another, and nothing where another worker was first, or the
        room needs nobody, is closed or unknown."""
        return await self._write(partial(coverage.keep_coverage, room, is_attended=is_attended, how=rules, now=now))

    async def companions(self, room: RoomId, people: Collection[MemberId]) -> CompanionGraph:
        return await self._read(partial(room_settings.companions, room, people))

    async def confirm_move(self, member: MemberId, room: RoomId, to: RoomId) -> None:
        """They know of it, and their place is `to`: where they were led, another room beside it, or `room` itself.
        Raises ROOM_UNKNOWN where that is none of the same family."""
        await self._write(partial(room_settings.confirm_move, member, room, to))

    async def moves_of(self, member: MemberId, now: Millis) -> list[RoomMove]:
        """Those that they have not settled."""
        return await self._read(partial(room_settings.moves_of, member, now))

    async def announce(self, notice: Notice, deed: StaffAction) -> Notice:
        """The same id again is the same announcement. Raises ROOM_UNKNOWN."""
        return await self._write(partial(room_settings.announce, notice, deed))

    async def withdraw(self, notice: str, deed: StaffAction) -> None:
        """Raises NOTICE_UNKNOWN. Doing it again changes nothing."""
        await self._write(partial(room_settings.withdraw, notice, deed))

    async def declare(self, raid: Raid, deed: StaffAction) -> Raid:
        """The same id again is the same raid; one that is on for the same room ends. Raises ROOM_UNKNOWN."""
        return await self._write(partial(room_settings.declare, raid, deed))

    async def end_raid(self, raid: str, deed: StaffAction) -> None:
        """Raises RAID_UNKNOWN. Doing it again changes nothing."""
        await self._write(partial(room_settings.end_raid, raid, deed))

    async def set_hours(self, hours: Hours, deed: StaffAction) -> Hours:
        """`hours.revision` is the one that was seen. Returns them with the next one. Raises HOURS_CHANGED."""
        return await self._write(partial(room_settings.set_hours, hours, deed))

    async def enter(self, act: Act) -> None:
        """Enter in the audit log what is done elsewhere. Raises as above for a reason that is none."""
        await self._write(partial(room_settings.enter, act))
