"""A master that is replaced, by Sentinel or in a Cluster: the bus leaves it and finds the new one by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from redis.exceptions import ResponseError

from chatserver.bus.redis import RedisBus
from tests.bus.listening import (
    RETURN_SECONDS,
    Listening,
    all_heard,
    attached,
    blocking,
    check_history,
    detached,
    told,
    two_nodes,
    url_of,
)
from tests.kit.process import obtain, wait_until
from tests.kit.redis import ClusterSetup, RedisServer, SentinelSetup

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def sentinels() -> Iterator[SentinelSetup]:
    with obtain(lambda: SentinelSetup(replicas=2)) as setup:
        yield setup


@pytest.fixture(scope="module")
def cluster() -> Iterator[ClusterSetup]:
    with obtain(lambda: ClusterSetup(replicas=1)) as setup:
        yield setup


# Sentinel


async def fail_over(sentinels: SentinelSetup, act: Callable[[RedisServer], None]) -> RedisServer:
    """Do something to the master; the old one, once there is another."""
    old: RedisServer = await blocking(sentinels.master)
    await blocking(act, old)
    await blocking(sentinels.wait_for_failover, old)
    return old


async def follow(sentinels: SentinelSetup, old: RedisServer) -> None:
    """Make the old master a replica, which the Sentinels themselves do only after ten seconds."""
    new = await blocking(sentinels.master)
    await blocking(old.command, "REPLICAOF", new.host, new.port)

    async def settled() -> bool:
        role = await blocking(old.command, "ROLE")
        return bool(role[0] == b"slave" and role[3] == b"connected")

    await wait_for(settled, "the old master to follow")


@pytest.mark.parametrize("how", ["kill", "freeze"])
async def test_failed_over_master_is_left_for_the_new_one(sentinels: SentinelSetup, how: str) -> None:
    async with two_nodes(sentinels) as (one, two):
        act: Callable[[RedisServer], None] = RedisServer.kill if how == "kill" else RedisServer.freeze
        old = await fail_over(sentinels, act)
        await told(2, one, two)
        await attached(one, two)
        await all_heard(one, two)
        if how == "kill":
            await blocking(old.start)
        else:
            old.thaw()
        await follow(sentinels, old)
        await attached(one, two)
        await all_heard(one, two)
        check_history(one, two)


async def test_planned_failover_moves_everybody_to_the_new_master(sentinels: SentinelSetup) -> None:
    async with two_nodes(sentinels) as (one, two):

        def ask(_: RedisServer) -> None:
            wait_until(accepted, "a Sentinel that is done with the failover before")

        def accepted() -> bool:
            try:
                sentinels.sentinels[0].command("SENTINEL", "FAILOVER", "chat")
            except ResponseError as refused:
                if not any(word in str(refused) for word in ("INPROG", "NOGOODSLAVE")):
                    raise
                return False
            return True

        await fail_over(sentinels, ask)
        await told(3, one, two)
        await attached(one, two)
        await all_heard(one, two)
        check_history(one, two)


async def test_sentinels_may_fail_one_by_one(sentinels: SentinelSetup) -> None:
    for sentinel in sentinels.sentinels[:2]:
        sentinel.freeze()
    node = await Listening(RedisBus(url_of(sentinels))).start()
    for sentinel in sentinels.sentinels[:2]:
        sentinel.thaw()
    assert node.attached == [True]
    await node.bus.close()


# Cluster


async def whole(cluster: ClusterSetup) -> None:
    deadline = time.monotonic() + 15
    while not await blocking(cluster.is_whole):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def masters(cluster: ClusterSetup) -> list[RedisServer]:
    return [s for s in cluster.servers if s.process.is_running and (await blocking(s.command, "ROLE"))[0] == b"master"]


async def survive(cluster: ClusterSetup, strike: Callable[[RedisServer], None]) -> None:
    """Strike a master; both nodes notice, and are back within five seconds of its replica's promotion."""
    async with two_nodes(cluster) as (one, two):
        standing = await masters(cluster)
        victim = standing[-1]
        strike(victim)
        await detached(one, two)
        rest = [server for server in cluster.servers if server is not victim]

        async def promoted() -> bool:
            roles = [(await blocking(server.command, "ROLE"))[0] for server in rest]
            return roles.count(b"master") == len(standing)

        await wait_for(promoted, "a replica's promotion")
        await attached(one, two)
        await all_heard(one, two)
        if victim.process.is_running:
            victim.thaw()
        else:
            await blocking(victim.start)
        await whole(cluster)
        await wait_for(lambda: has_role(victim, b"slave"), "the old master to follow")
        await attached(one, two)
        await all_heard(one, two)
        check_history(one, two)


async def has_role(server: RedisServer, role: bytes) -> bool:
    answer: list[bytes] = await blocking(server.command, "ROLE")
    return answer[0] == role


async def wait_for(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.05)


async def test_killed_master_of_a_cluster_is_left_for_its_replica(cluster: ClusterSetup) -> None:
    await survive(cluster, RedisServer.kill)


async def test_frozen_master_of_a_cluster_is_left_for_its_replica(cluster: ClusterSetup) -> None:
    await survive(cluster, RedisServer.freeze)


async def test_topics_of_a_slot_that_moves_are_followed(cluster: ClusterSetup) -> None:
    async with two_nodes(cluster) as (one, two):
        source, target = (await masters(cluster))[:2]
        target_id = (await blocking(target.command, "CLUSTER", "MYID")).decode()
        shards = await blocking(source.command, "CLUSTER", "SLOTS")
        first, last = next((start, end) for start, end, (_, port, *_), *_ in shards if port == source.port)
        for server in (target, source, *(await masters(cluster))):
            for slot in range(first, last + 1, 40):
                await blocking(server.command, "CLUSTER", "SETSLOT", slot, "NODE", target_id)
        await wait_for(lambda: same_view(cluster), "the same view everywhere")
        deadline = time.monotonic() + RETURN_SECONDS
        while True:
            try:
                await attached(one, two)
                await all_heard(one, two)
                break
            except TimeoutError:
                assert time.monotonic() < deadline
        check_history(one, two)


async def same_view(cluster: ClusterSetup) -> bool:
    views = [await blocking(server.command, "CLUSTER", "SLOTS") for server in await masters(cluster)]
    owners = [sorted((start, end, port) for start, end, (_, port, *_), *_ in view) for view in views]
    return all(view == owners[0] for view in owners)
