"""The statements of meetings and groups, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import and_, bindparam, case, delete, func, insert, literal_column, or_, select, true, update
from sqlalchemy.sql import ColumnElement

from chatserver.domain.meetings.state import REACH
from chatserver.store.core.compiler import Statement
from chatserver.store.meeting_tables import meeting_groups, meeting_people, meetings
from chatserver.store.rooms_statements import KEYS_AT_ONCE


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


_KEYS: Final = [f"key_{number}" for number in range(KEYS_AT_ONCE)]
_among: Final = [_p(name) for name in _KEYS]

# ------------------------------------------------------------------------------------------------ meetings

_MEETING: Final = (
    meetings.c.id,
    meetings.c.version,
    meetings.c.due_at,
    meetings.c.seen_at,
    meetings.c.stood,
    meetings.c.body,
)
LOCK: Final = Statement(select(*_MEETING).where(meetings.c.id == _p("id")).with_for_update(), "id")
MEETING: Final = Statement(select(*_MEETING).where(meetings.c.id == _p("id")), "id")
MEETINGS_OF_GROUP: Final = Statement(
    select(meetings.c.id).where(meetings.c.group_id == _p("group_id")).order_by(meetings.c.starts_at, meetings.c.id),
    "group_id",
)
PEOPLE: Final = Statement(
    select(meeting_people.c.meeting, meeting_people.c.member, meeting_people.c.seen_at, meeting_people.c.body)
    .where(meeting_people.c.meeting == _p("meeting"))
    .order_by(meeting_people.c.member),
    "meeting",
)
MEETINGS_OF: Final = Statement(
    select(meeting_people.c.meeting).where(meeting_people.c.member == _p("member")).order_by(meeting_people.c.meeting),
    "member",
)
COUNT_OF: Final = Statement(
    # How many meetings somebody signed up for that have not begun.
    select(meetings.c.id)
    .select_from(meetings.join(meeting_people, meeting_people.c.meeting == meetings.c.id))
    .where(meeting_people.c.member == _p("member"), meetings.c.starts_at > _p("now")),
    "member",
    "now",
)
_STANDS: Final = ("version", "due_at", "seen_at", "stood", "form", "stage", "ends_at")
ADD: Final = Statement(
    insert(meetings).values({name: _p(name) for name in (*_STANDS, "body", "id", "group_id", "starts_at")}),
    *_STANDS,
    "body",
    "id",
    "group_id",
    "starts_at",
)
SET: Final = Statement(
    update(meetings).where(meetings.c.id == _p("which")).values({name: _p(name) for name in (*_STANDS, "body")}),
    *_STANDS,
    "body",
    "which",
)
DROP: Final = Statement(delete(meetings).where(meetings.c.id == _p("id")), "id")
DROP_PEOPLE: Final = Statement(delete(meeting_people).where(meeting_people.c.meeting == _p("meeting")), "meeting")
ADD_PERSON: Final = Statement(
    insert(meeting_people).values({name: _p(name) for name in ("is_here", "seen_at", "body", "meeting", "member")}),
    "is_here",
    "seen_at",
    "body",
    "meeting",
    "member",
)
SET_PERSON: Final = Statement(
    update(meeting_people)
    .where(meeting_people.c.meeting == _p("in_meeting"), meeting_people.c.member == _p("whose"))
    .values({name: _p(name) for name in ("is_here", "seen_at", "body")}),
    "is_here",
    "seen_at",
    "body",
    "in_meeting",
    "whose",
)
DROP_PERSON: Final = Statement(
    delete(meeting_people).where(meeting_people.c.meeting == _p("meeting"), meeting_people.c.member == _p("member")),
    "meeting",
    "member",
)
VERSIONS: Final = Statement(select(meetings.c.id, meetings.c.version).where(meetings.c.id.in_(_among)), *_KEYS)
COUNTS: Final = Statement(
    select(meetings.c.form, meetings.c.stage, func.count()).group_by(meetings.c.form, meetings.c.stage)
)
AT_ONCE: Final = Statement(
    select(func.count()).where(meetings.c.starts_at < _p("end"), meetings.c.ends_at > _p("start")), "end", "start"
)
DUE: Final = Statement(
    # Where nobody is seen, a meeting's clock stands still, and with it everything that was due.
    select(meetings.c.id)
    .where(
        or_(
            and_(
                meetings.c.due_at <= _p("now"),
                or_(meetings.c.seen_at.is_(None), meetings.c.due_at <= meetings.c.seen_at + literal_column(str(REACH))),
            ),
            meetings.c.starts_at <= _p("long_ago"),
        )
    )
    .order_by(meetings.c.due_at)
    .limit(bindparam("count")),
    "now",
    "long_ago",
    "count",
)

# ------------------------------------------------------------------------------------------------ who is seen

WHERE_HERE: Final = Statement(
    select(meeting_people.c.meeting, meeting_people.c.member).where(
        meeting_people.c.member.in_(_among), meeting_people.c.is_here == true()
    ),
    *_KEYS,
)
_unseen: Final = _p("now") - meetings.c.seen_at - literal_column(str(REACH))
_stands: Final = case((_unseen > literal_column("0"), _unseen), else_=literal_column("0"))
SEE_MEETING: Final = Statement(
    # The same as `decide.see`: the clock stood still for as long as nobody was seen, and what is due is due later.
    update(meetings)
    .where(meetings.c.id == _p("which"), meetings.c.seen_at.is_not(None))
    .values(
        stood=meetings.c.stood + _stands,
        due_at=meetings.c.due_at + _stands,
        seen_at=case((meetings.c.seen_at > _p("now"), meetings.c.seen_at), else_=_p("now")),
    ),
    "now",
    "which",
)
_time: Final = _p("now") - select(meetings.c.stood).where(meetings.c.id == meeting_people.c.meeting).scalar_subquery()
SEE_PERSON: Final = Statement(
    update(meeting_people)
    .where(meeting_people.c.meeting == _p("in_meeting"), meeting_people.c.member == _p("whose"))
    .values(seen_at=case((meeting_people.c.seen_at > _time, meeting_people.c.seen_at), else_=_time)),
    "now",
    "in_meeting",
    "whose",
)

# ------------------------------------------------------------------------------------------------ groups

_GROUP: Final = (meeting_groups.c.id, meeting_groups.c.revision, meeting_groups.c.ended_at, meeting_groups.c.body)
GROUP: Final = Statement(select(*_GROUP).where(meeting_groups.c.id == _p("id")), "id")
LOCK_GROUP: Final = Statement(select(*_GROUP).where(meeting_groups.c.id == _p("id")).with_for_update(), "id")
GROUPS: Final = Statement(select(*_GROUP).where(meeting_groups.c.ended_at.is_(None)).order_by(meeting_groups.c.id))
GROUPS_OF: Final = Statement(
    select(*_GROUP).where(meeting_groups.c.owner == _p("owner")).order_by(meeting_groups.c.id), "owner"
)
ADD_GROUP: Final = Statement(
    insert(meeting_groups).values({name: _p(name) for name in ("id", "owner", "revision", "ended_at", "body")}),
    "id",
    "owner",
    "revision",
    "ended_at",
    "body",
)
SET_GROUP: Final = Statement(
    update(meeting_groups)
    .where(meeting_groups.c.id == _p("which"))
    .values({name: _p(name) for name in ("owner", "revision", "ended_at", "body")}),
    "owner",
    "revision",
    "ended_at",
    "body",
    "which",
)
DROP_GROUPS: Final = Statement(
    # Groups that ended, and of which no meeting is kept any more.
    delete(meeting_groups).where(
        meeting_groups.c.ended_at <= _p("before"),
        ~select(literal_column("1")).where(meetings.c.group_id == meeting_groups.c.id).exists(),
    ),
    "before",
)
