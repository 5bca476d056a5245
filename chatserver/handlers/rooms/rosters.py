"""The people of themed rooms as members see them."""

from __future__ import annotations

from chatserver.delivery.pushes import person_view
from chatserver.domain.identity import Persona
from chatserver.domain.rooms.hiding import NOBODY_HIDDEN, Hiding
from chatserver.domain.rooms.rooms import RoomId, is_closed_room
from chatserver.handlers.node import Node
from chatserver.handlers.people import hiding
from chatserver.protocol.rooms.messages import RoomPerson


class Rosters:
    """Returns who is in a room, and keeps what members who hide nobody see until somebody comes or goes."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._kept: dict[RoomId, tuple[list[Persona], list[RoomPerson]]] = {}
        """The people that each list was made of, which presence replaces when they change, and the list."""

    def of(self, room: RoomId, hides: Hiding) -> list[RoomPerson]:
        """Return the people of a room who are shown to somebody, at most as many as are listed. Not to be changed."""
        people = hiding.people(self._node, room, hides)
        if hides != NOBODY_HIDDEN or is_closed_room(room):
            return self._views(people, room)
        kept = self._kept.get(room)
        if kept is None or kept[0] is not people:
            if len(self._kept) > len(self._node.rooms):
                # Rooms that were removed are among them.
                self._kept.clear()
            # Where somebody came, the list begins with the same objects as before.
            before, views = kept if kept is not None and kept[0] == people[: len(kept[0])] else ([], [])
            kept = self._kept[room] = (people, [*views, *self._views(people[len(before) :], room)])
        return kept[1]

    def _views(self, people: list[Persona], room: RoomId) -> list[RoomPerson]:
        return [person_view(each, room, self._node.aliases) for each in people]
