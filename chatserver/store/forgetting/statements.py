"""The statements of forgetting, and of the upkeep row, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import and_, bindparam, case, delete, exists, func, literal_column, null, select, true, union, update
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.exchange_tables import exchange_people
from chatserver.store.meeting_tables import meeting_people
from chatserver.store.rooms_statements import POSTED, THEMED
from chatserver.store.staff_tables import staff
from chatserver.store.tables import channels, floor_records, log, members, memberships, reactions, rooms, upkeep


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


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
    update(log)
    .where(log.c.author == _p("who"))
    .values(author=_p("nobody"), command_id=null(), digest=null(), generation=literal_column("0")),
    "nobody",
    "who",
)
FORGET_VOICES: Final = tuple(
    Statement(
        update(each)
        .where(each.c.channel == _p("in_channel"), each.c.voice.is_not(None))
        .values(voice=func.replace(each.c.voice, _p("who"), _p("nobody"))),
        "who",
        "nobody",
        "in_channel",
    )
    for each in (log, rooms)
)
"""An id is long and random: nothing else in a voice is like it."""
OLDEST: Final = Statement(
    # Of themed rooms only: the listening state says when a session's room is forgotten.
    select(channels.c.channel, channels.c.first_offset, channels.c.last_offset, log.c.at)
    .select_from(
        channels.join(log, and_(log.c.channel == channels.c.channel, log.c.offset == channels.c.first_offset)).join(
            rooms, rooms.c.channel == channels.c.channel
        )
    )
    .where(rooms.c.kind == THEMED)
)
CUT: Final = Statement(
    # Times in a channel never run backwards, so everything up to the last old one is old.
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
    # Staff, people in the listening state, and people with a place in a meeting stay. A member whose row another
    # transaction holds is skipped as active;
    # waiting for it while rooms are locked could deadlock.
    select(members.c.id)
    .where(
        members.c.seen_at < _p("before"),
        ~exists(select(literal_column("1")).where(staff.c.member == members.c.id)),
        ~exists(select(literal_column("1")).where(meeting_people.c.member == members.c.id)),
        ~exists(
            select(literal_column("1")).where(
                exchange_people.c.member == members.c.id, exchange_people.c.is_active == true()
            )
        ),
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
ASK_FOR_REWRITE: Final = Statement(update(upkeep).values(asked=upkeep.c.asked + literal_column("1")))
REWRITES: Final = Statement(select(upkeep.c.asked, upkeep.c.rewritten, upkeep.c.vacuumed_at))
NOTE_REWRITTEN: Final = Statement(
    update(upkeep).values(
        rewritten=case((upkeep.c.rewritten > _p("answered"), upkeep.c.rewritten), else_=_p("answered"))
    ),
    "answered",
)
SET_VACUUMED_AT: Final = Statement(update(upkeep).values(vacuumed_at=_p("now")), "now")
