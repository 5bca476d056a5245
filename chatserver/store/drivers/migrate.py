"""Migrates a database to this version's schema, once, before anything opens it.

Alembic runs inside one transaction that holds the database's migration lock, so two processes that start together do
not migrate twice, and a migration that fails leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_ADVISORY_LOCK = 0x63686174
"""The key of PostgreSQL's advisory lock that one migration holds."""
_WAL_SECONDS = 10.0
_CONNECT_SECONDS = 10.0


def migrate(database_url: str, connections: int = 0) -> None:
    """Create or upgrade the schema of `sqlite:///path` or `postgresql://…`. Safe to call again. `connections` is how
    many connections the service may want of PostgreSQL at once; 0 skips that check.

    It blocks, also a running event loop. Raises Unfit if PostgreSQL cannot be used, and what the database raises.
    """
    if database_url.startswith("sqlite:"):
        _migrate_sqlite(database_url)
    else:
        # A thread of its own, because the driver is asynchronous and this thread may be running an event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(_migrate_postgres(database_url, connections))).result()


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's configuration for one open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(alembic_config(connection), "head")


def _migrate_sqlite(database_url: str) -> None:
    path = make_url(database_url).database
    if path:
        Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
        _make_private(Path(path))
    engine = create_engine(database_url, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: object) -> None:
        connection.isolation_level = None
        _use_wal(connection)
        for pragma in ("synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver would begin a transaction only at the first INSERT, and so leave half a schema behind after a
        # failure.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        _upgrade(connection)
    engine.dispose()


def _use_wal(connection: Any) -> None:
    """Switch the file to write-ahead logging.

    SQLite answers "database is locked" at once, whatever the busy timeout, if another process is switching the same
    file at that moment, so the switch is tried until a deadline. Raises what the driver raises after that.
    """
    deadline = time.monotonic() + _WAL_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _make_private(path: Path) -> None:
    """Create the file, if there is none, so that others cannot read it, whatever the directory and the umask allow.
    SQLite gives the files beside it the same mode."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


async def _migrate_postgres(database_url: str, connections: int) -> None:
    # asyncpg is an optional dependency.
    from chatserver.store.drivers.postgres_connection import open_connection  # noqa: PLC0415
    from chatserver.store.drivers.postgres_fitness import require_fit  # noqa: PLC0415

    await require_fit(database_url, connections)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        connect_args={
            # Behind a pooler a name may be used already, by another session's statement.
            "async_creator_fn": lambda: open_connection(database_url, _CONNECT_SECONDS, keeps_statements=False),
            "prepared_statement_name_func": lambda: f"chat_{uuid4().hex}",
            "prepared_statement_cache_size": 0,
        },
        poolclass=NullPool,
    )
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        await connection.run_sync(_upgrade)
    await engine.dispose()
