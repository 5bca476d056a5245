"""Limits that hold over all workers: each counts, and tells the others."""

from __future__ import annotations

import math

import pytest

from chatserver.domain.shared_limits import TELL_SECONDS, Shared, SharedBucket, SharedBuckets, SharedCounts, Sharing
from chatserver.domain.sources import Prefixes, Source


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Workers:
    """Some workers that hear each other at each `tick`."""

    def __init__(self, count: int, *, rate: float = 1.0, burst: float = 30.0, most: int = 100) -> None:
        self.clock = Clock()
        self.sharings = [Sharing(count) for _ in range(count)]
        self.buckets = [SharedBuckets(each, Shared.GUESTS, rate, burst, self.clock) for each in self.sharings]
        self.counts = [SharedCounts(each, Shared.SOCKETS, most) for each in self.sharings]

    def tick(self, seconds: float = TELL_SECONDS) -> None:
        self.clock.now += seconds
        for number, sharing in enumerate(self.sharings):
            if not sharing.is_attached:
                continue
            for spent, held in sharing.to_tell(self.clock.now):
                for other in self.sharings:
                    if other is not sharing:
                        other.heard(str(number), spent, held, self.clock.now)

    def cut(self) -> None:
        for sharing in self.sharings:
            sharing.is_attached = False


def address(name: str, *wider: str, share: int = 1) -> Source:
    return Source(Prefixes(tuple(key.encode() for key in (name, *wider)), ()), share)


ME = address("me")


@pytest.mark.parametrize("count", [1, 3, 10])
@pytest.mark.parametrize("each_tick", [1, 5, 100])
def test_an_address_has_its_average_rate_over_all_workers_and_little_more_at_once(count: int, each_tick: int) -> None:
    workers = Workers(count)
    taken, at = [0], 0.0
    seconds = 120 if each_tick < 100 else 30
    while at < seconds:
        for buckets in workers.buckets:
            taken[-1] += sum(buckets.take(ME) == 0.0 for _ in range(each_tick))
        taken.append(taken[-1])
        workers.tick()
        at += TELL_SECONDS
    burst = 30 * (1 + (count - 1) / 6) + count * min(each_tick, 30)
    assert taken[10] <= burst + 1
    # In time it is one each second and what there was at once, whatever the number of workers.
    assert taken[-1] <= seconds + burst
    if each_tick == 1:
        assert taken[-1] <= seconds + 30 * (1 + (count - 1) / 6) + count


def test_what_was_overdrawn_is_owed_and_no_more_than_one_bucket() -> None:
    workers = Workers(3)
    for buckets in workers.buckets:
        assert [buckets.take(ME) for _ in range(30)] == [0.0] * 30
    workers.tick()
    wait = workers.buckets[0].take(ME)
    assert wait == pytest.approx(31, abs=0.2)


def test_who_is_unknown_at_another_worker_is_not_given_a_full_bucket_there() -> None:
    workers = Workers(2)
    for _ in range(30):
        workers.buckets[0].take(ME)
    workers.tick()
    assert workers.buckets[1].take(ME) > 0
    assert workers.buckets[1].take(address("other")) == 0.0


def test_wider_networks_are_counted_with_more_room() -> None:
    workers = Workers(1, rate=0.001, burst=10)
    (buckets,) = workers.buckets
    passed = sum(buckets.take(address(f"64-{n}", f"56-{n // 256}", "48")) == 0.0 for n in range(2_000))
    assert passed == 40
    assert buckets.take(address("64-x", "56-x", "48-other")) == 0.0


def test_shared_network_has_many_times_as_much() -> None:
    (buckets,) = Workers(1, rate=0.001, burst=10).buckets
    assert sum(buckets.take(address("school", share=30)) == 0.0 for _ in range(1_000)) == 300


def test_nobody_is_pushed_out_of_the_table_and_what_is_refused_leaves_nothing_behind() -> None:
    clock = Clock()
    buckets = SharedBuckets(Sharing(), Shared.GUESTS, 0.001, 1, clock, size=50)
    assert buckets.take(ME) == 0.0
    for number in range(10_000):
        buckets.take(address(f"64-{number}", f"56-{number // 256}", "48"))
    assert len(buckets) < 12
    for number in range(10_000):
        buckets.take(address(str(number)))
    assert len(buckets) == 50
    assert buckets.take(ME) > 0
    # All that are new share one bucket, which is empty by now.
    assert buckets.take(address("new")) > 0
    clock.now = 100_000
    for number in range(50):
        buckets.take(address(f"later {number}"))
    assert buckets.take(ME) == 0.0
    assert len(buckets) <= 51


