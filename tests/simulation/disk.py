"""The real store operations on one in-memory SQLite database, with faults between a request and its answer.

Requests wait in the store's own `Backlog`, are run by the store's own transaction, and answered by its own
`answer_jobs`; only the thread, the file and their delays are simulated.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from chatserver.domain.history import ChannelName, Epoch, Millis, Offset
from chatserver.domain.identity import Member, MemberId
from chatserver.domain.rooms.rooms import Post, Room, RoomId
from chatserver.store import people, reading
from chatserver.store.core.backlog import Backlog, Job, answer_jobs
from chatserver.store.core.compiler import MakeOp
from chatserver.store.core.sealing import Sealer
from chatserver.store.drivers import sqlite
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.sqlite_connection import SqliteConnection
from chatserver.store.records import Committed, RoomChange, StoreUnavailable
from chatserver.store.store import Scrub, Store
from tests.simulation.plan import Disk

T = TypeVar("T")

ROOMS = (RoomId("calm"), RoomId("loud"))
MEMBERS = tuple(MemberId(f"m_{number}") for number in range(5))
START = 1_800_000_000_000
"""The right wall clock in milliseconds when the loop's clock is 0."""
TIMEOUT = 5.0
BACKLOG = 64
SEALING_KEY = bytes(32)


@cache
def template() -> bytes:
    """Return a migrated database with rooms and members, as bytes."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "chat.db"
        migrate(f"sqlite:///{path}")
        db = sqlite3.connect(path)
        db.execute("PRAGMA journal_mode=DELETE")
        db.close()
        memory = Memory(path.read_bytes())
    memory.transact(lambda: reading.add_rooms([Room(id=room, name=room.title(), about="") for room in ROOMS]))
    for number, member in enumerate(MEMBERS):
        newcomer = Member(
            id=member, name=f"Wren {number}", name_key=f"wren{number}", created_at=Millis(0), seen_at=Millis(2**50)
        )
        memory.transact(lambda newcomer=newcomer: people.add_member(newcomer))  # type: ignore[misc]
        for room in ROOMS:
            memory.transact(lambda member=member, room=room: people.join(member, room, 1))  # type: ignore[misc]
    # Epochs are random, and differ between processes.
    memory.ready().execute("UPDATE channels SET epoch = 'first-' || channel")
    return memory.image()


class Memory(SqliteConnection):
    """The store's connection, to a database without a file."""

    def __init__(self, image: bytes) -> None:
        super().__init__(Path("memory"), read_only=False)
        self._db = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256)
        self.restore(image)

    def ready(self) -> sqlite3.Connection:
        assert self._db is not None
        return self._db

    def drop(self) -> None:
        """Keep the connection, because a database without a file exists only as long as its connection."""
        self.roll_back()

    def close(self) -> None:
        self.ready().close()

    def image(self) -> bytes:
        return self.ready().serialize()

    def restore(self, image: bytes) -> None:
        self.ready().deserialize(image)
        self.ready().execute("PRAGMA foreign_keys=ON")
        self.ready().execute("PRAGMA synchronous=OFF")

    def transact(self, op: MakeOp[T]) -> T:
        """Run one operation now."""
        db = self.ready()
        db.execute("BEGIN IMMEDIATE")
        result = self.run(op())
        db.execute("COMMIT")
        return result

    # What the judge reads, unnoticed by the workers.

    def heads(self) -> dict[str, tuple[Epoch, Offset, Offset]]:
        rows = self.ready().execute("SELECT channel, epoch, first_offset, last_offset FROM channels").fetchall()
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def commands(self) -> dict[tuple[str, str], tuple[str, Offset]]:
        """Return the channel and the last offset of every command that became a fact."""
        rows = self.ready().execute(
            "SELECT author, command_id, channel, max(offset) FROM log WHERE command_id IS NOT NULL GROUP BY 1, 2, 3"
        )
        found: dict[tuple[str, str], tuple[str, Offset]] = {}
        for author, command, channel, offset in rows:
            assert (author, command) not in found, "one command stands in two channels"
            found[(author, command)] = (channel, offset)
        return found

    def posts(self, channel: ChannelName) -> dict[int, Post]:
        page = self.transact(lambda: reading.page(channel, None, 10_000, MemberId("m_nobody")))
        return {post.offset: post for post in page.posts}


