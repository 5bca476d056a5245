"""The server that the browser tests visit: the seeded rooms, and those that a test needs to be just so."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from chatserver.domain.history import Millis
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import Retention
from tests.kit.client import ChatClient, Refused
from tests.kit.database import migrated_sqlite
from tests.kit.server import ChatServer
from tests.kit.sums import solve

_DAY: Final = 24 * 3_600_000
_WIDE: Final = {
    # Every browser of the tests comes from one address.
    "connections_per_address": 1_000,
    "guests_per_address_per_hour": 100_000.0,
    "guest_burst_per_address": 1_000.0,
    "tcp_per_address": 10_000,
    "calls_per_address_per_second": 10_000,
    "call_burst_per_address": 10_000,
    "files_per_address_per_second": 10_000,
    "file_burst_per_address": 10_000,
    "code_tries_per_address_per_hour": 1_000.0,
    # A test fills a room faster than anybody writes.
    "commands_per_second": 500.0,
    "command_burst": 500.0,
    "member_commands_per_second": 500.0,
    "member_command_burst": 500.0,
    "posts_per_second": 500.0,
    "post_burst": 500.0,
    "reactions_per_second": 500.0,
    "reaction_burst": 500.0,
    "names_per_hour": 500.0,
    "codes_per_minute": 500.0,
    # Nor does anybody go through so many rooms.
    "rooms_per_member": 20,
    "new_codes_per_address_per_hour": 500.0,
    "drain_seconds": 2.0,
}


def room(id_: str, name: str, **fields: Any) -> Room:
    """A room with an agreement of one line, below the seeded ones in the lobby."""
    given = {"about": "A room of the tests.", "agreement": "Listen first.", "position": 1_000, **fields}
    return Room(id=RoomId(id_), name=name, **given)


@contextlib.contextmanager
def open_site(
    rooms: Sequence[Room] = (),
    *,
    workers: int = 1,
    redis_url: str | None = None,
    limits: Mapping[str, Any] | None = None,
    listening: Mapping[str, Any] | None = None,
    duty: Mapping[str, Any] | None = None,
    clock: float = 0.0,
    is_school: bool = True,
    looks_for_contacts: bool = True,
    has_model: bool = False,
) -> Iterator[ChatServer]:
    """A running server with these rooms beside the seeded ones. Unless it `is_school`, limits of one address hold."""
    config: dict[str, Any] = {
        "limits": {**_WIDE, **(limits or {})},
        "listening": {**(listening or {})},
        "duty": {**(duty or {})},
    }
    if not is_school:
        config["shared_networks"] = []
    if has_model:
        config["screening"] = {"second_look": True}
    if not looks_for_contacts:
        config["rooms"] = {"contact_details": "off"}
    server = ChatServer(workers, redis_url, config=config, clock=clock)
    try:
        _furnish(server, rooms)
        server.start()
        yield server
    finally:
        server.close()


def database(server: ChatServer) -> Path:
    return server.directory / "data" / "chat.db"


def let_a_day_pass(server: ChatServer) -> None:
    """Stop the server, let everything in it expire, and start it again."""
    server.stop()

    async def expire(store: SqliteStore) -> None:
        while await store.expire(Millis(time.time_ns() // 1_000_000 + _DAY + 60_000), Retention(member_age=30 * _DAY)):
            pass

    _with_store(server, expire)
    server.start()


async def join(client: ChatClient, room_id: str) -> dict[str, Any]:
    """Enter a room as a client of the protocol; what the server answers. A sum is done where one is asked for: an
    earlier test may have banned somebody, and all come from one address."""
    try:
        return dict(await client.ask("join", room=room_id, agreement=1))
    except Refused as refused:
        if refused.code != "challenge":
            raise
        details = refused.error["details"]
    proof = solve(details["challenge"], details["bits"])
    return dict(await client.ask("join", room=room_id, agreement=1, proof=proof))


async def say(client: ChatClient, room_id: str, *texts: str) -> list[int]:
    """Post, one after the other; the offsets."""
    return [(await client.ask("post", room=room_id, text=text))["offset"] for text in texts]


async def texts_in(server: ChatServer, room_id: str) -> list[str]:
    """What the server keeps in a room (its newest page), oldest first: the truth."""
    async with ChatClient(server.ws_url) as client:
        ok = await join(client, room_id)
        return [post["text"] for post in ok["posts"]]


def _furnish(server: ChatServer, rooms: Sequence[Room]) -> None:
    migrated_sqlite(database(server))

    async def add(store: SqliteStore) -> None:
        await store.add_rooms(rooms)

    _with_store(server, add)


def _with_store(server: ChatServer, work: Callable[[SqliteStore], Awaitable[None]]) -> None:
    async def use() -> None:
        store = SqliteStore(database(server))
        await store.open()
        try:
            await work(store)
        finally:
            await store.close()

    _run_apart(use())


def _run_apart(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end in a loop of its own, whether or not the tests' loop is running in this thread."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
