"""The condition for seeing a report or a debrief note, and the statements that maintain it, built once from the tables
for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Boolean, bindparam, delete, exists, false, insert, literal_column, or_, select, union, update
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.moderation_tables import conflicts, measures, reports
from chatserver.store.rooms_statements import KEYS_AT_ONCE
from chatserver.store.staff_tables import staff
from chatserver.store.tables import debriefs, floor_records, members


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


_ONE: Final[ColumnElement[int]] = literal_column("1")
_CLOSED: Final = "closed"
ASKER: Final = ("asker", "is_operator")
"""The parameters of `is_visible`, in the order in which `report_access.params_of` returns them."""

is_visible: Final[ColumnElement[bool]] = ~exists(
    select(_ONE).where(conflicts.c.subject == reports.c.id, conflicts.c.member == _p("asker")).correlate(reports)
) & or_(reports.c.is_about_staff == false(), bindparam("is_operator", type_=Boolean))
"""Whether an asker may see and handle a row of `reports`: `domain.moderation.report_access.may_handle` in SQL."""

is_others_note: Final[ColumnElement[bool]] = ~exists(
    select(_ONE).where(conflicts.c.subject == debriefs.c.id, conflicts.c.member == _p("asker")).correlate(debriefs)
)
"""Whether a row of `debriefs` is neither the asker's own nor from a session that they were in."""

report_of_measure: Final = (
    select(reports.c.id).where(reports.c.id == measures.c.report, is_visible).correlate(measures).scalar_subquery()
)
"""The report that a row of `measures` names, or NULL if the asker may not know of it."""

# ------------------------------------------------------------------------------------------------ conflicts

ADD_CONFLICT: Final = Statement(
    insert(conflicts).values(subject=_p("subject"), member=_p("member")), "subject", "member"
)
CONFLICTS: Final = Statement(select(conflicts.c.member).where(conflicts.c.subject == _p("subject")), "subject")
SESSION_RECORD: Final = Statement(
    select(floor_records.c.kind, floor_records.c.id, floor_records.c.seen_at, floor_records.c.body).where(
        floor_records.c.kind == literal_column("'session'"), floor_records.c.id == _p("session")
    ),
    "session",
)
SHUT_OUT_OF_ROOM: Final = Statement(
    # Of every report of a session's room, including those from before this member came into the session.
    insert(conflicts).from_select(
        ["subject", "member"],
        select(reports.c.id, members.c.id).where(
            reports.c.room == _p("room"),
            members.c.id == _p("member"),
            ~exists(
                select(_ONE)
                .where(conflicts.c.subject == reports.c.id, conflicts.c.member == members.c.id)
                .correlate(reports, members)
            ),
        ),
    ),
    "room",
    "member",
)
DROP_CONFLICTS_OF: Final = Statement(delete(conflicts).where(conflicts.c.member == _p("who")), "who")
DROP_OLD_CONFLICTS: Final = Statement(
    delete(conflicts).where(
        ~exists(select(_ONE).where(reports.c.id == conflicts.c.subject).correlate(conflicts)),
        ~exists(select(_ONE).where(debriefs.c.id == conflicts.c.subject).correlate(conflicts)),
    )
)
DISOWN_TAKEN: Final = Statement(
    update(reports).where(reports.c.taken_from == _p("who")).values(taken_from=None, taken_reason=""), "who"
)

# ------------------------------------------------------------------------------------------------ who needs a view

_ids: Final = [f"id_{number}" for number in range(KEYS_AT_ONCE)]
_asked: Final = [_p(name) for name in _ids]
WITH_VIEWS_OF_THEIR_OWN: Final = Statement(
    # Everybody else sees what others with the same role see.
    union(
        select(conflicts.c.member).where(conflicts.c.member.in_(_asked)),
        select(measures.c.about).where(measures.c.about.in_(_asked)),
        select(measures.c.by).where(measures.c.by.in_(_asked), measures.c.appealed_at.is_not(None)),
    ),
    *_ids,
    returns=True,
)
DUE: Final = Statement(
    select(reports.c.due_at, reports.c.level, reports.c.folds)
    .where(reports.c.status != _CLOSED, is_visible, reports.c.card.is_(None), reports.c.fold.is_(None))
    .order_by(reports.c.due_at)
    .limit(bindparam("count")),
    *ASKER,
    "count",
)

# ------------------------------------------------------------------------------------------------ nobody is left

_cases: Final = (
    select(reports.c.id, conflicts.c.member)
    .select_from(reports.outerjoin(conflicts, conflicts.c.subject == reports.c.id))
    .where(reports.c.is_about_staff, reports.c.status != _CLOSED)
    .order_by(reports.c.id)
)
CASES_ABOUT_STAFF: Final = Statement(_cases.limit(bindparam("count")), "count")
CASES_ABOUT_STAFF_BY: Final = Statement(_cases.where(reports.c.by == _p("by")), "by")
IS_STAFF: Final = Statement(
    select(staff.c.member).where(staff.c.member == _p("member"), staff.c.revoked_at.is_(None)), "member"
)
ROLES_OF_STAFF: Final = Statement(
    select(staff.c.roles).where(staff.c.member == _p("member"), staff.c.revoked_at.is_(None)), "member"
)
VIEWED_REPORTS: Final = Statement(select(reports.c.id, reports.c.closed_at).where(reports.c.id.in_(_asked)), *_ids)
