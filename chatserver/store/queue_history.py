"""Reading and expiring the anonymous timings of listening, which `listening_log` writes. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from chatserver.domain.history import Millis
from chatserver.domain.listening.queue_history import Recorded, Span, Wait, WaitOutcome, open_spans
from chatserver.store import listening_log
from chatserver.store import listening_statements as sql
from chatserver.store.core.compiler import Call, Op
from chatserver.store.listening_rows import ListeningRows
from chatserver.store.records import Retention


def timings(records: ListeningRows, since: Millis, now: Millis, most: int) -> Op[Recorded]:
    rows = yield Call(sql.ASKS, [(since, most)])
    waits = [Wait(Millis(asked), Millis(ended), WaitOutcome(outcome), length) for asked, ended, outcome, length in rows]
    waits.sort(key=lambda wait: (wait.asked_at, wait.ended_at, wait.outcome, wait.length or 0))
    start = waits[0].asked_at if len(waits) == most else since
    rows = yield Call(sql.SHIFTS, [(start,)])
    spans = [Span(Millis(began), Millis(ended), cap) for began, ended, cap in rows]
    floor = yield from listening_log.listening_state(records)
    spans += open_spans(floor, now)
    spans = [Span(Millis(max(span.start, start)), span.end, span.cap) for span in spans if span.end > start]
    return Recorded(tuple(waits), tuple(sorted(spans, key=lambda span: (span.start, span.end, span.cap))))


def prune(now: Millis, retention: Retention) -> Op[None]:
    before = now - retention.timings_age
    yield Call(sql.DROP_OLD_ASKS, [(before,)])
    yield Call(sql.DROP_OLD_SHIFTS, [(before,)])
