"""The statements of rooms and their logs, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    column,
    delete,
    false,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    table,
    true,
    update,
)
from sqlalchemy.sql import ColumnElement, FromClause

from chatserver.domain.rooms.rooms import Room, RoomKind
from chatserver.store.core.compiler import Statement
from chatserver.store.tables import (
    channels,
    log,
    memberships,
    reactions,
    rooms,
)


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


KEYS_AT_ONCE: Final = 50
"""How many rows one statement finds by their keys. Every worker reads the heads of all its channels each second; one
statement for each would hold up everybody else."""
POSTED: Final[ColumnElement[str]] = literal_column("'posted'")
THEMED: Final[ColumnElement[str]] = literal_column("'themed'")
SESSION: Final[ColumnElement[str]] = literal_column("'session'")
COMPANY: Final[ColumnElement[str]] = literal_column("'company'")

# ------------------------------------------------------------------------------------------------ columns of rows

ROOM_COLUMNS: Final = tuple(rooms.c[name] for name in Room.__struct_fields__)
"""A room's columns have the names and the order of its fields."""
MEMBERSHIP_COLUMNS: Final = (
    memberships.c.room,
    memberships.c.agreement_version,
    memberships.c.read,
    memberships.c.last_post_at,
    memberships.c.joined,
    memberships.c.from_offset,
)


def post_columns(table: FromClause) -> tuple[ColumnElement[Any], ...]:
    c = table.c
    return (
        c.offset,
        c.author,
        c.name,
        c.text,
        c.at,
        c.warning,
        c.reply_to,
        c.edited_at,
        c.redacted,
        c.reactions,
        c.generation,
    )


_target = log.alias("target")


