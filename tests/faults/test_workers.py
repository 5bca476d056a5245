"""Several workers over a real Redis are one place, and what the others notice when one goes.

What nobody loses by it stands in `tests/reliability`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults.reader import ROOM
from tests.kit.client import ChatClient, Refused
from tests.kit.postgres import PostgresServer
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

pytestmark = pytest.mark.faults

SECRET = "one secret for all workers of one installation"
CALM = {
    "limits": {
        "connections_per_address": 1000,
        "guest_burst_per_address": 1000,
        "tcp_per_address": 10_000,
        "calls_per_address_per_second": 10_000,
        "call_burst_per_address": 10_000,
        "files_per_address_per_second": 10_000,
        "file_burst_per_address": 10_000,
        "commands_per_second": 100,
        "member_commands_per_second": 100,
        "posts_per_second": 100,
        "post_burst": 100,
        "reactions_per_second": 100,
        "reaction_burst": 100,
        "names_per_hour": 100,
        "codes_per_minute": 100,
        "new_codes_per_address_per_hour": 100,
    }
}


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
        await near.wait_for(lambda push: push["push"] == "typing" and push["member"] == far.id_in(ROOM))
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
        async with WebClient(base_url=one.url) as http:
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
        await near.wait_for(lambda push: push["push"] == "presence" and push["went"] == [far.id_in(ROOM)], 8)
        assert time.monotonic() - killed_at < 5.5
        await far.close()


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
