"""Members' ids on their way in and out: whom an alias of a command stands for, and who somebody is in each room."""

from __future__ import annotations

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId, Person, Persona
from chatserver.domain.listening.state import SessionId, room_of_session
from chatserver.domain.rooms.aliases import ALIAS_PREFIX, Named
from chatserver.domain.rooms.hiding import Hiding
from chatserver.domain.rooms.rooms import RoomId, is_closed_room
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.protocol.messages import RoomSelf


def hidden_list(node: Node, member: MemberId, hiding: Hiding) -> list[Person]:
    """Returns those whom a member hides, each with an id that means something to this member only, and the name that
    they had then."""
    return [Person(node.aliases.of(_hidden_by(member), each.id, each.generation), each.name) for each in hiding.hidden]


def room_self(node: Node, persona: Persona, room: RoomId, hiding: Hiding) -> RoomSelf:
    """Returns the ids that a member has in a room, and those of the people whom they hide there."""
    hidden = {
        node.aliases.in_room(room, each.other, each.generation)
        for each in hiding.unseen
        if each.room is None or each.room == room
    }
    return RoomSelf(me=node.aliases.own(room, persona.id, persona.generation), hidden=sorted(hidden))


async def in_sight(node: Node, connection: Connection, persona: Persona, alias: MemberId) -> Named:
    """Returns whom an id stands for in a room that this connection is in, or in the asker's own list of those whom they
    hide. Raises MEMBER_UNKNOWN."""
    found = node.aliases.find((*sorted(connection.rooms), _hidden_by(persona.id)), alias)
    if found is None:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    scope, named = found
    if not is_closed_room(RoomId(scope)):
        return named
    # In a closed room everybody has one id under all their names; it is the one of now that is meant.
    member = await node.store.member(named.member)
    return named if member is None else Named(named.member, member.generation)


def in_room(node: Node, room: RoomId, alias: MemberId) -> MemberId:
    """Returns the member whom an id stands for in a room. Raises MEMBER_UNKNOWN."""
    named = node.aliases.open(room, alias)
    if named is None:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    return named.member


def in_session(node: Node, session: SessionId, alias: MemberId) -> MemberId:
    """Returns the member whom an id stands for in a session. Raises MEMBER_UNKNOWN."""
    return in_room(node, room_of_session(session), alias)


def of_staff(node: Node, connection: Connection, room: RoomId | None, wanted: MemberId) -> MemberId:
    """Returns the member whom a moderator means: by a member id, as in what moderation shows them, or by an id in the
    room that the command names or one that they are in. Raises MEMBER_UNKNOWN."""
    if not wanted.startswith(ALIAS_PREFIX):
        return wanted
    found = node.aliases.find({*connection.rooms, room} if room else connection.rooms, wanted)
    if found is None:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    return found[1].member


def _hidden_by(member: MemberId) -> str:
    return f"hidden by {member}"