def _publication_columns(table: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Return the columns of a `log` row: 11 of the post, 4 of the event, 5 of its target, and its voice
    (for `decoding.publication_of`)."""
    return (
        *post_columns(table),
        table.c.kind,
        table.c.target,
        table.c.reaction,
        table.c.is_on,
        _target.c.offset,
        _target.c.text,
        _target.c.warning,
        _target.c.edited_at,
        _target.c.reactions,
        table.c.voice,
    )


def _with_target(table: FromClause) -> ColumnElement[bool]:
    return and_(_target.c.channel == table.c.channel, _target.c.offset == table.c.target)


# ------------------------------------------------------------------------------------------------ the commit road

LOCK_ROOMS: Final = Statement(
    select(
        channels.c.channel,
        channels.c.epoch,
        channels.c.first_offset,
        channels.c.last_offset,
        channels.c.last_at,
        *ROOM_COLUMNS,
    )
    .select_from(channels.join(rooms, rooms.c.channel == channels.c.channel))
    .where(channels.c.channel == _p("channel"))
    # Lock both rows: after waiting for another commit, the room too must be read as that commit left it.
    .with_for_update(key_share=True),
    "channel",
)
LOCK_CHANNELS: Final = Statement(
    select(
        channels.c.channel,
        channels.c.epoch,
        channels.c.first_offset,
        channels.c.last_offset,
        channels.c.last_at,
    )
    .where(channels.c.channel == _p("channel"))
    .with_for_update(key_share=True),
    "channel",
)
FIND_COMMANDS: Final = Statement(
    select(log.c.command_id, log.c.digest, channels.c.channel, channels.c.epoch, *_publication_columns(log))
    .select_from(
        log.join(channels, channels.c.channel == log.c.channel).outerjoin(_target, _with_target(log)),
    )
    .where(log.c.author == _p("author"), log.c.command_id == _p("command_id"))
    .order_by(log.c.part),
    "author",
    "command_id",
)
FIND_MEMBERSHIPS: Final = Statement(
    select(memberships.c.member, *MEMBERSHIP_COLUMNS).where(
        memberships.c.member == _p("member"), memberships.c.room == _p("room")
    ),
    "member",
    "room",
)
FIND_POSTS: Final = Statement(
    select(log.c.channel, *post_columns(log)).where(
        log.c.channel == _p("channel"), log.c.offset == _p("offset"), log.c.kind == POSTED
    ),
    "channel",
    "offset",
)
FIND_REACTIONS: Final = Statement(
    select(reactions.c.channel, reactions.c.offset, reactions.c.member, reactions.c.reaction).where(
        reactions.c.channel == _p("channel"),
        reactions.c.offset == _p("offset"),
        reactions.c.member == _p("member"),
    ),
    "channel",
    "offset",
    "member",
)

_POSTED_NAMES: Final = (
    "channel",
    "offset",
    "at",
    "author",
    "command_id",
    "part",
    "digest",
    "name",
    "text",
    "warning",
    "reply_to",
    "generation",
)
ADD_POSTS: Final = Statement(
    insert(log).values(
        {**{name: _p(name) for name in _POSTED_NAMES}, "kind": POSTED, "redacted": false()},
    ),
    *_POSTED_NAMES,
)
_EVENT_NAMES: Final = (
    "channel",
    "offset",
    "kind",
    "at",
    "author",
    "command_id",
    "part",
    "digest",
    "target",
    "reaction",
    "is_on",
    "generation",
    "voice",
)
ADD_EVENTS: Final = Statement(
    insert(log).values({**{name: _p(name) for name in _EVENT_NAMES}, "redacted": false()}), *_EVENT_NAMES
)
SET_POSTS: Final = Statement(
    update(log)
    .where(log.c.channel == _p("in_channel"), log.c.offset == _p("at_offset"))
    .values({name: _p(name) for name in ("text", "warning", "edited_at", "redacted", "reactions")}),
    "text",
    "warning",
    "edited_at",
    "redacted",
    "reactions",
    "in_channel",
    "at_offset",
)
FORGET_DIGESTS: Final = Statement(
    update(log)
    .where(
        log.c.channel == _p("in_channel"),
        or_(log.c.offset == _p("post"), log.c.target == _p("post")),
    )
    .values(digest=null()),
    "in_channel",
    "post",
)
DROP_POST_REACTIONS: Final = Statement(
    delete(reactions).where(reactions.c.channel == _p("channel"), reactions.c.offset == _p("offset")),
    "channel",
    "offset",
)
ADD_REACTIONS: Final = Statement(
    insert(reactions).values({c.name: _p(c.name) for c in reactions.c}),
    *reactions.c.keys(),
)
DROP_REACTIONS: Final = Statement(
    delete(reactions).where(and_(*(c == _p(c.name) for c in reactions.c))),
    *reactions.c.keys(),
)
SET_LAST_POST: Final = Statement(
    update(memberships)
    .where(memberships.c.member == _p("whose"), memberships.c.room == _p("where"))
    .values(last_post_at=_p("last_post_at")),
    "last_post_at",
    "whose",
    "where",
)
SET_LAST: Final = Statement(
    update(channels)
    .where(channels.c.channel == _p("which"))
    .values(last_offset=_p("last_offset"), last_at=_p("last_at")),
    "last_offset",
    "last_at",
    "which",
)
SET_EPOCH: Final = Statement(
    update(channels).where(channels.c.channel == _p("which")).values(epoch=_p("epoch")), "epoch", "which"
)
ALL_FACTS: Final = Statement(
    select(func.coalesce(func.sum(channels.c.last_offset), 0))
    .join_from(channels, rooms, rooms.c.channel == channels.c.channel)
    .where(rooms.c.kind == RoomKind.THEMED.value)
)
ALL_CHANNELS: Final = Statement(select(channels.c.channel).order_by(channels.c.channel))
SET_FIRST: Final = Statement(
    update(channels).where(channels.c.channel == _p("which")).values(first_offset=_p("first_offset")),
    "first_offset",
    "which",
)
_ROOM_NAMES: Final = tuple(c.name for c in ROOM_COLUMNS)
SET_ROOM: Final = Statement(
    update(rooms).where(rooms.c.id == _p("which")).values({name: _p(name) for name in _ROOM_NAMES[1:]}),
    *_ROOM_NAMES[1:],
    "which",
)

# ------------------------------------------------------------------------------------------------ reading

_heads_of: Final = [f"channel_{number}" for number in range(KEYS_AT_ONCE)]
HEADS: Final = Statement(
    select(channels.c.channel, channels.c.epoch, channels.c.first_offset, channels.c.last_offset).where(
        channels.c.channel.in_([_p(name) for name in _heads_of])
    ),
    *_heads_of,
)
# Limited before anything is joined to it, so that the primary key gives both the rows and their order.
_slice = (
    select(log)
    .where(log.c.channel == _p("channel"), log.c.offset > _p("after"))
    .order_by(log.c.offset)
    .limit(bindparam("count"))
    .subquery("slice")
)
READ: Final = Statement(
    # One statement, so that the head and the rows are of one snapshot. No rows: no channel. A row of NULLs: nothing
    # after that offset.
    select(channels.c.epoch, channels.c.first_offset, channels.c.last_offset, *_publication_columns(_slice))
    .select_from(channels.outerjoin(_slice, true()).outerjoin(_target, _with_target(_slice)))
    .where(channels.c.channel == _p("channel"))
    .order_by(_slice.c.offset),
    "channel",
    "after",
    "count",
)
_REACTED: Final[ColumnElement[str]] = literal_column("'reacted'")


def _last_reactions(*by: str) -> Select[tuple[int]]:
    """Select the offset of the last reaction after a position for each post, and for each value of the columns `by`."""
    some = log.alias(f"last_by_{len(by)}")
    newest = select(func.max(some.c.offset)).where(
        some.c.channel == _p("channel"),
        some.c.offset > _p("after"),
        some.c.offset <= _p("until"),
        some.c.kind == _REACTED,
    )
    if by:
        newest = newest.where(some.c.author == _p("whom"))
    return newest.group_by(some.c.target, *(some.c[name] for name in by))


_told = (
    select(log)
    .where(
        log.c.channel == _p("channel"),
        log.c.offset > _p("after"),
        log.c.offset <= _p("until"),
        or_(
            log.c.kind != _REACTED,
            log.c.offset.in_(_last_reactions()),
            log.c.offset.in_(_last_reactions("reaction")),
        ),
    )
    .order_by(log.c.offset)
    .limit(bindparam("count"))
    .subquery("told")
)
READ_FOLDED: Final = Statement(
    # Like READ, but of the reactions on a post, only the last one and the last of each kind by `whom` are included.
    select(channels.c.epoch, channels.c.first_offset, channels.c.last_offset, *_publication_columns(_told))
    .select_from(channels.outerjoin(_told, true()).outerjoin(_target, _with_target(_told)))
    .where(channels.c.channel == _p("channel"))
    .order_by(_told.c.offset),
    "channel",
    "after",
    "until",
    "whom",
    "count",
)
LAST_POST_OF: Final = Statement(
    select(func.max(log.c.at)).where(
        log.c.channel == _p("channel"), log.c.author == _p("author"), log.c.kind == POSTED
    ),
    "channel",
    "author",
)
PAGE: Final = Statement(
    select(*post_columns(log))
    .where(log.c.channel == _p("channel"), log.c.offset < _p("before"), log.c.kind == POSTED)
    .order_by(log.c.offset.desc())
    .limit(bindparam("count")),
    "channel",
    "before",
    "count",
)
# Limited before it is joined, as `_slice` is.
_page = (
    select(log)
    .where(
        log.c.channel == _p("channel"),
        log.c.offset < _p("before"),
        log.c.offset > _p("after"),
        log.c.kind == POSTED,
    )
    .order_by(log.c.offset.desc())
    .limit(bindparam("count"))
    .subquery("page")
)
PAGE_WITH_HEAD: Final = Statement(
    # One statement, for the same reason as `READ`.
    select(channels.c.epoch, channels.c.first_offset, channels.c.last_offset, *post_columns(_page))
    .select_from(channels.outerjoin(_page, true()))
    .where(channels.c.channel == _p("channel"))
    .order_by(_page.c.offset.desc()),
    "channel",
    "before",
    "after",
    "count",
)
SEES_FROM: Final = Statement(
    select(memberships.c.from_offset)
    .select_from(memberships.join(rooms, rooms.c.id == memberships.c.room))
    .where(rooms.c.channel == _p("channel"), memberships.c.member == _p("member")),
    "channel",
    "member",
)
HIDDEN_UPTO: Final = Statement(
    select(func.max(memberships.c.from_offset)).where(memberships.c.room == _p("room")), "room"
)
MY_REACTIONS: Final = Statement(
    select(reactions.c.offset, reactions.c.reaction)
    .where(
        reactions.c.channel == _p("channel"),
        reactions.c.offset.between(_p("low"), _p("high")),
        reactions.c.member == _p("member"),
    )
    .order_by(reactions.c.offset, reactions.c.reaction),
    "channel",
    "low",
    "high",
    "member",
)
ROOM: Final = Statement(select(*ROOM_COLUMNS).where(rooms.c.channel == _p("channel")), "channel")
ROOM_BY_ID: Final = Statement(select(*ROOM_COLUMNS).where(rooms.c.id == _p("id")), "id")
ROOMS: Final = Statement(select(*ROOM_COLUMNS).where(rooms.c.kind == THEMED).order_by(rooms.c.position, rooms.c.id))
ADD_CHANNELS: Final = Statement(insert(channels).values({c.name: _p(c.name) for c in channels.c}), *channels.c.keys())
ADD_ROOMS: Final = Statement(
    insert(rooms).values({name: _p(name) for name in (*_ROOM_NAMES, "channel")}), *_ROOM_NAMES, "channel"
)
SCHEMA_VERSION: Final = Statement(select(column("version_num")).select_from(table("alembic_version")))
