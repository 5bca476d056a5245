"""The cost of noting that 5,000 members are here, as each worker does every minute, and how long posts wait for it."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec
import uvloop

from bench.load import now
from bench.machine import cpu_seconds, family, on_cores
from bench.measure import Bench
from bench.report import OURS, Section, figure
from bench.store import STORES, author
from chatserver.domain.history import Millis
from chatserver.domain.identity import Member, MemberId
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.postgres import PostgresStore
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.store import SEEN_PRECISION, Store
from tests.kit.postgres import PostgresServer

_MS = 1_000
_ADDED_AT_ONCE = 200
_CALM_POSTS = 20


class _Found(msgspec.Struct):
    """Milliseconds, one value of each repetition: `waits` is the slowest post beside a touch, `calm` without."""

    wall: list[float] = []
    cpu: list[float] = []
    database: list[float] = []
    waits: list[float] = []
    calm: list[float] = []


def touch(bench: Bench) -> Section:
    """Call both stores directly, with a stale time for every member. One author writes posts meanwhile."""
    members = round(bench.pick(5_000, 1_000))
    figures = []
    for name in STORES:
        found = _Found()
        with on_cores(range(os.cpu_count() or 1)), ExitStack() as stack:
            store, database_cpu = _open(name, stack)
            uvloop.run(_measure(store, members, bench.repetitions, database_cpu, found))
        figures += [
            figure(f"{name}: CPU of ours", "ms", {OURS: found.cpu}),
            figure(f"{name}: until it is done", "ms", {OURS: found.wall}),
            figure(f"{name}: slowest post beside it", "ms", {OURS: found.waits}),
            figure(f"{name}: slowest post without it", "ms", {OURS: found.calm}),
        ]
        if found.database:
            figures.append(figure(f"{name}: CPU of its own server", "ms", {OURS: found.database}))
    return Section(
        scenario="touch",
        about=f"touch of {members:,} members, straight at the stores",
        figures=figures,
        notes=["posts beside it included in its CPU; the databases run on whatever core is free"],
    )


def _open(name: str, stack: ExitStack) -> tuple[Store, Callable[[], float] | None]:
    if name == "sqlite":
        path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chat-bench-"))) / "chat.db"
        migrate(f"sqlite:///{path}")
        return SqliteStore(path), None
    server = stack.enter_context(PostgresServer(["fsync=on", "full_page_writes=on"]))
    url = server.fresh_database()
    migrate(url)
    return PostgresStore(url), lambda: cpu_seconds(family(server.process.pid))


async def _measure(
    store: Store, members: int, repetitions: int, database_cpu: Callable[[], float] | None, found: _Found
) -> None:
    await store.open()
    try:
        room = Room(id=RoomId("room"), name="Room", about="")
        await store.add_rooms([room])
        write = await author(store, 0, room)
        ids = [MemberId(f"m_touched{number:08}") for number in range(members)]
        people = [Member(id=one, name=one, name_key=one, created_at=Millis(0), seen_at=Millis(0)) for one in ids]
        for first in range(0, members, _ADDED_AT_ONCE):
            await asyncio.gather(*(store.add_member(one) for one in people[first : first + _ADDED_AT_ONCE]))
        await write(20, [])
        at = int(time.time() * _MS)
        for _ in range(repetitions):
            at += 2 * SEEN_PRECISION
            calm: list[float] = []
            await write(_CALM_POSTS, calm)
            found.calm.append(max(calm) * _MS)
            before = database_cpu() if database_cpu is not None else 0.0
            cpu, wall = time.process_time(), now()
            touching = asyncio.create_task(store.touch(ids, Millis(at)))
            beside: list[float] = []
            while not touching.done():
                await write(1, beside)
            gone = await touching
            if gone:
                raise RuntimeError(f"{len(gone)} members were gone")
            found.wall.append((now() - wall) * _MS)
            found.cpu.append((time.process_time() - cpu) * _MS)
            found.waits.append(max(beside) * _MS)
            if database_cpu is not None:
                found.database.append((database_cpu() - before) * _MS)
    finally:
        await store.close()
