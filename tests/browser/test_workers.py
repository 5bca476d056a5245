"""Three workers over a real Redis: whom they die under, and nobody loses anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.browser.conftest import SitDown
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.site import join, open_site, texts_in
from tests.kit.client import ChatClient
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

ROOM = "Awake at night"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def cluster(redis: RedisServer) -> Iterator[ChatServer]:
    with open_site(workers=3, redis_url=redis.url) as server:
        yield server


async def two_in(sit_down: SitDown, server: ChatServer, room: str) -> tuple[Person, Person]:
    people = await sit_down(server.url), await sit_down(server.url)
    for person in people:
        person.forgive(LOST_NETWORK)
        await person.arrive()
        await person.enter(room)
    return people


async def test_two_go_on_talking_whichever_worker_is_killed(cluster: ChatServer, sit_down: SitDown) -> None:
    ann, ben = await two_in(sit_down, cluster, ROOM)
    said = 0
    # One after the other, so that each of the two has lost theirs.
    for worker in cluster.worker_pids():
        await asyncio.to_thread(cluster.kill_worker, worker)
        for person, who in ((ann, "ann"), (ben, "ben")):
            said += 1
            await person.write(f"{who} {said:02}")
        await asyncio.to_thread(cluster.wait_for_workers)
    for person in (ann, ben):
        await expect(person.log.get_by_role("article")).to_have_count(said)
        await expect(person.log.locator(".pending")).to_have_count(0)
        await expect(person.link).to_be_hidden()
    kept = await texts_in(cluster, "sleep")
    assert sorted(kept) == ["ann 01", "ann 03", "ann 05", "ben 02", "ben 04", "ben 06"]
    assert await ann.texts() == kept
    assert await ben.texts() == kept


async def test_posts_cross_between_workers_while_redis_is_away(
    cluster: ChatServer, redis: RedisServer, sit_down: SitDown
) -> None:
    ann = await sit_down(cluster.url)
    await ann.arrive()
    await ann.enter("Low days")
    try:
        await asyncio.to_thread(redis.kill)
        # More than there are workers, so that some sit at another one than she does.
        for n in range(6):
            async with ChatClient(cluster.ws_url) as client:
                await join(client, "low-mood")
                await client.ask("post", room="low-mood", text=f"without redis {n}")
        await ann.sees("without redis 5")
        assert await ann.texts() == [f"without redis {n}" for n in range(6)]
        await ann.say("i can still write")
    finally:
        await asyncio.to_thread(redis.start)
        await asyncio.to_thread(cluster.wait_for_workers)
