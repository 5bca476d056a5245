"""The store in PostgreSQL, for any number of machines.

Commits go through a few lanes, each with one connection at a time: a lane takes all that waits in it, runs it in one
transaction, and answers everybody after one flush. A channel always has the same lane of a worker, so that its lock is
asked for by one connection of each worker. Reads and other writes are kept apart: if PostgreSQL answers readers and
takes no writes (its synchronous standby is gone), reads must not wait behind writes. All share the connections of one
pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar
from zlib import crc32

import asyncpg
from sqlalchemy import MetaData

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.store import listening_log, reading, rooms_log
from chatserver.store.all_tables import METADATA
from chatserver.store.core.backlog import Backlog, Job, answer_jobs
from chatserver.store.core.circuit_breaker import CircuitBreaker
from chatserver.store.core.compiler import MakeOp
from chatserver.store.core.sealing import Sealer
from chatserver.store.drivers.postgres_connection import (
    ConnectionMode,
    connect,
    in_transaction,
    is_of_one_job,
    is_to_be_tried_again,
    run,
    unavailable,
)
from chatserver.store.drivers.postgres_pool import Connections, Pool, shares
from chatserver.store.forgetting import forgetting
from chatserver.store.records import Committed, RoomChange, StoreUnavailable
from chatserver.store.store import DEFAULT_TIMEOUT, SchemaMismatch, Scrub, Store

T = TypeVar("T")

CONNECTIONS: Final = 8
"""The most connections of one worker, unless another number is set."""
_BATCH: Final = 128
_BACKLOG: Final = 10_000
_ATTEMPTS: Final = 4
"""How often a transaction is tried that PostgreSQL rolls back in favour of another one."""
_AGAIN_SECONDS: Final = 0.2
"""Seconds that a lane rests after a failure before it goes on."""
NOBODYS: Final = frozenset(
    {
        "asks", "audit", "barred", "channels", "duties", "exchange_pool", "feedback", "floor", "moderation", "rooms",
        "score_counts", "settings", "shifts", "upkeep", "waits",
    }
)  # fmt: skip
"""Tables from which an erasure removes nothing."""


def scrubbed_tables(metadata: MetaData) -> list[str]:
    """Return the tables whose old pages an erasure makes unreadable: all but those that name nobody."""
    return [name for name in metadata.tables if name not in NOBODYS]


_TABLES: Final = ", ".join(scrubbed_tables(METADATA))
_VACUUM: Final = f"VACUUM (SKIP_LOCKED) {_TABLES}"
_SIZES: Final = (
    "SELECT name, pg_total_relation_size(name::regclass) AS size FROM unnest(string_to_array($1, ', ')) AS name"
)
_QUICKLY_REWRITTEN: Final = 8 * 1024 * 1024
"""The largest table, in bytes with its indexes, that is rewritten; a rewrite of this size holds up its users for less
than a second."""
_LOCK_PATIENCE: Final = "1s"
"""How long a rewrite waits for somebody else's lock (such as a backup's), while everybody else waits behind it."""
_STOP: Final = None

_Queue = asyncio.Queue[Job[RoomChange | None] | None]
"""Work of None only checks that the lane works."""

_log = logging.getLogger("chatserver.store")


class _Road(NamedTuple):
    """The connections and circuit breaker of readers, or of writers."""

    connections: Connections
    silence: CircuitBreaker


class PostgresStore(Store):
    """A `store.Store` in the database at `dsn` (`postgresql://…`), which must have been migrated.

    `timeout` in seconds bounds every call; `backlog` is how many commits, and how many other calls, may wait;
    `connections` is how many it may open, at least 3. `sealing_key`, 32 bytes, seals what only a case may open; without
    one, what is sealed here can be opened by this instance alone.
    """

    def __init__(
        self,
        dsn: str,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        backlog: int = _BACKLOG,
        sealing_key: bytes | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        super().__init__(timeout, backlog, Sealer(sealing_key))
        self._timeout = timeout
        self._way = ConnectionMode(dsn, timeout)
        self._shares = shares(connections)
        self._backlog_bound = backlog
        self._backlog: Backlog[RoomChange | None] = Backlog(timeout, backlog)
        self._calls = 0
        self._queues: list[_Queue] = []
        self._lanes: list[asyncio.Task[None]] = []
        self._build_roads()

    def _build_roads(self) -> None:
        lanes, reading, writing = self._shares
        self._pool = Pool(partial(connect, self._way))
        self._of_lanes = [self._pool.road(1) for _ in range(lanes)]
        self._reads = _Road(self._pool.road(reading), CircuitBreaker("reads", self._look, self._timeout))
        self._writes = _Road(self._pool.road(writing), CircuitBreaker("writes", self._beat, self._timeout))

    async def open(self) -> None:
        self._build_roads()
        try:
            async with self._connected(self._reads.connections):
                pass
        except StoreUnavailable as error:
            if isinstance(error.__cause__, SchemaMismatch):
                raise error.__cause__ from None
            raise
        self._queues = [asyncio.Queue() for _ in self._of_lanes]
        self._lanes = [
            asyncio.create_task(self._go_on(queue, own), name="store-lane")
            for queue, own in zip(self._queues, self._of_lanes, strict=True)
        ]

    async def close(self) -> None:
        await self._listening_commits.finish()
        await self._meeting_commits.finish()
        lanes, self._lanes = self._lanes, []
        if not lanes:
            return
        for road in (self._reads, self._writes):
            await road.silence.close()
        for queue in self._queues:
            queue.put_nowait(_STOP)
        _, late = await asyncio.wait(lanes, timeout=2 * self._timeout)
        for lane in late:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
        self._pool.close()

    @property
    def is_silent(self) -> bool:
        return self._reads.silence.is_on or self._writes.silence.is_on

    async def commit(self, change: RoomChange) -> Committed:
        silence = self._writes.silence
        if silence.is_on:
            await silence.check()
        self._require_open()
        lane = crc32(change.channel.encode()) % len(self._queues)
        committed: Committed = await self._through(self._queues[lane], change)
        return committed

    async def check_writable(self) -> None:
        """Try a write, and every lane, because posts go through those alone."""
        self._require_open()
        await super().check_writable()
        self._require_open()
        await asyncio.gather(*(self._through(queue, None) for queue in self._queues))

    async def _through(self, queue: _Queue, work: RoomChange | None) -> Any:
        """Return a lane's answer to `work`."""
        job = self._backlog.accept(work)
        queue.put_nowait(job)
        asked_at = asyncio.get_running_loop().time()
        try:
            return await job.future
        except StoreUnavailable:
            self._writes.silence.refused(asked_at)
            raise

    async def _read(self, op: MakeOp[T]) -> T:
        async with self._connection(self._reads) as db:
            return await self._run_alone(db, op)

    async def _run_in_transaction(self, op: MakeOp[T]) -> T:
        async with self._connection(self._writes) as db:
            # Once more, if another transaction inserted the same thing between our read and our insert.
            with contextlib.suppress(asyncpg.IntegrityConstraintViolationError):
                return await self._transact(db, op)
            return await self._transact(db, op)

    async def clock(self) -> Millis:
        return await self._read(listening_log.clock)

    async def _scrub(self, what: Scrub) -> None:
        """Remove dead rows now rather than when autovacuum comes. That leaves their bytes in the unused parts of pages,
        so tables are rewritten too, one after the other, unless they are too large for that. The write-ahead log cannot
        be reached from here."""
        if what is Scrub.LOG:
            return
        async with self._connection(self._writes) as db:
            await db.execute(_VACUUM)
            tables = await in_transaction(db, lambda db: db.fetch(_SIZES, _TABLES), self._way.begin)
        for name, size in sorted(tables, key=lambda row: row["size"]):
            if size <= _QUICKLY_REWRITTEN:
                async with self._connection(self._writes) as db:
                    await self._rewrite_table(db, name)

    async def _rewrite_table(self, db: asyncpg.Connection, name: str) -> None:
        if self._way.is_pooled:
            # A setting would not last until the next statement, so the lock is tried just before.
            lock = f"SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'; LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE"
            await in_transaction(db, lambda db: db.execute(lock), self._way.begin)
            await db.execute(f"VACUUM (FULL) {name}")
            return
        await db.execute(f"SET lock_timeout = '{_LOCK_PATIENCE}'")
        try:
            await db.execute(f"VACUUM (FULL) {name}")
        finally:
            # Restore the settings that the connection started with.
            await db.execute(self._way.settings("SET"))

    # Probes of a server that has gone silent, each on a new connection: if another machine has taken over the address,
    # every old connection would wait in vain.

    async def _look(self) -> None:
        self._require_open()
        self._pool.drop_idle()
        async with self._connected(self._reads.connections) as db:
            await self._run_alone(db, reading.rooms)

    async def _beat(self) -> None:
        self._require_open()
        self._pool.drop_idle()
        async with self._connected(self._writes.connections) as db:
            await self._transact(db, forgetting.beat)

    def _require_open(self) -> None:
        if not self._lanes:
            raise StoreUnavailable("the store is closed")

    @contextlib.asynccontextmanager
    async def _connection(self, road: _Road) -> AsyncIterator[asyncpg.Connection]:
        """Yield a connection for `timeout` seconds; nobody waits for one while the breaker is open."""
        if self._calls >= self._backlog_bound:
            raise Refusal(Reason.BUSY, retry_after=1.0)
        self._calls += 1
        try:
            await road.silence.check()
            self._require_open()
            asked_at = asyncio.get_running_loop().time()
            try:
                async with self._connected(road.connections) as db:
                    yield db
            except StoreUnavailable:
                road.silence.refused(asked_at)
                raise
        finally:
            self._calls -= 1

    @contextlib.asynccontextmanager
    async def _connected(self, road: Connections) -> AsyncIterator[asyncpg.Connection]:
        """Yield a connection for `timeout` seconds. Turns the server's failures into StoreUnavailable."""
        try:
            async with asyncio.timeout(self._timeout), road.one() as db:
                yield db
        except Exception as error:
            if isinstance(error, (Refusal, StoreUnavailable)) or is_of_one_job(error):
                raise
            raise unavailable(error) from error

    async def _run_alone(self, db: asyncpg.Connection, op: MakeOp[T]) -> T:
        """Run an operation that only reads."""
        if self._way.is_pooled:
            return await in_transaction(db, lambda db: run(db, op()), self._way.begin)
        return await run(db, op())

    async def _transact(self, db: asyncpg.Connection, op: MakeOp[T]) -> T:
        for _ in range(_ATTEMPTS - 1):
            try:
                return await in_transaction(db, lambda db: run(db, op()), self._way.begin)
            except asyncpg.PostgresError as error:
                if not is_to_be_tried_again(error):
                    raise
        return await in_transaction(db, lambda db: run(db, op()), self._way.begin)

    # The lanes

    async def _go_on(self, queue: _Queue, own: Connections) -> None:
        """Run a lane to its end, and again whenever it fails.

        Without its lane, some rooms would accept no posts as long as this worker lives.
        """
        while True:
            try:
                return await self._lane(queue, own)
            except Exception:  # noqa: BLE001 (whatever it was, posts must be taken again)
                _log.exception("store_lane_failed")
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _lane(self, queue: _Queue, own: Connections) -> None:
        while True:
            job = await queue.get()
            jobs: list[Job[RoomChange | None]] = []
            while job is not _STOP:
                if job.is_wanted:
                    jobs.append(job)
                if queue.empty() or len(jobs) >= _BATCH:
                    break
                job = queue.get_nowait()
            if jobs:
                answer_jobs(jobs, await self._commit_all(own, jobs))
            if job is _STOP:
                return

    async def _commit_all(self, own: Connections, jobs: Sequence[Job[RoomChange | None]]) -> Sequence[object]:
        """Commit jobs in one transaction; one outcome for each. If a job breaks it, each runs once more, alone."""
        try:
            return await self._attempt(own, jobs)
        except Exception as error:  # noqa: BLE001 (sorted by whose fault it is)
            if not is_of_one_job(error):
                return [unavailable(error) for _ in jobs]
        return [await self._alone(own, job) for job in jobs]

    async def _alone(self, own: Connections, job: Job[RoomChange | None]) -> object:
        try:
            return (await self._attempt(own, [job]))[0]
        except Exception as error:  # noqa: BLE001 (sorted by whose fault it is)
            return error if is_of_one_job(error) else unavailable(error)

    async def _attempt(self, own: Connections, jobs: Sequence[Job[RoomChange | None]]) -> Sequence[object]:
        changes = [job.work for job in jobs if job.work is not None]
        async with asyncio.timeout(self._timeout), own.one() as db:
            if not changes:
                await db.execute("SELECT 1")
                return [None for _ in jobs]
            outcomes = iter(await self._transact(db, partial(rooms_log.commit_batch, changes, self._sealer)))
        return [None if job.work is None else next(outcomes) for job in jobs]
