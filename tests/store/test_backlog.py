"""What waits for the database is bounded; what was answered does not count, and one that takes long stops nobody."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from chatserver.store.core.compiler import Op
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import StoreUnavailable
from tests.store.kit import sqlite_database


async def test_a_read_that_takes_long_fills_no_backlog_with_those_that_were_answered(tmp_path: Path) -> None:
    database = await asyncio.to_thread(sqlite_database, tmp_path)
    assert database.path is not None
    store = SqliteStore(database.path, backlog=8)
    await store.open()
    started, goes_on = threading.Event(), threading.Event()

    def slow() -> Op[str]:
        started.set()
        goes_on.wait(5)
        return "late"
        yield

    late = asyncio.create_task(store._read(slow))
    await asyncio.to_thread(started.wait, 5)
    for _ in range(40):
        await store.rooms()
    goes_on.set()
    assert await late == "late"
    await store.close()


async def test_a_read_that_is_not_waited_for_any_more_keeps_nobody_from_reading(tmp_path: Path) -> None:
    database = await asyncio.to_thread(sqlite_database, tmp_path)
    assert database.path is not None
    store = SqliteStore(database.path, timeout=1.0)
    await store.open()
    goes_on = threading.Event()

    def slow() -> Op[None]:
        goes_on.wait(10)
        return
        yield

    with pytest.raises(StoreUnavailable):
        await store._read(slow)
    assert store.is_silent
    # One thread is still at it; another answers the store's own question, for which this waits.
    assert await store.rooms() == []
    assert not store.is_silent
    goes_on.set()
    await store.close()
