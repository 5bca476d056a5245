"""Real servers for one scenario: what they share, how they are started, and what is in their store at the end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.postgres import PostgresStore
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.store import Store
from tests.kit.postgres import PostgresServer
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer
from tests.reliability.history import Kept, Log

T = TypeVar("T")

SECRET: Final = "one secret for all workers of one installation"
_OUT_OF_THE_WAY: Final = 1_000_000
_LIMITS: Final = {
    "commands_per_second": 1_000,
    "command_burst": 1_000,
    "member_commands_per_second": 1_000,
    "member_command_burst": 1_000,
    "posts_per_second": 1_000,
    "post_burst": 1_000,
    "rooms_per_member": 1_000,
    "reactions_per_second": 1_000,
    "reaction_burst": 1_000,
    "names_per_hour": 1_000,
    "codes_per_minute": 1_000,
    "new_codes_per_address_per_hour": 1_000,
    "connections_per_address": 10_000,
    "guests_per_address_per_hour": _OUT_OF_THE_WAY,
    "guest_burst_per_address": 10_000,
    "tcp_per_address": 10_000,
    "calls_per_address_per_second": 10_000,
    "call_burst_per_address": 10_000,
    "files_per_address_per_second": 10_000,
    "file_burst_per_address": 10_000,
    "recovery_publications": 5_000,
}
"""The whole crowd has one address, and writes faster than people do: who is away for half a minute missed more than
the 500 posts that one return replays. Everything else is as it comes."""
_CAPACITY: Final = 5_000
_LOG: Final = (
    "SELECT \"offset\", author || ' ' || command_id, text, at FROM log WHERE channel = '{}' AND kind = 'posted'"
)


class Cluster:
    """Some servers of ours with one store. Scenarios that follow one another in it take rooms of their own."""

    def __init__(
        self, servers: list[ChatServer], rooms: int, read_log: Callable[[str], Log], database_url: str
    ) -> None:
        self.servers = servers
        self._database_url = database_url
        self._read_log = read_log
        self._rooms = (_room_name(number) for number in range(rooms))
        self._told: list[int] = [0] * len(servers)

    @property
    def ws_urls(self) -> list[str]:
        return [server.ws_url for server in self.servers]

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    def make_whole(self) -> None:
        """Whatever the scenario before did to it. What is in the logs until now is not looked at again."""
        for server in self.servers:
            if not server.process.is_running:
                server.start()
            server.wait_for_workers()
        self._told = [len(server.log()) for server in self.servers]

    def take_rooms(self, count: int) -> list[str]:
        """Rooms that nobody has been in."""
        return [*itertools.islice(self._rooms, count)]

    def store(self) -> Store:
        """Another handle on its database, not opened yet."""
        return _store(self._database_url)

    def logs(self, channels: Sequence[str]) -> Mapping[str, Log]:
        """Every post of these channels, from the database itself."""
        return {channel: self._read_log(channel) for channel in channels}

    def tracebacks(self) -> list[str]:
        """No fault may end in one."""
        lines = [
            str(line) for server, told in zip(self.servers, self._told, strict=True) for line in server.log()[told:]
        ]
        return [f"traceback: {line[:800]}" for line in lines if "Traceback" in line]


class Parts:
    """The servers beside ours, and the two houses that most scenarios want, each started when it is first asked for.

    Every scenario leaves Redis and PostgreSQL running and thawed.
    """

    def __init__(self, redis: RedisServer, postgres: PostgresServer, stack: contextlib.ExitStack) -> None:
        self.redis = redis
        self.postgres = postgres
        self._stack = stack
        self._trio: Cluster | None = None
        self._pair: Cluster | None = None

    async def three_workers(self) -> Cluster:
        """One server with three workers on SQLite."""
        if self._trio is None:
            self._trio = await self._open(site([self.redis.url], workers=3, rooms=100))
        await blocking(self._trio.make_whole)
        return self._trio

    async def two_machines(self) -> Cluster:
        """Two servers with one worker each, on PostgreSQL: every address is one worker, with its own `/statusz`."""
        if self._pair is None:
            self._pair = await self._open(site([self.redis.url] * 2, postgres=self.postgres, rooms=20))
        await blocking(self._pair.make_whole)
        return self._pair

    async def _open(self, built: contextlib.AbstractContextManager[Cluster]) -> Cluster:
        opened: Cluster = await blocking(self._stack.enter_context, built)
        return opened


@contextlib.contextmanager
def site(
    redis_urls: Sequence[str],
    *,
    postgres: PostgresServer | None = None,
    workers: int = 1,
    rooms: int = 1,
    limits: Mapping[str, float] | None = None,
    clocks: Sequence[float] = (),
    listening: Mapping[str, Any] | None = None,
) -> Iterator[Cluster]:
    """One server for each Redis URL, each with `workers` workers. Without PostgreSQL all share one SQLite file.

    `clocks` are the seconds by which each server's clock is wrong. To be entered where no event loop runs.
    """
    config = {"secret_key": SECRET, "limits": {**_LIMITS, **(limits or {})}, "listening": {**(listening or {})}}
    servers: list[ChatServer] = []
    with contextlib.ExitStack() as stack:
        database_url = postgres.fresh_database() if postgres is not None else None
        for number, redis_url in enumerate(redis_urls):
            clock = clocks[number] if clocks else 0.0
            server = ChatServer(workers, redis_url, database_url, config, clock=clock)
            stack.callback(server.close)
            servers.append(server)
            if database_url is None:
                (server.directory / "data").mkdir(mode=0o700)
                database_url = f"sqlite:///{server.directory}/data/chat.db"
        assert database_url is not None
        migrate(database_url)
        asyncio.run(_add_rooms(database_url, rooms))
        # One after the other: on a small machine they are no sooner ready together.
        for server in servers:
            server.start()
        if postgres is not None:
            yield Cluster(
                servers, rooms, partial(_postgres_log, postgres, database_url.rpartition("/")[2]), database_url
            )
        else:
            yield Cluster(servers, rooms, partial(_sqlite_log, servers[0].directory / "data" / "chat.db"), database_url)


@contextlib.asynccontextmanager
async def own_house(*arguments: Any, **options: Any) -> AsyncIterator[Cluster]:
    """`house` for a scenario that wants one of its own."""
    with contextlib.ExitStack() as stack:
        yield await blocking(stack.enter_context, site(*arguments, **options))


async def blocking(call: Callable[..., T], *arguments: Any) -> T:
    """Run one of the kit's blocking calls while the crowd goes on."""
    return await asyncio.to_thread(call, *arguments)


def _room_name(number: int) -> str:
    return f"talk-{number}"


def _store(database_url: str) -> Store:
    scheme, _, path = database_url.partition(":///")
    return SqliteStore(Path(path)) if scheme == "sqlite" else PostgresStore(database_url)


async def _add_rooms(database_url: str, count: int) -> None:
    store = _store(database_url)
    await store.open()
    try:
        names = [_room_name(number) for number in range(count)]
        await store.add_rooms([Room(id=RoomId(name), name=name, about="", capacity=_CAPACITY) for name in names])
    finally:
        await store.close()


def _sqlite_log(file: Path, channel: str) -> Log:
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as db:
        return {offset: Kept(who, text, at) for offset, who, text, at in db.execute(_LOG.format(channel))}


def _postgres_log(server: PostgresServer, database: str, channel: str) -> Log:
    rows = (line.split("|") for line in server.execute(_LOG.format(channel), database).splitlines())
    return {int(offset): Kept(who, text, int(at)) for offset, who, text, at in rows}
