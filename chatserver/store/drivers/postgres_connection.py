"""Connections to PostgreSQL, and how an operation runs on one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from chatserver.store import rooms_statements as sql
from chatserver.store.core.compiler import Call, Compiler, Op, Row
from chatserver.store.records import StoreUnavailable
from chatserver.store.store import SchemaMismatch, check_revision

T = TypeVar("T")

_compiler: Final = Compiler(dialect.dialect())  # type: ignore[no-untyped-call]

_SAID_NO: Final = ("22", "23")
"""Classes of SQLSTATE that are the fault of one operation's data: data exceptions and violated constraints."""
# Every statement here finds a few rows by their keys. Without statistics, or with an unknown LIMIT, the planner would
# read and hash the whole log instead.
_PLANS_NOT_WANTED: Final = ("enable_hashjoin", "enable_mergejoin", "enable_seqscan", "enable_bitmapscan")
_TRY_AGAIN: Final = ("40001", "40P01")
"""Serialization failure, deadlock: PostgreSQL rolled this transaction back so that another could go on."""
_NO_MORE: Final = "53300"
"""Too many connections: of the server, of the database, or of the role."""
_NOT_MY_STATEMENT: Final = ("26000", "42P05")
"""A prepared statement that does not exist, or exists already: this is not the session in which it was prepared."""
_STATEMENTS_KEPT: Final = 200
"""Prepared statements that each connection keeps: more than there are in this code."""


class ConnectionMode:
    """How connections to one database are used.

    Behind a pooler such as PgBouncer, each transaction may run on another connection to the server, so nothing is kept
    in a session: every operation is one transaction that makes its own settings, and no statement is prepared by name.
    A pooler is detected by comparing the server process that answers with the one named when the connection began.
    """

    __slots__ = ("_settings", "dsn", "is_pooled", "timeout")

    def __init__(self, dsn: str, timeout: float) -> None:
        self.dsn = dsn
        self.timeout = timeout
        self.is_pooled: bool | None = None
        """None until it was detected."""
        limit = int(timeout * 1000)
        self._settings = {
            "statement_timeout": limit,
            "lock_timeout": limit,
            # A worker that vanished in the middle of a transaction must not hold a room's lock for long.
            "idle_in_transaction_session_timeout": limit,
            "synchronous_commit": "on",
            **dict.fromkeys(_PLANS_NOT_WANTED, "off"),
        }

    @property
    def begin(self) -> str:
        """Return the statement that begins a transaction."""
        return "BEGIN" if self.is_pooled is False else f"BEGIN; {self.settings('SET LOCAL')}"

    def settings(self, how: str) -> str:
        """Return the statements that make the settings. `how` is SET, or SET LOCAL for one transaction."""
        return "; ".join(f"{how} {name} = {value}" for name, value in self._settings.items())


async def connect(way: ConnectionMode) -> asyncpg.Connection:
    """Return a connection on which the server itself ends whatever takes longer than the timeout.

    Raises SchemaMismatch if the database has another schema.
    """
    while True:
        expected = way.is_pooled
        db = await open_connection(way.dsn, way.timeout, keeps_statements=expected is False)
        try:
            found, is_pooled = await _look(db, way)
            check_revision(found)
        except asyncpg.PostgresError as error:
            db.terminate()
            if expected is False and error.sqlstate in _NOT_MY_STATEMENT:
                # A pooler has been put in between.
                way.is_pooled = None
                continue
            raise
        except BaseException:
            db.terminate()
            raise
        way.is_pooled = is_pooled
        if is_pooled is expected or is_pooled:
            return db
        # Connect again, because a connection that keeps its prepared statements is quicker.
        db.terminate()


async def open_connection(dsn: str, timeout: float, *, keeps_statements: bool) -> asyncpg.Connection:
    """Connect, and send nothing at the start that a pooler would refuse."""
    return await asyncpg.connect(
        dsn,
        timeout=timeout,
        statement_cache_size=_STATEMENTS_KEPT if keeps_statements else 0,
        max_cached_statement_lifetime=0,
        server_settings={"application_name": "chatserver"},
    )


async def _look(db: asyncpg.Connection, way: ConnectionMode) -> tuple[str | None, bool]:
    """Return the schema version of the database (None if it has none) and whether there is a pooler. Make the session's
    settings."""
    found: str | None = None
    await db.execute(f"BEGIN; {way.settings('SET LOCAL')}")
    process = await db.fetchval("SELECT pg_backend_pid()")
    if await db.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
        found = await db.fetchval(_compiler(sql.SCHEMA_VERSION).sql)
    is_pooled = process != db.get_server_pid()
    await db.execute("COMMIT" if is_pooled else f"COMMIT; {way.settings('SET')}")
    return found, is_pooled


async def run(db: asyncpg.Connection, op: Op[T]) -> T:
    """Run an operation on a connection, in the transaction that is open there."""
    try:
        call = next(op)
        while True:
            call = op.send(await _execute(db, call))
    except StopIteration as stop:
        result: T = stop.value
        return result


async def _execute(db: asyncpg.Connection, call: Call) -> list[Row]:
    """Run a statement with all its tuples of parameters in one round trip."""
    statement = _compiler(call.statement)
    params = statement.arrange(call.params)
    if statement.returns:
        if len(params) == 1:
            return [tuple(row) for row in await db.fetch(statement.sql, *params[0])]
        return [tuple(row) for row in await db.fetchmany(statement.sql, params)]
    await db.executemany(statement.sql, params)
    return []


async def in_transaction(
    db: asyncpg.Connection, work: Callable[[asyncpg.Connection], Awaitable[T]], begin: str = "BEGIN"
) -> T:
    """Begin, run the work, and commit; after a failure roll back and raise it."""
    await db.execute(begin)
    try:
        result = await work(db)
    except Exception:
        await db.execute("ROLLBACK")
        raise
    await db.execute("COMMIT")
    return result


def is_to_be_tried_again(error: BaseException) -> bool:
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _TRY_AGAIN


def is_out_of_connections(error: BaseException) -> bool:
    """Return whether the server, or the pooler before it, gives no more connections for now."""
    if not isinstance(error, asyncpg.PostgresError):
        return False
    # PgBouncer reports it without a code of its own.
    return error.sqlstate == _NO_MORE or (error.sqlstate == "08P01" and "no more connections" in str(error))


def is_of_one_job(error: BaseException) -> bool:
    """Return whether an error is the fault of one operation rather than of the server or the connection."""
    match error:
        case asyncpg.PostgresError():
            return str(error.sqlstate)[:2] in _SAID_NO
        case asyncpg.InterfaceError():
            # Of these, only a parameter that cannot be sent is also a ValueError.
            return isinstance(error, ValueError)
        case OSError() | SchemaMismatch() | StoreUnavailable() | asyncpg.InternalClientError() | TimeoutError():
            return False
        case _:
            return isinstance(error, Exception)


def unavailable(error: BaseException) -> StoreUnavailable:
    """Return the cause for the log. The server's own message may quote a row, so only its code is kept."""
    if isinstance(error, asyncpg.PostgresError):
        return StoreUnavailable(f"{type(error).__name__} ({error.sqlstate})")
    return StoreUnavailable(f"{type(error).__name__}: {error}".rstrip(": "))
