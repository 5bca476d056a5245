"""The statements of who hides whom, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, delete, exists, func, insert, literal_column, or_, select
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.rooms_statements import KEYS_AT_ONCE, POSTED
from chatserver.store.tables import log, mutes


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


EVERYWHERE: Final[ColumnElement[str]] = literal_column("''")


def is_hidden_from(member: ColumnElement[Any], room: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether the author of a `log` row is hidden from a member in a room, under the name with which the row was
    written."""
    return exists(
        select(literal_column("1")).where(
            mutes.c.member == member,
            mutes.c.other == log.c.author,
            mutes.c.generation == log.c.generation,
            or_(mutes.c.room == EVERYWHERE, mutes.c.room == room),
        )
    )


HIDDEN_BY: Final = Statement(
    select(mutes.c.other, mutes.c.generation, mutes.c.room, mutes.c.name)
    .where(mutes.c.member == _p("member"))
    .order_by(mutes.c.other, mutes.c.generation, mutes.c.room),
    "member",
)
HIDDEN_FROM: Final = Statement(
    select(mutes.c.member, mutes.c.own_generation)
    .where(mutes.c.other == _p("other"), mutes.c.room == EVERYWHERE)
    .order_by(mutes.c.member, mutes.c.own_generation),
    "other",
)
_members: Final = [f"member_{number}" for number in range(KEYS_AT_ONCE)]
HIDDEN_BY_ANY: Final = Statement(
    select(mutes.c.member, mutes.c.other)
    .where(mutes.c.member.in_([_p(name) for name in _members]), mutes.c.room == EVERYWHERE)
    .order_by(mutes.c.member, mutes.c.other),
    *_members,
)
HIDDEN_BY_THESE: Final = Statement(
    select(mutes.c.member, mutes.c.other, mutes.c.generation, mutes.c.room, mutes.c.name)
    .where(mutes.c.member.in_([_p(name) for name in _members]))
    .order_by(mutes.c.member, mutes.c.other, mutes.c.generation, mutes.c.room),
    *_members,
)
HIDDEN_FROM_THESE: Final = Statement(
    select(mutes.c.other, mutes.c.member, mutes.c.own_generation)
    .where(mutes.c.other.in_([_p(name) for name in _members]), mutes.c.room == EVERYWHERE)
    .order_by(mutes.c.other, mutes.c.member, mutes.c.own_generation),
    *_members,
)
NAME_THEN: Final = Statement(
    select(log.c.name)
    .where(log.c.author == _p("author"), log.c.generation == _p("generation"), log.c.kind == POSTED)
    .limit(literal_column("1")),
    "author",
    "generation",
)
_NAMES: Final = ("member", "other", "generation", "room", "name", "own_generation")
ADD_MUTE: Final = Statement(insert(mutes).values({name: _p(name) for name in _NAMES}), *_NAMES)
DROP_MUTE: Final = Statement(
    # Also drop the rows that were added when this person took another name.
    delete(mutes).where(
        mutes.c.member == _p("member"),
        mutes.c.other == _p("other"),
        or_(mutes.c.generation == _p("generation"), mutes.c.room != EVERYWHERE),
    ),
    "member",
    "other",
    "generation",
)
FOLLOW: Final = Statement(
    # Somebody who is hidden in a room under one name stays hidden there under the next.
    insert(mutes).from_select(
        _NAMES,
        select(
            mutes.c.member,
            mutes.c.other,
            _p("new"),
            _p("room"),
            func.min(mutes.c.name),
            func.min(mutes.c.own_generation),
        )
        .where(
            mutes.c.other == _p("who"),
            mutes.c.generation == _p("old"),
            or_(mutes.c.room == EVERYWHERE, mutes.c.room == _p("in_room")),
        )
        .group_by(mutes.c.member, mutes.c.other),
    ),
    "new",
    "room",
    "who",
    "old",
    "in_room",
)
DROP_MUTES: Final = Statement(delete(mutes).where(or_(mutes.c.member == _p("who"), mutes.c.other == _p("who"))), "who")
