"""Whether somebody may be heard, and how fast: what posts, edits, reactions, typing and names have in common."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Offset
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.moderation.pace import require_kind_name
from chatserver.domain.rooms.coverage import Attendance
from chatserver.domain.rooms.rooms import SESSION_PREFIX, RoomId
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.handlers.rooms.coverage import is_moderator

_RAW_FACTOR: Final = 4
"""How much longer than a name may be what is looked through: the rest is refused for its length."""
_RENAMING_SECONDS: Final = 1.0
"""When to ask again where another socket of the same member is changing the name at this moment."""


def pay_for_words(node: Node, person: Person) -> None:
    """Charge a member for one post, or one edit: both put words before everybody. Raises RATE_LIMITED."""
    _wait(node.online[person.id].posts.take(1.0, node.monotonic()))


def pay_for_reaction(node: Node, person: Person, room: RoomId, post: Offset) -> None:
    """Charge a member for putting a reaction, or taking it back. Raises RATE_LIMITED."""
    online, now = node.online[person.id], node.monotonic()
    _wait(online.paces.toggle((room, post), now))
    _wait(online.reactions.take(1.0, now))


def pay_for_hiding(node: Node, person: Person, other: MemberId, generation: int) -> None:
    """Charge a member for hiding somebody, or showing them: each time both see the other go or come. Raises
    RATE_LIMITED."""
    _wait(node.online[person.id].paces.toggle((other, generation), node.monotonic()))


async def may_show_typing(node: Node, connection: Connection, person: Person, room: RoomId) -> bool:
    """Whether the others should see that somebody writes: at most every three seconds, and only of whoever may write.

    It is dropped without a word: there is nothing that the client would have to do.
    """
    if not node.online[person.id].paces.may_type(room, node.monotonic()):
        return False
    try:
        await _require_voice_in(node, connection, person, room)
    except Refusal:
        return False
    return True


@contextlib.asynccontextmanager
async def new_name(node: Node, connection: Connection, person: Person, name: str) -> AsyncIterator[None]:
    """Let somebody be called something else within the block: a name is read by everybody in each of their rooms.

    It is counted where the block does not raise: many names are taken, and asking for one of those costs nothing. One
    member changes it once at a time, or several sockets would each find the last change of the hour free.

    Raises NAME_REFUSED for a name that hurts or leads away from here; MUTED, READ_ONLY or UNATTENDED where they may not
    write in a room that they are in, or are muted anywhere; RATE_LIMITED beyond three an hour, or meanwhile.
    """
    name = name[: node.limits.name_length * _RAW_FACTOR]
    require_kind_name(name, node.words.screen(name))
    node.watch.require_unmuted(person.id)
    rooms = {room for each in node.connections_of(person.id) for room in each.rooms}
    for room in sorted(rooms):
        await _require_voice_in(node, connection, person, room)
    online = node.online[person.id]
    _wait(_RENAMING_SECONDS if online.is_renaming else online.names.wait(1.0, node.monotonic()))
    online.is_renaming = True
    try:
        yield
        online.names.take(1.0, node.monotonic())
    finally:
        online.is_renaming = False


async def _require_voice_in(node: Node, connection: Connection, person: Person, room: RoomId) -> None:
    if room.startswith(SESSION_PREFIX) or is_moderator(connection):
        return
    node.watch.require_voice(person.id, node.rooms.get(room))
    if (place := node.rooms.get(room)) is not None and place.attendance is Attendance.READ_ONLY:
        raise Refusal(Reason.UNATTENDED)
    await node.house.require_voice(person, room, connection.welcome)


def _wait(seconds: float) -> None:
    if seconds > 0:
        raise Refusal(Reason.RATE_LIMITED, retry_after=seconds)
