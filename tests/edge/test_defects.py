"""What uvicorn 0.54 does to a chat's sockets, and ours do not.

Each test runs against the stock classes as well, where it must fail (`xfail(strict)`): the day it passes there, our
part of the code can go.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from websockets.asyncio import client
from websockets.exceptions import ConnectionClosed as Closed

from chatserver.domain.limits import Limits
from chatserver.edge import http_protocol, websocket_protocol
from chatserver.protocol.frames import BINARY, frame
from tests.edge.serving import (
    OURS,
    OURS_HTTP,
    STOCK,
    STOCK_HTTP,
    Receive,
    Say,
    Send,
    accept,
    client_frame,
    raw_client,
    raw_socket,
    repeat,
    responding,
    serving,
    until,
    upgrade_head,
)


def _fails(defect: str) -> pytest.MarkDecorator:
    return pytest.mark.xfail(
        strict=True, reason=defect, raises=(TimeoutError, AssertionError, EOFError, OSError, Closed)
    )


def stock(defect: str) -> Any:
    return pytest.param(STOCK, id="stock", marks=_fails(defect))


def stock_http(defect: str) -> Any:
    return pytest.param(STOCK_HTTP, id="stock", marks=_fails(defect))


ours = pytest.param(OURS, id="ours")
ours_http = pytest.param(OURS_HTTP, id="ours")

QUICK = Limits(ping_seconds=0.2, pong_seconds=0.2, header_seconds=0.4, hello_seconds=0.4)
QUICK_STOCK = {"ws_ping_interval": 0.2, "ws_ping_timeout": 0.2}


echo = responding(repeat)


async def flood(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    wire = await accept(scope, receive, send)
    while wire is None:
        await send({"type": "websocket.send", "bytes": bytes(65_536)})
    while wire.buffered() < 1_000_000:
        wire.write(frame(BINARY, bytes(65_536)))
        await asyncio.sleep(0)


@pytest.mark.parametrize("ws", [stock("keepalive_timeout closes instead of aborting"), ours])
async def test_client_that_reads_nothing_is_dropped(ws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_protocol, "_PARTING_SECONDS", 0.1)
    async with (
        serving(flood, ws=ws, limits=QUICK, options=QUICK_STOCK) as served,
        raw_socket(served, receive_buffer=4_096),
    ):
        await until(lambda: served.connections == 1, 1)
        await until(lambda: served.connections == 0, 1.5)


@pytest.mark.parametrize("ws", [stock("reading pauses while one message is queued"), ours])
async def test_healthy_client_outlives_a_slow_command(ws: str) -> None:
    async def respond(say: Say, data: str | bytes) -> None:
        if data == "slow":
            await asyncio.sleep(0.9)
        await say(data)

    app = responding(respond)
    async with serving(app, ws=ws, limits=QUICK, options=QUICK_STOCK) as served, client.connect(served.url) as socket:
        await socket.send("slow")
        await socket.send("next")
        assert await asyncio.wait_for(socket.recv(), 4) == "slow"
        assert await asyncio.wait_for(socket.recv(), 4) == "next"


@pytest.mark.parametrize("ws", [stock("limit_concurrency does not count WebSockets"), ours])
async def test_socket_beyond_the_worker_s_limit_is_refused(ws: str) -> None:
    limits = Limits(connections_per_worker=2)
    async with serving(echo, ws=ws, limits=limits, options={"limit_concurrency": 2}) as served:
        async with raw_socket(served), raw_socket(served), raw_client(served.port) as third:
            head = await third.upgrade()
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 10\r\n" in head.lower()
            assert b'"code":"busy"' in await third.read_all()
        if ws == OURS:
            await until(lambda: served.admission.sockets == 0)
            async with raw_socket(served):
                assert served.admission.sockets == 1


@pytest.mark.parametrize("ws", [stock("after its own close it only waits for the buffer to empty"), ours])
async def test_close_does_not_wait_for_a_peer_that_reads_nothing(ws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_protocol, "CLOSE_SECONDS", 0.3)

    async def close_when_full(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        wire = await accept(scope, receive, send)
        if wire is None:
            # uvicorn closes when its app returns.
            await send({"type": "websocket.send", "bytes": bytes(8_000_000)})
        else:
            wire.write(frame(BINARY, bytes(8_000_000)))
            wire.close(1000)

    async with (
        serving(close_when_full, ws=ws, limits=QUICK, options={"ws_ping_interval": None}) as served,
        raw_socket(served, receive_buffer=4_096),
    ):
        await until(lambda: served.connections == 1, 1)
        await until(lambda: served.connections == 0, 1.5)


@pytest.mark.parametrize("ws", [stock("websockets' own refusal of a large head is never sent"), ours])
async def test_upgrade_with_too_many_headers_gets_an_answer(ws: str) -> None:
    async with serving(echo, ws=ws) as served, raw_client(served.port) as raw:
        await raw.send(upgrade_head(headers={f"X-{number}": "1" for number in range(200)}))
        assert (await raw.read_all(1)).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("ws", [stock("a bad frame swallows the good one that came with it"), ours])
async def test_message_before_a_bad_frame_still_counts(ws: str) -> None:
    seen: list[str | bytes] = []

    async def note(say: Say, data: str | bytes) -> None:
        seen.append(data)

    async with serving(responding(note), ws=ws) as served, raw_socket(served) as raw:
        await raw.send(client_frame(1, b"good") + client_frame(1, b"bad", reserved=0x40))
        assert await raw.close_code(3) == 1002
        await until(lambda: seen == ["good"], 1)


@pytest.mark.parametrize("ws", [stock("the socket is closed over unread bytes, which resets it"), ours])
async def test_peer_is_told_why_while_it_is_still_sending(ws: str) -> None:
    limits, options = Limits(frame_bytes=16_384), {"ws_max_size": 16_384}
    async with serving(echo, ws=ws, limits=limits, options=options) as served, raw_socket(served) as raw:
        # More than fits into the kernel's buffers on both sides.
        sending = asyncio.create_task(raw.send(client_frame(2, bytes(12_000_000))))
        try:
            assert await raw.close_code(5) == 1009
            await asyncio.wait_for(sending, 5)
        finally:
            sending.cancel()


@pytest.mark.parametrize("http", [stock_http("a request's head may take for ever"), ours_http])
async def test_head_that_does_not_come_ends_the_connection(http: str) -> None:
    async with serving(echo, http=http, limits=QUICK) as served, raw_client(served.port) as raw:
        await raw.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        started = time.monotonic()
        assert (await raw.read_all(1)).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("http", [stock_http("a request's head may be of any size"), ours_http])
async def test_head_of_any_size_is_refused(http: str) -> None:
    async with serving(echo, http=http) as served, raw_client(served.port) as raw:
        await raw.send(b"GET / HTTP/1.1\r\n" + b"X: " + b"x" * 100_000)
        assert (await raw.read_all(1)).startswith(b"HTTP/1.1 431 ")


async def _big_answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    headers = [(b"content-length", b"8000000"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": bytes(8_000_000)})


@pytest.mark.parametrize("http", [stock_http("an answer may be read as slowly as one likes"), ours_http])
async def test_answer_that_nobody_reads_is_given_up(http: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "_FLUSH_SECONDS", 0.3)
    async with (
        serving(_big_answer, http=http, limits=QUICK) as served,
        raw_client(served.port, receive_buffer=4_096) as raw,
    ):
        await raw.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: served.connections == 1, 1)
        await until(lambda: served.connections == 0, 1.5)


async def _small_answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize("http", [stock_http("line breaks stop the keep-alive timer for good"), ours_http])
async def test_kept_connection_cannot_be_held_open_by_line_breaks(http: str) -> None:
    async with serving(_small_answer, http=http, limits=QUICK) as served, raw_client(served.port) as raw:
        await raw.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await raw.read_until(b"ok")
        await raw.send(b"\r\n")
        await raw.read_all(1)


async def test_kept_connection_serves_many_requests() -> None:
    async with serving(_small_answer, limits=QUICK) as served, raw_client(served.port) as raw:
        for _ in range(5):
            await raw.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await raw.read_until(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(0.15)
        assert served.admission.tcp == 1
    assert served.admission.tcp == 0
