"""The dates of a series of meetings, which keep their time of day in their own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis


def series(first: str, zone: str, every: int, times: int) -> list[Millis]:
    """Return the dates of a series: `times` dates, `every` so many weeks, from `first`, a local time such as
    `2026-03-16T19:30` in a time zone.

    When summer time begins or ends, the time of day stays. A time that a day does not have, because clocks are put
    forward over it, moves forward by as much; of one that a day has twice, the first is meant. Raises INVALID.
    """
    if zone not in available_timezones():
        raise _invalid("$.zone", "the name of a time zone, such as Europe/Berlin")
    try:
        local = datetime.fromisoformat(first)
    except ValueError:
        raise _invalid("$.first", "a local time, such as 2026-03-16T19:30") from None
    if local.tzinfo is not None:
        raise _invalid("$.first", "a local time, without an offset")
    place = ZoneInfo(zone)
    try:
        days = [local.replace(microsecond=0, fold=0) + timedelta(weeks=every * number) for number in range(times)]
        return [Millis(round(day.replace(tzinfo=place).astimezone(UTC).timestamp() * 1000)) for day in days]
    except OverflowError:
        raise _invalid("$.first", "in the coming year") from None


def _invalid(field: str, problem: str) -> Refusal:
    return Refusal(Reason.INVALID, details={"field": field, "problem": problem})
