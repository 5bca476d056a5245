"""The store in one SQLite file, for one machine and any number of workers on it.

One thread writes: it takes everything that waits, runs it in one transaction, and answers all callers after one fsync.
A few threads read, each with its own connection. Other processes may write to the same file, so nothing that was read
outside a transaction is relied upon inside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from chatserver.domain.errors import Refusal
from chatserver.store import reading, rooms_log
from chatserver.store.core.backlog import Backlog, Job, answer_jobs
from chatserver.store.core.circuit_breaker import CircuitBreaker
from chatserver.store.core.compiler import MakeOp
from chatserver.store.core.sealing import Sealer
from chatserver.store.drivers.sqlite_connection import SqliteConnection, is_busy, is_of_one_job
from chatserver.store.drivers.sqlite_moving import MOVED, RowBound, RowMove, bound_of, move
from chatserver.store.forgetting import forgetting
from chatserver.store.records import Committed, RoomChange, StoreUnavailable
from chatserver.store.store import DEFAULT_TIMEOUT, SchemaMismatch, Scrub, Store

T = TypeVar("T")

_BATCH: Final = 256
"""The most jobs in one transaction, which bounds how long one of them can wait for the others."""
_READS: Final = 16
"""The most reads in one snapshot, for the same reason."""
_BACKLOG: Final = 10_000
_READERS: Final = 2
_GATHERING: Final = 0.0006
"""Seconds that a batch may wait until as many jobs have arrived as the last one had."""
_QUICKLY_REWRITTEN: Final = 4 * 1024 * 1024
"""The largest file, in bytes, that is rewritten at once; a larger one is rewritten row by row, so that nobody is held
up."""
_AGAIN_SECONDS: Final = 0.2
"""Seconds that a thread rests after a failure before it goes on."""
_REST: Final = 3.0
"""The pause between two moves of rows, as a multiple of the time that the last move took; others can use the file
then."""


_log = logging.getLogger("chatserver.store")


class _Sign(Enum):
    """What a thread is told besides its jobs."""

    STOP = auto()
    REOPEN = auto()


Upkeep = Scrub | RowBound | RowMove
"""Work of the writer that runs in a transaction of its own, or in none."""
Work = RoomChange | MakeOp[Any] | Upkeep
_Queue = queue.SimpleQueue[Job[Work] | _Sign]


class _Road(NamedTuple):
    """The queue and circuit breaker of the writer, or of the readers."""

    to: _Queue
    backlog: Backlog[Work]
    silence: CircuitBreaker


class SqliteStore(Store):
    """A `store.Store` in the file at `path`, which must have been migrated.

    `timeout` in seconds bounds every call; `backlog` is how many reads and how many writes may wait. `sealing_key`,
    32 bytes, seals what only a case may open; without one, what is sealed here can be opened by this instance alone.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        timeout: float = DEFAULT_TIMEOUT,
        backlog: int = _BACKLOG,
        sealing_key: bytes | None = None,
    ) -> None:
        super().__init__(timeout, backlog, Sealer(sealing_key))
        self._path = Path(path).absolute()
        self._timeout = timeout
        self._to_write: _Queue = queue.SimpleQueue()
        self._to_read: _Queue = queue.SimpleQueue()
        # Writers and readers have separate circuit breakers: a process that holds the file for writing blocks no
        # readers.
        self._writes = _Road(self._to_write, Backlog(timeout, backlog), CircuitBreaker("writes", self._beat, timeout))
        self._reads = _Road(self._to_read, Backlog(timeout, backlog), CircuitBreaker("reads", self._look, timeout))
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._together = 0

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        if not self._path.exists():
            raise SchemaMismatch("there is no database file yet: run `chatserver migrate`")
        await asyncio.to_thread(self._try_open)
        self._start(self._write_loop)
        for _ in range(_READERS):
            self._start(self._read_loop)

    async def close(self) -> None:
        await self._listening_commits.finish()
        await self._meeting_commits.finish()
        threads, self._threads = self._threads, []
        if not threads:
            return
        for road in (self._writes, self._reads):
            await road.silence.close()
        self._to_write.put(_Sign.STOP)
        for _ in range(_READERS):
            self._to_read.put(_Sign.STOP)
        # Accepted jobs run before the stop and end within their timeout. A thread that a disk holds up is left behind.
        until = time.monotonic() + 2 * self._timeout
        for thread in threads:
            await asyncio.to_thread(thread.join, max(0.0, until - time.monotonic()))

    @property
    def is_silent(self) -> bool:
        return self._writes.silence.is_on or self._reads.silence.is_on

    async def commit(self, change: RoomChange) -> Committed:
        committed: Committed = await self._ask(self._writes, change)
        return committed

    async def _run_in_transaction(self, op: MakeOp[T]) -> T:
        result: T = await self._ask(self._writes, op)
        return result

    async def _read(self, op: MakeOp[T]) -> T:
        result: T = await self._ask(self._reads, op)
        return result

    async def _scrub(self, what: Scrub) -> None:
        """Empty the write-ahead log into the file, where removed content is overwritten (`secure_delete`). If SQLite
        has split pages, a copy may remain in their unused part, which only a rewrite of the file removes. That holds up
        every writer, so it is never part of an erasure's answer."""
        if what is Scrub.EVERYTHING and await asyncio.to_thread(self._size) > _QUICKLY_REWRITTEN:
            for table in MOVED:
                await self._move(table)
            what = Scrub.LOG
        await self._ask(self._writes, what)

    async def _move(self, table: str) -> None:
        upto = await self._ask(self._writes, RowBound(table))
        began = time.monotonic()
        while await self._ask(self._writes, RowMove(table, upto)):
            took = time.monotonic() - began
            await asyncio.sleep(took * _REST)
            began = time.monotonic()

    def _size(self) -> int:
        return self._path.stat().st_size

    async def _ask(self, road: _Road, work: Work) -> Any:
        if road.silence.is_on:
            await road.silence.check()
        asked_at = asyncio.get_running_loop().time()
        try:
            return await self._hand_over(road, work)
        except StoreUnavailable:
            road.silence.refused(asked_at)
            raise

    async def _hand_over(self, road: _Road, work: Work) -> Any:
        if not self._threads:
            raise StoreUnavailable("the store is closed")
        job = road.backlog.accept(work)
        road.to.put(job)
        return await job.future

    # Probes of a file that has gone silent.

    async def _beat(self) -> None:
        await self._hand_over(self._writes, forgetting.beat)

    async def _look(self) -> None:
        await self._hand_over(self._reads, reading.rooms)

    def _start(self, target: Callable[[], None]) -> None:
        # A daemon thread, so that a disk that hangs does not keep the process alive.
        name = f"store-{target.__name__.strip('_')}"
        thread = threading.Thread(target=self._go_on, args=(target,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    # Everything below runs in threads.

    def _go_on(self, target: Callable[[], None]) -> None:
        """Run a thread's work to its end, and again whenever it fails.

        Without this thread, a worker would refuse everybody as long as it lives. Callers whose work the thread had in
        hand are refused when their time is up.
        """
        while True:
            try:
                target()
                return
            except BaseException:  # noqa: BLE001 (whatever it was, the store must answer again)
                _log.exception("store_thread_failed", extra={"which": threading.current_thread().name})
                time.sleep(_AGAIN_SECONDS)

    def _try_open(self) -> None:
        connection = SqliteConnection(self._path, read_only=True)
        try:
            connection.ready()
        except (sqlite3.Error, OSError) as error:
            raise _unavailable(error) from error
        finally:
            connection.drop()

    def _answer_jobs(self, jobs: Sequence[Job[Work]], outcomes: Sequence[object]) -> None:
        assert self._loop is not None
        # The loop may have been closed while a disk held up the thread.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(answer_jobs, jobs, outcomes)

    def _read_loop(self) -> None:
        with contextlib.closing(SqliteConnection(self._path, read_only=True)) as connection:
            sign: _Sign | None = None
            while sign is not _Sign.STOP:
                jobs, sign = self._take_reads()
                if jobs:
                    self._answer_jobs(jobs, _transact(connection, jobs, "BEGIN", self._sealer))
                if sign is _Sign.REOPEN:
                    connection.drop()

    def _take_reads(self) -> tuple[list[Job[Work]], _Sign | None]:
        """Take the reads that wait now, at least one and a bounded number, which share a snapshot and one call back to
        the loop. Also return what to do after them."""
        jobs: list[Job[Work]] = []
        job = self._to_read.get()
        while not isinstance(job, _Sign):
            if job.is_wanted:
                jobs.append(job)
            if len(jobs) >= _READS:
                return jobs, None
            try:
                job = self._to_read.get_nowait()
            except queue.Empty:
                return jobs, None
        return jobs, job

    def _write_loop(self) -> None:
        with contextlib.closing(SqliteConnection(self._path, read_only=False)) as connection:
            stopping = False
            while not stopping:
                jobs, scrubs, stopping = self._take()
                self._together = len(jobs)
                if jobs:
                    self._answer_jobs(jobs, _transact(connection, jobs, "BEGIN IMMEDIATE", self._sealer))
                if scrubs:
                    self._answer_jobs(scrubs, _scrub(connection, scrubs))
                if connection.was_refused_writing:
                    self._reopen_readers()

    def _reopen_readers(self) -> None:
        """Open the readers' connections anew. SQLite shares its knowledge of a file between the connections of a
        process: if readers found it read-only and stay open, the writer finds it read-only even when it no longer
        is."""
        for _ in range(_READERS):
            self._to_read.put(_Sign.REOPEN)

    def _gather(self) -> None:
        """Under load, wait until callers that were answered together ask again, so that one fsync serves them all."""
        until = time.monotonic() + _GATHERING
        while self._to_write.qsize() + 1 < self._together and time.monotonic() < until:
            time.sleep(_GATHERING / 4)

    def _take(self) -> tuple[list[Job[Work]], list[Job[Work]], bool]:
        """Take all jobs that wait, at least one. Return transactional jobs, scrubs, and whether to stop after them."""
        jobs: list[Job[Work]] = []
        scrubs: list[Job[Work]] = []
        job = self._to_write.get()
        self._gather()
        # The only sign that a writer gets is to stop.
        while not isinstance(job, _Sign):
            if job.is_wanted:
                (scrubs if isinstance(job.work, Scrub | RowBound | RowMove) else jobs).append(job)
            if len(jobs) >= _BATCH:
                return jobs, scrubs, False
            try:
                job = self._to_write.get_nowait()
            except queue.Empty:
                return jobs, scrubs, False
        return jobs, scrubs, True


def _transact(connection: SqliteConnection, jobs: Sequence[Job[Work]], begin: str, sealer: Sealer) -> Sequence[object]:
    """Run jobs in one transaction; one outcome for each. If a job breaks it, each runs once more, alone."""
    try:
        return _attempt(connection, jobs, begin, sealer)
    except Exception as error:  # noqa: BLE001 (sorted by whose fault it is)
        if not is_of_one_job(error):
            connection.fail(error)
            return _unavailable_each(error, jobs)
    return [_alone(connection, job, begin, sealer) for job in jobs]


def _alone(connection: SqliteConnection, job: Job[Work], begin: str, sealer: Sealer) -> object:
    try:
        return _attempt(connection, [job], begin, sealer)[0]
    except Exception as error:  # noqa: BLE001 (sorted by whose fault it is)
        if is_of_one_job(error):
            return error
        connection.fail(error)
        return _unavailable(error)


def _attempt(connection: SqliteConnection, jobs: Sequence[Job[Work]], begin: str, sealer: Sealer) -> Sequence[object]:
    db = connection.ready()
    _when_free(jobs, lambda: db.execute(begin))
    try:
        # Some callers' time may be up after waiting for the lock.
        wanted = [job for job in jobs if job.is_wanted]
        changes = [job for job in wanted if isinstance(job.work, RoomChange)]
        outcomes: dict[Job[Work], object] = {}
        if changes:
            works = [job.work for job in changes if isinstance(job.work, RoomChange)]
            results = connection.run(rooms_log.commit_batch(works, sealer))
            outcomes.update(zip(changes, results, strict=True))
        for job in wanted:
            if job not in outcomes:
                outcomes[job] = _run_one(connection, job.work)
        db.execute("COMMIT")
    except BaseException:
        connection.roll_back()
        raise
    return [outcomes.get(job) for job in jobs]


def _run_one(connection: SqliteConnection, work: Work) -> object:
    assert not isinstance(work, (RoomChange, Scrub, RowBound, RowMove))
    try:
        return connection.run(work())
    except Refusal as refusal:
        # Operations refuse before they write, so there is nothing to undo.
        return refusal


def _scrub(connection: SqliteConnection, jobs: Sequence[Job[Work]]) -> Sequence[object]:
    try:
        db = connection.ready()
        answers = {job: _move_some(db, job) for job in jobs if not isinstance(job.work, Scrub)}
        asked = {job.work for job in jobs}
        if Scrub.EVERYTHING in asked:
            _when_free(jobs, lambda: db.execute("VACUUM"))
        if Scrub.EVERYTHING in asked or Scrub.LOG in asked:
            _when_free(jobs, lambda: _checkpoint(db))
    except (sqlite3.Error, OSError, SchemaMismatch) as error:
        connection.fail(error)
        return _unavailable_each(error, jobs)
    return [answers.get(job) for job in jobs]


def _move_some(db: sqlite3.Connection, job: Job[Work]) -> int:
    """Do a part of rewriting the file, in a transaction. After a failure the connection is dropped, which undoes it."""
    _when_free([job], lambda: db.execute("BEGIN IMMEDIATE"))
    work = job.work
    assert isinstance(work, (RowBound, RowMove))
    answer = bound_of(db, work) if isinstance(work, RowBound) else move(db, work)
    db.execute("COMMIT")
    return answer


def _checkpoint(db: sqlite3.Connection) -> None:
    busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        error = sqlite3.OperationalError("readers hold the write-ahead log")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error


def _when_free(jobs: Sequence[Job[Work]], action: Callable[[], object]) -> None:
    """Do something that other processes may block, and try again until it works or nobody waits for it any more.

    SQLite's own waiting sleeps up to 100 ms at a time, which is very long when the holder commits every millisecond.
    """
    pause = 0.0002
    while True:
        try:
            action()
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or not any(job.is_wanted for job in jobs):
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(pause * 1.5, 0.004)


def _unavailable(error: Exception) -> StoreUnavailable:
    """Return an error for the log. SQLite's own message may quote a value, so only its kind is kept."""
    if isinstance(error, sqlite3.Error):
        return StoreUnavailable(getattr(error, "sqlite_errorname", type(error).__name__))
    return StoreUnavailable(f"{type(error).__name__}: {error}")


def _unavailable_each(error: Exception, jobs: Sequence[Job[Work]]) -> list[StoreUnavailable]:
    return [_unavailable(error) for _ in jobs]
