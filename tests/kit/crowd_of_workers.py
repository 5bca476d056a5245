"""Simulated workers that only send: each publishes its sample once a second on a real Redis, as a worker does.

To look at the page with them:
`python -m tests.kit.crowd_of_workers redis://... chatserver.toml --workers 20 --rooms 1000 --seconds 60`
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from chatserver.bus.redis import RedisBus
from chatserver.config import load
from chatserver.domain.history import Millis
from chatserver.domain.identity import NodeId
from chatserver.domain.operating.load import RoomSample, Sample
from chatserver.domain.rooms.rooms import RoomId
from chatserver.protocol.internode import TOPIC_LOAD, LoadTold, encode


def room_ids(count: int) -> list[RoomId]:
    return [RoomId(f"crowd-{number:04d}") for number in range(count)]


class CrowdOfWorkers:
    """Many simulated workers. `busy` is the share of the rooms in which numbers change from one second to the next."""

    def __init__(
        self, bus: RedisBus, workers: int, rooms: Sequence[RoomId], *, busy: float = 1.0, seed: int = 7
    ) -> None:
        self._bus = bus
        self._rooms = rooms
        self.busy = busy
        self._random = random.Random(seed)
        self._started_at = _now()
        self.nodes = [NodeId(f"{number:012x}") for number in range(1, workers + 1)]
        self._pool = [self._drawn() for _ in range(2_000)]
        """Prepared samples of rooms, because making new ones would cost more than everything that is measured."""
        self.samples = {node: {room: self._part() for room in rooms} for node in self.nodes}
        self.payload_bytes = 0

    def _part(self) -> RoomSample:
        return self._pool[int(self._random.random() * len(self._pool))]

    def _drawn(self) -> RoomSample:
        draw = self._random.randrange
        return RoomSample(
            members=draw(1, 4), writers=draw(3), posts=draw(4), reactions=draw(3), moderators=int(draw(40) == 0),
            delivered=tuple(draw(6) for _ in range(draw(2, 8))),
        )  # fmt: skip

    def speak(self) -> None:
        """Publish one sample of each worker."""
        for number, node in enumerate(self.nodes):
            rooms = self.samples[node]
            sample = Sample(
                at=_now(), name=f"crowd:{number + 1}", version="0.1.0", started_at=self._started_at,
                connections=sum(part.members for part in rooms.values()), cpu=self._random.uniform(0.05, 0.6),
                rss=90_000_000 + self._random.randrange(9_000_000), lag_ms=self._random.randrange(1, 30),
                bus_ms=round(self._random.uniform(0.3, 2.0), 1), is_attached=True, dropped=0, healed=number,
                evictions=0, store="ok", store_ms=round(self._random.uniform(0.5, 5.0), 1), store_failures=0,
                is_draining=False, rooms=rooms,
            )  # fmt: skip
            payload = encode(node, LoadTold(sample))
            self.payload_bytes = len(payload)
            self._bus.publish([(TOPIC_LOAD, payload)])

    def live(self) -> None:
        """Change numbers ahead of time: real workers have their numbers when the second begins, and so do these."""
        for rooms in self.samples.values():
            for room in self._random.sample(self._rooms, round(self.busy * len(self._rooms))):
                rooms[room] = self._part()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(1.0 - time.time() % 1.0)
            self.speak()
            self.live()


@contextlib.asynccontextmanager
async def crowd_of_workers(
    redis_url: str, prefix: str, workers: int, rooms: Sequence[RoomId], *, busy: float = 1.0
) -> AsyncIterator[CrowdOfWorkers]:
    """Let them publish until the end of the block, and then fall silent without a goodbye. `prefix` is the
    installation's."""
    bus = RedisBus(redis_url, prefix=prefix, buffer_bytes=64_000_000)
    await bus.start(lambda topic, payload: None, lambda is_attached: None)
    crowd = CrowdOfWorkers(bus, workers, rooms, busy=busy)
    speaking = asyncio.create_task(crowd.run())
    try:
        yield crowd
    finally:
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        await bus.close()


def _now() -> Millis:
    return Millis(time.time_ns() // 1_000_000)


async def _main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("redis_url")
    asked.add_argument("config", type=Path, help="the configuration file of the server that should hear them")
    asked.add_argument("--workers", type=int, default=20)
    asked.add_argument("--rooms", type=int, default=1_000)
    asked.add_argument("--seconds", type=float, default=60.0)
    given = asked.parse_args()
    async with crowd_of_workers(
        given.redis_url, load(given.config).redis_namespace, given.workers, room_ids(given.rooms)
    ):
        await asyncio.sleep(given.seconds)


if __name__ == "__main__":
    asyncio.run(_main())
