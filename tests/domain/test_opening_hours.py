"""Opening hours, by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.history import Millis
from chatserver.domain.listening.opening_hours import is_open, local_minute, opens_at, opens_in_minutes, parse_hours

EVENINGS = parse_hours("mon-fri 18:00-23:00, sat,sun 10:00-02:00")
MON, FRI, SAT, SUN = 0, 4, 5, 6
BERLIN = ZoneInfo("Europe/Berlin")


def berlin(now: Millis) -> int:
    offset = datetime.fromtimestamp(now / 1000, UTC).astimezone(BERLIN).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) // 60


@pytest.mark.parametrize(
    ("weekday", "hour", "minute", "expected"),
    [
        (MON, 17, 59, False),
        (MON, 18, 0, True),
        (MON, 22, 59, True),
        (MON, 23, 0, False),
        (SAT, 9, 59, False),
        (SAT, 10, 0, True),
        (SUN, 1, 59, True),
        (SUN, 2, 0, False),
        (MON, 1, 59, True),
        (MON, 2, 0, False),
        (SAT, 1, 0, False),
    ],
)
def test_hours_hold_from_their_first_minute_to_before_their_last(
    weekday: int, hour: int, minute: int, expected: bool
) -> None:
    assert is_open(EVENINGS, weekday, hour * 60 + minute) is expected


def test_how_long_it_is_until_it_opens() -> None:
    assert opens_in_minutes(EVENINGS, MON, 17 * 60) == 60
    assert opens_in_minutes(EVENINGS, MON, 18 * 60) == 0
    assert opens_in_minutes(EVENINGS, FRI, 23 * 60) == 11 * 60
    assert opens_in_minutes(parse_hours("mon 9:00-10:00"), MON, 10 * 60) == 7 * 24 * 60 - 60
    assert opens_in_minutes(parse_hours("never"), MON, 0) is None


@pytest.mark.parametrize(
    "text", ["", "always", "00:00-24:00", "mon-sun 0:00-24:00", "mon-sun 12:00-12:00", "sun-sat 06:00-06:00"]
)
def test_there_are_many_ways_to_say_always(text: str) -> None:
    hours = parse_hours(text)
    assert all(is_open(hours, weekday, minute) for weekday in range(7) for minute in range(0, 1440, 7))


def test_days_may_have_several_times_and_ranges_may_go_over_the_weekend() -> None:
    hours = parse_hours("Sat-Mon 09:00-12:00 14:00-17:00")
    assert [is_open(hours, SUN, hour * 60) for hour in (8, 9, 12, 14, 17)] == [False, True, False, True, False]
    assert is_open(hours, MON, 9 * 60)
    assert not is_open(hours, FRI, 9 * 60)


@pytest.mark.parametrize("text", ["mon", "mon 18-23", "monday 18:00-23:00", "mon 25:00-26:00", "mon 18:60-19:00", "x"])
def test_what_cannot_be_read_is_refused_with_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        parse_hours(text)


@given(st.integers(0, 4_000_000_000), st.integers(-720, 840))
def test_the_local_minute_is_the_one_on_the_wall(seconds: int, offset: int) -> None:
    there = datetime.fromtimestamp(seconds, UTC) + timedelta(minutes=offset)
    assert local_minute(Millis(seconds * 1000), offset) == (there.weekday(), there.hour * 60 + there.minute)


@pytest.mark.parametrize("day", [(3, 28), (10, 24), (7, 1)])
def test_it_opens_by_the_clock_on_the_wall_also_in_the_nights_when_that_is_changed(day: tuple[int, int]) -> None:
    now = Millis(int(datetime(2026, *day, 23, tzinfo=BERLIN).timestamp() * 1000))
    for hour in (4, 9, 18):
        at = opens_at(parse_hours(f"{hour:02}:00-{hour + 1:02}:00"), now, berlin)
        assert at is not None
        there = datetime.fromtimestamp(at / 1000, BERLIN)
        assert (there.hour, there.minute) == (hour, 0)
        assert 0 < at - now <= 25 * 3_600_000


def test_an_hour_that_the_clocks_leap_over_opens_when_they_have() -> None:
    now = Millis(int(datetime(2026, 3, 29, 0, 30, tzinfo=BERLIN).timestamp() * 1000))
    at = opens_at(parse_hours("sun 02:30-05:00"), now, berlin)
    assert at is not None
    assert datetime.fromtimestamp(at / 1000, BERLIN).hour == 3


def test_while_it_is_open_it_opens_at_no_time() -> None:
    assert opens_at(parse_hours("always"), Millis(0), berlin) is None
    assert opens_at(parse_hours("never"), Millis(0), berlin) is None
