"""The dates of a series, where summer time begins and ends."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.handlers.meetings.dates import series

BERLIN = "Europe/Berlin"


def shown(first: str, *, zone: str = BERLIN, every: int = 1, times: int = 1) -> list[str]:
    """The dates as a clock in the zone shows them, with their distance from UTC."""
    place = ZoneInfo(zone)
    dates = series(first, zone, every, times)
    return [datetime.fromtimestamp(each / 1000, place).isoformat(timespec="minutes") for each in dates]


def test_a_series_keeps_its_time_of_day_when_summer_time_begins_and_ends() -> None:
    assert shown("2026-03-22T19:30", times=3) == [
        "2026-03-22T19:30+01:00",
        "2026-03-29T19:30+02:00",
        "2026-04-05T19:30+02:00",
    ]
    assert shown("2026-10-18T19:30", every=2, times=2) == ["2026-10-18T19:30+02:00", "2026-11-01T19:30+01:00"]


def test_a_time_that_a_day_does_not_have_moves_forward() -> None:
    assert shown("2026-03-22T02:30", times=2) == ["2026-03-22T02:30+01:00", "2026-03-29T03:30+02:00"]


def test_of_a_time_that_a_day_has_twice_the_first_is_meant() -> None:
    assert shown("2026-10-25T02:30") == ["2026-10-25T02:30+02:00"]


@pytest.mark.parametrize(
    ("first", "zone"),
    [
        ("2026-03-16T19:30", "Europe/Atlantis"),
        ("2026-03-16T19:30", "../../etc/passwd"),
        ("tomorrow", BERLIN),
        ("2026-02-30T19:30", BERLIN),
        ("2026-06-30T23:59:60", BERLIN),
        ("2026-03-16T19:30+01:00", BERLIN),
        ("2026-03-16T19:30Z", BERLIN),
        ("9999-12-31T23:59", BERLIN),
    ],
)
def test_what_is_no_local_time_is_refused(first: str, zone: str) -> None:
    with pytest.raises(Refusal) as refused:
        series(first, zone, 1, 26)
    assert refused.value.reason is Reason.INVALID
