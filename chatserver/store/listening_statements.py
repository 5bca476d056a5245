"""The statements of the listening state and of what sessions leave, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    LargeBinary,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    true,
    union,
    union_all,
    update,
)
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.moderation_tables import barred, reports, sealed_copies
from chatserver.store.rooms_statements import COMPANY, KEYS_AT_ONCE, SESSION
from chatserver.store.staff_tables import invitations, resets, staff_challenges, staff_devices, staff_sign_ins
from chatserver.store.tables import (
    asks,
    channels,
    debriefs,
    feedback,
    floor,
    floor_records,
    log,
    members,
    memberships,
    mutes,
    reactions,
    rooms,
    shifts,
    upkeep,
    waits,
    words,
)


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


WAITS_READ: Final = 200
"""The most hand-overs that are read, newest first: as many as an estimate of the wait could use."""
_ONE: Final[ColumnElement[int]] = literal_column("1")

# ------------------------------------------------------------------------------------------------ records

VERSION: Final = Statement(select(floor.c.version))
CLOCK: Final = Statement(select(func.extract("epoch", func.clock_timestamp())))
LOCK_FLOOR: Final = Statement(select(floor.c.version).with_for_update())
SET_VERSION: Final = Statement(update(floor).values(version=_p("version")), "version")
RECORDS: Final = Statement(
    select(floor_records.c.kind, floor_records.c.id, floor_records.c.seen_at, floor_records.c.body)
)
RECORDS_OF: Final = Statement(
    # A member's own records, and every session and company, because its people are named inside the body.
    select(floor_records.c.kind, floor_records.c.id, floor_records.c.seen_at, floor_records.c.body).where(
        or_(
            floor_records.c.kind.in_([SESSION, COMPANY]),
            and_(floor_records.c.kind == literal_column("'seeker'"), floor_records.c.id == _p("seeker")),
            and_(floor_records.c.kind == literal_column("'listener'"), floor_records.c.id == _p("listener")),
            and_(floor_records.c.kind == literal_column("'share'"), floor_records.c.id == _p("share")),
            and_(floor_records.c.kind == literal_column("'host'"), floor_records.c.id == _p("host")),
        )
    ),
    "seeker",
    "listener",
    "share",
    "host",
)
_newest_waits = select(waits).order_by(waits.c.met_at.desc()).limit(literal_column(str(WAITS_READ))).subquery("newest")
_standing = union_all(
    select(
        floor_records.c.kind,
        floor_records.c.id,
        floor_records.c.seen_at,
        floor_records.c.body,
        cast(null(), BigInteger).label("met_at"),
    ),
    select(
        literal_column("'wait'"),
        literal_column("''"),
        _newest_waits.c.asked_at,
        cast(null(), LargeBinary),
        _newest_waits.c.met_at,
    ),
).subquery("standing")
FLOOR: Final = Statement(
    # One statement, so that everything is of one snapshot.
    select(floor.c.version, *_standing.c).select_from(floor.outerjoin(_standing, true()))
)
_RECORD: Final = ("kind", "id", "seen_at", "body")
ADD_RECORDS: Final = Statement(insert(floor_records).values({name: _p(name) for name in _RECORD}), *_RECORD)
SET_RECORDS: Final = Statement(
    update(floor_records)
    .where(floor_records.c.kind == _p("which"), floor_records.c.id == _p("whose"))
    .values(seen_at=_p("seen_at"), body=_p("body")),
    "seen_at",
    "body",
    "which",
    "whose",
)
DROP_RECORDS: Final = Statement(
    delete(floor_records).where(floor_records.c.kind == _p("kind"), floor_records.c.id == _p("id")), "kind", "id"
)
_seen: Final = [f"member_{number}" for number in range(KEYS_AT_ONCE)]
SEE: Final = Statement(
    update(floor_records)
    .where(
        floor_records.c.kind.in_([literal_column(f"'{kind}'") for kind in ("seeker", "listener", "host")]),
        floor_records.c.id.in_([_p(name) for name in _seen]),
        floor_records.c.seen_at < _p("now"),
    )
    .values(seen_at=_p("now")),
    "now",
    *_seen,
)

# ------------------------------------------------------------------------------------------------ rooms of sessions

HOLD_MEMBERS: Final = Statement(
    # Lock like a foreign key: they stay members until this transaction ends.
    select(members.c.id).where(members.c.id == _p("id")).with_for_update(read=True, key_share=True),
    "id",
)
DROP_MEMBERSHIP: Final = Statement(
    delete(memberships).where(memberships.c.member == _p("member"), memberships.c.room == _p("room")),
    "member",
    "room",
)
DROP_ROOM: Final = tuple(
    Statement(clause, "which")
    for clause in (
        delete(log).where(log.c.channel == _p("which")),
        delete(reactions).where(reactions.c.channel == _p("which")),
        delete(sealed_copies).where(sealed_copies.c.channel == _p("which")),
        delete(memberships).where(memberships.c.room.in_(select(rooms.c.id).where(rooms.c.channel == _p("which")))),
        delete(rooms).where(rooms.c.channel == _p("which")),
        delete(channels).where(channels.c.channel == _p("which")),
    )
)
"""In this order, by channel."""
ORPHANS: Final = Statement(
    # Rooms whose session or company does not exist, and in which nothing happened for long.
    select(channels.c.channel)
    .select_from(rooms.join(channels, channels.c.channel == rooms.c.channel))
    .where(
        # The record has the name of the room's kind.
        rooms.c.kind.in_([SESSION, COMPANY]),
        channels.c.last_at < _p("before"),
        ~exists(
            select(_ONE).where(floor_records.c.kind == rooms.c.kind, floor_records.c.id == rooms.c.id).correlate(rooms)
        ),
    )
    .limit(bindparam("count")),
    "before",
    "count",
)
NOTE_DROPPED: Final = Statement(update(upkeep).values(dropped=upkeep.c.dropped + _ONE))
DROPPED: Final = Statement(select(upkeep.c.dropped, upkeep.c.scrubbed))
NOTE_SCRUBBED: Final = Statement(
    update(upkeep).values(scrubbed=case((upkeep.c.scrubbed > _p("scrubbed"), upkeep.c.scrubbed), else_=_p("scrubbed"))),
    "scrubbed",
)

# ------------------------------------------------------------------------------------------------ what sessions leave

ADD_WAIT: Final = Statement(insert(waits).values(asked_at=_p("asked_at"), met_at=_p("met_at")), "asked_at", "met_at")
ADD_ASKS, ADD_SHIFTS = (
    Statement(insert(table).values({c.name: _p(c.name) for c in table.c}), *(c.name for c in table.c))
    for table in (asks, shifts)
)
ASKS: Final = Statement(
    # The newest, if there are more than `most`.
    select(asks).where(asks.c.asked_at >= _p("since")).order_by(asks.c.asked_at.desc()).limit(_p("most")),
    "since",
    "most",
)
SHIFTS: Final = Statement(select(shifts).where(shifts.c.ended_at > _p("since")), "since")
_WORDS: Final = ("words_hash", "listener", "expires_at")
DROP_WORDS: Final = Statement(delete(words).where(words.c.words_hash == _p("words_hash")), "words_hash")
ADD_WORDS: Final = Statement(insert(words).values({name: _p(name) for name in _WORDS}), *_WORDS)
LISTENER_OF_WORDS: Final = Statement(
    select(words.c.listener).where(words.c.words_hash == _p("words_hash"), words.c.expires_at > _p("now")),
    "words_hash",
    "now",
)
ADD_REPORT: Final = Statement(
    insert(reports).values({c.name: _p(c.name) for c in reports.c}), *(c.name for c in reports.c)
)
ADD_DEBRIEF: Final = Statement(
    insert(debriefs).values({c.name: _p(c.name) for c in debriefs.c}), *(c.name for c in debriefs.c)
)
ADD_FEEDBACK: Final = Statement(
    insert(feedback).values({c.name: _p(c.name) for c in feedback.c}), *(c.name for c in feedback.c)
)
URGENT_ABOUT: Final = Statement(
    # Those of these people whose own words raised something urgent that nobody has closed yet.
    select(reports.c.about)
    .where(
        reports.c.about.in_([_p(name) for name in _seen]),
        reports.c.by.is_(null()),
        reports.c.level >= _p("level"),
        reports.c.status != literal_column("'closed'"),
    )
    .distinct(),
    *_seen,
    "level",
)
BLOCKED_WITH: Final = Statement(
    union(
        select(mutes.c.other).where(mutes.c.member == _p("who")),
        select(mutes.c.member).where(mutes.c.other == _p("who")),
    ),
    "who",
    returns=True,
)

# ------------------------------------------------------------------------------------------------ forgetting

DROP_WORDS_TO: Final = Statement(
    delete(words).where(words.c.listener == _p("who")).returning(_ONE), "who", returns=True
)
DROP_DEBRIEFS_OF: Final = Statement(
    delete(debriefs).where(debriefs.c.listener == _p("who")).returning(_ONE), "who", returns=True
)
DISOWN_REPORTS: Final = Statement(update(reports).where(reports.c.by == _p("who")).values(by=null()), "who")
REPORTS_BY: Final = Statement(
    # The reporter is not told of an outcome that is only proposed.
    select(
        reports.c.at,
        reports.c.reason,
        reports.c.note,
        case((reports.c.closed_at.is_not(None), reports.c.outcome)),
        case((reports.c.closed_at.is_not(None), reports.c.reply)),
    )
    .where(reports.c.by == _p("who"))
    .order_by(reports.c.at),
    "who",
)
DEBRIEFS_OF: Final = Statement(
    select(debriefs.c.at, debriefs.c.note).where(debriefs.c.listener == _p("who")).order_by(debriefs.c.at), "who"
)
DROP_OLD_WAITS: Final = Statement(delete(waits).where(waits.c.met_at < _p("before")), "before")
DROP_OLD_ASKS: Final = Statement(delete(asks).where(asks.c.asked_at < _p("before")), "before")
DROP_OLD_SHIFTS: Final = Statement(delete(shifts).where(shifts.c.ended_at < _p("before")), "before")
DROP_OLD_REPORTS, DROP_OLD_DEBRIEFS, DROP_OLD_FEEDBACK = (
    Statement(delete(table).where(table.c.at < _p("before")).returning(_ONE), "before", returns=True)
    for table in (reports, debriefs, feedback)
)
DROP_OVER: Final = tuple(
    Statement(delete(table).where(table.c.expires_at <= _p("now")), "now")
    for table in (words, invitations, staff_sign_ins, barred, staff_devices, staff_challenges, resets)
)
"""Statements that drop rows with an end time of their own."""
