"""The statements of screening, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, delete, false, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.moderation_tables import reports
from chatserver.store.screening_tables import score_counts as counts


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


_SAME: Final = tuple(getattr(counts.c, name) == _p(f"its_{name}") for name in ("model", "week", "place", "step"))
RAISE_COUNT: Final = Statement(
    update(counts).where(*_SAME).values(posts=counts.c.posts + _p("more")).returning(counts.c.step),
    "more",
    "its_model",
    "its_week",
    "its_place",
    "its_step",
    returns=True,
)
ADD_COUNT: Final = Statement(insert(counts).values({c.name: _p(c.name) for c in counts.c}), *counts.c.keys())
COUNTS: Final = Statement(
    select(counts.c.place, counts.c.step, func.sum(counts.c.posts))
    .where(counts.c.model == _p("model"), counts.c.week >= _p("since"))
    .group_by(counts.c.place, counts.c.step)
    .order_by(counts.c.place, counts.c.step),
    "model",
    "since",
)
CLOSED: Final = Statement(
    # Escalations that were closed within a time, those of a flood left out: they are closed all together.
    select(reports.c.note, reports.c.score, reports.c.outcome, reports.c.about)
    .where(
        reports.c.status == "closed",
        reports.c.level.is_not(None),
        reports.c.fold.is_(None),
        reports.c.is_about_staff.is_(false()),
        reports.c.closed_at >= _p("since"),
        reports.c.closed_at < _p("until"),
    )
    .order_by(reports.c.closed_at.desc(), reports.c.id)
    .limit(bindparam("count")),
    "since",
    "until",
    "count",
)
DROP_COUNTS: Final = Statement(delete(counts).where(counts.c.week <= _p("before")), "before")
