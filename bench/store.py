"""Measures how many posts a store makes durable in a second, and the cost of one.

    python -m bench.store [--posts N] [--authors N] [--rooms N] [--store sqlite|postgres] [--json]

One process, one event loop; every author sends the next post when the last one was acknowledged. SQLite writes to a
file in the temporary directory with synchronous=FULL; PostgreSQL is a private server with fsync on, whose CPU is
counted too. Times are wall time, including whatever else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import Member, MemberId, Persona
from chatserver.domain.rooms.decide import decide
from chatserver.domain.rooms.rooms import Room, RoomId, RoomRules, RoomState, WritePost, room_channel
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.postgres import PostgresStore
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import RoomChange
from chatserver.store.store import Store
from tests.kit.postgres import PostgresServer

TEXT: Final = "I have been awake since three again, and it helps to read that I am not the only one. Thank you all."
STORES: Final = ("sqlite", "postgres")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_DIGEST: Final = b"0" * 16


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds of CPU are per post: `cpu` of this process, all threads; `server_cpu` of the database's own."""

    store: str
    posts: int
    authors: int
    rooms: int
    acks_per_second: int
    cpu: float
    server_cpu: float | None
    latency_ms_median: float
    latency_ms_99: float


class Load(msgspec.Struct, frozen=True, kw_only=True):
    posts: int
    authors: int
    rooms: int


async def measure(name: str, store: Store, load: Load, server_seconds: Callable[[], float] | None) -> Result:
    """Open the store, let the authors write, and return the result."""
    await store.open()
    try:
        rooms = [Room(id=RoomId(f"room-{i}"), name=f"Room {i}", about="") for i in range(load.rooms)]
        await store.add_rooms(rooms)
        latencies: list[float] = []
        authors = [await author(store, i, rooms[i % load.rooms]) for i in range(load.authors)]
        # A first round, so that statements are compiled, and pages and plans cached.
        await asyncio.gather(*(author(20, []) for author in authors))
        server = server_seconds() if server_seconds is not None else 0.0
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(author(load.posts // load.authors, latencies) for author in authors))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        spent = server_seconds() - server if server_seconds is not None else None
    finally:
        await store.close()
    posts = len(latencies)
    latencies.sort()
    return Result(
        store=name,
        posts=posts,
        authors=load.authors,
        rooms=load.rooms,
        acks_per_second=round(posts / wall),
        cpu=round(cpu / posts * 1e6, 1),
        server_cpu=round(spent / posts * 1e6, 1) if spent is not None else None,
        latency_ms_median=round(latencies[posts // 2] * 1000, 2),
        latency_ms_99=round(latencies[posts * 99 // 100] * 1000, 2),
    )


async def author(store: Store, number: int, room: Room) -> Callable[[int, list[float]], asyncio.Future[None]]:
    """A member of the room, as a function that writes so many posts, one after the other, and notes how long each took
    in seconds."""
    person = Persona(MemberId(f"m_{number:016}"), f"Calm Otter {number}")
    await store.add_member(
        Member(id=person.id, name=person.name, name_key=person.name, created_at=Millis(0), seen_at=Millis(0))
    )
    await store.join(person.id, room.id, room.agreement_version)
    rules, command, channel = RoomRules(), WritePost(text=TEXT), room_channel(room.id)

    async def write(posts: int, latencies: list[float]) -> None:
        for _ in range(posts):
            now = Millis(time.time_ns() // 1_000_000)

            def answer(state: RoomState, now: Millis = now) -> Sequence[object]:
                return decide(state, command, person, rules, now)

            began = time.perf_counter()
            await store.commit(
                RoomChange(
                    channel=channel,
                    author=person.id,
                    command_id=CommandId(secrets.token_hex(8)),
                    digest=_DIGEST,
                    now=now,
                    target=None,
                    decide=answer,  # type: ignore[arg-type]
                )
            )
            latencies.append(time.perf_counter() - began)

    return lambda posts, latencies: asyncio.ensure_future(write(posts, latencies))


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process, its children and its finished children have used."""
    total = 0.0
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    for one in pids:
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(") ")[2].split()
        except FileNotFoundError:
            continue
        # utime and stime; for the parent also those of children that it has waited for.
        counted = fields[11:15] if one == pid else fields[11:13]
        total += sum(map(int, counted)) / _TICKS
    return total


def run(name: str, load: Load) -> Result:
    """Measure one kind of store on a database of its own."""
    with ExitStack() as stack:
        if name == "sqlite":
            path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "bench.sqlite3"
            migrate(f"sqlite:///{path}")
            return uvloop.run(measure(name, SqliteStore(path), load, None))
        server = stack.enter_context(PostgresServer(["fsync=on", "full_page_writes=on", "shared_buffers=128MB"]))
        url = server.fresh_database()
        migrate(url)
        pid = server.process.pid
        return uvloop.run(measure(name, PostgresStore(url), load, lambda: cpu_seconds(pid)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--authors", type=int, default=16)
    parser.add_argument("--rooms", type=int, default=4)
    parser.add_argument("--store", choices=STORES, action="append", help="both, unless given")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    given = parser.parse_args()
    load = Load(posts=given.posts, authors=given.authors, rooms=given.rooms)
    for name in given.store or STORES:
        result = run(name, load)
        if given.json:
            print(json.dumps(msgspec.to_builtins(result)))
            continue
        server = f" + {result.server_cpu:g} us in the server" if result.server_cpu is not None else ""
        print(
            f"{name:9} {result.acks_per_second:6} durable posts/s, {result.cpu:g} us CPU a post{server}, "
            f"median {result.latency_ms_median:g} ms, 99 % {result.latency_ms_99:g} ms "
            f"({result.posts} posts, {result.authors} authors, {result.rooms} rooms)"
        )


if __name__ == "__main__":
    main()
