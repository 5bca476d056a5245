"""The store in PostgreSQL, for any number of machines.

Commits travel in a few lanes, each with its own connection: a lane takes all that waits in it, runs it in one
transaction, and answers everybody after one flush. A channel always has the same lane of a worker, so that its lock is
asked for by one connection of each worker. Everything else goes through a pool.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Final, TypeVar
from zlib import crc32

import asyncpg

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.store import floor_log, log
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

T = TypeVar("T")

_LANES: Final = 2
_POOLED: Final = 8
_BATCH: Final = 128
_BACKLOG: Final = 10_000
_ATTEMPTS: Final = 4
"""How often a transaction runs that PostgreSQL undoes for the sake of another one."""
_VACUUM: Final = (
    "VACUUM (SKIP_LOCKED) log, reactions, members, memberships, mutes, floor_records, words, reports, debriefs, staff, "
    "staff_sign_ins"
)
_STOP: Final = None

_Queue = asyncio.Queue[Job[RoomChange] | None]


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
        self._pool = Connections(self._connect, _POOLED)
        self._queues: list[_Queue] = []
        self._lanes: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        self._pool = Connections(self._connect, _POOLED)
        try:
            async with self._pooled():
                pass
        except StoreUnavailable as error:
            if isinstance(error.__cause__, SchemaMismatch):
                raise error.__cause__ from None
            raise
        self._queues = [asyncio.Queue() for _ in range(_LANES)]
        self._lanes = [asyncio.create_task(self._lane(queue), name="store-lane") for queue in self._queues]

    async def close(self) -> None:
        await self._floor_commits.finish()
        lanes, self._lanes = self._lanes, []
        if not lanes:
            return
        for queue in self._queues:
            queue.put_nowait(_STOP)
        _, late = await asyncio.wait(lanes, timeout=2 * self._timeout)
        for lane in late:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
        self._pool.close()

    async def commit(self, change: RoomChange) -> Committed:
        if not self._lanes:
            raise StoreUnavailable("the store is closed")
        job = self._backlog.accept(change)
        self._queues[crc32(change.channel.encode()) % _LANES].put_nowait(job)
        committed: Committed = await job.future
        return committed

    async def _read(self, op: MakeOp[T]) -> T:
        self._require_open()
        async with self._pooled() as db:
            return await run(db, op())

    async def _write(self, op: MakeOp[T]) -> T:
        self._require_open()
        async with self._pooled() as db:
            # Once more, where somebody else inserted the same thing between our look and our insert.
            with contextlib.suppress(asyncpg.IntegrityConstraintViolationError):
                return await self._transact(db, op)
            return await self._transact(db, op)

    async def clock(self) -> Millis:
        return await self._read(floor_log.clock)

    async def _scrub(self, what: Scrub) -> None:
        """Remove dead rows now rather than when autovacuum comes. What PostgreSQL keeps beyond that (write-ahead log,
        unused parts of pages, backups) is not ours to reach."""
        if what is not Scrub.LOG:
            async with self._pooled() as db:
                await db.execute(_VACUUM)

    def _require_open(self) -> None:
        if not self._lanes:
            raise StoreUnavailable("the store is closed")

    @contextlib.asynccontextmanager
    async def _pooled(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the pool, for `timeout` seconds. Turns what the server does into StoreUnavailable."""
        if self._calls >= self._backlog_bound:
            raise Refusal(Reason.BUSY, retry_after=1.0)
        self._calls += 1
        try:
            async with asyncio.timeout(self._timeout), self._pool.one() as db:
                yield db
        except Exception as error:
            if isinstance(error, (Refusal, StoreUnavailable)) or is_of_one_job(error):
                raise
            raise unavailable(error) from error
        finally:
            self._calls -= 1

    async def _transact(self, db: asyncpg.Connection, op: MakeOp[T]) -> T:
        for _ in range(_ATTEMPTS - 1):
            try:
                return await in_transaction(db, lambda db: run(db, op()))
            except asyncpg.PostgresError as error:
                if not is_to_be_tried_again(error):
                    raise
        return await in_transaction(db, lambda db: run(db, op()))

    # The lanes

    async def _lane(self, queue: _Queue) -> None:
        own = Connections(self._connect, 1)
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