def test_while_nothing_is_carried_what_an_address_may_do_is_divided() -> None:
    workers = Workers(3)
    workers.cut()
    passed = sum(buckets.take(ME) == 0.0 for buckets in workers.buckets for _ in range(30))
    assert passed == 30


def test_while_nothing_is_carried_a_member_is_as_quick_as_before() -> None:
    sharing = Sharing(3)
    sharing.is_attached = False
    posts = SharedBucket(sharing, Shared.POSTS, b"m", 1.0, 30.0, 0.0)
    assert [posts.take(1.0, 0.0) for _ in range(30)] == [0.0] * 30


def test_what_was_spent_meanwhile_is_told_afterwards() -> None:
    workers = Workers(2, rate=0.001)
    workers.cut()
    assert sum(workers.buckets[0].take(ME) == 0.0 for _ in range(30)) == 15
    workers.tick()
    for sharing in workers.sharings:
        sharing.is_attached = True
    workers.tick()
    assert sum(workers.buckets[1].take(ME) == 0.0 for _ in range(30)) == 15


def open_sockets(workers: Workers, tries: int, most: int = 100) -> int:
    """How many one address gets, trying at each worker in turn."""
    opened = 0
    for _ in range(tries):
        for counts in workers.counts:
            if not counts.is_full(b"me", workers.clock.now):
                counts.enter(b"me")
                opened += 1
        workers.tick()
    return opened


@pytest.mark.parametrize("count", [1, 3, 10])
def test_an_address_has_so_many_sockets_over_all_workers(count: int) -> None:
    lump = math.ceil(100 / 6)
    assert 100 <= open_sockets(Workers(count), 300) <= 100 + (count - 1) * lump


def test_a_socket_that_closes_makes_room_at_another_worker() -> None:
    workers = Workers(2, most=6)
    for _ in range(6):
        workers.counts[0].enter(b"me")
    workers.tick()
    assert workers.counts[1].is_full(b"me", workers.clock.now)
    workers.counts[0].leave(b"me")
    workers.tick()
    assert not workers.counts[1].is_full(b"me", workers.clock.now)


def test_a_worker_that_is_gone_is_believed_no_longer_and_one_that_starts_is_told() -> None:
    workers = Workers(3, most=6)
    for _ in range(6):
        workers.counts[0].enter(b"me")
    for _ in range(3):
        workers.tick(10.0)
    late = SharedCounts(workers.sharings[2], Shared.SOCKETS, 6)
    workers.tick(10.0)
    assert late.is_full(b"me", workers.clock.now)
    workers.sharings[0].is_attached = False
    for _ in range(3):
        workers.tick(10.0)
    assert not workers.counts[1].is_full(b"me", workers.clock.now)
    assert workers.sharings[1].divisor(Shared.SOCKETS) == 1


def test_while_nothing_is_carried_sockets_of_an_address_are_divided() -> None:
    workers = Workers(4)
    workers.cut()
    assert open_sockets(workers, 300) == 100


def test_after_an_outage_nobody_owes_what_came_back_meanwhile() -> None:
    workers = Workers(2)
    here, there = workers.buckets
    workers.cut()
    # A little now and then for an hour, and somebody else a moment ago.
    for _ in range(360):
        assert here.take(ME) == 0.0
        workers.clock.now += 10
        workers.sharings[0].cap_owed(workers.clock.now)
    other = address("other")
    assert [here.take(other) for _ in range(15)] == [0.0] * 15
    workers.sharings[0].cap_owed(workers.clock.now)
    for sharing in workers.sharings:
        sharing.is_attached = True
    workers.tick()
    assert [there.take(ME) for _ in range(30)] == [0.0] * 30
    assert sum(there.take(other) == 0.0 for _ in range(30)) == 15


def test_what_is_owed_in_an_outage_is_not_remembered_for_everybody_who_was_here() -> None:
    workers = Workers(1)
    (sharing,), (here,) = workers.sharings, workers.buckets
    workers.cut()
    for number in range(1_000):
        for _ in range(10):
            here.take(address(str(number)))
        workers.clock.now += 60
        sharing.cap_owed(workers.clock.now)
    sharing.is_attached = True
    assert sum(len(spent) for spent, _ in sharing.to_tell(workers.clock.now)) <= 1
