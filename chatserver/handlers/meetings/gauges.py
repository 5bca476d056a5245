"""Meetings in numbers, for Prometheus. None of them is of one person, or of one meeting."""

from __future__ import annotations

from collections.abc import Mapping

from chatserver.domain.meetings.state import Form, Stage
from chatserver.metrics import Metrics
from chatserver.store.meeting_records import MeetingCommitted


def measure(metrics: Metrics, counts: Mapping[tuple[str, str], int]) -> None:
    """Set the gauges to how many meetings there are, by form and stage."""
    for form in Form:
        for stage in (Stage.ANNOUNCED, Stage.LIVE):
            metrics.meetings.labels(form.value, stage.value).set(counts.get((form.value, stage.value), 0))


def count(metrics: Metrics, committed: MeetingCommitted) -> None:
    """Count what a commit ended: turns, and meetings with the seats that people had there."""
    for turn in committed.turns:
        metrics.meeting_turns.labels(turn.how).inc()
    for sums in committed.sums:
        metrics.meetings_ended.labels(sums.form.value, sums.ending.value).inc()
        metrics.meeting_seats(sums.form.value, offered=sums.offered, used=sums.used, shared=sums.shared)
