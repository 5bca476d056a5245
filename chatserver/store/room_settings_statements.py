"""The statements of room settings, announcements and raids, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.room_settings_tables import coverages, moves, notices, raids, settings
from chatserver.store.rooms_statements import KEYS_AT_ONCE, POSTED
from chatserver.store.tables import log, members, reactions, rooms


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


NOTICES: Final = Statement(
    select(notices.c.id, notices.c.room, notices.c.text, notices.c.at, notices.c.until)
    .where(notices.c.until > _p("now"), notices.c.withdrawn_at.is_(None))
    .order_by(notices.c.at, notices.c.id),
    "now",
)
NOTICE: Final = Statement(
    select(notices.c.id, notices.c.room, notices.c.text, notices.c.at, notices.c.until, notices.c.withdrawn_at).where(
        notices.c.id == _p("id")
    ),
    "id",
)
_NOTICE: Final = ("id", "room", "text", "by", "at", "until")
ADD_NOTICE: Final = Statement(insert(notices).values({name: _p(name) for name in _NOTICE}), *_NOTICE)
WITHDRAW: Final = Statement(
    update(notices).where(notices.c.id == _p("which")).values(withdrawn_at=_p("now")), "now", "which"
)
DROP_NOTICES: Final = Statement(delete(notices).where(notices.c.until < _p("before")), "before")
DISOWN_NOTICES: Final = Statement(
    update(notices).where(notices.c.by == _p("who")).values(by=_p("nobody")), "nobody", "who"
)

_RAID_COLUMNS: Final = (raids.c.id, raids.c.room, raids.c.at, raids.c.until, raids.c.quiet)
RAIDS: Final = Statement(
    select(*_RAID_COLUMNS)
    .where(raids.c.until > _p("now"), raids.c.ended_at.is_(None))
    .order_by(raids.c.at, raids.c.id),
    "now",
)
RAID: Final = Statement(select(*_RAID_COLUMNS, raids.c.ended_at).where(raids.c.id == _p("id")), "id")
_RAID: Final = ("id", "room", "by", "at", "until", "quiet")
ADD_RAID: Final = Statement(insert(raids).values({name: _p(name) for name in _RAID}), *_RAID)
END_RAID: Final = Statement(update(raids).where(raids.c.id == _p("which")).values(ended_at=_p("now")), "now", "which")
DROP_RAIDS: Final = Statement(delete(raids).where(raids.c.until < _p("before")), "before")
DISOWN_RAIDS: Final = Statement(update(raids).where(raids.c.by == _p("who")).values(by=_p("nobody")), "nobody", "who")

DUTIES: Final = Statement(
    select(coverages.c.room, rooms.c.attendance, coverages.c.since, coverages.c.attended_at)
    .select_from(coverages.join(rooms, rooms.c.id == coverages.c.room))
    .order_by(coverages.c.room)
)
DUTY: Final = Statement(
    select(coverages.c.since, coverages.c.attended_at).where(coverages.c.room == _p("room")), "room"
)
ADD_DUTY: Final = Statement(
    insert(coverages).values(room=_p("room"), since=_p("since"), attended_at=_p("attended_at")),
    "room",
    "since",
    "attended_at",
)
SET_DUTY: Final = Statement(
    update(coverages).where(coverages.c.room == _p("which")).values(since=_p("since"), attended_at=_p("attended_at")),
    "since",
    "attended_at",
    "which",
)
DROP_DUTY: Final = Statement(delete(coverages).where(coverages.c.room == _p("which")), "which")

SETTING: Final = Statement(select(settings.c.value).where(settings.c.name == _p("name")), "name")
ADD_SETTING: Final = Statement(insert(settings).values(name=_p("name"), value=_p("value")), "name", "value")
SET_SETTING: Final = Statement(
    update(settings).where(settings.c.name == _p("which")).values(value=_p("value")), "value", "which"
)

_MOVE: Final = tuple(c.name for c in moves.c)
MOVES: Final = Statement(
    select(*moves.c).where(moves.c.at > _p("since")).order_by(moves.c.at, moves.c.member, moves.c.room), "since"
)
MOVES_OF: Final = Statement(
    select(*moves.c).where(moves.c.member == _p("member"), moves.c.at > _p("since")).order_by(moves.c.at),
    "member",
    "since",
)
ADD_MOVE: Final = Statement(insert(moves).values({name: _p(name) for name in _MOVE}), *_MOVE)
DROP_MOVE: Final = Statement(
    delete(moves).where(moves.c.member == _p("member"), moves.c.room == _p("room")), "member", "room"
)
DROP_MOVES_OF: Final = Statement(delete(moves).where(moves.c.member == _p("who")), "who")
DROP_MOVES: Final = Statement(delete(moves).where(moves.c.at < _p("before")), "before")

_answer = log.alias("answer")
_answered = log.alias("answered")
ANSWERS: Final = Statement(
    # Who answered whom in the newest part of a room.
    select(_answer.c.author, _answered.c.author)
    .select_from(
        _answer.join(_answered, (_answered.c.channel == _answer.c.channel) & (_answered.c.offset == _answer.c.reply_to))
    )
    .where(_answer.c.channel == _p("channel"), _answer.c.offset > _p("after"), _answer.c.kind == POSTED)
    .order_by(_answer.c.offset),
    "channel",
    "after",
)
REACTORS: Final = Statement(
    select(reactions.c.member, log.c.author)
    .select_from(reactions.join(log, (log.c.channel == reactions.c.channel) & (log.c.offset == reactions.c.offset)))
    .where(reactions.c.channel == _p("channel"), reactions.c.offset > _p("after"))
    .order_by(reactions.c.offset, reactions.c.member, reactions.c.reaction),
    "channel",
    "after",
)
_ids: Final = [f"id_{number}" for number in range(KEYS_AT_ONCE)]
CREATED: Final = Statement(
    select(members.c.id, members.c.created_at).where(members.c.id.in_([_p(name) for name in _ids])), *_ids
)
COUNT_NOTICES: Final = Statement(
    select(func.count()).select_from(notices).where(notices.c.until > _p("now"), notices.c.withdrawn_at.is_(None)),
    "now",
)
