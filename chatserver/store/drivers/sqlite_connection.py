"""One SQLite connection, reopened after failures, and how an operation runs on it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

from sqlalchemy.dialects import sqlite as dialect

from chatserver.store import rooms_statements as sql
from chatserver.store.core.compiler import Call, Compiler, Op, Row
from chatserver.store.store import SchemaMismatch, check_revision

T = TypeVar("T")

_STATEMENTS_CACHED: Final = 256
_READ_PATIENCE: Final = 1_000
"""Milliseconds that a reader waits while another process recovers the file after a crash."""
_compiler: Final = Compiler(dialect.dialect(paramstyle="qmark"))


class SqliteConnection:
    """A connection of one thread, opened at its first use and again after a failure."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self._path = path
        self._read_only = read_only
        self._db: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self.was_refused_writing = False
        """Whether the last failure was that the file is read-only."""

    def ready(self) -> sqlite3.Connection:
        """Return the open connection to the file that is at the path now. Raises sqlite3.Error, OSError or
        SchemaMismatch."""
        found = os.stat(self._path)
        identity = (found.st_dev, found.st_ino)
        if self._db is not None and identity != self._identity:
            # Another file has taken the place of this one, and nobody would ever read what is written here.
            self.drop()
        if self._db is None:
            self.was_refused_writing = False
            self._db = self._open()
            self._identity = identity
        return self._db

    def _open(self) -> sqlite3.Connection:
        # mode=rw: a file that has vanished must not be created empty.
        db = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=_READ_PATIENCE / 1000,
            cached_statements=_STATEMENTS_CACHED,
        )
        try:
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        for pragma in ("synchronous=FULL", "secure_delete=ON", "foreign_keys=ON", "temp_store=MEMORY"):
            db.execute(f"PRAGMA {pragma}")
        tables = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchall()
        versions = db.execute(_compiler(sql.SCHEMA_VERSION).sql).fetchall() if tables else []
        check_revision(versions[0][0] if versions else None)
        if self._read_only:
            db.execute("PRAGMA query_only=ON")
        else:
            if db.execute("PRAGMA journal_mode=WAL").fetchone() != ("wal",):
                raise sqlite3.OperationalError("the file cannot be put into write-ahead mode")
            # The writer waits in its own loop, and gives up when nobody waits for it any more.
            db.execute("PRAGMA busy_timeout=0")

    def fail(self, error: Exception) -> None:
        """Drop the connection if an error has shown it to be unusable."""
        self.was_refused_writing = _code(error) == sqlite3.SQLITE_READONLY
        self.drop()

    def drop(self) -> None:
        """Close the connection, whatever state it is in. Uncommitted changes are rolled back."""
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()

    def close(self) -> None:
        """Close the connection when its owner no longer needs it."""
        self.drop()

    def roll_back(self) -> None:
        """Undo the open transaction; a connection that cannot even do that is dropped."""
        try:
            if self._db is not None and self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error:
            self.drop()

    def run(self, op: Op[T]) -> T:
        """Run an operation inside the transaction that is open."""
        assert self._db is not None
        execute, many = self._db.execute, self._db.executemany
        try:
            call = next(op)
            while True:
                call = op.send(_execute(call, execute, many))
        except StopIteration as stop:
            result: T = stop.value
            return result


def _execute(call: Call, execute: Callable[..., sqlite3.Cursor], many: Callable[..., sqlite3.Cursor]) -> list[Row]:
    statement = _compiler(call.statement)
    params = statement.arrange(call.params)
    text = statement.sql
    if not statement.returns:
        many(text, params)
        return []
    if len(params) == 1:
        return execute(text, params[0]).fetchall()
    return [row for given in params for row in execute(text, given)]


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another connection was in the way, so that trying again may help."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: Exception) -> int | None:
    """Return SQLite's primary result code, or None."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def is_of_one_job(error: Exception) -> bool:
    """Return whether an error is the fault of one operation rather than of the file or the machine."""
    if isinstance(error, (OSError, SchemaMismatch, sqlite3.OperationalError)):
        return False
    # A bare DatabaseError means a damaged file; its other subclasses blame the statement.
    return type(error) is not sqlite3.DatabaseError
