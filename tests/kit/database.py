"""A migrated, empty SQLite file: made once in each process, since the migrations take longer than most tests."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from chatserver.store.drivers.migrate import migrate


def migrated_sqlite(path: Path) -> str:
    """Write one to `path`, in a directory that need not be there yet; its URL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_migrated())
    return f"sqlite:///{path}"


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "chat.db"
        migrate(f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as database:
            # All of it has to stand in the one file.
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes()
