"""Waiting for a database that hangs costs one timeout, not one for each command in line; its recovery is noticed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from chatserver.domain.history import Millis
from chatserver.domain.identity import Persona
from chatserver.domain.rooms.rooms import Publication, WritePost
from chatserver.store.records import Retention, RoomChange, StoreUnavailable
from chatserver.store.store import Store
from tests.kit.postgres import PostgresServer
from tests.store.kit import SLEEP, Database, change, newcomer, only, replay, say, seeded

T = TypeVar("T")

_TIMEOUT = 0.5

pytestmark = pytest.mark.faults


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    opened = await seeded(database.store(timeout=_TIMEOUT))
    yield opened
    await opened.close()


@contextlib.contextmanager
def _hangs(database: Database, request: pytest.FixtureRequest) -> Iterator[None]:
    """Make the database hang: another process holds the SQLite file for writing; PostgreSQL is frozen."""
    if database.path is not None:
        with contextlib.closing(sqlite3.connect(database.path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
            holder.execute("ROLLBACK")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


@contextlib.contextmanager
def _hangs_in_writing(database: Database, request: pytest.FixtureRequest) -> Iterator[None]:
    """Make writing hang: the same for SQLite; PostgreSQL waits for a standby that never comes."""
    if database.path is not None:
        with _hangs(database, request):
            yield
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    server.execute("ALTER SYSTEM SET synchronous_standby_names = 'gone'")
    server.execute("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        server.execute("ALTER SYSTEM RESET synchronous_standby_names")
        server.execute("SELECT pg_reload_conf()")


async def _hang_is_noticed(store: Store, person: Persona) -> None:
    """Wait until writing really hangs, which takes a moment after PostgreSQL has reloaded its settings."""
    async with asyncio.timeout(10):
        while not store.is_silent:
            with contextlib.suppress(StoreUnavailable):
                await store.mark_read(person.id, SLEEP, only(await store.commit(_post(person, "noticed"))).offset)


def _post(person: Persona, id_: str) -> RoomChange:
    return change(person, WritePost(text=id_), id_=id_)


async def _at_last(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try again until it succeeds, as a client does."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await attempt()
            except StoreUnavailable:
                await asyncio.sleep(0.02)


async def _kept(store: Store, person: Persona, id_: str) -> Publication:
    return only(await _at_last(lambda: store.commit(_post(person, id_))))


def _askers() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("store-silence")]


async def test_whoever_waits_in_line_is_refused_with_the_first(
    store: Store, database: Database, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    wren = await newcomer(store, "Wren", SLEEP)
    with caplog.at_level(logging.WARNING, "chatserver.store"), _hangs(database, request):
        began = time.monotonic()
        for number in range(20):
            with pytest.raises(StoreUnavailable):
                await store.commit(_post(wren, f"id{number}"))
        # One whole timeout, a moment of patience, and no more.
        assert time.monotonic() - began < 4 * _TIMEOUT
        assert store.is_silent
        writes: list[Callable[[], Awaitable[object]]] = [
            store.check_writable,
            lambda: store.touch([wren.id], Millis(2**50)),
            lambda: store.leave(wren.id, SLEEP),
            lambda: store.expire(Millis(2**50), Retention()),
        ]
        for write in writes:
            with pytest.raises(StoreUnavailable):
                await write()
        assert len(_askers()) <= 2
    for number in range(20):
        await _kept(store, wren, f"id{number}")
    assert [publication.offset for publication in await _at_last(lambda: replay(store, SLEEP))] == [*range(1, 21)]
    assert not store.is_silent
    told = [record.message for record in caplog.records if record.name == "chatserver.store"]
    assert told[0] == "store_silent"
    assert told[-1] == "store_silence_over"


async def test_a_crowd_that_waits_at_once_is_refused_in_time_and_asks_one_question(
    store: Store, database: Database, request: pytest.FixtureRequest
) -> None:
    crowd = [await newcomer(store, f"Wren {number}", SLEEP) for number in range(10)]
    with _hangs(database, request):

        async def waits_in_line(person: Persona) -> float:
            slowest = 0.0
            for number in range(5):
                began = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    await store.commit(_post(person, f"{person.id} {number}"))
                slowest = max(slowest, time.monotonic() - began)
            return slowest

        slowest = await asyncio.gather(*map(waits_in_line, crowd))
        assert max(slowest) < 3 * _TIMEOUT
        assert len(_askers()) == 1
    for person in crowd:
        await _kept(store, person, f"{person.id} 0")
    assert not _askers()


async def test_readers_are_served_while_writing_hangs(
    store: Store, database: Database, request: pytest.FixtureRequest
) -> None:
    wren = await newcomer(store, "Wren", SLEEP)
    before = await say(store, wren, "before")
    with _hangs_in_writing(database, request):
        await _hang_is_noticed(store, wren)
        for number in range(20):
            with pytest.raises(StoreUnavailable):
                await store.commit(_post(wren, f"id{number}"))
            assert (await replay(store, SLEEP))[0].offset == before
            assert await store.member(wren.id) is not None
        assert _askers() == ["store-silence writes"]
    await _kept(store, wren, "after")
    assert not store.is_silent


async def test_a_silent_store_is_closed_in_time_and_asks_no_more(
    database: Database, request: pytest.FixtureRequest
) -> None:
    store = await seeded(database.store(timeout=_TIMEOUT))
    wren = await newcomer(store, "Wren", SLEEP)
    with _hangs(database, request):
        early = [asyncio.create_task(store.commit(_post(wren, f"early{number}"))) for number in range(3)]
        await asyncio.wait(early)
        # These wait for the first answer of the probe.
        late = [asyncio.create_task(store.commit(_post(wren, f"late{number}"))) for number in range(3)]
        await asyncio.sleep(0)
        assert store.is_silent
        began = time.monotonic()
        await store.close()
        assert time.monotonic() - began < 4 * _TIMEOUT
        outcomes = await asyncio.gather(*early, *late, return_exceptions=True)
        assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
        with pytest.raises(StoreUnavailable):
            await store.commit(_post(wren, "closed"))
        assert not store.is_silent
        assert not _askers()


async def test_a_store_that_is_closed_under_its_callers_leaves_no_question_behind(
    database: Database, request: pytest.FixtureRequest
) -> None:
    store = await seeded(database.store(timeout=_TIMEOUT))
    wren = await newcomer(store, "Wren", SLEEP)
    with _hangs(database, request):
        # Their time is up while the store closes.
        waiting = [asyncio.create_task(store.commit(_post(wren, f"id{number}"))) for number in range(3)]
        await asyncio.sleep(0)
        await store.close()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
        await asyncio.sleep(0)
        assert not _askers()
