"""The statements of members and of their memberships in rooms, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import and_, bindparam, case, delete, false, func, insert, literal_column, select, true, update
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.hiding_statements import is_hidden_from
from chatserver.store.rooms_statements import KEYS_AT_ONCE, MEMBERSHIP_COLUMNS, POSTED, ROOM_COLUMNS, post_columns
from chatserver.store.tables import channels, log, members, memberships, reactions, rooms


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


_MEMBER_COLUMNS: Final = (
    members.c.id,
    members.c.name,
    members.c.name_key,
    members.c.created_at,
    members.c.seen_at,
    members.c.code_hash.is_not(None),
    members.c.generation,
    members.c.credentials,
)

MEMBER: Final = Statement(select(*_MEMBER_COLUMNS).where(members.c.id == _p("id")), "id")
_members_of: Final = [f"member_{number}" for number in range(KEYS_AT_ONCE)]
SEEN: Final = Statement(
    select(members.c.id, members.c.seen_at).where(members.c.id.in_([_p(name) for name in _members_of])), *_members_of
)
THESE_MEMBERS: Final = Statement(
    select(*_MEMBER_COLUMNS).where(members.c.id.in_([_p(name) for name in _members_of])), *_members_of
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
    .values(name=_p("name"), name_key=_p("name_key"), generation=_p("new_generation"))
    .returning(members.c.id),
    "name",
    "name_key",
    "new_generation",
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
            ~is_hidden_from(memberships.c.member, rooms.c.id),
        )
        .limit(literal_column(str(UNREAD_COUNTED)))
        .correlate(rooms, memberships)
        .subquery("unread_posts")
    )
    .correlate(rooms, memberships)
    .scalar_subquery()
)
JOINED: Final = Statement(
    select(*MEMBERSHIP_COLUMNS, _unread)
    .select_from(memberships.join(rooms, rooms.c.id == memberships.c.room))
    .where(memberships.c.member == _p("member"), memberships.c.joined == true())
    .order_by(memberships.c.room),
    "member",
)
ENTRY: Final = Statement(
    # A room as one member finds it: the room, its last offset, and their membership, if any, with its unread count.
    select(
        *ROOM_COLUMNS,
        channels.c.last_offset,
        *MEMBERSHIP_COLUMNS,
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
_MEMBERSHIP_NAMES: Final = ("member", "room", "agreement_version", "read", "last_post_at", "joined", "from_offset")
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
SEE_FROM: Final = Statement(
    update(memberships)
    .where(memberships.c.member == _p("whose"), memberships.c.room == _p("where"))
    .values(from_offset=_p("from_offset"), read=_p("read")),
    "from_offset",
    "read",
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
LEFT_BY_THESE: Final = Statement(
    select(memberships.c.member, memberships.c.room).where(
        memberships.c.member.in_([_p(name) for name in _members_of]), memberships.c.joined == false()
    ),
    *_members_of,
)
HEAD_OF_ROOM: Final = Statement(
    select(channels.c.epoch, channels.c.last_offset)
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
    select(*MEMBERSHIP_COLUMNS).where(memberships.c.member == _p("member")).order_by(memberships.c.room), "member"
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
