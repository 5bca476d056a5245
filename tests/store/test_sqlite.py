"""What can happen to a file: locked, full, read-only, gone, replaced. And that removed text is really gone from it."""

from __future__ import annotations

import asyncio
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import EditPost, RedactPost, WritePost
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import Retention, StoreUnavailable
from chatserver.store.store import Store
from tests.store.kit import SLEEP, START, Database, change, newcomer, replay, say, seeded, sqlite_database

DAY = 86_400_000


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return sqlite_database(tmp_path)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    opened = await seeded(database.store(timeout=0.6))
    yield opened
    await opened.close()


def path_of(database: Database) -> Path:
    assert database.path is not None
    return database.path


async def is_unavailable(attempt: Awaitable[object], within: float = 0.9) -> str:
    """That it raises StoreUnavailable, in time; with which words."""
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as raised:
        await attempt
    assert time.monotonic() - began < within
    return str(raised.value)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


# ------------------------------------------------------------------------------------------------ faults


async def test_a_locked_file_is_unavailable_in_time_and_then_goes_on(store: Store, database: Database) -> None:
    ada = await newcomer(store, "Ada")
    with locked(path_of(database)):
        await asyncio.gather(*(is_unavailable(say(store, ada, str(i))) for i in range(5)))
        # Reading goes on meanwhile.
        assert await replay(store, SLEEP) == []
    assert await say(store, ada, "again") == 1


async def test_a_short_lock_is_waited_for(store: Store, database: Database) -> None:
    ada = await newcomer(store, "Ada")
    with locked(path_of(database)):
        writing = asyncio.create_task(say(store, ada, "patient"))
        await asyncio.sleep(0.1)
        assert not writing.done()
    assert await writing == 1


async def test_a_full_disk_is_unavailable_and_then_goes_on(store: Store, database: Database) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path_of(database).with_name("chat.sqlite3-wal").stat().st_size, hard))
    try:
        command = change(ada, WritePost(text="does not fit"), id_="again")
        await is_unavailable(store.commit(command))
        assert len(await replay(store, SLEEP)) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (await store.commit(command)).publications[0].offset == 2


async def test_a_file_that_vanished_is_unavailable_and_used_again_when_it_is_back(
    store: Store, database: Database
) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "before")
    path = path_of(database)
    names = [name for name in path.parent.iterdir() if name.name.startswith(path.name)]
    for name in names:
        name.rename(name.with_name("away-" + name.name))
    await is_unavailable(say(store, ada, "to nobody"))
    await is_unavailable(replay(store, SLEEP))
    await is_unavailable(store.check_writable())
    assert not path.exists()
    for name in names:
        name.with_name("away-" + name.name).rename(name)
    assert await say(store, ada, "after") == 2


async def test_a_file_that_took_the_place_of_ours_is_the_one_that_is_written(store: Store, database: Database) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "in the backup")
    path = path_of(database)
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(path.with_name("backup"))) as backup:
        connection.backup(backup)
    await say(store, ada, "not in the backup")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()
    path.with_name("backup").rename(path)
    assert await say(store, ada, "after") == 2
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT text FROM log ORDER BY offset").fetchall() == [("in the backup",), ("after",)]


async def test_a_file_of_another_kind_is_unavailable(store: Store, database: Database) -> None:
    path = path_of(database)
    kept = path.with_name("kept")
    shutil.copy(path, kept)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()
    path.with_name("other").write_bytes(b"not a database, but long enough to be read as one" * 100)
    path.with_name("other").rename(path)
    await is_unavailable(store.check_writable())
    await is_unavailable(store.rooms())
    kept.rename(path)
    await store.check_writable()


_READ_ONLY = """
import asyncio, os, sys
from pathlib import Path
from chatserver.store.records import StoreUnavailable
from tests.store.kit import Database
path = Path(sys.argv[1].removeprefix("sqlite:///"))

async def main() -> None:
    store = Database(sys.argv[1]).store(timeout=1)
    path.chmod(0o444)
    await store.open()
    for _ in range(2):
        try:
            await store.check_writable()
        except StoreUnavailable as error:
            print("no:", error)
    for name in path.parent.iterdir():
        name.chmod(0o644)
    await store.check_writable()
    print("yes")
    await store.close()

if os.getuid() == 0:
    # Root may write everything.
    for name in [path.parent, *path.parent.iterdir()]:
        os.chown(name, 65534, 65534)
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
asyncio.run(main())
"""


