"""PostgreSQL without room, read-only, and without the standby that it must wait for.

`outliving.outlives` says what must hold each time. Frozen, killed and restarted it is in `tests/store/test_postgres.py`
and in the scenarios of `tests/reliability/`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.faults.outliving import CONFIG, disks_can_be_made, outlives
from tests.kit.postgres import PostgresServer
from tests.kit.process import obtain
from tests.kit.server import ChatServer

pytestmark = pytest.mark.faults

_RARE_CHARACTERS: Final = range(0x20000, 0x2A6D0)


def _on_a_small_disk(server: PostgresServer) -> Path:
    """A directory of the server with a disk of its own, of 32 megabytes. The log and the rest stay where they are."""
    directory = server.directory / "small"
    directory.mkdir(mode=0o700)
    if os.geteuid() == 0:
        # The user that the server runs as.
        os.chown(directory, server.directory.stat().st_uid, server.directory.stat().st_gid)
    # Who may mount is root, and as root PostgreSQL does not start: the second namespace takes the name away again.
    become = 'exec unshare -U --map-user=1000 --map-group=1000 "$@"'
    script = f'mount -t tmpfs -o size=32m,mode=700 chat "$0" && {become}'
    server.process.command = ["unshare", "-rm", "sh", "-c", script, str(directory), *server.process.command]
    return directory


@contextmanager
def _full(postgres: PostgresServer, directory: Path, server: ChatServer) -> Iterator[None]:
    """Something else takes all the room there is where the tables are: ENOSPC, and SQLSTATE 53100."""
    rubbish = directory / "rubbish"
    # Only the server sees its disk.
    _at_the_server(postgres, f"dd if=/dev/zero of={rubbish} bs=4096 2>&1 | grep -q 'No space left on device'")
    try:
        yield
    finally:
        _at_the_server(postgres, f"rm {rubbish}")


def _at_the_server(postgres: PostgresServer, command: str) -> None:
    """Run a command as the server and where it runs. Raises where it fails."""
    quoted = command.replace("'", "''")
    postgres.execute(f"COPY (SELECT WHERE false) TO PROGRAM '{quoted}'")


@contextmanager
def _set(postgres: PostgresServer, setting: str, value: str, server: ChatServer) -> Iterator[None]:
    """The server runs with another setting."""
    postgres.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
    postgres.execute("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        postgres.execute(f"ALTER SYSTEM RESET {setting}")
        postgres.execute("SELECT pg_reload_conf()")


def _causes(server: ChatServer) -> set[object]:
    """Why the store could not answer, by the server's log."""
    return {line["cause"] for line in server.log() if "cause" in line}


async def test_a_server_outlives_a_database_without_room() -> None:
    if not disks_can_be_made():
        pytest.skip("no disk can be made here: that takes root, or user namespaces")
    postgres = obtain(PostgresServer)
    directory = _on_a_small_disk(postgres)
    with postgres:
        postgres.execute(f"CREATE TABLESPACE small LOCATION '{directory}'")
        postgres.execute("CREATE DATABASE chat TABLESPACE small TEMPLATE template0")
        # More than a page, and hardly to be compressed: what is left of the pages that there are is not enough for it.
        text = "".join(map(chr, random.Random(1).choices(_RARE_CHARACTERS, k=1_990)))
        with ChatServer(database_url=postgres.url("chat"), config=CONFIG) as server:
            await outlives(server, partial(_full, postgres, directory), text=text, stops_small_writes=False)
            assert _causes(server) >= {"DiskFullError (53100)"}


async def test_a_server_outlives_a_database_that_may_only_be_read(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    with ChatServer(database_url=postgres_url, config=CONFIG) as server:
        await outlives(server, partial(_set, postgres_server, "default_transaction_read_only", "on"))
        assert _causes(server) >= {"ReadOnlySQLTransactionError (25006)"}


async def test_a_server_outlives_a_database_whose_standby_is_gone(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    """With synchronous replication it then answers readers, and lets writers wait."""
    with ChatServer(database_url=postgres_url, config=CONFIG) as server:
        await outlives(server, partial(_set, postgres_server, "synchronous_standby_names", "gone"), hangs=True)
