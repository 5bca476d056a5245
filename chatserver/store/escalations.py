"""What a post's words raise for moderators, in the transaction that saves the post. Sans-I/O, like `log`.

An escalation is a report by nobody, so that everything that is done about reports is done about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from chatserver.domain.crisis import Signal
from chatserver.domain.history import Offset
from chatserver.domain.rooms import Room, RoomKind
from chatserver.store import floor_statements as floor_sql
from chatserver.store import moderation_statements as sql
from chatserver.store import render
from chatserver.store import statements as rooms_sql
from chatserver.store.compiler import Call, Op
from chatserver.store.contract import RoomChange
from chatserver.store.report_rows import report_row
from chatserver.store.turns import turn

BEFORE: Final = 10
"""Posts that go with an escalation from a themed room, the one that raised it among them. From a session only that
one goes: what two people trust each other with is read no further than it must be."""
AGAIN: Final = 10 * 60_000
"""Milliseconds after which somebody whose escalation was closed may raise one of the same kind again."""

WORDS: Final = 200
"""Characters of what fired that are kept with it."""

Raised = tuple[RoomChange, Room, Offset]
"""A command whose words raise something, its room, and the post that they are in."""


def escalate(raised: Sequence[Raised]) -> Op[None]:
    """One for each person, room and category that does not wait already, or waits as something milder."""
    mine = yield from turn()
    has_risen = False
    for change, room, offset in raised:
        for signal in change.signals:
            key = (change.author, room.id, signal.category.value, change.now - AGAIN)
            ((level,),) = yield Call(sql.RAISED, [key])
            if level is not None and level >= signal.level:
                continue
            rows = yield Call(
                rooms_sql.PAGE, [(change.channel, offset + 1, 1 if room.kind is RoomKind.SESSION else BEFORE)]
            )
            row = report_row(
                id_=_id_of(change, signal),
                at=change.now,
                by=None,
                about=change.author,
                room=room.id,
                reason=signal.category.value,
                note=f"{signal.words[:WORDS]}\n{signal.phrase}",
                is_call=False,
                posts=[render.post_of(row) for row in reversed(rows)],
                offset=offset,
                version=mine.version,
                level=signal.level,
            )
            yield Call(floor_sql.ADD_REPORT, [row])
            has_risen = True
    if has_risen:
        yield from mine.rise()


def _id_of(change: RoomChange, signal: Signal) -> str:
    return blake2b(f"{change.author} {change.command_id} {signal.category}".encode(), digest_size=12).hexdigest()
