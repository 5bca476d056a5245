"""Whether somebody may write in a room, and how fast: what posts, edits, reactions and typing have in common."""

from __future__ import annotations

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Offset
from chatserver.domain.identity import Person
from chatserver.domain.rooms.coverage import Attendance
from chatserver.domain.rooms.rooms import RoomId, is_closed_room
from chatserver.domain.shared_limits import Shared
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node, wait
from chatserver.handlers.rooms.context import Rooms


def pay_for_words(node: Node, person: Person) -> None:
    """Charge a member for one post, or one edit: both put words before everybody. Raises RATE_LIMITED."""
    now = node.monotonic()
    wait(node.online[person.id].bucket(Shared.POSTS, now).take(1.0, now))


def pay_for_reaction(node: Node, person: Person, room: RoomId, post: Offset) -> None:
    """Charge a member for putting a reaction, or taking it back. Raises RATE_LIMITED."""
    online, now = node.online[person.id], node.monotonic()
    wait(online.paces.toggle((room, post), now))
    wait(online.bucket(Shared.REACTIONS, now).take(1.0, now))


async def may_show_typing(rooms: Rooms, connection: Connection, person: Person, room: RoomId) -> bool:
    """Return whether others should see that a member is typing: at most every three seconds, and only while the member
    may write. Otherwise the command is dropped without an error, because the client could do nothing about it."""
    if not rooms.node.online[person.id].paces.may_type(room, rooms.node.monotonic()):
        return False
    try:
        await require_voice_in(rooms, connection, person, room)
    except Refusal:
        return False
    return True


async def require_voice_in(rooms: Rooms, connection: Connection, person: Person, room: RoomId) -> None:
    """Raise Refusal where a member may not write in a room that they are in, as far as is known here."""
    node = rooms.node
    if is_closed_room(room) or connection.is_moderator:
        return
    rooms.enforcement.require_voice(person.id, node.rooms.get(room))
    if (place := node.rooms.get(room)) is not None and place.attendance is Attendance.READ_ONLY:
        raise Refusal(Reason.UNATTENDED)
    await rooms.admission.require_voice(person, room, connection.welcome)
