"""Bringing a database to this version's schema, once, before anything opens it.

Alembic runs inside one transaction that holds the database's migration lock, so two processes that start together do
not migrate twice, and a migration that fails leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_ADVISORY_LOCK = 0x63686174
"""PostgreSQL's name for the lock that one migration holds."""


def migrate(database_url: str) -> None:
    """Create or upgrade the schema of `sqlite:///path` or `postgresql://…`. Safe to call again.

    It blocks, also a running event loop. Raises what the database raises.
    """
    if make_url(database_url).get_backend_name() == "sqlite":
        _migrate_sqlite(database_url)
    else:
        # A thread of its own, because the driver is asynchronous and this thread may be running an event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(_migrate_postgres(database_url))).result()


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for one open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
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
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver would begin only at the first INSERT, and so leave half a schema behind after a failure.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        _upgrade(connection)
    engine.dispose()


def _make_private(path: Path) -> None:
    """Make the file, if there is none, for nobody else to read, whatever its directory and the umask allow. SQLite
    gives the files beside it the same mode."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


async def _migrate_postgres(database_url: str) -> None:
    import asyncpg  # noqa: PLC0415 (an extra: only those who name PostgreSQL need it)

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database_url, timeout=10), poolclass=NullPool
    )
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        await connection.run_sync(_upgrade)
    await engine.dispose()
