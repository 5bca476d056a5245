"""The store in PostgreSQL, for any number of machines.

Commits travel in a few lanes, each with its own connection: a lane takes all that waits in it, runs it in one
transaction, and answers everybody after one flush. A channel always has the same lane of a worker, so that its lock is
asked for by one connection of each worker. Everything else goes through two pools: where PostgreSQL answers readers and
takes no writes (its synchronous standby is gone), the former must not stand behind the latter.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeVar
from zlib import crc32

import asyncpg

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.store import floor_log, forgetting, log, reading
from chatserver.store.backlog import Backlog, Job, settle
from chatserver.store.compiler import MakeOp
from chatserver.store.contract import Committed, RoomChange, StoreUnavailable
from chatserver.store.operations import DEFAULT_TIMEOUT, Operations, SchemaMismatch, Scrub
from chatserver.store.postgres_connection import (
    Connections,
    connect,
    in_transaction,
    is_of_one_job,
    is_to_be_tried_again,
    run,
    unavailable,
)
from chatserver.store.silence import Silence

T = TypeVar("T")

_LANES: Final = 2
_READING: Final = 6
_WRITING: Final = 4
_BATCH: Final = 128
_BACKLOG: Final = 10_000
_ATTEMPTS: Final = 4
"""How often a transaction runs that PostgreSQL undoes for the sake of another one."""
_TABLES: Final = (
    "log, reactions, members, memberships, mutes, floor_records, words, reports, debriefs, staff, staff_sign_ins, "
    "measures, report_notes, moves, notices, raids"
)
_VACUUM: Final = f"VACUUM (SKIP_LOCKED) {_TABLES}"
_REWRITE: Final = f"VACUUM (FULL) {_TABLES}"
_SIZE: Final = "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(string_to_array($1, ', ')) AS name"
_QUICKLY_REWRITTEN: Final = 128 * 1024 * 1024
"""Bytes of tables whose rewriting holds up everybody for about a second."""
_LOCK_PATIENCE: Final = "1s"
"""For how long everybody may wait behind a rewriting that waits for somebody else, such as a backup."""
_STOP: Final = None

_Queue = asyncio.Queue[Job[RoomChange] | None]


class _Road(NamedTuple):
    """The way for those who only read, or for those who write."""

    pool: Connections
    silence: Silence


class PostgresStore(Operations):
    """A `contract.Store` in the database at `dsn` (`postgresql://…`), which must have been migrated.

    `timeout` in seconds bounds every call; `backlog` is how many commits, and how many other calls, may wait.
    """

    def __init__(self, dsn: str, *, timeout: float = DEFAULT_TIMEOUT, backlog: int = _BACKLOG) -> None:
        super().__init__(timeout, backlog)
        self._timeout = timeout
        self._connect = partial(connect, dsn, timeout)
        self._backlog_bound = backlog
        self._backlog: Backlog[RoomChange] = Backlog(timeout, backlog)
        self._calls = 0
        self._queues: list[_Queue] = []
        self._lanes: list[asyncio.Task[None]] = []
        self._build_roads()

    def _build_roads(self) -> None:
        self._of_lanes = [Connections(self._connect, 1) for _ in range(_LANES)]
        self._reads = _Road(Connections(self._connect, _READING), Silence("reads", self._look, self._timeout))
        self._writes = _Road(Connections(self._connect, _WRITING), Silence("writes", self._beat, self._timeout))

    async def open(self) -> None:
        self._build_roads()
        try:
            async with self._connected(self._reads.pool):
                pass
        except StoreUnavailable as error:
            if isinstance(error.__cause__, SchemaMismatch):
                raise error.__cause__ from None
            raise
        self._queues = [asyncio.Queue() for _ in range(_LANES)]
        self._lanes = [
            asyncio.create_task(self._lane(queue, own), name="store-lane")
            for queue, own in zip(self._queues, self._of_lanes, strict=True)
        ]

    async def close(self) -> None:
        await self._floor_commits.finish()
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
        self._reads.pool.close()
        self._writes.pool.close()

    @property
    def is_silent(self) -> bool:
        return self._reads.silence.is_on or self._writes.silence.is_on

    async def commit(self, change: RoomChange) -> Committed:
        silence = self._writes.silence
        if silence.is_on:
            await silence.check()
        self._require_open()
        job = self._backlog.accept(change)
        self._queues[crc32(change.channel.encode()) % _LANES].put_nowait(job)
        asked_at = asyncio.get_running_loop().time()
        try:
            committed: Committed = await job.future
        except StoreUnavailable:
            silence.refused(asked_at)
            raise
        return committed

    async def _read(self, op: MakeOp[T]) -> T:
        async with self._pooled(self._reads) as db:
            return await run(db, op())

    async def _write(self, op: MakeOp[T]) -> T:
        async with self._pooled(self._writes) as db:
            # Once more, where somebody else inserted the same thing between our look and our insert.
            with contextlib.suppress(asyncpg.IntegrityConstraintViolationError):
                return await self._transact(db, op)
            return await self._transact(db, op)

    async def clock(self) -> Millis:
        return await self._read(floor_log.clock)

    async def _scrub(self, what: Scrub) -> None:
        """Remove dead rows now rather than when autovacuum comes. That leaves their bytes in the unused parts of pages,
        so an erasure rewrites the tables, unless they are too large for that. The write-ahead log is not ours to reach.
        """
        if what is Scrub.LOG:
            return
        async with self._pooled(self._writes) as db:
            if what is Scrub.EVERYTHING and await db.fetchval(_SIZE, _TABLES) <= _QUICKLY_REWRITTEN:
                await db.execute(f"SET lock_timeout = '{_LOCK_PATIENCE}'")
                try:
                    await db.execute(_REWRITE)
                finally:
                    await db.execute("RESET lock_timeout")
            else:
                await db.execute(_VACUUM)

    # Our own questions to a server that has gone silent, each on a new connection: if its machine is gone, and another
    # has taken its place, every old one would be waited for in vain.

    async def _look(self) -> None:
        self._require_open()
        self._reads.pool.drop_idle()
        async with self._connected(self._reads.pool) as db:
            await run(db, reading.rooms())

    async def _beat(self) -> None:
        self._require_open()
        for pool in (self._writes.pool, *self._of_lanes):
            pool.drop_idle()
        async with self._connected(self._writes.pool) as db:
            await self._transact(db, forgetting.beat)

    def _require_open(self) -> None:
        if not self._lanes:
            raise StoreUnavailable("the store is closed")

    @contextlib.asynccontextmanager
    async def _pooled(self, road: _Road) -> AsyncIterator[asyncpg.Connection]:
        """A connection of a road, for `timeout` seconds; nobody waits for it while its silence is known."""
        if self._calls >= self._backlog_bound:
            raise Refusal(Reason.BUSY, retry_after=1.0)
        self._calls += 1
        try:
            await road.silence.check()
            self._require_open()
            asked_at = asyncio.get_running_loop().time()
            try:
                async with self._connected(road.pool) as db:
                    yield db
            except StoreUnavailable:
                road.silence.refused(asked_at)
                raise
        finally:
            self._calls -= 1

    @contextlib.asynccontextmanager
    async def _connected(self, pool: Connections) -> AsyncIterator[asyncpg.Connection]:
        """A connection of a pool, for `timeout` seconds. Turns what the server does into StoreUnavailable."""
        try:
            async with asyncio.timeout(self._timeout), pool.one() as db:
                yield db
        except Exception as error:
            if isinstance(error, (Refusal, StoreUnavailable)) or is_of_one_job(error):
                raise
            raise unavailable(error) from error

    async def _transact(self, db: asyncpg.Connection, op: MakeOp[T]) -> T:
        for _ in range(_ATTEMPTS - 1):
            try:
                return await in_transaction(db, lambda db: run(db, op()))
            except asyncpg.PostgresError as error:
                if not is_to_be_tried_again(error):
                    raise
        return await in_transaction(db, lambda db: run(db, op()))

    # The lanes

    async def _lane(self, queue: _Queue, own: Connections) -> None:
        try:
            while True:
                job = await queue.get()
                jobs: list[Job[RoomChange]] = []
                while job is not _STOP:
                    if job.is_wanted:
                        jobs.append(job)
                    if queue.empty() or len(jobs) >= _BATCH:
                        break
                    job = queue.get_nowait()
                if jobs:
                    settle(jobs, await self._commit_all(own, jobs))
                if job is _STOP:
                    return
        finally:
            own.close()

    async def _commit_all(self, own: Connections, jobs: Sequence[Job[RoomChange]]) -> Sequence[object]:
        """Commit jobs in one transaction; one outcome for each. If a job breaks it, each runs once more, alone."""
        try:
            return await self._attempt(own, jobs)
        except Exception as error:  # noqa: BLE001 (sorted by whose fault it is)
            if not is_of_one_job(error):
                return [unavailable(error) for _ in jobs]
        return [await self._alone(own, job) for job in jobs]

    async def _alone(self, own: Connections, job: Job[RoomChange]) -> object:
        try:
            return (await self._attempt(own, [job]))[0]
        except Exception as error:  # noqa: BLE001 (sorted by whose fault it is)
            return error if is_of_one_job(error) else unavailable(error)

    async def _attempt(self, own: Connections, jobs: Sequence[Job[RoomChange]]) -> Sequence[object]:
        changes = [job.work for job in jobs]
        async with asyncio.timeout(self._timeout), own.one() as db:
            return await self._transact(db, partial(log.commit_batch, changes))
