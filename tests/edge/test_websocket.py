"""The WebSocket address of the real app."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import time
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from chatserver.server import Server
from tests.edge.chat import chatting
from tests.edge.serving import Served, client_frame, raw_client, until
from tests.kit.web import WebClient

JSON, MSGPACK = "chat.v1.json", "chat.v1.msgpack"


def socket(served: Served, subprotocol: str = JSON, **options: Any) -> connect:
    return connect(served.url, subprotocols=[Subprotocol(subprotocol)], ping_interval=None, **options)


async def ask(client: ClientConnection, cmd: str, **fields: Any) -> dict[str, Any]:
    """Send one command and take what comes next."""
    await client.send(json.dumps({"cmd": cmd, "id": cmd, **fields}))
    answer: dict[str, Any] = json.loads(await asyncio.wait_for(client.recv(), 5))
    return answer


async def refused(served: Served, **options: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    with pytest.raises(InvalidStatus) as caught:
        await connect(served.url, **options)
    response = caught.value.response
    return response.status_code, json.loads(response.body or b"{}"), dict(response.headers.raw_items())


async def end_of(client: ClientConnection) -> int | None:
    """Read on until it is closed; the code."""
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionClosed):
            async for _ in client:
                pass
        await client.wait_closed()
    return client.close_code


def nobody_is_online(server: Server) -> bool:
    return not any(online.connections for online in server.worker.node.online.values())


# ------------------------------------------------------------------------------------------- who may come in


async def test_upgrade_without_our_words_or_from_a_foreign_page_is_refused(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (served, _):
        offer = [Subprotocol(JSON)]
        for options in ({}, {"subprotocols": [Subprotocol("chat.v9")]}):
            status, body, headers = await refused(served, **options)
            assert (status, body["error"]["code"]) == (400, "subprotocol_required")
            assert headers["content-type"] == "application/json"
        for origin in ("https://evil.example", "null", served.http + "1"):
            status, body, _ = await refused(served, subprotocols=offer, origin=Origin(origin))
            assert (status, body["error"]["code"]) == (403, "origin_refused")
        await until(lambda: served.connections == 0 and served.admission.sockets == 0)
        for ours in (Origin(served.http), None):
            async with socket(served, origin=ours):
                assert served.admission.sockets == 1
            await until(lambda: served.admission.sockets == 0)


async def test_cookie_counts_only_with_our_origin(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (served, _):
        async with WebClient(base_url=served.http, headers={"origin": served.http}) as page:
            member = (await page.post("/api/identity")).json()["member"]
            cookie = {"Cookie": f"chat_identity={page.cookies['chat_identity']}"}
        async with socket(served, origin=Origin(served.http), additional_headers=cookie) as client:
            assert (await ask(client, "hello"))["ok"]["member"] == member
        async with socket(served, additional_headers=cookie) as client:
            assert (await ask(client, "hello"))["error"]["code"] == "identity_required"


async def test_address_has_so_many_sockets_and_guests(tmp_path: Path) -> None:
    limits = {"connections_per_address": 2, "guest_burst_per_address": 2, "guests_per_address_per_hour": 60}
    async with chatting(tmp_path, limits=limits) as (served, _):
        async with socket(served) as first, socket(served) as second:
            status, body, headers = await refused(served, subprotocols=[Subprotocol(JSON)])
            assert (status, body["error"]["code"], headers["retry-after"]) == (503, "busy", "30")
            for client in (first, second):
                assert "ok" in await ask(client, "hello", guest=True)
        await until(lambda: served.admission.sockets == 0)
        async with socket(served) as client:
            error = (await ask(client, "hello", guest=True))["error"]
            assert error["code"] == "rate_limited"
            assert 50 <= error["retry_after"] <= 60


async def test_address_behind_a_trusted_proxy_is_the_one_it_names(tmp_path: Path) -> None:
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    async with chatting(tmp_path, limits={"connections_per_address": 1}) as (served, _):
        served.server.config.loaded_app = ProxyHeadersMiddleware(served.server.config.loaded_app, "127.0.0.1")
        async with socket(served, additional_headers={"X-Forwarded-For": "203.0.113.7"}):
            async with socket(served, additional_headers={"X-Forwarded-For": "203.0.113.8"}):
                pass
            offer = {"subprotocols": [Subprotocol(JSON)]}
            same = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
            assert (await refused(served, additional_headers=same, **offer))[0] == 503


async def test_worker_has_so_many_sockets(tmp_path: Path) -> None:
    async with chatting(tmp_path, limits={"connections_per_worker": 2}) as (served, _):
        async with socket(served), socket(served):
            status, body, headers = await refused(served, subprotocols=[Subprotocol(JSON)])
            assert (status, body["error"]["code"], headers["retry-after"]) == (503, "busy", "10")
        await until(lambda: served.admission.sockets == 0)
        async with socket(served) as client:
            assert "ok" in await ask(client, "hello", guest=True)


# ------------------------------------------------------------------------------------------------- talking


@pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
async def test_conversation_in_either_encoding(tmp_path: Path, subprotocol: str) -> None:
    async with chatting(tmp_path) as (served, server):
        room = next(iter(server.worker.node.rooms.values()))
        async with socket(served, subprotocol) as client:
            assert client.subprotocol == subprotocol

            async def say(cmd: str, **fields: Any) -> None:
                message = {"cmd": cmd, "id": cmd, **fields}
                await client.send(json.dumps(message) if subprotocol == JSON else msgpack.packb(message))

            async def hear() -> dict[str, Any]:
                data = await asyncio.wait_for(client.recv(), 5)
                answer: dict[str, Any] = json.loads(data) if isinstance(data, str) else msgpack.unpackb(data)
                assert isinstance(data, str) == (subprotocol == JSON)
                return answer

            await say("hello", guest=True)
            assert (await hear())["ok"]["version"] == 1
            await say("join", room=room.id, agreement=room.agreement_version)
            assert (await hear())["ok"]["history"] == "page"
            await say("post", room=room.id, text="largely " * 200)
            heard = [await hear(), await hear()]
            while not any(message.get("push") == "posted" for message in heard):
                heard.append(await hear())
            assert any(message.get("re") == "post" for message in heard)
        await until(lambda: nobody_is_online(server))


async def test_message_of_the_other_kind_ends_the_connection(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (served, _):
        for subprotocol, message in ((JSON, b"{}"), (MSGPACK, "{}")):
            async with socket(served, subprotocol) as client:
                await client.send(message)
                assert await end_of(client) == 1003
        await until(lambda: served.admission.sockets == 0)


async def test_hello_must_come_in_time(tmp_path: Path) -> None:
    async with chatting(tmp_path, limits={"hello_seconds": 0.4}) as (served, _):
        async with socket(served) as polite, socket(served) as rude:
            await ask(polite, "hello", guest=True)
            await ask(rude, "ping")
            started = time.monotonic()
            assert await end_of(rude) == 4200
            assert time.monotonic() - started < 2
            assert "ok" in await ask(polite, "ping")
        await until(lambda: served.admission.sockets == 0)


# ------------------------------------------------------------------------------------------------- leaving


async def test_connection_is_gone_without_the_garbage_collector(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (served, server):
        room = next(iter(server.worker.node.rooms.values()))
        gc.collect()
        gc.disable()
        try:
            async with socket(served) as client:
                await ask(client, "hello", guest=True)
                await ask(client, "join", room=room.id, agreement=room.agreement_version)
                traces = [weakref.ref(connection) for connection in served.server.server_state.connections]
                assert len(traces) == 1
            await until(lambda: all(trace() is None for trace in traces), 3)
        finally:
            gc.enable()


@contextlib.asynccontextmanager
async def crowd(served: Served, size: int) -> AsyncIterator[list[ClientConnection]]:
    clients = [await socket(served) for _ in range(size)]
    try:
        for client in clients:
            await ask(client, "hello", guest=True)
        yield clients
    finally:
        for client in clients:
            client.transport.abort()


GENEROUS = {"connections_per_address": 1_000, "guest_burst_per_address": 1_000, "connections_per_member": 1_000}


async def test_drain_tells_everybody_when_to_come_back_and_closes(tmp_path: Path) -> None:
    async with chatting(tmp_path, limits=GENEROUS) as (served, server), crowd(served, 10) as clients:
        served.admission.start_drain()
        delays = []
        for client in clients:
            push = json.loads(await asyncio.wait_for(client.recv(), 5))
            assert push["push"] == "draining"
            delays.append(push["reconnect_after"])
            assert await end_of(client) == 1012
        assert all(0.5 <= delay <= 2.0 for delay in delays)
        assert len(set(delays)) > 5, "with jitter"
        status, body, headers = await refused(served, subprotocols=[Subprotocol(JSON)])
        assert (status, body["error"]["code"], headers["retry-after"]) == (503, "draining", "2")
        await until(lambda: nobody_is_online(server) and served.admission.sockets == 0)


async def test_drain_spreads_a_crowd_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chatserver.edge import websocket

    monkeypatch.setattr(websocket, "_CLOSES_PER_SECOND", 50.0)
    ends: list[float] = []

    async def note(client: ClientConnection) -> None:
        await end_of(client)
        ends.append(time.monotonic())

    async with chatting(tmp_path, limits=GENEROUS) as (served, _), crowd(served, 50) as clients:
        waiting = [asyncio.create_task(note(client)) for client in clients]
        started = time.monotonic()
        served.admission.start_drain()
        await asyncio.gather(*waiting)
        assert 0.8 <= ends[-1] - started <= 2.5
        quarters = [sum(1 for end in ends if low <= (end - started) < low + 0.25) for low in (0, 0.25, 0.5, 0.75)]
        assert all(count >= 5 for count in quarters), quarters


async def test_stop_drains_and_ends_in_bounded_time(tmp_path: Path) -> None:
    async with chatting(tmp_path, limits=GENEROUS) as (served, _), crowd(served, 5) as clients:
        started = time.monotonic()
        served.stop()
        for client in clients:
            assert await end_of(client) == 1012
        assert served.stopping is not None
        await asyncio.wait_for(served.stopping, 5)
        assert time.monotonic() - started < 3


async def test_drain_takes_along_who_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chatserver.edge import websocket_protocol

    monkeypatch.setattr(websocket_protocol, "CLOSE_SECONDS", 0.5)
    async with chatting(tmp_path, limits={"ping_seconds": 1.0}) as (served, _), raw_client(served.port) as raw:
        await raw.upgrade(headers={"Sec-WebSocket-Protocol": JSON})
        served.admission.start_drain()
        await until(lambda: served.connections == 0, 3)


async def test_rubbish_after_the_handshake_is_refused_by_the_protocol_alone(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (served, server), raw_client(served.port) as raw:
        await raw.upgrade(headers={"Sec-WebSocket-Protocol": JSON})
        await raw.send(b"\xff" * 100)
        assert await raw.close_code() == 1002
        await until(lambda: not _handlers(server))
        await raw.send(client_frame(1, b"{}"))


def _handlers(server: Server) -> set[Any]:
    """Return the handlers of the app's open chat sockets."""
    [route] = [route for route in server.app.routes if getattr(route, "path", "") == "/ws"]
    handlers: set[Any] = route.app.drain._handlers  # type: ignore[attr-defined]
    return handlers
