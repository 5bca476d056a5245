"""Tries of secrets, as `tries_store` promises them, proven for every database."""

from __future__ import annotations

import asyncio

import pytest

from chatserver.domain.history import Millis
from chatserver.domain.people import tries as on_tries
from chatserver.domain.people.tries import Backoff, Begun, TryCount, TryKind
from chatserver.store import tries, tries_statements
from chatserver.store.records import Retention
from chatserver.store.store import Store
from tests.store.kit import START, Database

HOUR = 3_600_000
LOCK = Backoff(free=2, first=60_000, longest=240_000, forgotten=HOUR)


async def count(store: Store, key: bytes, allowance: int = 3, now: Millis = START, kind: str = "code") -> float:
    return await store.count_tries(TryKind(kind), [TryCount(key, allowance)], HOUR, now)


async def test_tries_of_a_key_are_counted_over_all_workers(store: Store, other: Store) -> None:
    waits = [await count(each, b"a") for each in (store, other, store, other)]
    assert waits == [0.0, 0.0, 0.0, pytest.approx(1200.0)]
    assert await count(store, b"b") == 0.0
    assert await count(store, b"a", kind="login") == 0.0
    assert await count(other, b"a", now=Millis(START + 1_200_000)) == 0.0


async def test_of_many_tries_at_once_no_more_than_the_allowance_get_through(store: Store, other: Store) -> None:
    waits = await asyncio.gather(*(count(each, b"a", allowance=5) for each in [store, other] * 10))
    assert waits.count(0.0) == 5


async def test_tries_outlive_a_restart(database: Database, store: Store) -> None:
    for _ in range(3):
        await count(store, b"a")
    await store.close()
    again = database.store()
    await again.open()
    try:
        assert await count(again, b"a") > 0
    finally:
        await again.close()


async def test_where_one_of_the_keys_has_none_left_nothing_is_counted_for_the_others(store: Store) -> None:
    wide, narrow = TryCount(b"wide", 2), TryCount(b"narrow", 1)
    assert await store.count_tries(TryKind.CODE, [narrow, wide], HOUR, START) == 0.0
    assert await store.count_tries(TryKind.CODE, [narrow, wide], HOUR, START) == pytest.approx(3600.0)
    assert await count(store, b"wide", allowance=2) == 0.0
    assert await count(store, b"wide", allowance=2) > 0


async def test_keys_beyond_the_bound_share_one_allowance_and_push_nobody_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "MOST_KEYS", 2)
    for _ in range(3):
        await count(store, b"victim")
    await count(store, b"second")
    waits = [await count(store, b"stranger %d" % number) for number in range(3 * on_tries.CROWD_FACTOR + 1)]
    assert waits[:-1] == [0.0] * (3 * on_tries.CROWD_FACTOR)
    assert waits[-1] > 0
    assert await count(store, b"victim") > 0


async def test_what_counts_no_more_is_forgotten(store: Store) -> None:
    await count(store, b"a")
    for key in (b"a", b"b"):
        await store.begin_try(TryKind.SECOND_FACTOR, key, LOCK, START)
    await store.expire(Millis(START + HOUR - 1), Retention())
    assert await store.begin_try(TryKind.SECOND_FACTOR, b"a", LOCK, START) == Begun(0.0, 1)
    await store.expire(Millis(START + HOUR), Retention())
    assert await store.begin_try(TryKind.SECOND_FACTOR, b"b", LOCK, START) == Begun(0.0, 0)


async def test_wrong_answers_in_a_row_lock_a_key_for_longer_each_time(store: Store, other: Store) -> None:
    now = START
    assert await store.begin_try(TryKind.SECOND_FACTOR, b"a", LOCK, now) == Begun(0.0, 0)
    for before, (each, seconds) in enumerate([(other, 60), (store, 120), (other, 240), (store, 240)], start=1):
        assert await each.begin_try(TryKind.SECOND_FACTOR, b"a", LOCK, now) == Begun(0.0, before)
        # While the key is locked nothing is counted.
        for _ in range(2):
            assert await each.begin_try(TryKind.SECOND_FACTOR, b"a", LOCK, now) == Begun(float(seconds), before + 1)
        now = Millis(now + seconds * 1000)


async def test_a_right_answer_forgets_the_wrong_ones_and_tells_how_many_there_were(store: Store) -> None:
    for _ in range(2):
        await store.begin_try(TryKind.SECOND_FACTOR, b"a", LOCK, START)
    later = Millis(START + 60_000)
    assert await store.begin_try(TryKind.SECOND_FACTOR, b"a", LOCK, later) == Begun(0.0, 2)
    assert await store.end_tries(TryKind.SECOND_FACTOR, b"a") == 2
    assert await store.begin_try(TryKind.SECOND_FACTOR, b"a", LOCK, later) == Begun(0.0, 0)
    assert await store.end_tries(TryKind.SECOND_FACTOR, b"nobody") == 0


async def test_of_many_answers_at_once_only_the_free_ones_are_looked_at(store: Store, other: Store) -> None:
    begun = await asyncio.gather(
        *(each.begin_try(TryKind.SECOND_FACTOR, b"a", LOCK, START) for each in [store, other] * 5)
    )
    assert [each.wait for each in begun].count(0.0) == LOCK.free


def test_no_statement_reads_more_keys_than_are_counted_one_by_one() -> None:
    assert "LIMIT" in str(tries_statements.HOW_MANY.clause)
