"""What the commands of rooms work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chatserver.domain.rooms.rooms import RoomId, RoomKind, kind_of
from chatserver.handlers.closed_rooms import ClosedRooms
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening.service import ListeningService
from chatserver.handlers.moderation.enforcement import Enforcement
from chatserver.handlers.node import Node
from chatserver.handlers.rooms.admission import RoomAdmission
from chatserver.handlers.rooms.coverage import RoomCoverage
from chatserver.handlers.rooms.rosters import Rosters
from chatserver.handlers.rooms.second_looks import SecondLooks


def _none() -> set[RoomId]:
    return set()


@dataclass(slots=True)
class Rooms:
    """The rooms of one worker, with the features that have a say in who may be there and write."""

    node: Node
    enforcement: Enforcement
    listening: ListeningService
    admission: RoomAdmission
    coverage: RoomCoverage
    rosters: Rosters
    closed: Mapping[RoomKind, ClosedRooms]
    """The features that open closed rooms."""
    second_looks: SecondLooks
    watching: set[Connection] = field(default_factory=set)
    """Those who see the lobby, and are told how many are in each room."""
    moderated: Callable[[], set[RoomId]] = _none
    """The rooms where a moderator is, on whatever worker. The load of all workers knows."""

    def closed_of(self, room: RoomId) -> ClosedRooms | None:
        """Return the feature that opened a room, or None for an open room."""
        return self.closed.get(kind_of(room))
