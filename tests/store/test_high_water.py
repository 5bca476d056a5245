"""A backup that is restored without a word: the start notices that the database is older than what was served."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chatserver.domain.history import HighWater
from chatserver.domain.rooms.rooms import room_channel
from chatserver.handlers.high_water import FILE, HighWaterKeeper, note, recall, renew_if_behind
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.store import Store
from tests.kit.server import ChatServer
from tests.store.kit import GRIEF, SLEEP, Database, newcomer, say, seeded, sqlite_database

CHANNELS = [room_channel(SLEEP), room_channel(GRIEF)]


@pytest.fixture
async def backup(tmp_path: Path) -> tuple[Database, Callable[[], None]]:
    """A database with one post in it, and what puts a copy of it back in its place."""
    database = sqlite_database(tmp_path)
    store = await seeded(database.store())
    await say(store, await newcomer(store, "Ada"), "before the backup")
    await store.close()
    assert database.path is not None
    path, copy = database.path, tmp_path / "copy"
    shutil.copy(path, copy)

    def restore() -> None:
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        shutil.copy(copy, path)

    return database, restore


async def _epochs(store: Store) -> list[str]:
    return [head.epoch for head in (await store.heads(CHANNELS)).values()]


async def test_older_database_begins_anew_once(backup: tuple[Database, Callable[[], None]], tmp_path: Path) -> None:
    database, restore = backup
    store = database.store()
    await store.open()
    epochs = await _epochs(store)
    await HighWaterKeeper(store, tmp_path).keep()
    assert await renew_if_behind(store, tmp_path) is None
    await say(store, await newcomer(store, "Ben"), "after the backup")
    await HighWaterKeeper(store, tmp_path).keep()
    assert await renew_if_behind(store, tmp_path) is None
    await store.close()
    restore()
    await store.open()
    assert await renew_if_behind(store, tmp_path) == 2
    renewed = await _epochs(store)
    assert not {*epochs} & {*renewed}
    assert await renew_if_behind(store, tmp_path) is None
    assert await _epochs(store) == renewed
    await store.close()


async def test_what_was_noted_never_falls_while_the_server_runs(
    backup: tuple[Database, Callable[[], None]], tmp_path: Path
) -> None:
    store = backup[0].store()
    await store.open()
    seen = HighWater(2**50, 7)
    note(tmp_path, seen)
    await HighWaterKeeper(store, tmp_path).keep()
    assert recall(tmp_path) == seen
    await store.close()


async def test_nothing_is_begun_anew_where_nothing_was_noted(
    backup: tuple[Database, Callable[[], None]], tmp_path: Path
) -> None:
    store = backup[0].store()
    await store.open()
    assert await renew_if_behind(store, tmp_path) is None
    (tmp_path / FILE).write_text("rubbish")
    assert await renew_if_behind(store, tmp_path) is None
    await store.close()


async def test_directory_that_takes_nothing_stops_nobody(
    backup: tuple[Database, Callable[[], None]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = backup[0].store()
    await store.open()
    keeper = HighWaterKeeper(store, tmp_path / "missing")
    for _ in range(3):
        await keeper.keep()
    assert [each.message for each in caplog.records] == ["high_water_not_noted"]
    await store.close()


async def test_disk_that_hangs_holds_nobody_up(backup: tuple[Database, Callable[[], None]], tmp_path: Path) -> None:
    store = backup[0].store()
    await store.open()
    # Opening it waits until somebody writes.
    os.mkfifo(tmp_path / FILE)
    answers = threading.Timer(2.0, (tmp_path / FILE).write_bytes, [b""])
    answers.start()
    keeping = asyncio.create_task(HighWaterKeeper(store, tmp_path).keep())
    slowest = 0.0
    while not keeping.done():
        began = time.monotonic()
        await asyncio.sleep(0.01)
        slowest = max(slowest, time.monotonic() - began)
    answers.join()
    assert slowest < 1.0
    assert recall(tmp_path) == await store.high_water()
    await store.close()


async def test_server_that_finds_an_older_database_says_so_and_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[P-RECOVER-2] Nobody has to remember a command."""
    with ChatServer() as server:
        path = server.directory / "data" / "chat.db"
        server.stop()
        shutil.copy(path, tmp_path / "copy")
        store = SqliteStore(path)
        await store.open()
        rooms = await store.rooms()
        channels = [room_channel(room.id) for room in rooms]
        ada = await newcomer(store, "Ada", rooms[0].id)
        await say(store, ada, "after the backup", where=rooms[0].id)
        before = await store.heads(channels)
        await store.close()
        server.start()
        server.stop()
        assert recall(path.parent) is not None
        for file in path.parent.glob("chat.db*"):
            file.unlink()
        shutil.copy(tmp_path / "copy", path)
        server.start()
        await store.open()
        after = await store.heads(channels)
        await store.close()
        assert not {head.epoch for head in before.values()} & {head.epoch for head in after.values()}
        warnings = [line for line in server.process.output().splitlines() if "is older than what was served" in line]
        assert len(warnings) == 1
        assert warnings[0].startswith("chatserver: warning: ")
        assert warnings[0].endswith(f": {len(rooms)} channels begin anew")
