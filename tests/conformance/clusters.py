"""A real server with rooms of its own for each test, and the clients that meet in it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final, Self

from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.aliases import Aliases
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.protocol.codec import Encoding
from chatserver.secret import derive, read_secret
from chatserver.store.drivers.sqlite import SqliteStore
from tests.conformance.peer import Peer
from tests.conformance.traffic import Traffic
from tests.kit.database import migrated_sqlite
from tests.kit.server import ChatServer

GENEROUS: Final = {
    "commands_per_second": 10_000,
    "command_burst": 10_000,
    "member_commands_per_second": 10_000,
    "member_command_burst": 10_000,
    "posts_per_second": 10_000,
    "post_burst": 10_000,
    "rooms_per_member": 1_000,
    "reactions_per_second": 10_000,
    "reaction_burst": 10_000,
    "names_per_hour": 10_000,
    "codes_per_minute": 10_000,
    "new_codes_per_address_per_hour": 10_000,
    "connections_per_member": 50,
    "connections_per_address": 10_000,
    "guests_per_address_per_hour": 1_000_000,
    "guest_burst_per_address": 10_000,
    "tcp_per_address": 10_000,
    "calls_per_address_per_second": 10_000,
    "call_burst_per_address": 10_000,
    "files_per_address_per_second": 10_000,
    "file_burst_per_address": 10_000,
    "code_tries_per_address_per_hour": 10_000,
    "sign_ins_per_address_per_hour": 10_000,
    "sign_ins_per_login_per_hour": 10_000,
    "alerts_per_address_per_minute": 10_000,
    "new_people_alerts_per_minute": 10_000,
    "rings_per_minute": 10_000,
}
"""Out of the way of tests that are about something else."""


TONGUES: Final = ["en", *(f"x{number}" for number in range(100, 400))]
"""The languages that somebody who asks for a listener can choose: enough for every test to have one of its own."""


class Cluster:
    """A server with rooms for tests. `limits` are configured over the generous ones."""

    def __init__(
        self,
        *,
        limits: Mapping[str, float] | None = None,
        rooms: Rooms | None = None,
        config: Mapping[str, Any] | None = None,
        redis_url: str | None = None,
        clock: float = 0.0,
        workers: int = 1,
    ) -> None:
        self.rooms = rooms or Rooms()
        given = dict(config or {})
        self.server = ChatServer(
            workers,
            redis_url,
            config={
                **given,
                "listening": {"languages": TONGUES, **given.get("listening", {})},
                "limits": {**GENEROUS, **(limits or {})},
            },
            clock=clock,
        )
        self.database = self.server.directory / "data" / "chat.db"
        self._secret = self.server.directory / "data" / "secret.key"

    def __enter__(self) -> Self:
        migrated_sqlite(self.database)
        # In a thread: an event loop may be running here.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _add_rooms(self.database, self.rooms.all())).result()
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.__exit__(kind, error, trace)

    @property
    def http(self) -> str:
        return self.server.url

    @property
    def ws(self) -> str:
        return self.server.ws_url

    def alias(self, room: str, member: str) -> str:
        """By which id somebody with their first name is known in a room, for who cannot be seen there."""
        key = derive(read_secret(self._secret), "aliases")
        return Aliases(key).in_room(RoomId(room), MemberId(member), 0)

    def complaints(self) -> list[dict[str, Any]]:
        """What the log holds that no test may cause: errors and tracebacks."""
        return [
            line for line in self.server.log() if line.get("level") in ("error", "critical") or "Traceback" in str(line)
        ]


async def _add_rooms(database: Path, rooms: Iterable[Room]) -> None:
    store = SqliteStore(database)
    await store.open()
    try:
        await store.add_rooms([*rooms])
    finally:
        await store.close()


class Rooms:
    """Rooms that no other test uses."""

    SLOW_SECONDS: ClassVar = 1
    TINY: ClassVar = 2

    def __init__(self) -> None:
        self._plain = itertools.count()
        self._slow = itertools.count()
        self._tiny = itertools.count()

    def all(self) -> list[Room]:
        return [
            *(_room(f"plain-{n}") for n in range(300)),
            *(_room(f"slow-{n}", slow_mode=self.SLOW_SECONDS) for n in range(6)),
            *(_room(f"tiny-{n}", capacity=self.TINY) for n in range(6)),
        ]

    def plain(self) -> str:
        return f"plain-{next(self._plain)}"

    def slow(self) -> str:
        return f"slow-{next(self._slow)}"

    def tiny(self) -> str:
        return f"tiny-{next(self._tiny)}"


def _room(name: str, capacity: int = 200, slow_mode: int = 0) -> Room:
    return Room(
        id=RoomId(name),
        name=name,
        about="A room for one test.",
        agreement="Be kind.",
        capacity=capacity,
        slow_mode=slow_mode,
    )


class Meet:
    """Brings peers to a house, and sees them off at the end of the test."""

    def __init__(self, site: Cluster, traffic: Traffic, encoding: Encoding) -> None:
        self._house = site
        self._traffic = traffic
        self._encoding = encoding
        self._peers: list[Peer] = []

    async def __call__(self, encoding: Encoding | None = None, **hello: Any) -> Peer:
        """A peer who has said hello: a new guest unless `token` is given."""
        peer = await self.silent(encoding)
        await peer.hello(**hello)
        return peer

    async def silent(self, encoding: Encoding | None = None, **options: Any) -> Peer:
        """A peer who is connected and has said nothing yet."""
        peer = await Peer.connect(self._house.ws, self._traffic, encoding or self._encoding, **options)
        self._peers.append(peer)
        return peer

    async def see_off(self) -> None:
        await asyncio.gather(*(peer.close() for peer in self._peers))
