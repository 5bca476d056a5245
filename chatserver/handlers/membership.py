"""What a member's other connections must know of what they did on one: that they read a room, or left it."""

from __future__ import annotations

from chatserver.domain.history import Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.people.shown_roles import with_role
from chatserver.domain.rooms.rooms import RoomId, room_channel
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.protocol.internode import RoomLeft, RoomRead, encode, node_topic
from chatserver.protocol.rooms.messages import LeftPush, ReadPush


def shown(connection: Connection, person: Persona) -> Persona:
    """Return somebody as the others in a room see them: a moderator with their role."""
    if not connection.is_moderator:
        return person
    return Persona(person.id, with_role(person.name, "moderator"), person.generation)


def depart(node: Node, connection: Connection, room: RoomId) -> None:
    """Take one connection out of a room."""
    if room in connection.rooms:
        connection.leave(room)
        channel = room_channel(room)
        node.hub.leave(connection.outbox, channel)
        if connection.person is not None:
            node.presence.leave(channel, connection.person.id, connection)


def left(node: Node, member: MemberId, room: RoomId, *, told: Connection | None = None) -> None:
    """Take a member's connections here out of a room that they left, and tell each but `told`, which is answered."""
    for connection in node.connections_of(member):
        if connection is told or room not in connection.rooms:
            continue
        depart(node, connection, room)
        connection.outbox.send(LeftPush(room=room))


def tell_left(node: Node, member: MemberId, room: RoomId) -> None:
    """Tell all other workers that a member left a room: no list says on which of them the member only reads."""
    node.tell_nodes(RoomLeft(member, room_channel(room)))


def read(node: Node, member: MemberId, room: RoomId, offset: Offset, *, told: Connection | None = None) -> None:
    """Tell a member's connections here, but for `told`, that they have read a room up to an offset."""
    for connection in node.connections_of(member):
        if connection is not told:
            connection.outbox.send(ReadPush(room=room, offset=offset))


def tell_read(node: Node, member: MemberId, room: RoomId, offset: Offset) -> None:
    """Tell the workers where the member is in the room too. Reading is frequent, so only they are told."""
    channel = room_channel(room)
    message = encode(node.id, RoomRead(member, channel, offset))
    others = [each for each in node.presence.nodes_of(channel, member) if each != node.id]
    node.bus.publish([(node_topic(each), message) for each in others])
