"""What people get through the shipped proxies while something behind them is away: the page, the helplines, reading."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.fuzz.nginx import Nginx
from tests.kit.caddy import PROGRAMS, Caddy
from tests.kit.client import ChatClient
from tests.kit.ports import HOST, free_port
from tests.kit.process import PartMissing, obtain, wait_until
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

pytestmark = pytest.mark.faults

Front = Caddy | Nginx
PAGES: Final = ("/", "/js/rooms/main.js", "/readyz")
ROOM: Final = "sleep"
ASKED_SECONDS: Final = 12.0
"""Longer than a proxy takes to call its only upstream dead: Caddy's file once asked every five seconds."""
_FRONTS: Final[dict[str, Callable[[int], Front]]] = {
    **{program: lambda port, program=program: Caddy(port, program) for program in PROGRAMS},  # type: ignore[misc]
    "nginx": Nginx,
}


def front_of(name: str, port: int) -> Front:
    """The proxy. Only the newest Caddy comes with the other tools, so only that must be there under CI."""
    if name == "caddy":
        return obtain(lambda: _FRONTS[name](port))
    try:
        return _FRONTS[name](port)
    except PartMissing as missing:
        pytest.skip(str(missing))


@contextlib.contextmanager
def held(server: ChatServer) -> Iterator[None]:
    """Another program holds the file: the store takes no writes."""
    with contextlib.closing(sqlite3.connect(server.directory / "data" / "chat.db", isolation_level=None)) as tool:
        tool.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.parametrize("name", _FRONTS)
async def test_page_and_reading_are_there_behind_a_proxy_while_redis_and_the_store_are_away(name: str) -> None:
    with obtain(RedisServer) as redis, ChatServer(redis_url=redis.url) as server, front_of(name, server.port) as front:
        there = f"http://{HOST}:{front.port}"
        ws = f"ws://{HOST}:{front.port}/ws"
        async with ChatClient(ws) as one:
            await one.ask("join", room=ROOM, agreement=1)
            offset = (await one.ask("post", id="before", room=ROOM, text="before"))["offset"]
        redis.kill()
        with held(server):
            await asyncio.to_thread(wait_until, lambda: server.get("/statusz") == 503, "the outage to be noticed")
            answers: list[tuple[str, int]] = []
            began = time.monotonic()
            async with WebClient(base_url=there, timeout=10) as http:
                while time.monotonic() < began + ASKED_SECONDS:
                    answers += [(path, (await http.get(path)).status_code) for path in PAGES]
                    await asyncio.sleep(0.2)
            assert len(answers) > 50
            assert {answer for answer in answers if answer[1] != 200} == set()
            async with ChatClient(ws, token=one.token) as back:
                joined = await back.ask("join", room=ROOM)
                page = await back.ask("history", room=ROOM, before=offset + 1)
            assert joined["room"]["id"] == ROOM
            assert page["posts"][-1]["text"] == "before"


@pytest.mark.parametrize("name", _FRONTS)
async def test_a_server_that_starts_without_redis_takes_people_in_behind_a_proxy(name: str) -> None:
    server = ChatServer(redis_url="redis://127.0.0.1:1/0")
    try:
        server.process.start(lambda: server.get("/readyz") == 200)
        with front_of(name, server.port) as front:
            async with WebClient(base_url=f"http://{HOST}:{front.port}") as http:
                assert (await http.get("/")).status_code == 200
            async with ChatClient(f"ws://{HOST}:{front.port}/ws") as one:
                await one.ask("join", room=ROOM, agreement=1)
                assert (await one.ask("post", id="1", room=ROOM, text="here"))["offset"] > 0
        assert server.get("/statusz") == 503
    finally:
        server.close()


@pytest.mark.parametrize("name", PROGRAMS)
async def test_who_comes_before_the_server_listens_waits_for_it_behind_caddy(name: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nhere")
        writer.close()

    port = free_port()
    with front_of(name, port) as front:
        async with WebClient(base_url=f"http://{HOST}:{front.port}", timeout=30) as http:
            waiting = asyncio.create_task(http.get("/"))
            done, _ = await asyncio.wait({waiting}, timeout=2)
            assert not done, "it was refused"
            async with await asyncio.start_server(answer, HOST, port):
                assert (await waiting).text == "here"
