"""Moderation in numbers. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from collections import Counter

from chatserver.domain.history import Millis
from chatserver.domain.moderation.measures import MeasureKind, counted_reason
from chatserver.domain.moderation.statistics import Given, Happened
from chatserver.store import moderation_queue_statements as queue_sql
from chatserver.store import moderation_statements as sql
from chatserver.store.core.compiler import Call, Op
from chatserver.store.moderation_records import Counts


def counts(now: Millis) -> Op[Counts]:
    reports: Counter[str] = Counter()
    overdue, since = 0, None
    for reason, count, late, first in (yield Call(sql.COUNT_REPORTS, [(now,)])):
        reports[counted_reason(reason)] += count
        overdue += late
        if first is not None:
            since = Millis(first) if since is None else min(since, Millis(first))
    measures = yield Call(sql.COUNT_MEASURES, [(now,)])
    ((unread,),) = yield Call(sql.UNREAD_DEBRIEFS, [()])
    ((entries, _),) = yield Call(sql.HEAD, [()])
    ((floods, folded),) = yield Call(queue_sql.COUNT_FOLDS, [()])
    return Counts(
        reports=dict(reports),
        overdue=overdue,
        overdue_since=since,
        measures={MeasureKind(kind): count for kind, count, _ in measures},
        appeals=sum(answered for _, _, answered in measures),
        unread_debriefs=unread,
        entries=entries,
        floods=floods,
        folded=folded,
    )


def happened(start: Millis, end: Millis) -> Op[Happened]:
    reports = yield Call(sql.REPORTS_BETWEEN, [(start, end)])
    feedback = yield Call(sql.FEEDBACK_BETWEEN, [(start, end)])
    return Happened(
        reports=tuple((Millis(at), reason) for at, reason in reports),
        feedback=tuple(Given(Millis(at), heard, before, after) for at, heard, before, after in feedback),
    )
