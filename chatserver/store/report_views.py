"""What moderation keeps about one person, as an export shows it to them. Sans-I/O, like `rooms_log`.

An export says nothing about an open report: from it, reported people would learn of the report and, in a conversation
of two, of the reporter.
"""

from __future__ import annotations

from typing import Final

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.report_access import VIEW_REASON, shown_view
from chatserver.store import moderation_statements as sql
from chatserver.store import report_access_statements as access_sql
from chatserver.store.core.compiler import Call, Op, by_keys
from chatserver.store.measures import measure_of
from chatserver.store.records import KeptMeasure, KeptView
from chatserver.store.rooms_statements import KEYS_AT_ONCE

VIEWED: Final = "report_viewed"
"""The audit log's action for reading a report."""


def kept_of(who: MemberId, now: Millis) -> Op[tuple[tuple[KeptMeasure, ...], tuple[KeptView, ...]]]:
    """Return the measures about somebody, and on which days staff read posts or reports of theirs, as far as that may
    be told by now."""
    taken = [measure_of(row) for row in (yield Call(sql.MEASURES_ABOUT, [(who,)]))]
    return (
        tuple(
            KeptMeasure(
                at=each.at,
                kind=each.kind,
                room=each.room,
                reason=each.reason,
                expires_at=each.expires_at,
                lifted_at=each.lifted_at,
                appeal=each.appeal,
            )
            for each in taken
        ),
        (yield from _views_of(who, now)),
    )


def _views_of(who: MemberId, now: Millis) -> Op[tuple[KeptView, ...]]:
    rows = yield Call(sql.ENTRIES_ABOUT, [(f"%{who}%", VIEWED)])
    read = [(Millis(row[0]), row[2]) for row in rows if who in row[1].split()]
    if not read:
        return ()
    keys = by_keys(sorted({subject for _, subject in read}), KEYS_AT_ONCE)
    closed = {row[0]: row[1] for row in (yield Call(access_sql.VIEWED_REPORTS, keys))}
    days = [shown_view(at, closed.get(subject), now, is_kept=subject in closed) for at, subject in read]
    return tuple(KeptView(at=day, reason=VIEW_REASON) for day in days if day is not None)
