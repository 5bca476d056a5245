"""Whether a member may be called something else, and how often."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from chatserver.domain.identity import Person
from chatserver.domain.moderation.pace import require_kind_name
from chatserver.domain.shared_limits import Shared
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node, wait

_RAW_FACTOR: Final = 4
"""How much longer than a name may be what is looked through: the rest is refused for its length."""
_RENAMING_SECONDS: Final = 1.0
"""When to ask again where another socket of the same member is changing the name at this moment."""


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
    for part in node.parts:
        await part.require_new_name(connection, person)
    online = node.online[person.id]
    names = online.bucket(Shared.NAMES, node.monotonic())
    wait(_RENAMING_SECONDS if online.is_renaming else names.wait(1.0, node.monotonic()))
    online.is_renaming = True
    try:
        yield
        names.take(1.0, node.monotonic())
    finally:
        online.is_renaming = False
