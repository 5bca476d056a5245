"""One worker's part in rooms that need a moderator: it reports that one is there, applies what is due, and pages a
standby.

The store decides, from a row that every worker reads each second. So a room slows, becomes read-only and opens again on
all workers, also while the bus is away or a worker is gone.
"""

from __future__ import annotations

from chatserver.domain.rooms import coverage
from chatserver.domain.rooms.coverage import Attendance, CoverageRules
from chatserver.domain.rooms.rooms import Room, RoomId, RoomStatus
from chatserver.handlers.changes import act_on_changes
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.protocol.operating.messages import AloneRoom, StandbyPush


class RoomCoverage:
    """Keeps whether rooms that need a moderator have one. `RoomsPart` calls `tick` each second, and `Enforcement` calls
    `show` whenever moderation's version rose."""

    def __init__(self, node: Node, rules: CoverageRules) -> None:
        self._node = node
        self._rules = rules
        self._told = StandbyPush(rooms=[])

    async def tick(self) -> None:
        """Apply what is due. Raises StoreUnavailable; the next call does it then."""
        node = self._node
        needing = [room for room in node.rooms.values() if _needs_one(room)]
        if not needing:
            return
        attended = self._attended_here()
        kept = await node.store.coverages()
        for room in needing:
            before = kept.get(room.id)
            after = coverage.advance(
                before, is_attended=room.id in attended, now=node.database_now(), rules=self._rules
            )
            if coverage.is_worth_keeping(before, after, self._rules):
                await self._keep(room.id, is_attended=room.id in attended)

    async def entered(self, connection: Connection, room: Room) -> None:
        """Open a room at once that waited for a moderator, when one enters it."""
        if room.attendance is not Attendance.ATTENDED and connection.is_moderator:
            await self._keep(room.id, is_attended=True)
            # The answer to the join says whether the room is open.
            await act_on_changes(self._node)

    async def _keep(self, room: RoomId, *, is_attended: bool) -> None:
        node = self._node
        changed = await node.store.keep_coverage(
            room, is_attended=is_attended, rules=self._rules, now=node.database_now()
        )
        if changed.publications:
            node.hub.announce(changed.publications)

    # ------------------------------------------------------------------------------------------------ standbys

    def greeting(self, connection: Connection) -> list[StandbyPush]:
        """Return what a moderator who has just said hello is told of rooms without one."""
        push = self._standby()
        return [push] if push.rooms and connection.is_moderator else []

    async def show(self) -> None:
        """Page every moderator who is connected here, wherever they are, when something is new."""
        push = self._standby()
        if push == self._told:
            return
        self._told = push
        node = self._node
        for connection in [each for each in node.staffed if each.is_moderator]:
            node.send_or_close(connection, push)

    def _standby(self) -> StandbyPush:
        return StandbyPush(
            rooms=[
                AloneRoom(id=room.id, name=room.name, attendance=room.attendance)
                for room in self._node.rooms.values()
                if _needs_one(room) and room.attendance is not Attendance.ATTENDED
            ]
        )

    def _attended_here(self) -> set[RoomId]:
        return {room for each in self._node.staffed if each.is_moderator for room in each.rooms}


def _needs_one(room: Room) -> bool:
    return room.needs_moderator and room.status is RoomStatus.OPEN
