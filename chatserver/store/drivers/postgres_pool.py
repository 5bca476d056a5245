"""One worker's connections to PostgreSQL: few, opened when needed, and closed again when unused.

asyncpg's own pool resets a connection at each return (a round trip), and waits for a frozen server to agree to a
cancellation. Here every wait ends when its caller's time is up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import asyncpg

from chatserver.domain.errors import Refusal
from chatserver.store.drivers.postgres_connection import is_of_one_job, is_out_of_connections

LINGER_SECONDS: Final = 20.0
"""Seconds that an unused connection is kept."""
SHORT_SECONDS: Final = 1.0
"""Seconds for which no new connection is requested from a server that has refused one, because each attempt costs it a
process."""
_SAID_EVERY_SECONDS: Final = 60.0

log = logging.getLogger("chatserver.store")


class Pool:
    """Connections that all parts of a store share.

    When the server accepts no more connections, callers wait in order for connections that are returned: work then
    takes longer, but nothing is refused. `open_one` returns a new connection.
    """

    def __init__(self, open_one: Callable[[], Awaitable[asyncpg.Connection]], linger: float = LINGER_SECONDS) -> None:
        self._open_one = open_one
        self._linger = linger
        self._idle: list[tuple[asyncpg.Connection, float]] = []
        """Unused connections, each with the loop's time since when it is unused. The most recently used is last, and is
        taken first."""
        self._in_use = 0
        self._opening = 0
        self._waiting: deque[asyncio.Future[asyncpg.Connection | None]] = deque()
        """Callers that wait for a connection; None tells them to try again."""
        self._short_until = float("-inf")
        """The loop's time until which no more connections are requested from the server than it has given."""
        self._tidying: asyncio.TimerHandle | None = None
        self._said_at = float("-inf")
        self._is_closed = False

    def road(self, size: int) -> Connections:
        """Return a way to the connections for up to `size` callers at once."""
        return Connections(self, size)

    @property
    def open(self) -> int:
        """Return how many connections there are now."""
        return self._in_use + len(self._idle)

    def drop_idle(self) -> None:
        """Close the unused connections, which may lead to a machine that is gone. The next caller opens a new one."""
        while self._idle:
            self._idle.pop()[0].terminate()

    def close(self) -> None:
        self._is_closed = True
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        self.drop_idle()

    async def take(self) -> asyncpg.Connection:
        """Return a connection for this caller alone, who ends with `give_back` or `drop`."""
        while True:
            while self._idle:
                db, _ = self._idle.pop()
                if not db.is_closed():
                    self._in_use += 1
                    return db
            if (self._in_use or self._opening) and asyncio.get_running_loop().time() < self._short_until:
                if (given := await self._turn()) is not None:
                    return given
                continue
            self._opening += 1
            try:
                db = await self._open_one()
            except BaseException as error:
                self._opening -= 1
                if not (self._in_use or self._idle or self._opening):
                    # No connection is left that could be given back to the waiting callers.
                    self._wake_all()
                    raise
                if not isinstance(error, Exception) or not is_out_of_connections(error):
                    raise
                self._say_short(error)
                self._short_until = asyncio.get_running_loop().time() + SHORT_SECONDS
            else:
                self._opening -= 1
                self._in_use += 1
                return db

    async def _turn(self) -> asyncpg.Connection | None:
        """Wait in line for a connection that is given back. Return None if it is time to try again."""
        turn: asyncio.Future[asyncpg.Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # A connection was handed to this caller already; nobody else would get it.
                given = turn.result()
                if given is None:
                    self._wake_one(None)
                else:
                    self.give_back(given)
            raise

    def give_back(self, db: asyncpg.Connection) -> None:
        if self._is_closed or db.is_closed():
            self.drop(db)
        elif not self._wake_one(db):
            self._in_use -= 1
            self._idle.append((db, asyncio.get_running_loop().time()))
            if self._tidying is None:
                self._tidying = asyncio.get_running_loop().call_later(self._linger, self._tidy)

    def drop(self, db: asyncpg.Connection) -> None:
        self._in_use -= 1
        db.terminate()
        # There may be room for another connection in its place.
        self._short_until = float("-inf")
        self._wake_one(None)

    def _wake_one(self, db: asyncpg.Connection | None) -> bool:
        """Give the first waiting caller a connection, or None to let it try again. Return False if nobody waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(db)
                return True
        return False

    def _wake_all(self) -> None:
        self._short_until = float("-inf")
        while self._wake_one(None):
            pass

    def _tidy(self) -> None:
        """Close connections that have been unused for a while."""
        loop = asyncio.get_running_loop()
        while self._idle and self._idle[0][1] <= loop.time() - self._linger:
            self._idle.pop(0)[0].terminate()
        self._tidying = None
        if self._idle:
            self._tidying = loop.call_at(self._idle[0][1] + self._linger, self._tidy)

    def _say_short(self, error: Exception) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._said_at >= _SAID_EVERY_SECONDS:
            self._said_at = now
            code = error.sqlstate if isinstance(error, asyncpg.PostgresError) else type(error).__name__
            log.warning("database_gives_no_more_connections", extra={"open": self.open, "code": code})


class Connections:
    """A way to a pool, for up to `size` callers at once. A failure on a connection closes it."""

    def __init__(self, pool: Pool, size: int) -> None:
        self._pool = pool
        self._slots = asyncio.Semaphore(size)

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[asyncpg.Connection]:
        async with self._slots:
            db = await self._pool.take()
            try:
                yield db
            except BaseException as error:
                if isinstance(error, Refusal) or is_of_one_job(error):
                    self._pool.give_back(db)
                else:
                    self._pool.drop(db)
                raise
            self._pool.give_back(db)


def shares(connections: int) -> tuple[int, int, int]:
    """Return how many of a worker's connections are for commits (lanes), for reads and for other writes. Reads and
    writes never wait for each other, so at least 3 are needed."""
    lanes = 2 if connections >= 6 else 1
    writing = (connections - lanes) // 2
    return lanes, connections - lanes - writing, writing
