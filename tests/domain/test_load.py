"""Samples of all workers as one picture: sums that are true, and numbers of the dead that go."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.history import Millis
from chatserver.domain.identity import NodeId
from chatserver.domain.operating.load import (
    STEPS_MS,
    Histories,
    Roll,
    RoomSample,
    Sample,
    merge,
    quantile,
    step_of,
    trimmed,
)
from chatserver.domain.rooms.rooms import RoomId

A, B = NodeId("a" * 12), NodeId("b" * 12)
GRIEF, SLEEP = RoomId("grief"), RoomId("sleep")


def sample(at: int = 1_000, **fields: object) -> Sample:
    usual = Sample(
        at=Millis(at), name="lamp:1", version="0.1.0", started_at=Millis(0), connections=0, cpu=0.0, rss=0, lag_ms=0,
        bus_ms=0.5, is_attached=True, dropped=0, healed=0, evictions=0, store="ok", store_ms=1.0, store_failures=0,
        is_draining=False, rooms={},
    )  # fmt: skip
    return msgspec.structs.replace(usual, **fields)


_part = st.builds(
    RoomSample,
    members=st.integers(0, 50),
    posts=st.integers(0, 50),
    behind=st.integers(0, 5),
    outbox=st.integers(0, 10_000),
    delivered=st.lists(st.integers(0, 9), max_size=len(STEPS_MS) + 1).map(trimmed),
)
_samples = st.lists(
    st.builds(lambda rooms: sample(rooms=rooms), st.dictionaries(st.sampled_from([GRIEF, SLEEP]), _part)), max_size=5
)


@given(_samples)
def test_every_sum_is_of_all_workers_and_the_order_does_not_matter(samples: list[Sample]) -> None:
    rooms, totals = merge(samples, [GRIEF, SLEEP])
    for room in (GRIEF, SLEEP):
        parts = [each.rooms[room] for each in samples if room in each.rooms]
        assert rooms[room].members == sum(part.members for part in parts)
        assert rooms[room].posts == sum(part.posts for part in parts)
        assert rooms[room].outbox == sum(part.outbox for part in parts)
    assert totals.members == sum(load.members for load in rooms.values())
    assert totals.workers == len(samples)
    assert merge(samples[::-1], [GRIEF, SLEEP]) == (rooms, totals)


def test_rooms_without_anybody_are_in_the_picture_and_unknown_ones_are_not() -> None:
    rooms, totals = merge([sample(rooms={RoomId("new"): RoomSample(members=3)})], [GRIEF])
    assert [*rooms] == [GRIEF]
    assert rooms[GRIEF].members == totals.members == totals.occupied == 0


@given(st.lists(st.integers(0, 6_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.99]))
def test_quantile_lies_in_the_step_of_the_true_one(times: list[int], share: float) -> None:
    counts = [0] * (len(STEPS_MS) + 1)
    for time in times:
        counts[step_of(time)] += 1
    rank = max(0, -(-round(share * 1000) * len(times) // 1000) - 1)
    step = step_of(sorted(times)[rank])
    told = quantile(trimmed(counts), share)
    assert told is not None
    low = 0 if step == 0 else STEPS_MS[step - 1]
    assert low <= told <= (STEPS_MS[step] if step < len(STEPS_MS) else low)


def test_quantile_of_nothing_is_not_told() -> None:
    assert quantile((), 0.5) is None
    assert quantile((0, 0), 0.99) is None


def test_deliveries_of_several_workers_are_judged_together() -> None:
    fast = RoomSample(delivered=(99,))
    slow = RoomSample(delivered=(*[0] * step_of(900), 1))
    rooms, _ = merge([sample(rooms={GRIEF: fast}), sample(rooms={GRIEF: slow})], [GRIEF])
    assert rooms[GRIEF].p50 == 1
    assert quantile((99, *[0] * (step_of(900) - 1), 1), 1.0) == 1_200


# ------------------------------------------------------------------------------------------------ who lives


def test_worker_that_says_nothing_for_four_seconds_is_gone_with_its_numbers() -> None:
    roll, alive = Roll(), dict[NodeId, Sample]()
    for second in range(6):
        roll.take(A, sample(second * 1_000), float(second))
        if second == 0:
            roll.take(B, sample(), 0.0)
        alive = roll.alive(float(second))
        assert (B in alive) is (second < 4)
    assert [*alive] == [A]


def test_worker_that_says_goodbye_is_gone_at_once() -> None:
    roll = Roll()
    roll.take(B, sample(), 0.0)
    roll.drop(B)
    assert roll.alive(0.1) == {}


def test_silence_proves_nothing_to_a_worker_that_stood_still() -> None:
    roll = Roll()
    roll.take(B, sample(), 0.0)
    roll.alive(0.0)
    assert [*roll.alive(20.0)] == [B]
    assert [*roll.alive(21.0)] == [B]
    assert [roll.alive(second) for second in (22.0, 23.0, 24.0)][-1] == {}


def test_late_sample_does_not_replace_a_newer_one_but_that_of_a_worker_that_began_anew_does() -> None:
    roll = Roll()
    assert roll.take(A, sample(5_000, connections=2), 0.0)
    assert not roll.take(A, sample(4_000, connections=1), 0.1)
    assert roll.alive(0.2)[A].connections == 2
    assert roll.take(A, sample(4_000, started_at=Millis(3_000)), 0.3)


def test_no_more_workers_are_heard_than_are_kept() -> None:
    roll = Roll()
    for number in range(Roll.MOST_WORKERS):
        assert roll.take(NodeId(f"{number:012d}"), sample(), 0.0)
    assert not roll.take(A, sample(), 0.0)
    assert len(roll.alive(0.0)) == Roll.MOST_WORKERS


# ------------------------------------------------------------------------------------------------ histories


def test_history_is_of_half_an_hour_in_half_minutes() -> None:
    histories = Histories()
    for period in range(100):
        now = Millis(period * Histories.EVERY_MS)
        assert histories.is_due(now)
        histories.add({GRIEF: period + 1, SLEEP: 0}, now)
        assert not histories.is_due(Millis(now + Histories.EVERY_MS - 1))
    assert histories.rows == {GRIEF: list(range(41, 101))}


def test_half_minutes_that_nobody_looked_at_are_as_the_one_before() -> None:
    histories = Histories()
    histories.add({GRIEF: 4}, Millis(0))
    histories.add({GRIEF: 9}, Millis(3 * Histories.EVERY_MS))
    assert histories.rows == {GRIEF: [4, 4, 4, 9]}


def test_room_that_was_empty_all_the_time_is_not_kept() -> None:
    histories = Histories()
    histories.add({GRIEF: 1}, Millis(0))
    for period in range(1, Histories.KEPT):
        histories.add({}, Millis(period * Histories.EVERY_MS))
    assert GRIEF in histories.rows
    histories.add({}, Millis(Histories.KEPT * Histories.EVERY_MS))
    assert histories.rows == {}


def test_no_more_rooms_are_kept_than_there_is_room_for() -> None:
    histories = Histories()
    histories.add({RoomId(str(number)): 1 for number in range(Histories.MOST_ROOMS + 5)}, Millis(0))
    assert len(histories.rows) == Histories.MOST_ROOMS
