"""Every statement, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    and_,
    bindparam,
    case,
    column,
    delete,
    exists,
    false,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    table,
    true,
    union,
    update,
)
from sqlalchemy.sql import ColumnElement, FromClause

from chatserver.store.compiler import Statement
from chatserver.store.tables import (
    channels,
    floor_records,
    log,
    members,
    memberships,
    mutes,
    reactions,
    rooms,
    staff,
    upkeep,
)


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


KEYS_AT_ONCE: Final = 50
"""How many rows one statement finds by their keys. Every worker asks each second for the heads of all its channels:
one by one they held up everybody else."""
POSTED: Final[ColumnElement[str]] = literal_column("'posted'")
THEMED: Final[ColumnElement[str]] = literal_column("'themed'")
SESSION: Final[ColumnElement[str]] = literal_column("'session'")

# ------------------------------------------------------------------------------------------------ columns of rows

_ROOM_COLUMNS: Final = (
    rooms.c.id,
    rooms.c.name,
    rooms.c.about,
    rooms.c.topic,
    rooms.c.welcome,
    rooms.c.agreement,
    rooms.c.agreement_version,
    rooms.c.capacity,
    rooms.c.slow_mode,
    rooms.c.status,
    rooms.c.position,
    rooms.c.kind,
)
_MEMBERSHIP_COLUMNS: Final = (
    memberships.c.room,
    memberships.c.agreement_version,
    memberships.c.read,
    memberships.c.last_post_at,
    memberships.c.joined,
)
_MEMBER_COLUMNS: Final = (
    members.c.id,
    members.c.name,
    members.c.name_key,
    members.c.created_at,
    members.c.seen_at,
    members.c.code_hash.is_not(None),
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
    )


_target = log.alias("target")


def _publication_columns(table: FromClause) -> tuple[ColumnElement[Any], ...]:
    """A `log` row with what it refers to: 10 of the post, 4 of the event, 5 of its target (`render.publication_of`)."""
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
        *_ROOM_COLUMNS,
    )
    .select_from(channels.join(rooms, rooms.c.channel == channels.c.channel))
    .where(channels.c.channel == _p("channel"))
    # Both rows: after waiting for another commit, the room must be as that commit left it, too.
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
    select(memberships.c.member, *_MEMBERSHIP_COLUMNS).where(
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
ALL_CHANNELS: Final = Statement(select(channels.c.channel).order_by(channels.c.channel))
SET_FIRST: Final = Statement(
    update(channels).where(channels.c.channel == _p("which")).values(first_offset=_p("first_offset")),
    "first_offset",
    "which",
)
_ROOM_NAMES: Final = tuple(c.name for c in _ROOM_COLUMNS)
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
# Cut to size before anything is joined to it, so that the primary key gives both the rows and their order.
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
PAGE: Final = Statement(
    select(*post_columns(log))
    .where(log.c.channel == _p("channel"), log.c.offset < _p("before"), log.c.kind == POSTED)
    .order_by(log.c.offset.desc())
    .limit(bindparam("count")),
    "channel",
    "before",
    "count",
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
ROOM: Final = Statement(select(*_ROOM_COLUMNS).where(rooms.c.channel == _p("channel")), "channel")
ROOM_BY_ID: Final = Statement(select(*_ROOM_COLUMNS).where(rooms.c.id == _p("id")), "id")
ROOMS: Final = Statement(select(*_ROOM_COLUMNS).where(rooms.c.kind == THEMED).order_by(rooms.c.position, rooms.c.id))
ADD_CHANNELS: Final = Statement(insert(channels).values({c.name: _p(c.name) for c in channels.c}), *channels.c.keys())
ADD_ROOMS: Final = Statement(
    insert(rooms).values({name: _p(name) for name in (*_ROOM_NAMES, "channel")}), *_ROOM_NAMES, "channel"
)

# ------------------------------------------------------------------------------------------------ members

MEMBER: Final = Statement(select(*_MEMBER_COLUMNS).where(members.c.id == _p("id")), "id")
_members_of: Final = [f"member_{number}" for number in range(KEYS_AT_ONCE)]
SEEN: Final = Statement(
    select(members.c.id, members.c.seen_at).where(members.c.id.in_([_p(name) for name in _members_of])), *_members_of
)
MEMBER_BY_CODE: Final = Statement(select(*_MEMBER_COLUMNS).where(members.c.code_hash == _p("code_hash")), "code_hash")
LOCK_MEMBER: Final = Statement(select(members.c.id).where(members.c.id == _p("id")).with_for_update(), "id")
NAME_HOLDER: Final = Statement(select(members.c.id).where(members.c.name_key == _p("name_key")), "name_key")
_NEW_MEMBER: Final = ("id", "name", "name_key", "created_at", "seen_at")
ADD_MEMBER: Final = Statement(insert(members).values({name: _p(name) for name in _NEW_MEMBER}), *_NEW_MEMBER)
TOUCH: Final = Statement(
    update(members).where(members.c.id == _p("who"), members.c.seen_at < _p("now")).values(seen_at=_p("now")),
    "who",
    "now",
)
RENAME: Final = Statement(
    update(members)
    .where(members.c.id == _p("who"))
    .values(name=_p("name"), name_key=_p("name_key"))
    .returning(members.c.id),
    "name",
    "name_key",
    "who",
    returns=True,
)
SET_CODE: Final = Statement(
    update(members).where(members.c.id == _p("who")).values(code_hash=_p("code_hash")).returning(members.c.id),
    "code_hash",
    "who",
    returns=True,
)
DROP_MEMBER: Final = Statement(delete(members).where(members.c.id == _p("id")), "id")

MUTED: Final = Statement(select(mutes.c.other).where(mutes.c.member == _p("member")).order_by(mutes.c.other), "member")
ADD_MUTE: Final = Statement(insert(mutes).values(member=_p("member"), other=_p("other")), "member", "other")
DROP_MUTE: Final = Statement(
    delete(mutes).where(mutes.c.member == _p("member"), mutes.c.other == _p("other")), "member", "other"
)
DROP_MUTES: Final = Statement(delete(mutes).where(or_(mutes.c.member == _p("who"), mutes.c.other == _p("who"))), "who")

UNREAD_COUNTED: Final = 100
_unread = (
    select(func.count())
    .select_from(
        select(literal_column("1"))
        .where(
            log.c.channel == rooms.c.channel,
            log.c.offset > memberships.c.read,
            log.c.kind == POSTED,
            log.c.author != memberships.c.member,
            log.c.redacted == false(),
        )
        .limit(literal_column(str(UNREAD_COUNTED)))
        .correlate(rooms, memberships)
        .subquery("unread_posts")
    )
    .correlate(rooms, memberships)
    .scalar_subquery()
)
JOINED: Final = Statement(
    select(*_MEMBERSHIP_COLUMNS, _unread)
    .select_from(memberships.join(rooms, rooms.c.id == memberships.c.room))
    .where(memberships.c.member == _p("member"), memberships.c.joined == true())
    .order_by(memberships.c.room),
    "member",
)
ENTRY: Final = Statement(
    # A room as one member finds it: the room, its last offset, and their membership, if any, with its unread count.
    select(
        *_ROOM_COLUMNS,
        channels.c.last_offset,
        *_MEMBERSHIP_COLUMNS,
        case((memberships.c.room.is_not(None), _unread), else_=literal_column("0")),
    )
    .select_from(
        rooms.join(channels, channels.c.channel == rooms.c.channel).outerjoin(
            memberships, and_(memberships.c.room == rooms.c.id, memberships.c.member == _p("member"))
        )
    )
    .where(rooms.c.id == _p("room")),
    "member",
    "room",
)
_MEMBERSHIP_NAMES: Final = ("member", "room", "agreement_version", "read", "last_post_at", "joined")
ADD_MEMBERSHIP: Final = Statement(
    insert(memberships).values({name: _p(name) for name in _MEMBERSHIP_NAMES}), *_MEMBERSHIP_NAMES
)
ENTER: Final = Statement(
    update(memberships)
    .where(memberships.c.member == _p("whose"), memberships.c.room == _p("where"))
    .values(agreement_version=_p("agreement_version"), joined=true()),
    "agreement_version",
    "whose",
    "where",
)
LEAVE: Final = Statement(
    update(memberships)
    .where(memberships.c.member == _p("whose"), memberships.c.room == _p("where"))
    .values(joined=false()),
    "whose",
    "where",
)
LAST_OF_ROOM: Final = Statement(
    select(channels.c.last_offset)
    .select_from(channels.join(rooms, rooms.c.channel == channels.c.channel))
    .where(rooms.c.id == _p("room")),
    "room",
)
MARK_READ: Final = Statement(
    update(memberships)
    .where(memberships.c.member == _p("whose"), memberships.c.room == _p("where"), memberships.c.read < _p("upto"))
    .values(read=_p("upto")),
    "upto",
    "whose",
    "where",
)
MEMBERSHIPS_OF: Final = Statement(
    select(*_MEMBERSHIP_COLUMNS).where(memberships.c.member == _p("member")).order_by(memberships.c.room), "member"
)
POSTS_OF: Final = Statement(
    select(rooms.c.id, *post_columns(log))
    .select_from(log.join(rooms, rooms.c.channel == log.c.channel))
    .where(log.c.author == _p("member"), log.c.kind == POSTED)
    .order_by(rooms.c.id, log.c.offset),
    "member",
)
REACTIONS_OF: Final = Statement(
    select(rooms.c.id, reactions.c.channel, reactions.c.offset, reactions.c.reaction)
    .select_from(reactions.join(rooms, rooms.c.channel == reactions.c.channel))
    .where(reactions.c.member == _p("member"))
    .order_by(rooms.c.id, reactions.c.offset, reactions.c.reaction),
    "member",
)
DROP_MEMBERSHIPS: Final = Statement(delete(memberships).where(memberships.c.member == _p("member")), "member")

# ------------------------------------------------------------------------------------------------ forgetting

CHANNELS_OF: Final = Statement(
    union(
        select(log.c.channel).where(log.c.author == _p("who")),
        select(reactions.c.channel).where(reactions.c.member == _p("who")),
        select(rooms.c.channel)
        .select_from(rooms.join(memberships, memberships.c.room == rooms.c.id))
        .where(memberships.c.member == _p("who")),
    ),
    "who",
    returns=True,
)
OWN_POSTS: Final = Statement(
    select(log.c.channel, log.c.offset, log.c.redacted).where(log.c.author == _p("who"), log.c.kind == POSTED), "who"
)
DROP_REACTIONS_ON: Final = Statement(
    delete(reactions).where(
        exists(
            select(literal_column("1")).where(
                log.c.channel == reactions.c.channel,
                log.c.offset == reactions.c.offset,
                log.c.author == _p("who"),
            )
        )
    ),
    "who",
)
DROP_REACTIONS_BY: Final = Statement(delete(reactions).where(reactions.c.member == _p("who")), "who")
BLANK_POSTS: Final = Statement(
    update(log)
    .where(log.c.author == _p("who"), log.c.kind == POSTED)
    .values(name=_p("name"), text="", warning=null(), redacted=true(), reactions=null()),
    "name",
    "who",
)
DISOWN: Final = Statement(
    update(log).where(log.c.author == _p("who")).values(author=_p("nobody"), command_id=null(), digest=null()),
    "nobody",
    "who",
)
OLDEST: Final = Statement(
    # Of the themed rooms: the floor says when a session's is forgotten.
    select(channels.c.channel, channels.c.first_offset, channels.c.last_offset, log.c.at)
    .select_from(
        channels.join(log, and_(log.c.channel == channels.c.channel, log.c.offset == channels.c.first_offset)).join(
            rooms, rooms.c.channel == channels.c.channel
        )
    )
    .where(rooms.c.kind == THEMED)
)
CUT: Final = Statement(
    # Times never run backwards in a channel, so everything up to the last old one is old.
    select(log.c.offset)
    .where(log.c.channel == _p("channel"), log.c.offset <= _p("upto"), log.c.at < _p("before"))
    .order_by(log.c.offset.desc())
    .limit(literal_column("1")),
    "channel",
    "upto",
    "before",
)
DROP_LOG: Final = Statement(
    delete(log).where(log.c.channel == _p("channel"), log.c.offset <= _p("upto")), "channel", "upto"
)
DROP_OLD_REACTIONS: Final = Statement(
    delete(reactions).where(reactions.c.channel == _p("channel"), reactions.c.offset <= _p("upto")),
    "channel",
    "upto",
)
UNSEEN_MEMBERS: Final = Statement(
    # Who works here stays, and so does who stands on the floor. Somebody whose row another transaction holds is not
    # unseen; waiting for it with rooms locked could also be waiting for each other.
    select(members.c.id)
    .where(
        members.c.seen_at < _p("before"),
        ~exists(select(literal_column("1")).where(staff.c.member == members.c.id)),
        ~exists(
            select(literal_column("1")).where(
                floor_records.c.kind.in_([literal_column("'seeker'"), literal_column("'listener'")]),
                floor_records.c.id == members.c.id,
            )
        ),
    )
    .order_by(members.c.seen_at, members.c.id)
    .limit(bindparam("count"))
    .with_for_update(of=members, skip_locked=True),
    "before",
    "count",
)

BEAT: Final = Statement(update(upkeep).values(beat=upkeep.c.beat + literal_column("1")))
VACUUMED_AT: Final = Statement(select(upkeep.c.vacuumed_at))
SET_VACUUMED_AT: Final = Statement(update(upkeep).values(vacuumed_at=_p("now")), "now")
SCHEMA_VERSION: Final = Statement(select(column("version_num")).select_from(table("alembic_version")))
