"""Several workers over a real Redis, and what happens when one of them, Redis or the store goes away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults.crowd import ROOM, Member, everybody_has_seen, everybody_is_up, judge
from tests.kit.client import ChatClient, Refused
from tests.kit.postgres import PostgresServer
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer

pytestmark = pytest.mark.faults

SECRET = "one secret for all workers of one installation"
CALM = {
    "limits": {
        "connections_per_address": 1000,
        "guest_burst_per_address": 1000,
        "commands_per_second": 100,
        "member_commands_per_second": 100,
        "posts_per_second": 100,
        "post_burst": 100,
    }
}


@pytest.fixture(scope="module")
def _trio(_any_redis_server: RedisServer) -> Iterator[ChatServer]:
    with ChatServer(workers=3, redis_url=_any_redis_server.url, config=CALM) as server:
        yield server


@pytest.fixture
def trio(_trio: ChatServer, redis_server: RedisServer) -> ChatServer:
    """Three workers behind one socket, on one SQLite file, whatever the test before did to them."""
    if not _trio.process.is_running:
        _trio.start()
    _trio.wait_for_workers()
    return _trio


@pytest.fixture(scope="module")
def _pair(
    _any_redis_server: RedisServer, _any_postgres_server: PostgresServer
) -> Iterator[tuple[ChatServer, ChatServer]]:
    redis_url, database_url = _any_redis_server.url, _any_postgres_server.fresh_database()
    config = {**CALM, "secret_key": SECRET}
    with (
        ChatServer(redis_url=redis_url, database_url=database_url, config=config) as one,
        ChatServer(redis_url=redis_url, database_url=database_url, config=config) as other,
    ):
        yield one, other


@pytest.fixture
def pair(
    _pair: tuple[ChatServer, ChatServer], redis_server: RedisServer, postgres_server: PostgresServer
) -> tuple[ChatServer, ChatServer]:
    """Two machines with one worker each, on one PostgreSQL, whatever the test before did to them."""
    for server in _pair:
        if not server.process.is_running:
            server.start()
        server.wait_for_workers()
    return _pair


@asynccontextmanager
async def crowd(ws_urls: list[str], size: int) -> AsyncIterator[list[Member]]:
    """Members that are all in the room, each starting at another of the addresses."""
    members = [Member(ws_urls[n % len(ws_urls) :] + ws_urls[: n % len(ws_urls)], f"member{n}") for n in range(size)]
    tasks = [asyncio.create_task(member.live()) for member in members]
    try:
        ready = asyncio.create_task(everybody_is_up(members))
        # Whoever cannot get in at all ends here, and says why.
        await asyncio.wait([ready, *tasks], timeout=20, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
        assert ready.done()
        yield members
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def no_traceback(*servers: ChatServer) -> bool:
    return not any("Traceback" in str(line) for server in servers for line in server.log())


async def test_people_on_different_machines_talk(pair: tuple[ChatServer, ChatServer]) -> None:
    one, other = pair
    async with ChatClient(one.ws_url) as near, ChatClient(other.ws_url) as far:
        position = (await near.ask("join", room=ROOM, agreement=1))["position"]["offset"]
        await far.ask("join", room=ROOM, agreement=1)
        await near.ask("post", room=ROOM, text="from here")
        await far.wait_for(lambda push: push["push"] == "posted" and push["post"]["text"] == "from here")
        await far.ask("post", room=ROOM, text="from there")
        await near.wait_for(lambda push: push["push"] == "posted" and push["post"]["text"] == "from there")
        await far.ask("typing", room=ROOM)
        await near.wait_for(lambda push: push["push"] == "typing" and push["member"] == far.member)
        await near.wait_for(lambda push: push["push"] == "presence" and push["here"] == 2)
        for client in (near, far):
            assert [fact["offset"] for fact in client.facts(f"room:{ROOM}")] == [position + 1, position + 2]


async def test_same_id_on_another_worker_is_answered_with_the_same_offset(
    pair: tuple[ChatServer, ChatServer],
) -> None:
    one, other = pair
    async with ChatClient(one.ws_url) as near:
        await near.ask("join", room=ROOM, agreement=1)
        first = await near.ask("post", id="the-same", room=ROOM, text="once")
        async with ChatClient(other.ws_url, token=near.token) as far:
            await far.ask("join", room=ROOM)
            again = await far.ask("post", id="the-same", room=ROOM, text="once")
            assert (again["epoch"], again["offset"]) == (first["epoch"], first["offset"])
            with pytest.raises(Refused, match="duplicate_id"):
                await far.ask("post", id="the-same", room=ROOM, text="something else")


async def test_change_of_a_member_reaches_their_connections_on_other_workers(
    pair: tuple[ChatServer, ChatServer],
) -> None:
    one, other = pair
    async with ChatClient(one.ws_url) as near, ChatClient(other.ws_url, token=near.token) as far:
        await near.ask("rename", name="Amber Willow Tree")
        await far.wait_for(lambda push: push["push"] == "self" and push["member"]["name"] == "Amber Willow Tree")
        async with httpx.AsyncClient(base_url=one.url, trust_env=False) as http:
            erased = await http.post(
                "/api/identity/erase",
                headers={"authorization": f"Bearer {near.token}", "content-type": "application/json"},
            )
        assert erased.status_code == 204
        assert await far.wait_closed(2) == 4401
        assert await near.wait_closed(2) == 4401


async def test_people_of_a_killed_worker_are_gone_within_five_seconds(
    pair: tuple[ChatServer, ChatServer],
) -> None:
    one, other = pair
    async with ChatClient(one.ws_url) as near:
        await near.ask("join", room=ROOM, agreement=1)
        far = await ChatClient(other.ws_url).open()
        await far.ask("join", room=ROOM, agreement=1)
        await near.wait_for(lambda push: push["push"] == "presence" and push["here"] == 2)
        killed_at = time.monotonic()
        other.process.kill()
        await near.wait_for(lambda push: push["push"] == "presence" and push["went"] == [far.member], 8)
        assert time.monotonic() - killed_at < 5.5
        await far.close()


async def test_killed_worker_loses_nothing_for_anybody(trio: ChatServer) -> None:
    async with crowd([trio.ws_url], 12) as members:
        start = max(member.position["offset"] for member in members if member.position)
        writing = asyncio.gather(*(member.write(30, 0.1) for member in members))
        for _ in range(2):
            await asyncio.sleep(0.8)
            await asyncio.to_thread(trio.kill_worker, trio.worker_pids()[0])
        await writing
        await everybody_has_seen(members)
        assert judge(members, start) == []
        assert all(len(member.acked) == 30 for member in members)
        assert sum(member.reconnects for member in members) > 0


async def test_chat_goes_on_while_redis_is_away(pair: tuple[ChatServer, ChatServer], redis_server: RedisServer) -> None:
    one, other = pair
    async with crowd([one.ws_url, other.ws_url], 6) as members:
        start = max(member.position["offset"] for member in members if member.position)
        redis_server.process.kill()
        await asyncio.gather(*(member.write(10, 0.1) for member in members))
        await everybody_has_seen(members, 2)
        assert await until_status(one, 503, 5)
        redis_server.start()
        assert await until_status(one, 200, 6)
        assert await until_status(other, 200, 6)
        await asyncio.gather(*(member.write(5, 0.05) for member in members))
        await everybody_has_seen(members)
        assert judge(members, start) == []
        assert all(member.reconnects == 0 for member in members)
        assert max(member.slowest_ack for member in members) < 1
    assert no_traceback(one, other)


async def test_frozen_store_is_a_typed_temporary_error_and_comes_back_by_itself(
    pair: tuple[ChatServer, ChatServer], postgres_server: PostgresServer
) -> None:
    one, other = pair
    async with ChatClient(one.ws_url) as near, ChatClient(other.ws_url) as far:
        await near.ask("join", room=ROOM, agreement=1)
        await far.ask("join", room=ROOM, agreement=1)
        postgres_server.freeze()
        try:
            with pytest.raises(Refused) as refused:
                await near.ask("post", id="p1", room=ROOM, text="kept", timeout=9)
            assert refused.value.code == "storage_unavailable"
            assert refused.value.error["temporary"] is True
        finally:
            postgres_server.thaw()
        acked = await persist(near, "p1", "kept")
        await far.wait_for(lambda push: push["push"] == "posted" and push["offset"] == acked["offset"])
        assert [f["post"]["text"] for f in far.facts(f"room:{ROOM}")] == ["kept"]
    assert no_traceback(one, other)


async def test_terminated_server_sends_everybody_back_in_good_order(trio: ChatServer) -> None:
    async with crowd([trio.ws_url], 9) as members:
        start = max(member.position["offset"] for member in members if member.position)
        writing = asyncio.gather(*(member.write(20, 0.1) for member in members))
        async with ChatClient(trio.ws_url) as watcher:
            began = time.monotonic()
            stopping = asyncio.create_task(asyncio.to_thread(trio.stop))
            draining = await watcher.wait_for(lambda push: push["push"] == "draining")
            assert draining["reconnect_after"] > 0
            assert await watcher.wait_closed() == 1012
        assert await stopping == 0
        assert time.monotonic() - began < 30
        await asyncio.to_thread(trio.start)
        await writing
        await everybody_has_seen(members)
        assert judge(members, start) == []
    assert no_traceback(trio)


async def test_worker_that_drains_refuses_new_sockets(pair: tuple[ChatServer, ChatServer]) -> None:
    """One worker alone: of several behind one socket, another may not have been told yet, and let people in."""
    server, _ = pair
    async with ChatClient(server.ws_url) as client:
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))
        await client.wait_for(lambda push: push["push"] == "draining")
        with pytest.raises((InvalidHandshake, ConnectionClosed, OSError)):
            await ChatClient(server.ws_url).open()
        await client.wait_closed()
        assert await stopping == 0


async def until_status(server: ChatServer, status: int, timeout: float) -> bool:
    """Whether /readyz comes to say this in time."""
    async with asyncio.timeout(timeout):
        while await asyncio.to_thread(server.get, "/readyz") != status:  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.05)
    return True


async def persist(client: ChatClient, command_id: str, text: str) -> dict[str, object]:
    """Send the same command until it is acknowledged."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await client.ask("post", id=command_id, room=ROOM, text=text)
            except Refused as refused:
                if not refused.error["temporary"]:
                    raise
                await asyncio.sleep(0.1)