def test_a_read_only_file_is_unavailable_and_then_goes_on() -> None:
    # Not in pytest's own directories, which are closed to other users.
    with tempfile.TemporaryDirectory() as directory:
        database = sqlite_database(Path(directory))
        command = [sys.executable, "-c", _READ_ONLY, database.url]
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert result.stderr == ""
    first, second, last = result.stdout.splitlines()
    assert "READONLY" in first
    assert "READONLY" in second
    assert last == "yes"


async def test_opening_a_locked_or_damaged_file_says_so_at_once(database: Database) -> None:
    path = path_of(database)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    path.write_bytes(b"\x00" * 100 + path.read_bytes()[100:])
    await is_unavailable(database.store().open(), within=3)


# ------------------------------------------------------------------------------------------------ nothing left


@pytest.fixture
async def patient_store(database: Database) -> AsyncIterator[Store]:
    """For tests that write much and break nothing: how long a busy disk takes is not what they are about."""
    opened = await seeded(database.store(timeout=30))
    yield opened
    await opened.close()


@pytest.mark.parametrize("is_large", [False, True])
async def test_nothing_of_an_erased_person_is_left_in_the_files(
    patient_store: Store, database: Database, is_large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also not where SQLite moved rows when pages were split: many rows of many sizes come, change and go first."""
    if is_large:
        monkeypatch.setattr("chatserver.store.drivers.sqlite._QUICKLY_REWRITTEN", 0)
    store = patient_store
    # Indexes hold ids, and a real one says nothing of a name.
    ada, bea = await newcomer(store, "Adelheid", id_=MemberId("m_gone")), await newcomer(store, "Bea")
    chance = random.Random(1)
    mine: list[Offset] = []
    for i in range(700):
        text = "x" * chance.choice([3, 30, 300, 1_900])
        if chance.random() < 0.5:
            await say(store, bea, f"theirs {i} {text}")
            continue
        mine.append(await say(store, ada, f"NEEDLE {i} {text}"))
        if chance.random() < 0.4:
            longer = f"NEEDLE {i} {'y' * chance.choice([3, 300, 1_900])}"
            await store.commit(change(ada, EditPost(target=chance.choice(mine), text=longer, warning="NEEDLE")))
        if chance.random() < 0.2:
            target = mine.pop(chance.randrange(len(mine)))
            await store.commit(change(ada, RedactPost(target=target)))
    assert b"NEEDLE" in database.bytes()
    await store.erase(ada.id, Millis(START))
    before = [publication.event for publication in await replay(store, SLEEP)]
    assert await store.rewrite(START)
    assert [publication.event for publication in await replay(store, SLEEP)] == before
    left = database.bytes()
    # A large file is rewritten a few rows at a time, and that does not reach the indexes.
    for trace in (b"NEEDLE", b"Adelheid", *(() if is_large else (b"adelheid", ada.id.encode()))):
        assert trace not in left
    assert left.count(b"theirs") >= 300


async def test_an_erasure_waits_for_readers_of_other_processes_and_says_if_it_cannot(
    store: Store, database: Database
) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "NEEDLE")
    with closing(sqlite3.connect(path_of(database), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM log").fetchall()
        await is_unavailable(store.erase(ada.id, START), within=2)
        # It is done, and nobody is shown it any more; only the bytes are there until the reader is gone.
        assert await store.member(ada.id) is None
    assert await store.erase(ada.id, START) == []
    assert b"NEEDLE" not in database.bytes()


async def test_nothing_of_an_expired_text_is_left_in_the_files(store: Store, database: Database) -> None:
    ada = await newcomer(store, "Ada")
    for i in range(200):
        await say(store, ada, f"NEEDLE {i}" + "x" * (i % 7 * 100), now=START)
    await say(store, ada, "young", now=START + DAY)
    while await store.expire(Millis(START + DAY + 1), Retention()):
        pass
    left = database.bytes()
    assert b"NEEDLE" not in left
    assert b"young" in left


@pytest.mark.parametrize("work", ["_take", "_take_reads"], ids=["the writer", "a reader"])
async def test_a_thread_that_fails_goes_on(
    database: Database, work: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever ended it: without it everybody would be refused for as long as the process lives."""
    store = database.store(timeout=5)
    assert isinstance(store, SqliteStore)
    take, failures = getattr(store, work), iter([MemoryError("no more"), SystemExit(1)])

    def fail_twice() -> object:
        if (failure := next(failures, None)) is not None:
            raise failure
        return take()

    monkeypatch.setattr(store, work, fail_twice)
    await seeded(store)
    try:
        told = [record for record in caplog.records if record.message == "store_thread_failed"]
        assert len(told) == 2
        assert await say(store, await newcomer(store, "Ann"), "still here") == 1
        assert (await store.rooms())[0].id
    finally:
        await store.close()
