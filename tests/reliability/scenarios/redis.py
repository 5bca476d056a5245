"""Redis goes away in every way it can; people go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from tests.kit.process import wait_until
from tests.kit.proxy import TcpProxy
from tests.kit.redis import SERVICE_NAME, ClusterSetup, RedisServer, SentinelSetup
from tests.reliability.cluster import Parts, blocking, own_house
from tests.reliability.readiness import RETURN_SECONDS
from tests.reliability.report import Row
from tests.reliability.scenarios.stage import Stage, stage


async def redis_restart(parts: Parts, *, times: int, down: float, rate: float, members: int, pause: float) -> Row:
    """Killed, and started again, empty, on the same address."""
    broken = []
    async with stage(await parts.two_machines(), members) as on:
        async with on.talk.busy(rate):
            for _ in range(times):
                await asyncio.sleep(pause)
                before = _attachments(on)
                since = time.monotonic()
                await blocking(parts.redis.kill)
                await asyncio.sleep(down)
                await blocking(parts.redis.start)
                broken.append((since, time.monotonic()))
                await _attached_again(on, before, broken[-1][1])
            await asyncio.sleep(pause)
        on.mark_bus()
        on.truth(broken)
        return await on.end("redis_restart", f"Redis killed, {down:g} s later started", times)


async def redis_frozen(parts: Parts, *, seconds: float, rate: float, members: int, pause: float) -> Row:
    """SIGSTOP: its sockets stay open and say nothing."""
    async with stage(await parts.two_machines(), members) as on:
        async with on.talk.busy(rate):
            await asyncio.sleep(pause)
            before = _attachments(on)
            since = time.monotonic()
            parts.redis.freeze()
            try:
                await asyncio.sleep(seconds)
            finally:
                parts.redis.thaw()
            until = time.monotonic()
            await _attached_again(on, before, until)
            await asyncio.sleep(pause)
        on.mark_bus()
        on.truth([(since, until)])
        return await on.end("redis_frozen", f"Redis frozen for {seconds:g} s", 1)


async def subscriber_killed(parts: Parts, *, times: int, rate: float, members: int, pause: float) -> Row:
    """CLIENT KILL of every subscriber."""

    def both_listen() -> bool:
        return len(parts.redis.command("CLIENT", "LIST", "TYPE", "pubsub").splitlines()) == 2

    async with stage(await parts.two_machines(), members) as on:
        killed = 0
        async with on.talk.busy(rate):
            for _ in range(times):
                await asyncio.sleep(pause)
                # What came before may have cost them their connections a moment ago.
                await blocking(wait_until, both_listen, "both subscribers")
                before = _attachments(on)
                since = time.monotonic()
                killed += int(await blocking(parts.redis.command, "CLIENT", "KILL", "TYPE", "pubsub"))
                await _attached_again(on, before, since)
            await asyncio.sleep(pause)
        if killed < 2 * times:
            on.complaints.append(f"only {killed} subscribers were killed")
        on.mark_bus()
        # Back long before a canary is missed.
        on.truth([])
        return await on.end("subscriber_killed", "CLIENT KILL of both subscribers", times)


async def sentinel_failover(
    parts: Parts, sentinels: SentinelSetup, *, times: int, rate: float, members: int, pause: float
) -> Row:
    """The master is killed, and the Sentinels agree on another."""
    hosts = ",".join(f"{host}:{port}" for host, port in sentinels.addresses)
    broken = []
    urls = [f"redis+sentinel://{hosts}/{SERVICE_NAME}"] * 2
    async with own_house(urls, postgres=parts.postgres) as built, stage(built, members) as on:
        async with on.talk.busy(rate):
            for _ in range(times):
                await asyncio.sleep(pause)
                old = await blocking(sentinels.master)
                before = _attachments(on)
                since = time.monotonic()
                await blocking(old.kill)
                await blocking(sentinels.wait_for_failover, old)
                broken.append((since, time.monotonic()))
                await _attached_again(on, before, broken[-1][1])
                await blocking(old.start)
                new = await blocking(sentinels.master)
                await blocking(old.command, "REPLICAOF", new.host, new.port)
                await blocking(wait_until, partial(_follows, old), "a new replica")
            await asyncio.sleep(pause)
        on.mark_bus()
        on.truth(broken)
        on.notes.append(_lasted(broken))
        return await on.end("sentinel_failover", "Sentinel failover after a kill of the master", times)


async def cluster_failover(
    parts: Parts, cluster: ClusterSetup, *, times: int, rate: float, members: int, pause: float
) -> Row:
    """The node that carries the room is killed, and its replica takes its slots."""
    hosts = ",".join(f"{host}:{port}" for host, port in cluster.addresses)
    broken = []
    urls = [f"redis+cluster://{hosts}"] * 2
    async with own_house(urls, postgres=parts.postgres) as built, stage(built, members) as on:
        room = on.talk.rooms[0]

        def moved_from(port: int | None) -> bool:
            return _carrier(cluster, room) not in (None, port)

        async with on.talk.busy(rate):
            for _ in range(times):
                await asyncio.sleep(pause)
                old_port = await blocking(_carrier, cluster, room)
                old = next(server for server in cluster.servers if server.port == old_port)
                before = _attachments(on)
                since = time.monotonic()
                await blocking(old.kill)
                await blocking(wait_until, partial(moved_from, old_port), "another carrier")
                broken.append((since, time.monotonic()))
                await _attached_again(on, before, broken[-1][1])
                await blocking(old.start)
                await blocking(wait_until, partial(_follows, old), "a new replica")
            await asyncio.sleep(pause)
        on.mark_bus()
        on.truth(broken)
        on.notes.append(_lasted(broken))
        return await on.end("cluster_failover", "kill of the Cluster node that carries the room", times)


async def partition(parts: Parts, *, seconds: float, rate: float, members: int, pause: float) -> Row:
    """The network between one worker and Redis swallows everything; the other worker keeps it."""
    async with (
        TcpProxy(parts.redis.port) as network,
        own_house([f"redis://127.0.0.1:{network.port}/0", parts.redis.url], postgres=parts.postgres) as built,
        stage(built, members) as on,
    ):
        async with on.talk.busy(rate):
            await asyncio.sleep(pause)
            before = _attachments(on)
            since = time.monotonic()
            network.black_hole()
            await asyncio.sleep(seconds)
            network.heal()
            until = time.monotonic()
            await _attached_again(on, before, until, [0])
            await asyncio.sleep(pause)
        on.mark_bus()
        on.truth([(since, until)], servers=[0])
        return await on.end("partition", f"one worker cut off from Redis for {seconds:g} s", 1)


def _attachments(on: Stage) -> list[int]:
    """How often each server has found Redis, by its own log: `/statusz` may still live on its last canary."""
    return [sum(line.get("event") == "bus_attached" for line in server.log()) for server in on.site.servers]


async def _attached_again(on: Stage, before: list[int], whole_at: float, servers: Sequence[int] | None = None) -> None:
    """Wait until these servers (all) have found Redis again, and note the longest that took since it was whole."""
    wanted = range(len(before)) if servers is None else servers
    async with asyncio.timeout(30):
        while True:
            now = _attachments(on)
            if all(now[number] > before[number] for number in wanted):
                break
            await asyncio.sleep(0.05)
    longest = max(0.0, time.monotonic() - whole_at)
    earlier = [mark for mark in on.marks if mark.name.startswith("attached")]
    on.marks = [mark for mark in on.marks if mark not in earlier]
    on.mark("attached again within s", max([longest, *(mark.value for mark in earlier)]), RETURN_SECONDS)
    await asyncio.gather(*(one.until_ready(time.monotonic()) for one in on.ready))


def _carrier(cluster: ClusterSetup, room: str) -> int | None:
    """The port of the server that has the slot of a room, as a server that runs sees it; None: nobody."""
    running = next(server for server in reversed(cluster.servers) if server.answers())
    slot = int(running.command("CLUSTER", "KEYSLOT", f"chat:0:room:{room}"))
    for first, last, (_, port, *_), *_ in running.command("CLUSTER", "SLOTS"):
        if first <= slot <= last:
            return int(port)
    return None


def _follows(server: RedisServer) -> bool:
    role = server.command("ROLE")
    return bool(role[0] == b"slave" and role[3] == b"connected")


def _lasted(broken: list[tuple[float, float]]) -> str:
    return "without a master for " + ", ".join(f"{until - since:.1f} s" for since, until in broken)
