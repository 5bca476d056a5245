"""The one file of SQLite, while its disk is full, while it may not be written, and while somebody else holds it.

`outliving.outlives` says what must hold each time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.faults.outliving import CONFIG, disks_can_be_made, outlives
from tests.kit.server import ChatServer

pytestmark = pytest.mark.faults


def _on_its_own_disk(server: ChatServer) -> None:
    """Let a server keep its data on a disk of four megabytes, which is gone with it."""
    data = server.directory / "data"
    data.mkdir(mode=0o700)
    script = 'mount -t tmpfs -o size=4m,mode=700 chat "$0" && exec "$@"'
    server.process.command = ["unshare", "-rm", "sh", "-c", script, str(data), *server.process.command]


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


async def test_a_server_that_may_write_no_more_refuses_and_goes_on_when_it_may_again() -> None:
    with ChatServer(config=CONFIG) as server:
        await outlives(server, _may_write_no_more)


async def test_a_server_outlives_a_full_disk() -> None:
    if not disks_can_be_made():
        # The limit on the size of files, above, takes the same way through SQLite everywhere.
        pytest.skip("no disk can be made here: that takes root, or user namespaces")
    server = ChatServer(config=CONFIG)
    _on_its_own_disk(server)
    with server:
        await outlives(server, _full)


async def test_a_server_outlives_a_file_that_it_may_only_read() -> None:
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may write every file, and there is no setpriv to take that away")
    server = ChatServer(config=CONFIG)
    _obeying_permissions(server)
    with server:
        await outlives(server, _restored_read_only)


async def test_a_server_outlives_another_process_that_holds_its_file() -> None:
    with ChatServer(config=CONFIG) as server:
        await outlives(server, _held_by_another, hangs=True)
