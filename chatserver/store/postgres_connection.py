"""Connections to PostgreSQL that find their way back, and how an operation runs on one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from chatserver.domain.errors import Refusal
from chatserver.store import statements as sql
from chatserver.store.compiler import Call, Compiler, Op, Row
from chatserver.store.contract import StoreUnavailable
from chatserver.store.operations import SchemaMismatch, check_revision

T = TypeVar("T")

_compiler: Final = Compiler(dialect.dialect())  # type: ignore[no-untyped-call]

_SAID_NO: Final = ("22", "23")
"""Classes of SQLSTATE that blame the data of one operation: data exceptions and violated constraints."""
# Every statement here looks a few rows up by their keys. A planner that has not seen statistics yet, or that does not
# know how few rows a LIMIT leaves, reads and hashes the whole log instead.
_PLANS_NOT_WANTED: Final = ("enable_hashjoin", "enable_mergejoin", "enable_seqscan", "enable_bitmapscan")
_TRY_AGAIN: Final = ("40001", "40P01")
"""Serialization failure, deadlock: PostgreSQL undid this transaction so that another could go on."""


async def connect(dsn: str, timeout: float) -> asyncpg.Connection:
    """A connection whose server lets go by itself of what takes longer than `timeout` seconds.

    Raises SchemaMismatch where the database stands at another schema.
    """
    limit = f"{int(timeout * 1000)}ms"
    db = await asyncpg.connect(
        dsn,
        timeout=timeout,
        max_cached_statement_lifetime=0,
        server_settings={
            "application_name": "chatserver",
            "statement_timeout": limit,
            "lock_timeout": limit,
            # A worker that vanished in the middle of a transaction must not hold a room's lock for long.
            "idle_in_transaction_session_timeout": limit,
            "synchronous_commit": "on",
            **dict.fromkeys(_PLANS_NOT_WANTED, "off"),
        },
    )
    try:
        found: str | None = None
        if await db.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
            found = await db.fetchval(_compiler(sql.SCHEMA_VERSION).sql)
        check_revision(found)
    except BaseException:
        db.terminate()
        raise
    return db


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
    """One round trip, however many times the statement runs."""
    statement = _compiler(call.statement)
    params = statement.arrange(call.params)
    if statement.returns:
        if len(params) == 1:
            return [tuple(row) for row in await db.fetch(statement.sql, *params[0])]
        return [tuple(row) for row in await db.fetchmany(statement.sql, params)]
    await db.executemany(statement.sql, params)
    return []


async def in_transaction(db: asyncpg.Connection, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Begin, work, commit; or undo, and raise what went wrong."""
    await db.execute("BEGIN")
    try:
        result = await work(db)
    except Exception:
        await db.execute("ROLLBACK")
        raise
    await db.execute("COMMIT")
    return result


class Connections:
    """Up to `size` connections, opened when they are needed, dropped when anything is wrong with them.

    asyncpg's own pool asks a connection to reset itself at each return (a round trip), and waits for a frozen server to
    agree to a cancellation; here every wait ends with its caller's.
    """

    def __init__(self, open_one: Callable[[], Awaitable[asyncpg.Connection]], size: int) -> None:
        self._open_one = open_one
        self._slots = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection] = []
        self._is_closed = False

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[asyncpg.Connection]:
        async with self._slots:
            db = await self._obtain()
            try:
                yield db
            except BaseException as error:
                if isinstance(error, Refusal) or is_of_one_job(error):
                    self._give_back(db)
                else:
                    db.terminate()
                raise
            self._give_back(db)

    def drop_idle(self) -> None:
        """Whoever comes next opens a new one: those that nobody uses may lead to a machine that is no more."""
        while self._idle:
            self._idle.pop().terminate()

    def close(self) -> None:
        self._is_closed = True
        self.drop_idle()

    async def _obtain(self) -> asyncpg.Connection:
        while self._idle:
            db = self._idle.pop()
            if not db.is_closed():
                return db
        return await self._open_one()

    def _give_back(self, db: asyncpg.Connection) -> None:
        if self._is_closed or db.is_closed():
            db.terminate()
        else:
            self._idle.append(db)


def is_to_be_tried_again(error: BaseException) -> bool:
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _TRY_AGAIN


def is_of_one_job(error: BaseException) -> bool:
    """Whether an error is the fault of one operation, rather than of the server or the way to it."""
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
    """The cause for the log. The server's own words may quote a row, so only its code is kept."""
    if isinstance(error, asyncpg.PostgresError):
        return StoreUnavailable(f"{type(error).__name__} ({error.sqlstate})")
    return StoreUnavailable(f"{type(error).__name__}: {error}".rstrip(": "))
