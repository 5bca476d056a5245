"""Measures how 30 people who erase themselves at once slow down others who write, in a large database.

    python -m bench.erasing [--store sqlite|postgres] [--megabytes N] [--guests N]

One author posts 20 times a second: first alone, then while the guests, who wrote one post each, are erased one after
another, then while the database is rewritten for all of them. The author waits for every answer; a post that the store
refuses counts as failed. Times are wall time, including whatever else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import uvloop

from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import Member, MemberId, Persona
from chatserver.domain.rooms.decide import decide
from chatserver.domain.rooms.rooms import Room, RoomId, RoomRules, WritePost, room_channel
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.postgres import PostgresStore
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import RoomChange, StoreUnavailable
from chatserver.store.store import Store
from tests.kit.postgres import PostgresServer

STORES: Final = ("sqlite", "postgres")
ROOM: Final = RoomId("sleep")
PACE: Final = 0.05
"""Seconds between two posts of the author."""
_KEY: Final = bytes(32)
_LENGTH: Final = 1_500
_AT_ONCE: Final = 200


class Crowd:
    """Members of one room who write in it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._posts = 0

    async def arrive(self, name: str) -> Persona:
        now = Millis(int(time.time() * 1000))
        person = Persona(MemberId(f"m_{name}"), name)
        await self._store.add_member(Member(id=person.id, name=name, name_key=name, created_at=now, seen_at=now))
        await self._store.join(person.id, ROOM, 1)
        return person

    async def write(self, author: Persona, text: str) -> None:
        self._posts += 1
        now = Millis(int(time.time() * 1000))
        await self._store.commit(
            RoomChange(
                channel=room_channel(ROOM),
                author=author.id,
                command_id=CommandId(f"c{self._posts}"),
                digest=b"0" * 16,
                now=now,
                target=None,
                decide=lambda state: decide(state, WritePost(text=text), author, RoomRules(), now),
            )
        )


class Pace:
    """How long the author's posts took, in seconds, and how many were refused."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self.failed = 0

    def __str__(self) -> str:
        took = sorted(self.took)
        median, late, worst = (took[min(int(len(took) * part), len(took) - 1)] * 1000 for part in (0.5, 0.99, 1.0))
        return (
            f"{len(took)} posts, {self.failed} failed, median {median:.1f} ms, 99 % {late:.1f} ms, worst {worst:.1f} ms"
        )


async def beside(crowd: Crowd, author: Persona, work: Callable[[], Awaitable[None]]) -> Pace:
    """Post every `PACE` seconds until the work is done; every post is sent in time, whatever became of the one
    before."""
    pace = Pace()
    posts: set[asyncio.Task[None]] = set()

    async def post() -> None:
        began = time.perf_counter()
        try:
            await crowd.write(author, "still here")
        except StoreUnavailable:
            pace.failed += 1
        pace.took.append(time.perf_counter() - began)

    working = asyncio.ensure_future(work())
    while not working.done():
        posts.add(asyncio.ensure_future(post()))
        await asyncio.sleep(PACE)
    await asyncio.gather(*posts)
    await working
    return pace


async def measure(name: str, store: Store, megabytes: int, guests: int) -> None:
    """Fill the database, then print how long the author's posts took in each of the three situations."""
    await store.open()
    await store.add_rooms([Room(id=ROOM, name="Sleep", about="A room.")])
    crowd = Crowd(store)
    honest, busy = await crowd.arrive("honest"), await crowd.arrive("busy")
    for _ in range(megabytes * 1_000_000 // _LENGTH // _AT_ONCE):
        await asyncio.gather(*(crowd.write(busy, "x" * _LENGTH) for _ in range(_AT_ONCE)))
    people = [await crowd.arrive(f"guest{number}") for number in range(guests)]
    for person in people:
        await crowd.write(person, "word")
    took: list[float] = []

    async def wait() -> None:
        await asyncio.sleep(10)

    async def erase() -> None:
        for person in people:
            began = time.perf_counter()
            await store.erase(person.id, Millis(int(time.time() * 1000)))
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0.2)

    async def rewrite() -> None:
        began = time.perf_counter()
        is_done = await store.rewrite(Millis(int(time.time() * 1000)))
        print(f"{name}: rewritten: {is_done}, in {time.perf_counter() - began:.2f} s")

    print(f"{name}: alone: {await beside(crowd, honest, wait)}")
    print(f"{name}: while {guests} are erased: {await beside(crowd, honest, erase)}")
    print(f"{name}: {len(took)} erasures acknowledged, median {sorted(took)[len(took) // 2] * 1000:.1f} ms, "
          f"worst {max(took) * 1000:.1f} ms")  # fmt: skip
    print(f"{name}: while the database is rewritten: {await beside(crowd, honest, rewrite)}")
    await store.close()


def run(name: str, megabytes: int, guests: int) -> None:
    with ExitStack() as stack:
        if name == "sqlite":
            path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "bench.sqlite3"
            migrate(f"sqlite:///{path}")
            store: Store = SqliteStore(path, sealing_key=_KEY)
        else:
            url = stack.enter_context(PostgresServer()).fresh_database()
            migrate(url)
            store = PostgresStore(url, sealing_key=_KEY)
        uvloop.run(measure(name, store, megabytes, guests))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--store", choices=STORES, action="append", help="both, unless given")
    parser.add_argument("--megabytes", type=int, default=125)
    parser.add_argument("--guests", type=int, default=30)
    given = parser.parse_args()
    for name in given.store or STORES:
        run(name, given.megabytes, given.guests)


if __name__ == "__main__":
    main()
