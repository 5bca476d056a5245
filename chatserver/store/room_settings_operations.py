"""The house's part of the contract as operations, for every database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from functools import partial
from typing import TypeVar

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.rooms.coverage import Coverage, CoverageRules
from chatserver.domain.rooms.rooms import RoomId
from chatserver.domain.rooms.settings import Hours, Notice, Raid, RoomEdit, RoomMove, RoomSettings
from chatserver.store import coverage, room_settings
from chatserver.store.core.compiler import MakeOp
from chatserver.store.room_settings_contract import ChangedRooms, CompanionGraph, StaffAction

T = TypeVar("T")


class RoomSettingsOperations(ABC):
    """`contract.HouseStore` over the two things that a driver must be able to do."""

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def room_settings(self, now: Millis) -> RoomSettings:
        return await self._read(partial(room_settings.room_settings, now))

    async def open_room(self, name: str, edit: RoomEdit, deed: StaffAction) -> ChangedRooms:
        return await self._write(partial(room_settings.open_room, name, edit, deed))

    async def change_room(self, room: RoomId, seen: int, edit: RoomEdit, deed: StaffAction) -> ChangedRooms:
        return await self._write(partial(room_settings.change_room, room, seen, edit, deed))

    async def split_room(
        self, room: RoomId, seen: int, groups: Collection[Collection[MemberId]], deed: StaffAction
    ) -> ChangedRooms:
        return await self._write(partial(room_settings.split_room, room, seen, groups, deed))

    async def coverages(self) -> dict[RoomId, Coverage]:
        return await self._read(coverage.coverages)

    async def keep_coverage(
        self, room: RoomId, *, is_attended: bool, rules: CoverageRules, now: Millis
    ) -> ChangedRooms:
        return await self._write(partial(coverage.keep_coverage, room, is_attended=is_attended, how=rules, now=now))

    async def companions(self, room: RoomId, people: Collection[MemberId]) -> CompanionGraph:
        return await self._read(partial(room_settings.companions, room, people))

    async def confirm_move(self, member: MemberId, room: RoomId, to: RoomId) -> None:
        await self._write(partial(room_settings.confirm_move, member, room, to))

    async def moves_of(self, member: MemberId, now: Millis) -> list[RoomMove]:
        return await self._read(partial(room_settings.moves_of, member, now))

    async def announce(self, notice: Notice, deed: StaffAction) -> Notice:
        return await self._write(partial(room_settings.announce, notice, deed))

    async def withdraw(self, notice: str, deed: StaffAction) -> None:
        await self._write(partial(room_settings.withdraw, notice, deed))

    async def declare(self, raid: Raid, deed: StaffAction) -> Raid:
        return await self._write(partial(room_settings.declare, raid, deed))

    async def end_raid(self, raid: str, deed: StaffAction) -> None:
        await self._write(partial(room_settings.end_raid, raid, deed))

    async def set_hours(self, hours: Hours, deed: StaffAction) -> Hours:
        return await self._write(partial(room_settings.set_hours, hours, deed))

    async def enter(self, act: Act) -> None:
        await self._write(partial(room_settings.enter, act))
