"""How many are in each room, told to those who see the lobby."""

from __future__ import annotations

from chatserver.domain.rooms.rooms import RoomId, room_channel
from chatserver.handlers.connection import Connection
from chatserver.handlers.rooms.context import Rooms
from chatserver.protocol.rooms.messages import CountsPush


class Lobby:
    """Collects the rooms whose counts have changed, and tells them once a second."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._changed: set[RoomId] = set()
        self._uncounted: set[Connection] = set()
        """Those who had no room for the last counts, and are owed all of them."""

    def changed(self, room: RoomId) -> None:
        """Note that the count of a room has changed."""
        self._changed.add(room)

    async def tell_counts(self) -> None:
        """Tell what has changed since the last time."""
        node, watching = self._rooms.node, self._rooms.watching
        changed, self._changed = self._changed, set()
        uncounted, self._uncounted = self._uncounted & watching, set()
        if not changed and not uncounted:
            return
        here = {room: node.presence.here(room_channel(room)) for room in changed}
        for room, count in here.items():
            node.metrics.members.labels(room).set(count)
        push = CountsPush(here=here)
        for connection in watching if changed else uncounted:
            if connection.outbox.wire.buffered() > node.limits.outbox_bytes:
                self._uncounted.add(connection)
            elif connection in uncounted:
                everywhere = {room: node.presence.here(room_channel(room)) for room in node.rooms}
                connection.outbox.send(CountsPush(here=everywhere))
            else:
                connection.outbox.send(push)
