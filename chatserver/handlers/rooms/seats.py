"""Seats in rooms, on one worker: who may have one, who has done nothing for long, and who gives one up.

A member without a seat who is still connected to a room is a reader: they get everything live, count in no number and
stand on no list, and have a seat again as soon as they do something and there is one.
"""

from __future__ import annotations

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms import seats as rules
from chatserver.domain.rooms.rooms import Room, RoomId, RoomStatus, is_closed_room, room_channel, room_of
from chatserver.domain.rooms.seats import Newcomer
from chatserver.domain.rooms.settings import root_of
from chatserver.domain.sources import WIDENING
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.protocol.internode import SeatGivenUp
from chatserver.protocol.rooms.messages import ReadingPush

_RETURNING_SLACK = 1.1
"""Somebody who comes back with a position is let in over the capacity, up to this factor: the network took them out."""
_ROOMS_WITH_SPACE = 5


# ------------------------------------------------------------------------------------------------ wanting one


def require(
    node: Node,
    connection: Connection,
    room: Room,
    person: Persona,
    *,
    is_returning: bool,
    instead_of: RoomId | None = None,
) -> None:
    """Refuse a seat in a themed room to a member who has one nowhere else to spare, or where there is none.

    Raises SEATS_USED with `details.limit` and `details.rooms`, those where the member has a seat; ROOM_FULL with
    `details.rooms`, others that have space. Waits for nothing: called again right before the seat is taken, it holds
    for everybody on this worker. Counts of other workers are a moment old. A seat in `instead_of` does not count.
    """
    channel = room_channel(room.id)
    if node.presence.is_here(channel, person.id):
        return
    limit = node.limits.rooms_per_member
    taken = (room_of(each) for each in node.presence.channels_of(person.id))
    seated = frozenset(each for each in taken if _is_themed(each) and each != instead_of)
    elsewhere = rules.seated_elsewhere(room, node.rooms, seated)
    if len(elsewhere) >= limit:
        told = [
            {"id": other.id, "name": other.name}
            for other in sorted(elsewhere, key=lambda each: (each.position, each.id))
        ]
        raise Refusal(Reason.SEATS_USED, details={"limit": limit, "rooms": told})
    _require_space(node, room, is_returning=is_returning)
    if (new := newcomer(node, connection)) is not None:
        allowed = rules.newcomers_allowed(room.capacity, connection.share, node.limits)
        counts = node.presence.newcomers(channel, node.now())
        pairs = zip(new.networks, WIDENING, strict=False)
        if any(counts.get(network, 0) >= allowed * scale for network, scale in pairs):
            raise _full(node, room)


def newcomer(node: Node, connection: Connection) -> Newcomer | None:
    """Return what other workers are told of a connection's guest, while they are new."""
    if connection.is_moderator:
        return None
    return rules.newcomer(connection.created_at, connection.networks, node.now())


def _require_space(node: Node, room: Room, *, is_returning: bool) -> None:
    channel = room_channel(room.id)
    capacity = room.capacity * _RETURNING_SLACK if is_returning else room.capacity
    here = node.presence.here(channel)
    # Whoever is idle gives the seat up to the one who comes.
    if here >= capacity and here - len(node.presence.idle(channel)) >= capacity:
        raise _full(node, room)


def _full(node: Node, room: Room) -> Refusal:
    root = root_of(room)
    here = {other.id: node.presence.here(room_channel(other.id)) for other in node.rooms.values()}
    open_ = [other for other in node.rooms.values() if other.status is RoomStatus.OPEN and other.id != room.id]
    with_space = [other for other in open_ if here[other.id] < other.capacity]
    # Those beside it first: what is spoken of there is what somebody came for.
    with_space.sort(key=lambda other: root_of(other) != root)
    told = [{"id": other.id, "name": other.name, "here": here[other.id]} for other in with_space[:_ROOMS_WITH_SPACE]]
    return Refusal(Reason.ROOM_FULL, retry_after=60.0, details={"rooms": told})


# ------------------------------------------------------------------------------------------------ having one


def take(node: Node, connection: Connection, room: RoomId, person: Persona) -> None:
    """Give a connection's member a seat. Whether they may have one was asked before."""
    connection.take_seat(room)
    new = None if not _is_themed(room) else newcomer(node, connection)
    node.presence.enter(room_channel(room), person, connection, new)
    touch(node, connection, room)


def touch(node: Node, connection: Connection, room: RoomId) -> None:
    """Note that a member does something in a room: their seat is theirs."""
    if connection.person is None or not _is_themed(room) or room in connection.reading:
        return
    if room in connection.rooms:
        connection.rooms[room] = node.monotonic()
    node.presence.set_idle(room_channel(room), connection.person.id, False)


def require_seat(
    node: Node, connection: Connection, room: RoomId, person: Persona, *, instead_of: RoomId | None = None
) -> None:
    """Let a reader who does something have a seat again. Raises ONLY_READING, with `details.rooms`, where there is none
    at this moment, or SEATS_USED."""
    place = node.rooms.get(room)
    if room not in connection.reading or place is None:
        return
    try:
        require(node, connection, place, person, is_returning=True, instead_of=instead_of)
    except Refusal as refusal:
        if refusal.reason is not Reason.ROOM_FULL:
            raise
        raise Refusal(Reason.ONLY_READING, details=refusal.details) from None
    take(node, connection, room, person)


# ------------------------------------------------------------------------------------------------ giving one up


def look_round(node: Node) -> None:
    """See who is idle in the rooms that are full, and take the seats of those who have to give one up. Call it about
    once a second."""
    node.presence.grow_up(node.now())
    for room in node.rooms.values():
        channel = room_channel(room.id)
        if not _is_themed(room.id) or node.presence.here(channel) < room.capacity:
            continue
        for member in node.presence.own(channel):
            node.presence.set_idle(channel, member, _is_idle(node, member, room.id))
        for member in rules.giving_up(node.presence.idle(channel), node.presence.here(channel), room.capacity):
            give_up(node, member, room.id)


def crowds(node: Node) -> dict[RoomId, int]:
    """Return for each themed room how many in it are newcomers of the network that most newcomers there come from."""
    found: dict[RoomId, int] = {}
    for id_ in node.rooms:
        counts = node.presence.newcomers(room_channel(id_), node.now())
        if counts and _is_themed(id_):
            found[id_] = max(counts.values())
    return found


def _is_idle(node: Node, member: MemberId, room: RoomId) -> bool:
    seated = [each for each in node.connections_of(member) if room in each.rooms and room not in each.reading]
    if not seated or any(each.is_moderator for each in seated):
        return False
    latest = max(each.rooms[room] for each in seated)
    return node.monotonic() - latest >= node.limits.idle_seat_seconds


def swap(node: Node, member: MemberId, room: RoomId, instead_of: RoomId | None) -> None:
    """Give a member's seat in `instead_of` up for one in `room`, wherever they are connected."""
    if instead_of is not None and instead_of != room and _is_themed(instead_of):
        give_up(node, member, instead_of)
        node.tell_nodes(SeatGivenUp(member, room_channel(instead_of)))


def give_up(node: Node, member: MemberId, room: RoomId) -> None:
    """Take the seat of a member in a room, as far as their connections here hold it: they read on, and are told so."""
    channel = room_channel(room)
    for connection in node.connections_of(member):
        if room in connection.rooms and room not in connection.reading:
            connection.give_seat(room)
            node.presence.leave(channel, member, connection)
            connection.outbox.send(ReadingPush(channel=channel))


def _is_themed(room: RoomId) -> bool:
    return not is_closed_room(room)
