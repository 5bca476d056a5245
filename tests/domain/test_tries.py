"""How often a secret may be guessed."""

from __future__ import annotations

from chatserver.domain.history import Millis
from chatserver.domain.people.tries import SECOND_FACTOR, SKEW, Rate

HOUR = 3_600_000
DAY = 24 * HOUR
YEAR = 365 * DAY
START = Millis(1_700_000_000_000)


def allowed(rate: Rate, every: int, length: int) -> int:
    """How many tries get through in `length` milliseconds where one is made each `every`."""
    full_at, passed = START, 0
    for now in range(START, START + length, every):
        if rate.wait(full_at, Millis(now)) == 0:
            full_at, passed = rate.after(full_at, Millis(now)), passed + 1
    return passed


def test_an_allowance_is_there_at_once_and_comes_back_one_by_one() -> None:
    assert allowed(Rate(20, HOUR), every=1_000, length=10_000) == 10
    assert allowed(Rate(20, HOUR), every=1_000, length=60_000) == 20
    # The fortieth is free after the hour, or by `SKEW` before its end.
    assert allowed(Rate(20, HOUR), every=1_000, length=HOUR - SKEW) == 39
    assert allowed(Rate(20, HOUR), every=1_000, length=HOUR) == 40


def test_of_tries_at_once_those_that_are_counted_out_of_order_lose_nothing() -> None:
    rate, full_at = Rate(3, HOUR), START
    for early in (0, 400, 900):
        now = Millis(START - early)
        assert rate.wait(full_at, now) == 0
        full_at = rate.after(full_at, now)
    assert rate.wait(full_at, Millis(START - 900)) > 0
    # Where tries come back quickly there is no room for that.
    assert allowed(Rate(60, 60_000), every=100, length=600_000) <= 60 + 600 + 66


def test_a_wait_that_was_told_is_long_enough() -> None:
    rate, full_at = Rate(3, HOUR), START
    for _ in range(3):
        full_at = rate.after(full_at, START)
    wait = rate.wait(full_at, START)
    assert wait == HOUR // 3
    assert rate.wait(full_at, Millis(START + wait)) == 0


def test_a_clock_that_was_ahead_locks_nobody_out_for_longer_than_the_window() -> None:
    assert Rate(3, HOUR).wait(Millis(START + YEAR), START) <= HOUR


def test_a_second_factor_gives_a_guesser_one_chance_in_a_hundred_a_year() -> None:
    now, failures, tries = 0, 0, 0
    while now < YEAR:
        failures, tries = failures + 1, tries + 1
        now += SECOND_FACTOR.wait_after(failures)
    assert tries * 3 / 1_000_000 < 0.01


def test_who_mistypes_a_few_times_waits_for_nothing_and_then_longer_each_time() -> None:
    waits = [SECOND_FACTOR.wait_after(failures) for failures in range(1, 16)]
    assert waits[:4] == [0, 0, 0, 0]
    assert waits[4:7] == [60_000, 120_000, 240_000]
    assert waits[-1] == 4 * HOUR
