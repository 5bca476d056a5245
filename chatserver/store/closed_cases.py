"""Closed escalations, as the second look learns from them. Sans-I/O, like `rooms_log`.

Only what a moderator judged by itself: the first report of a card, in a themed room. What was closed together with a
flood or a card, what is about staff, what was written in confidence, and the words of erased people are left out.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.sql import ColumnElement

from chatserver.domain.history import Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.crisis_categories import Category
from chatserver.domain.moderation.evidence import is_alias
from chatserver.domain.moderation.local_training import MOST_CASES, ClosedCase
from chatserver.domain.moderation.measures import Outcome, ReportStatus
from chatserver.domain.rooms.rooms import Post, RoomId, is_closed_room
from chatserver.store.core.compiler import Call, Op, Statement
from chatserver.store.moderation_tables import reports
from chatserver.store.report_rows import decode_posts
from chatserver.store.second_looks_records import text_of

_PAGE: Final = 200
_CATEGORIES: Final = frozenset(Category)


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


CLOSED: Final = Statement(
    # The newest first. `before` and `id` are those of the last one that was read.
    select(
        *(reports.c[name] for name in ("closed_at", "id", "about", "room", "offset", "reason", "outcome", "snapshot"))
    )
    .where(
        reports.c.status == ReportStatus.CLOSED.value,
        reports.c.level.is_not(None),
        reports.c.card.is_(None),
        reports.c.fold.is_(None),
        reports.c.folds.is_(None),
        reports.c.erased_at.is_(None),
        reports.c.is_about_staff.is_(False),
        (reports.c.closed_at < _p("before")) | ((reports.c.closed_at == _p("at")) & (reports.c.id < _p("id"))),
    )
    .order_by(reports.c.closed_at.desc(), reports.c.id.desc())
    .limit(_p("count")),
    "before",
    "at",
    "id",
    "count",
)


def closed_cases() -> Op[tuple[ClosedCase, ...]]:
    """Return the newest cases from which something can be learnt, at most `MOST_CASES`."""
    found: list[ClosedCase] = []
    before, last = 2**62, ""
    while len(found) < MOST_CASES:
        rows = yield Call(CLOSED, [(before, before, last, _PAGE)])
        for row in rows:
            case = _case(*row[2:])
            if case is not None:
                found.append(case)
        if len(rows) < _PAGE:
            break
        before, last = rows[-1][0], rows[-1][1]
    return tuple(found[:MOST_CASES])


def _case(
    about: str | None, room: str, offset: int | None, reason: str, outcome: str, snapshot: bytes | str
) -> ClosedCase | None:
    if about is None or is_alias(MemberId(about)) or is_closed_room(RoomId(room)) or reason not in _CATEGORIES:
        return None
    posts: dict[Offset, Post] = {post.offset: post for post in decode_posts(snapshot)}
    post = None if offset is None else posts.get(Offset(offset))
    if post is None or post.redacted or post.author != about:
        return None
    text = text_of(post.warning, post.text).strip()
    is_meant = outcome != Outcome.NOTHING
    return None if not text else ClosedCase(text, Category(reason) if is_meant else None, MemberId(about))
