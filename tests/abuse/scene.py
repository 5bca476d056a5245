"""A running server with ordinary limits, and the people of one attack: a hostile crowd, insiders, and honest witnesses.

Each guest can come from an address of their own, as through a reverse proxy that the server trusts. Everything is real:
the server, its workers, its store, and the sockets. Attacks that leave each other alone may share a server: each has
addresses of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.conformance.personnel import Personnel
from tests.kit.client import ChatClient, Refused
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

Json = dict[str, Any]
OPENED_TOGETHER: Final = 64
"""How many connections a crowd opens at once."""


class Place:
    """One server, with whoever works there. Use it with `with`.

    `config` holds keys as in the TOML file. Without it all limits are what a server starts with.
    """

    def __init__(
        self,
        workers: int = 1,
        redis_url: str | None = None,
        config: Mapping[str, Any] | None = None,
        *,
        hashes_quickly: bool = True,
    ) -> None:
        values = {"trusted_proxies": ["127.0.0.1"], **(config or {})}
        self.server = ChatServer(workers, redis_url, config=values, hashes_quickly=hashes_quickly)
        self.personnel = Personnel(self)

    @property
    def http(self) -> str:
        """The base of the server's HTTP addresses."""
        return self.server.url

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.server.directory / "data" / "chat.db"

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.close()


class Scene:
    """Everybody who comes to a place during one attack. Use it with `async with`; they all leave at its end.

    `number` sets apart the addresses of attacks that one server sees: 0 to 255. With `is_timed` attacks measure what is
    usual before they begin.
    """

    def __init__(self, place: Place, number: int = 0, *, is_timed: bool = False) -> None:
        self.place = place
        self.is_timed = is_timed
        self.server = place.server
        self._number = number
        self.hostile = self.address(66)
        """The address of the crowd, where it has one for all."""
        self.honest = f"100.64.{number}.7"
        self._people = contextlib.AsyncExitStack()
        self._logged = 0

    def address(self, which: int) -> str:
        """Return one of 256 addresses of the crowd."""
        return f"10.{self._number}.113.{which}"

    async def __aenter__(self) -> Self:
        self._logged = len(self.server.log())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._people.aclose()

    def at_the_end(self, does: Callable[[], Awaitable[object]]) -> None:
        """Let somebody do a last thing before they leave, whether they may or not."""

        async def last() -> None:
            with contextlib.suppress(Refused, TimeoutError, OSError, ConnectionClosed):
                await does()

        self._people.push_async_callback(last)

    async def guest(self, address: str | None = None, *, token: str | None = None, **options: Any) -> ChatClient:
        """Return somebody connected from `address`, the crowd's without: a new guest, or the earlier one with a token.

        Raises Refused where the server does not let them in.
        """
        headers = {"X-Forwarded-For": address or self.hostile}
        client = ChatClient(self.server.ws_url, token=token, headers=headers, **options)
        return await self._people.enter_async_context(client)

    async def guests(self, count: int, address: str | None = None) -> list[ChatClient]:
        """Return as many new guests of one address as the server lets in, at most `count`."""
        found = await together(self.guest(address) for _ in range(count))
        return [each for each in found if isinstance(each, ChatClient)]

    async def staff(self, *roles: str) -> ChatClient:
        """Return somebody new who works here, in the given roles, connected as staff."""
        token, _ = await self.place.personnel.hire(*roles)
        return await self.signed_in(token)

    async def signed_in(self, token: str) -> ChatClient:
        """Return a connection that said hello with the token of a sign-in of the staff."""
        headers = {"X-Forwarded-For": self.honest}
        client = ChatClient(self.server.ws_url, token=token, hello=False, headers=headers)
        await self._people.enter_async_context(client)
        client.hello_ok = await client.ask("hello", token=token, staff=True)
        return client

    @contextlib.asynccontextmanager
    async def caller(
        self, token: str | None = None, address: str | None = None, cookies: httpx.Cookies | None = None
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Give an HTTP client of one address, the crowd's without, with the token of a member or of a sign-in."""
        headers = {"X-Forwarded-For": address or self.hostile}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with WebClient(base_url=self.place.http, headers=headers, cookies=cookies, timeout=30) as http:
            yield http

    def complaints(self) -> list[Json]:
        """Return the lines logged since the attack began that none may cause: errors, tracebacks, lost workers."""
        return [
            line
            for line in self.server.log()[self._logged :]
            if line.get("level") in ("error", "critical")
            or "Traceback" in str(line)
            or line.get("event") in ("worker_hung", "worker_died")
        ]


async def together(what: Iterable[Awaitable[Any]], at_once: int = OPENED_TOGETHER) -> list[Any]:
    """Await all, at most `at_once` at a time, and return what came of each: its result, or the refusal it raised, of a
    command or of a whole connection."""
    turns = asyncio.Semaphore(at_once)

    async def one(each: Awaitable[Any]) -> Any:
        async with turns:
            try:
                return await each
            except (Refused, InvalidStatus, ConnectionClosed) as refused:
                return refused

    return await asyncio.gather(*(one(each) for each in what))


async def tries(what: Iterable[Awaitable[Any]]) -> dict[str, int]:
    """Await one after the other, and return how often each code came back. "ok" is what was not refused."""
    counted: dict[str, int] = {}
    for each in what:
        code = "ok"
        try:
            await each
        except Refused as refused:
            code = refused.code
        counted[code] = counted.get(code, 0) + 1
    return counted


async def enter(client: ChatClient, room: str) -> Json:
    """Join a room with its agreement, whichever version it has, as soon as the pace of commands allows it."""
    rooms = (await in_time(client, "rooms"))["rooms"]
    version = next(each["agreement_version"] for each in rooms if each["id"] == room)
    return await in_time(client, "join", room=room, agreement=version)


async def in_time(client: ChatClient, cmd: str, **fields: Any) -> Json:
    """Ask, and ask again when the server says so. Raises Refused for everything but the pace."""
    while True:
        try:
            return dict(await client.ask(cmd, **fields))
        except Refused as refused:
            if refused.code != "rate_limited":
                raise
            await asyncio.sleep(refused.error["retry_after"])


async def room_ids(client: ChatClient) -> list[str]:
    """Return the ids of the open rooms, in the order of the lobby."""
    return [each["id"] for each in (await client.ask("rooms"))["rooms"]]
