"""What waits for the database is bounded; what was answered does not count."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from chatserver.store.compiler import Op
from chatserver.store.sqlite import SqliteStore
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
