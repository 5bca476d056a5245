"""The transport over real sockets: the wire it offers, and the strangers it must bear."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from typing import Any

import pytest
from websockets.asyncio import client
from websockets.typing import Subprotocol

from chatserver.domain.limits import Limits
from chatserver.edge import websocket_protocol
from chatserver.edge.admission import Admission
from chatserver.edge.websocket_handshake import EXTENSION, PeerGone
from chatserver.protocol.frames import BINARY, TEXT, frame
from tests.edge.adopting import QUICK, AdoptedApp, Guest, adopted_app, echo, ignore
from tests.edge.serving import (
    Receive,
    Send,
    client_frame,
    close_frame,
    raw_client,
    raw_socket,
    serving,
    until,
    upgrade_head,
)

# ------------------------------------------------------------------------------------------------- the wire


async def test_messages_arrive_in_order_and_frames_go_out_as_they_are() -> None:
    async with adopted_app() as (app, served), client.connect(served.url) as socket:
        for number in range(200):
            await socket.send(str(number))
        assert [await socket.recv() for _ in range(200)] == [str(number) for number in range(200)]
        await socket.send(b"\x00\xff" * 40_00)
        assert await socket.recv() == b"\x00\xff" * 40_00
        app.guest.wire.write(frame(TEXT, b"a") + frame(BINARY, b"b" * 70_000) + frame(TEXT, b""))
        assert [await socket.recv() for _ in range(3)] == ["a", b"b" * 70_000, ""]


async def test_nothing_of_the_handshake_stays_with_an_adopted_connection() -> None:
    async with adopted_app() as (app, served), raw_socket(served):
        wire = app.guest.wire
        await until(lambda: not served.server.server_state.tasks)
        assert wire._handshake is None
        assert not hasattr(wire, "__dict__"), "an attribute has no slot"


async def test_wire_says_how_much_waits_and_when_it_is_gone() -> None:
    async with adopted_app() as (app, served), raw_socket(served, receive_buffer=4_096) as raw:
        wire, drained = app.guest.wire, asyncio.Event()
        assert wire.buffered() == 0
        wire.when_drained(drained.set)
        await asyncio.wait_for(drained.wait(), 1)
        drained.clear()
        block = frame(BINARY, bytes(100_000))
        while wire.buffered() < 1_000_000:
            wire.write(block)
            await asyncio.sleep(0)
        wire.when_drained(drained.set)
        await asyncio.sleep(0.05)
        assert not drained.is_set()
        while not drained.is_set():
            assert await raw.read()
            await asyncio.sleep(0)
        assert wire.buffered() <= websocket_protocol.LOW_WATER


async def test_write_returns_how_much_waits_once_it_is_more_than_the_mark() -> None:
    limits = Limits(outbox_bytes=8_192)
    async with adopted_app(limits=limits) as (app, served), raw_socket(served, receive_buffer=4_096):
        wire, block = app.guest.wire, frame(BINARY, bytes(2_000))
        assert wire.write(block) == 0
        while wire.buffered() <= 8_192:
            assert wire.write(block) in (0, wire.buffered())
        assert wire.write(block) == wire.buffered() > 8_192


async def test_wish_to_be_told_can_be_taken_back_and_ends_with_the_connection() -> None:
    async with adopted_app() as (app, served):
        async with raw_socket(served, receive_buffer=4_096) as raw:
            wire, told = app.guest.wire, []
            wire.when_drained(lambda: told.append("never"))
            wire.when_drained(None)
            while wire.buffered() < 1_000_000:
                wire.write(frame(BINARY, bytes(100_000)))
                await asyncio.sleep(0)
            wire.when_drained(lambda: told.append("lost"))
            raw.reset()
            await until(lambda: served.connections == 0)
        assert told == ["lost"]
        assert wire.buffered() == 0
        wire.when_drained(lambda: told.append("too late"))
        wire.write(frame(TEXT, b"x"))
        wire.close(1000)
        wire.abort()
        await asyncio.sleep(0.01)
        assert told == ["lost"]


async def test_pongs_stand_between_whole_frames_only() -> None:
    async with adopted_app(ignore) as (app, served), raw_socket(served, receive_buffer=4_096) as raw:
        blocks = [bytes([number]) * 30_000 for number in range(60)]
        pings = [str(number).encode() for number in range(60)]
        for block, ping in zip(blocks, pings, strict=True):
            app.guest.wire.write(frame(BINARY, block))
            await raw.send(client_frame(9, ping))
            await asyncio.sleep(0)
        data: list[bytes] = []
        pongs: list[bytes] = []
        while len(data) < 60:
            opcode, payload = await raw.frame()
            (data if opcode == BINARY else pongs).append(payload)
            assert opcode in {BINARY, 10}
        assert data == blocks
        assert set(pongs) <= set(pings)


async def test_nothing_follows_the_close_frame() -> None:
    async with adopted_app(ignore) as (app, served), raw_socket(served) as raw:
        wire = app.guest.wire
        wire.write(frame(TEXT, b"before"))
        wire.close(4000, "too slow")
        wire.write(frame(TEXT, b"after"))
        wire.close(4001)
        await raw.send(client_frame(9, b"ping"))
        assert await raw.frame() == (TEXT, b"before")
        assert await raw.frame() == (8, (4000).to_bytes(2, "big") + b"too slow")
        await raw.send(close_frame(4000))
        rest = await raw.read_all()
        assert frame(TEXT, b"after") not in rest
        await until(lambda: app.guest.endings == 1)
        await until(lambda: served.connections == 0)


async def test_peer_that_does_not_answer_a_close_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_protocol, "CLOSE_SECONDS", 0.2)
    async with adopted_app(ignore, limits=QUICK) as (app, served), raw_socket(served) as raw:
        app.guest.wire.close(4000)
        assert await raw.close_code() == 4000
        assert await raw.read_all(2) == b""
        await until(lambda: served.connections == 0, 1)


async def test_abort_drops_the_socket_and_what_waited() -> None:
    async with adopted_app(ignore) as (app, served), raw_socket(served, receive_buffer=4_096) as raw:
        for _ in range(50):
            app.guest.wire.write(frame(BINARY, bytes(100_000)))
        app.guest.wire.abort()
        await until(lambda: app.guest.endings == 1)
        await until(lambda: served.connections == 0)
        assert await raw.close_code() is None


async def test_end_is_told_once_after_the_message_at_hand() -> None:
    release = asyncio.Event()

    async def slow(guest: Guest, data: str | bytes) -> None:
        await release.wait()

    async with adopted_app(slow) as (app, served):
        async with raw_socket(served) as raw:
            await raw.send(client_frame(1, b"one") + client_frame(1, b"two") + close_frame(1001))
            assert await raw.close_code() == 1001
        await until(lambda: served.connections == 0)
        assert app.guest.endings == 0
        assert served.server.server_state.tasks, "the server waits for the command at hand"
        release.set()
        await until(lambda: app.guest.endings == 1)
        assert app.guest.seen == ["one", "two"]


async def test_own_close_drops_what_was_not_begun() -> None:
    async def close(guest: Guest, data: str | bytes) -> None:
        guest.wire.close(4201)
        await asyncio.sleep(0)

    async with adopted_app(close) as (app, served), raw_socket(served) as raw:
        await raw.send(client_frame(1, b"one") + client_frame(1, b"two"))
        assert await raw.close_code() == 4201
        await until(lambda: app.guest.endings == 1)
        assert app.guest.seen == ["one"]


async def test_failing_receiver_costs_its_connection_only(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(guest: Guest, data: str | bytes) -> None:
        if data == "fail":
            raise ValueError("what somebody wrote")
        await echo(guest, data)

    async with adopted_app(fail) as (_, served), raw_socket(served) as raw, client.connect(served.url) as other:
        await raw.send(client_frame(1, b"fail"))
        assert await raw.close_code() == 4202
        await other.send("fine")
        assert await other.recv() == "fine"
    assert "ValueError at test_websocket_protocol.py" in caplog.text
    assert "what somebody wrote" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_connection_is_gone_without_the_garbage_collector() -> None:
    async with adopted_app() as (app, served):
        gc.collect()
        gc.disable()
        try:
            async with client.connect(served.url) as socket:
                await socket.send("x")
                await socket.recv()
                traces: list[weakref.ref[object]] = [weakref.ref(app.guest.wire), weakref.ref(app.guest)]
                app.guests.clear()
            await until(lambda: served.connections == 0)
            await until(lambda: all(trace() is None for trace in traces), 1)
        finally:
            gc.enable()


# ------------------------------------------------------------------------------------------------ keep-alive


async def test_silent_connection_is_pinged_then_told_and_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_protocol, "_PARTING_SECONDS", 0.1)
    async with adopted_app(ignore, limits=QUICK) as (app, served), raw_socket(served) as raw:
        started = time.monotonic()
        assert await raw.frame() == (9, b"")
        assert time.monotonic() - started >= 0.15
        assert await raw.close_code() == 4001
        assert time.monotonic() - started >= 0.35
        await raw.read_all(3)
        await until(lambda: served.connections == 0, 3)
        assert app.guest.endings == 1
        assert served.admission.went_silent == 1


@pytest.mark.parametrize(
    "sign",
    [client_frame(10), client_frame(9), client_frame(1, b"x"), b"\x81"],
    ids=["pong", "ping", "message", "piece"],
)
@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_any_byte_is_a_sign_of_life(sign: bytes) -> None:
    async with adopted_app(ignore, limits=QUICK) as (_, served), raw_socket(served) as raw:
        stream = b"\x81\xfe\x10\x00" + bytes(4_100) if sign == b"\x81" else b""
        for number in range(8):
            await raw.send(stream[number : number + 1] if stream else sign)
            await asyncio.sleep(0.1)
        assert served.connections == 1
        assert served.admission.went_silent == 0


async def test_closely_watched_connection_is_asked_soon_and_dropped_no_sooner_than_others() -> None:
    limits = Limits(ping_seconds=0.8, pong_seconds=0.8, session_ping_seconds=0.1)
    async with adopted_app(ignore, limits=limits) as (app, served), raw_socket(served) as raw:
        wire = app.guest.wire
        wire.watch_closely(True)
        started = time.monotonic()
        assert await raw.frame() == (9, b"")
        assert time.monotonic() - started < limits.ping_seconds
        await until(lambda: wire.unanswered() > 0.2)
        assert [await raw.frame() for _ in range(2)] == [(9, b"")] * 2
        assert wire.unanswered() > 0.2
        await raw.send(client_frame(10))
        await until(lambda: wire.unanswered() < 0.1)
        assert served.connections == 1
        silent = time.monotonic()
        while (await raw.frame())[0] == 9:
            pass
        assert time.monotonic() - silent >= 1.2
        assert served.admission.went_silent == 1


async def test_connection_that_is_watched_no_more_is_asked_as_seldom_as_others() -> None:
    limits = Limits(ping_seconds=1.0, pong_seconds=1.0, session_ping_seconds=0.1)
    async with adopted_app(ignore, limits=limits) as (app, served), raw_socket(served) as raw:
        wire = app.guest.wire
        wire.watch_closely(True)
        assert await raw.frame() == (9, b"")
        wire.watch_closely(False)
        await raw.send(client_frame(10))
        answered = time.monotonic()
        await until(lambda: wire.unanswered() == 0.0)
        assert await raw.frame() == (9, b"")
        assert time.monotonic() - answered >= 0.7


async def test_client_that_answers_pings_stays() -> None:
    async with adopted_app(limits=QUICK) as (_, served), client.connect(served.url, ping_interval=None) as socket:
        await asyncio.sleep(1.0)
        await socket.send("still here")
        assert await socket.recv() == "still here"


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_connections_share_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with adopted_app(ignore) as (app, served):
        loop, timers = asyncio.get_running_loop(), 0
        call_at = loop.call_at

        def counting(*args: Any, **options: Any) -> asyncio.TimerHandle:
            nonlocal timers
            timers += 1
            return call_at(*args, **options)

        monkeypatch.setattr(loop, "call_at", counting)
        sockets = [await client.connect(served.url, ping_interval=None, open_timeout=None) for _ in range(30)]
        assert len(app.guests) == 30
        assert timers <= 3
        for socket in sockets:
            await socket.close()


# --------------------------------------------------------------------------------------- the handshake


async def test_app_chooses_the_subprotocol_and_headers_and_how_it_ends() -> None:
    async def choose(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        assert scope["subprotocols"] == ["z", "a"]
        await send({"type": "websocket.accept", "subprotocol": "a", "headers": [(b"x-a", b"b")]})
        wire = scope["extensions"][EXTENSION]
        wire.adopt(Guest(wire, ignore))
        wire.close(4100, "so be it")

    async with (
        serving(choose) as served,
        client.connect(served.url, subprotocols=[Subprotocol("z"), Subprotocol("a")]) as socket,
    ):
        assert socket.subprotocol == "a"
        assert socket.response is not None
        assert socket.response.headers["x-a"] == "b"
        await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (4100, "so be it")


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([{"type": "websocket.close"}], 403),
        ([], 500),
        (
            [
                {"type": "websocket.http.response.start", "status": 418, "headers": [(b"x-a", b"b")]},
                {"type": "websocket.http.response.body", "body": b"short ", "more_body": True},
                {"type": "websocket.http.response.body", "body": b"and stout"},
            ],
            418,
        ),
    ],
)
async def test_app_may_refuse_the_upgrade(messages: list[dict[str, Any]], status: int) -> None:
    async def refuse(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        for message in messages:
            await send(message)

    async with serving(refuse) as served, raw_client(served.port) as raw:
        head = await raw.upgrade()
        assert head.startswith(f"HTTP/1.1 {status} ".encode())
        body = await raw.read_all()
        if status == 418:
            assert b"x-a: b\r\n" in head
            assert body == b"short and stout"
        await until(lambda: served.connections == 0)
        assert served.admission.sockets == 0


@pytest.mark.parametrize(
    ("afterwards", "logged"),
    [
        ({}, "did not adopt"),
        ({"type": "websocket.send", "text": "x"}, "RuntimeError at websocket_handshake.py"),
        ({"type": "websocket.close"}, "RuntimeError at websocket_handshake.py"),
    ],
    ids=["returns", "sends", "closes"],
)
async def test_app_that_accepts_must_adopt(
    afterwards: dict[str, Any], logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def plain(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        if afterwards:
            await send(afterwards)

    async with serving(plain) as served, raw_socket(served) as raw:
        assert await raw.close_code() == 4202
        await raw.send(close_frame(4202))
        await until(lambda: served.connections == 0 and served.admission.sockets == 0)
    assert logged in caplog.text


async def test_app_that_answers_late_hears_that_it_is_over() -> None:
    heard: list[Any] = []

    async def late(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        heard.append(await receive())
        heard.append(await receive())
        try:
            await send({"type": "websocket.accept"})
        except OSError as gone:
            heard.append(type(gone))
            raise

    async with serving(late, limits=QUICK) as served, raw_client(served.port) as raw:
        await raw.send(upgrade_head())
        await until(lambda: len(heard) == 3)
        assert heard[1:] == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}, PeerGone]
        await until(lambda: served.admission.sockets == 0 and not served.server.server_state.tasks)


async def test_upgrade_that_is_none_is_refused_by_the_protocol() -> None:
    async with adopted_app() as (app, served):
        for headers, status in (({"Sec-WebSocket-Version": "12"}, 400), ({"Sec-WebSocket-Key": "short"}, 400)):
            async with raw_client(served.port) as raw:
                assert (await raw.upgrade(headers=headers)).startswith(f"HTTP/1.1 {status} ".encode())
                await raw.read_all()
        await until(lambda: served.connections == 0)
        assert app.guests == []
        assert served.admission.sockets == 0


async def test_what_comes_before_the_handshake_is_answered_waits() -> None:
    async def late(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.sleep(0.2)
        await send({"type": "websocket.accept"})
        wire = scope["extensions"][EXTENSION]
        wire.adopt(Guest(wire, echo))

    async with serving(late) as served, raw_client(served.port) as raw:
        await raw.send(b"")
        upgrade = asyncio.create_task(raw.upgrade())
        await asyncio.sleep(0.1)
        await raw.send(client_frame(9, b"early") + client_frame(1, b"hello"))
        assert (await upgrade).startswith(b"HTTP/1.1 101 ")
        assert await raw.frame() == (10, b"early")
        assert await raw.frame() == (TEXT, b"hello")


# ------------------------------------------------------------------------------------------------ admission


async def test_counts_return_to_nothing_whatever_happens() -> None:
    async with adopted_app(limits=Limits(connections_per_worker=50)) as (_, served):
        for _ in range(3):
            sockets = [await client.connect(served.url, open_timeout=None) for _ in range(20)]
            assert (served.admission.sockets, served.admission.tcp) == (20, 20)
            for socket in sockets[:10]:
                await socket.close()
            for socket in sockets[10:]:
                socket.transport.abort()
            await until(lambda: served.admission.sockets == 0 and served.admission.tcp == 0)
    assert served.admission.refused == 0


async def test_draining_worker_lets_nobody_in() -> None:
    async with adopted_app() as (_, served):
        served.admission.start_drain()
        async with raw_client(served.port) as raw:
            head = await raw.upgrade()
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 2\r\n" in head.lower()
            assert b'"code":"draining"' in await raw.read_all()


async def test_stopping_server_leaves_adopted_connections_to_the_drain() -> None:
    admission, drained = Admission(Limits()), []
    admission.on_drain(lambda: drained.append(True))
    app = AdoptedApp(echo)
    async with (
        serving(app, admission=admission) as served,
        client.connect(served.url) as socket,
        client.connect(served.url) as other,
    ):
        served.stop()
        await until(lambda: bool(drained))
        await socket.send("still served")
        assert await socket.recv() == "still served"
        for guest in app.guests:
            guest.wire.close(1012)
        await socket.wait_closed()
        await other.wait_closed()
        assert socket.close_code == other.close_code == 1012
    assert drained == [True]


async def test_stopping_server_closes_by_itself_where_nobody_drains() -> None:
    async with adopted_app() as (app, served), client.connect(served.url) as socket:
        served.stop()
        await socket.wait_closed()
        assert socket.close_code == 1012
        await until(lambda: app.guest.endings == 1)
