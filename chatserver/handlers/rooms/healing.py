"""Rooms that a member left on another worker while the bus was away: their connections here leave them, too."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import RoomId
from chatserver.handlers import membership
from chatserver.handlers.rooms.context import Rooms


async def leave_what_was_left(rooms: Rooms, members: Sequence[MemberId]) -> None:
    """Take connections here out of rooms that their members left on another worker. Raises StoreUnavailable."""
    node = rooms.node
    inside = [member for member in members if any(each.rooms for each in node.connections_of(member))]
    found = await _left_and_in(rooms, inside)
    # Asked once more: somebody may have come in again meanwhile.
    for member, room in found & await _left_and_in(rooms, {member for member, _ in found}):
        membership.left(node, member, room)


async def _left_and_in(rooms: Rooms, members: Collection[MemberId]) -> set[tuple[MemberId, RoomId]]:
    """Which rooms these members have left, and are in here all the same."""
    left = await rooms.node.store.left_rooms(members) if members else set()
    return {(member, room) for member, room in left if _is_left_in(rooms, member, room)}


def _is_left_in(rooms: Rooms, member: MemberId, room: RoomId) -> bool:
    node = rooms.node
    place = node.rooms.get(room)
    # Out of a room that was split pages are led one by one.
    is_single = place is not None and len(rooms.admission.family(place)) == 1
    return is_single and any(room in each.rooms for each in node.connections_of(member))
