"""How a rate is counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.limits import Bucket, Limits

RATES = st.floats(0.01, 1_000)
BURSTS = st.floats(0.5, 1_000)
STEPS = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 50)), max_size=50)


def test_a_burst_may_be_taken_at_once_and_no_more() -> None:
    bucket = Bucket(rate=1, burst=3, now=100)
    assert [bucket.take(1, 100) for _ in range(4)] == [0, 0, 0, 1]


def test_a_refused_cost_takes_nothing() -> None:
    bucket = Bucket(rate=1, burst=3, now=0)
    bucket.take(2, 0)
    assert bucket.take(2, 0) == 1
    assert bucket.take(1, 0) == 0


def test_time_refills_up_to_the_burst() -> None:
    bucket = Bucket(rate=2, burst=3, now=0)
    bucket.take(3, 0)
    assert bucket.take(1, 0.5) == 0
    assert bucket.take(3, 1_000) == 0
    assert bucket.take(0.5, 1_000) == 0.25


def test_a_clock_that_steps_back_gives_nothing() -> None:
    bucket = Bucket(rate=1, burst=1, now=100)
    bucket.take(1, 100)
    assert bucket.take(1, 50) == 1
    assert bucket.take(1, 101) == 0


def test_a_cost_above_the_burst_takes_a_whole_bucket() -> None:
    bucket = Bucket(rate=2, burst=4, now=0)
    assert bucket.take(10, 0) == 0
    assert bucket.take(10, 0) == 2


@pytest.mark.parametrize(("now", "full"), [(0, False), (2.9, False), (3, True), (99, True)])
def test_a_full_bucket_may_be_forgotten(now: float, full: bool) -> None:
    bucket = Bucket(rate=1, burst=3, now=0)
    bucket.take(3, 0)
    assert bucket.is_full(now) is full


@given(RATES, BURSTS, STEPS)
def test_no_more_is_taken_than_burst_and_rate_allow(
    rate: float, burst: float, steps: list[tuple[float, float]]
) -> None:
    bucket = Bucket(rate, burst, now=0)
    now, taken = 0.0, 0.0
    for pause, cost in steps:
        now += pause
        if bucket.take(cost, now) == 0:
            taken += min(cost, burst)
        assert 0 <= bucket.level <= burst
        assert taken <= burst + rate * now + 1e-3


@given(RATES, BURSTS, st.floats(0.01, 2_000), STEPS)
def test_the_wait_that_is_named_is_long_enough(
    rate: float, burst: float, cost: float, steps: list[tuple[float, float]]
) -> None:
    bucket = Bucket(rate, burst, now=0)
    now = 0.0
    for pause, other in steps:
        now += pause
        bucket.take(other, now)
    wait = bucket.take(cost, now)
    assert wait >= 0
    assert wait == 0 or bucket.take(cost, now + wait) == 0


@given(RATES, BURSTS, STEPS)
def test_forgetting_a_full_bucket_changes_nothing(rate: float, burst: float, steps: list[tuple[float, float]]) -> None:
    bucket = Bucket(rate, burst, now=0)
    now = 0.0
    for pause, cost in steps:
        now += pause
        if bucket.is_full(now):
            assert bucket.take(burst, now) == Bucket(rate, burst, now).take(burst, now)
        else:
            bucket.take(cost, now)


def test_no_default_limit_is_nothing() -> None:
    limits = Limits()
    assert all(getattr(limits, name) > 0 for name in limits.__struct_fields__)