class World:
    """The database that all workers share, and how it behaves now."""

    def __init__(self, random: Random, disk: Disk) -> None:
        self.memory = Memory(template())
        self.random = random
        self.faults = disk
        self.on_commit: Callable[[RoomChange, Committed], None] = lambda change, committed: None
        self.is_down = False
        self.is_hanging = False
        self.is_failing = False
        """Whether writes are refused while reads are served."""
        self.thawed: list[Callable[[], None]] = []

    def thaw(self) -> None:
        self.is_hanging = False
        waiting, self.thawed = self.thawed, []
        for each in waiting:
            each()

    def calm(self) -> None:
        """Stop all faults."""
        self.faults = Disk()
        self.is_down = self.is_failing = False
        self.thaw()


class SimulatedStore(Store):
    """One worker's store. `doom` is called at each moment at which killing the worker is interesting."""

    def __init__(self, world: World, doom: Callable[[str], None]) -> None:
        super().__init__(TIMEOUT, BACKLOG, Sealer(SEALING_KEY))
        self._world = world
        self._doom = doom
        self._writes: Backlog[sqlite.Work] = Backlog(TIMEOUT, BACKLOG)
        self._reads: Backlog[sqlite.Work] = Backlog(TIMEOUT, BACKLOG)
        self._waiting: list[Job[sqlite.Work]] = []
        self._is_busy = False
        self._is_dead = False

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def kill(self) -> None:
        """End with the process. What is on its way to the disk may still get there, but nobody learns of it."""
        self._is_dead = True

    @property
    def is_silent(self) -> bool:
        """Return False: this disk is slow or gone, and says so; it never hangs."""
        return False

    async def commit(self, change: RoomChange) -> Committed:
        committed: Committed = await self._ask_to_write(change)
        return committed

    async def _run_in_transaction(self, op: MakeOp[T]) -> T:
        result: T = await self._ask_to_write(op)
        return result

    async def _read(self, op: MakeOp[T]) -> T:
        job = self._accept(self._reads, op)
        self._later(0.0002, 0.002, lambda: self._run([job], "BEGIN"))
        result: T = await job.future
        return result

    async def _scrub(self, what: Scrub) -> None:
        """Do nothing, because there is no file in which anything could be left."""

    async def _ask_to_write(self, work: sqlite.Work) -> Any:
        job = self._accept(self._writes, work)
        self._waiting.append(job)
        self._doom("asked")
        if not self._is_busy:
            self._is_busy = True
            self._later(0.0005, 0.004, self._run_batch)
        return await job.future

    def _accept(self, backlog: Backlog[sqlite.Work], work: sqlite.Work) -> Job[sqlite.Work]:
        if self._is_dead:
            raise StoreUnavailable("the worker is dead")
        return backlog.accept(work)

    def _later(self, least: float, most: float, action: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(self._world.random.uniform(least, most), action)

    def _run_batch(self) -> None:
        jobs, self._waiting = self._waiting, []
        self._is_busy = False
        self._run(jobs, "BEGIN IMMEDIATE")

    def _run(self, asked: list[Job[sqlite.Work]], begin: str, *, is_on_disk: bool = False) -> None:
        world = self._world
        if world.is_hanging:
            # The disk may have these jobs already; then they are written even if nobody waits any more.
            has_them = world.random.random() < 0.5
            world.thawed.append(lambda: self._run(asked, begin, is_on_disk=has_them))
            return
        if self._is_dead and world.random.random() < 0.5:
            return
        jobs = [Job(job.work, _nobodys_future(), job.deadline) for job in asked] if is_on_disk else asked
        is_writing = begin != "BEGIN"
        chance = world.random.random()
        if world.is_down or (is_writing and world.is_failing) or chance < world.faults.fail_before:
            self._settle(asked, [StoreUnavailable("simulated, before")] * len(jobs))
            return
        outcomes = sqlite._transact(world.memory, jobs, begin, self._sealer)
        if is_writing:
            for job, outcome in zip(jobs, outcomes, strict=True):
                if isinstance(job.work, RoomChange) and isinstance(outcome, Committed):
                    world.on_commit(job.work, outcome)
            self._doom("committed")
        if chance > 1 - world.faults.fail_after:
            outcomes = [StoreUnavailable("simulated, after")] * len(jobs)
        self._settle(asked, outcomes)

    def _settle(self, jobs: list[Job[sqlite.Work]], outcomes: Any) -> None:
        faults = self._world.faults
        is_late = self._world.random.random() < faults.late
        self._later(0.0001, faults.late_seconds if is_late else 0.001, lambda: self._answer(jobs, outcomes))

    def _answer(self, jobs: list[Job[sqlite.Work]], outcomes: Any) -> None:
        if not self._is_dead:
            answer_jobs(jobs, outcomes)
            self._doom("answered")


def _nobodys_future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()
