"""A bus with everything it told, and what tests of any bus wait for and check."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from chatserver.bus.contract import Bus, Topic
from chatserver.bus.redis import RedisBus
from tests.kit.redis import SERVICE_NAME, ClusterSetup, RedisServer, SentinelSetup

Behind = RedisServer | SentinelSetup | ClusterSetup
TOPICS = [f"room:{number}" for number in range(40)]
"""Enough that each shard of a cluster carries some."""
NOTICE_SECONDS = 3.0
RETURN_SECONDS = 5.0


async def until(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> float:
    """Return once `condition` holds, with the seconds it took; TimeoutError naming `what` if it does not in time."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise TimeoutError(f"waited {seconds:g} s for: {what}")
        await asyncio.sleep(0.005)
    return time.monotonic() - started


class Listening:
    """One node: its bus, what it heard, and each time it was told that it is attached or not."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.heard: list[tuple[Topic, bytes]] = []
        self.attached: list[bool] = []

    async def start(self) -> Listening:
        await self.bus.start(lambda topic, payload: self.heard.append((topic, payload)), self.attached.append)
        return self

    def payloads(self, topic: Topic) -> list[bytes]:
        return [payload for heard, payload in self.heard if heard == topic]

    async def hears(self, count: int, what: str = "messages") -> None:
        await until(lambda: len(self.heard) >= count, f"{count} {what}, not {len(self.heard)}")

    async def hears_on(self, topic: Topic, payload: bytes, seconds: float = 20.0) -> None:
        await until(lambda: (topic, payload) in self.heard, f"{payload!r} on {topic}", seconds)


async def blocking(call: Callable[..., Any], *arguments: Any) -> Any:
    """Run one of the kit's blocking calls while the loop goes on."""
    return await asyncio.to_thread(call, *arguments)


def url_of(behind: Behind) -> str:
    """The URL under which a RedisBus finds what is behind it."""
    match behind:
        case RedisServer():
            return behind.url
        case SentinelSetup():
            hosts = ",".join(f"{host}:{port}" for host, port in behind.addresses)
            return f"redis+sentinel://{hosts}/{SERVICE_NAME}"
        case ClusterSetup():
            hosts = ",".join(f"{host}:{port}" for host, port in behind.addresses)
            return f"redis+cluster://{hosts}"


@asynccontextmanager
async def two_nodes(behind: Behind) -> AsyncIterator[tuple[Listening, Listening]]:
    """Two nodes that listen to all topics; afterwards nothing of them is left."""
    before = asyncio.all_tasks()
    one, two = [await Listening(RedisBus(url_of(behind))).start() for _ in range(2)]
    try:
        for node in (one, two):
            await node.bus.subscribe(TOPICS)
        await all_heard(one, two)
        yield one, two
    finally:
        for node in (one, two):
            await node.bus.close()
    assert asyncio.all_tasks() == before


async def all_heard(one: Listening, two: Listening) -> None:
    """Every topic carries between both nodes, exactly once."""
    for node in (one, two):
        node.heard.clear()
    one.bus.publish([(topic, b"from one") for topic in TOPICS])
    two.bus.publish([(topic, b"from two") for topic in TOPICS])
    expected = sorted((topic, payload) for topic in TOPICS for payload in (b"from one", b"from two"))
    for node in (one, two):
        await node.hears(len(expected))
        assert sorted(node.heard) == expected


async def detached(*nodes: Listening) -> None:
    await until(lambda: not any(node.bus.is_attached for node in nodes), "the bus to notice", NOTICE_SECONDS)


async def attached(*nodes: Listening, seconds: float = RETURN_SECONDS) -> None:
    await until(lambda: all(node.bus.is_attached for node in nodes), "the bus to come back", seconds)


async def told(times: int, *nodes: Listening) -> None:
    """Wait until each node was told so many times that it is attached or not."""
    await until(lambda: all(len(node.attached) >= times for node in nodes), "every node to notice", 10.0)


def check_history(*nodes: Listening) -> None:
    """What the node was told alternates, and ends with the truth."""
    for node in nodes:
        expected = [number % 2 == 0 for number in range(len(node.attached))]
        assert node.attached == expected
        assert node.attached[-1] is node.bus.is_attached
