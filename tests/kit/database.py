"""A migrated, empty SQLite file, made once in each process because the migrations take longer than most tests."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from chatserver.store.drivers.migrate import migrate


def migrated_sqlite(path: Path) -> str:
    """Write such a file to `path`, and make its directory if necessary. Return its URL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_migrated())
    return f"sqlite:///{path}"


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "chat.db"
        migrate(f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as database:
            # Everything must be in the one file.
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes()
