"""The one file of SQLite, while its disk is full, while it may not be written, and while somebody else holds it.

Each time: a typed, temporary refusal and no acknowledgement; reading goes on; `/readyz` says so; and afterwards all is
well without a restart, with nothing lost or doubled.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.kit.client import ChatClient, Refused
from tests.kit.server import ChatServer

pytestmark = pytest.mark.faults

ROOM: Final = "sleep"
_CONFIG: Final = {"limits": {"member_commands_per_second": 1_000, "posts_per_second": 1_000, "post_burst": 1_000}}


def _on_its_own_disk(server: ChatServer) -> None:
    """Let a server keep its data on a disk of four megabytes, which is gone with it."""
    data = server.directory / "data"
    data.mkdir(mode=0o700)
    script = 'mount -t tmpfs -o size=4m,mode=700 chat "$0" && exec "$@"'
    server.process.command = ["unshare", "-rm", "sh", "-c", script, str(data), *server.process.command]


def _disks_can_be_made() -> bool:
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "chat", "/mnt"]
    return (
        shutil.which("unshare") is not None and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    )


@contextmanager
def _may_write_no_more(server: ChatServer) -> Iterator[None]:
    """No file of the server may grow beyond what its write-ahead log is now (RLIMIT_FSIZE): EFBIG."""
    process = psutil.Process(server.process.pid)
    log = server.directory / "data" / "chat.db-wal"
    soft, hard = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (log.stat().st_size, hard))
    try:
        yield
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _full(server: ChatServer) -> Iterator[None]:
    """Something else takes all the room there is on the disk: ENOSPC."""
    data = Path(f"/proc/{server.process.pid}/root{server.directory}/data")
    rubbish = data / "rubbish"
    with rubbish.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4_096):
            pass
    try:
        yield
    finally:
        rubbish.unlink()


def _obeying_permissions(server: ChatServer) -> None:
    """Root may write everything, unless it gives that up."""
    if os.geteuid() == 0:
        dropped = "-dac_override,-dac_read_search"
        server.process.command = ["setpriv", f"--bounding-set={dropped}", *server.process.command]


@contextmanager
def _restored_read_only(server: ChatServer) -> Iterator[None]:
    """An operator put a copy in the place of the file, and the server may not write it."""
    path = server.directory / "data" / "chat.db"
    copy = path.with_name("copy")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.chmod(0o444)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()
    copy.rename(path)
    try:
        yield
    finally:
        for file in path.parent.glob("chat.db*"):
            file.chmod(0o644)


@contextmanager
def _held_by_another(server: ChatServer) -> Iterator[None]:
    """Another process, this one, holds the lock for writing."""
    with closing(sqlite3.connect(server.directory / "data" / "chat.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@asynccontextmanager
async def _two(server: ChatServer) -> AsyncIterator[tuple[ChatClient, ChatClient]]:
    """Somebody who writes and somebody who listens, in the room."""
    async with ChatClient(server.ws_url) as one, ChatClient(server.ws_url) as other:
        for client in (one, other):
            await client.ask("join", room=ROOM, agreement=1)
        yield one, other


async def _until_status(server: ChatServer, status: int) -> None:
    async with asyncio.timeout(20):
        while await asyncio.to_thread(server.get, "/readyz") != status:  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.05)


async def _outlives(server: ChatServer, fault: Callable[[ChatServer], AbstractContextManager[None]]) -> None:
    async with _two(server) as (one, other):
        before = (await one.ask("post", id="before", room=ROOM, text="before"))["offset"]
        with fault(server):
            said = asyncio.create_task(_until_status(server, 503))
            with pytest.raises(Refused) as refused:
                await one.ask("post", id="meanwhile", room=ROOM, text="meanwhile")
            assert refused.value.code == "storage_unavailable"
            assert refused.value.error["temporary"] is True
            await said
            # What was there is there to read, for whoever asks and in whatever way.
            page = await other.ask("history", room=ROOM, before=before + 1)
            assert page["posts"][-1]["text"] == "before"
            assert (await other.ask("join", room=ROOM, agreement=1))["position"]["offset"] == before
            assert server.get("/healthz") == 200
        await _until_status(server, 200)
        answers = [await client.ask("post", id="meanwhile", room=ROOM, text="meanwhile") for client in (one, one)]
        assert [answer["offset"] for answer in answers] == [before + 1, before + 1]
        after = (await one.ask("post", id="after", room=ROOM, text="after"))["offset"]
        await other.wait_for(lambda push: push.get("offset") == after)
        heard = [(fact["offset"], fact["post"]["text"]) for fact in other.facts(f"room:{ROOM}")]
        assert heard == [(before, "before"), (before + 1, "meanwhile"), (before + 2, "after")]
    assert not [line for line in server.log() if "Traceback" in str(line)]


async def test_a_server_that_may_write_no_more_refuses_and_goes_on_when_it_may_again() -> None:
    with ChatServer(config=_CONFIG) as server:
        await _outlives(server, _may_write_no_more)


async def test_a_server_outlives_a_full_disk() -> None:
    if not _disks_can_be_made():
        # The limit on the size of files, above, takes the same way through SQLite everywhere.
        pytest.skip("no disk can be made here: that takes root, or user namespaces")
    server = ChatServer(config=_CONFIG)
    _on_its_own_disk(server)
    with server:
        await _outlives(server, _full)


async def test_a_server_outlives_a_file_that_it_may_only_read() -> None:
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may write every file, and there is no setpriv to take that away")
    server = ChatServer(config=_CONFIG)
    _obeying_permissions(server)
    with server:
        await _outlives(server, _restored_read_only)


async def test_a_server_outlives_another_process_that_holds_its_file() -> None:
    with ChatServer(config=_CONFIG) as server:
        await _outlives(server, _held_by_another)
