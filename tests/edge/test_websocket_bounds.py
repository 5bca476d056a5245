"""What strangers may send over a WebSocket, and how much of it is kept."""

from __future__ import annotations

import asyncio
import time

import pytest
from websockets.asyncio import client

from chatserver.domain.limits import Limits
from chatserver.edge import websocket_protocol
from chatserver.protocol.frames import BINARY, TEXT, frame
from tests.edge.adopting import Guest, adopted_app, ignore
from tests.edge.serving import (
    client_frame,
    close_frame,
    raw_client,
    raw_socket,
    until,
)

# ----------------------------------------------------------------------------------------- bounds on reading


async def test_queue_is_bounded_and_nothing_is_lost() -> None:
    release = asyncio.Event()

    async def slow(guest: Guest, data: str | bytes) -> None:
        await release.wait()

    async with adopted_app(slow, limits=Limits(commands_in_flight=4)) as (app, served), raw_socket(served) as raw:
        messages = [f"{number}:".encode() + b"x" * 1_000 for number in range(4_000)]
        sending = asyncio.create_task(raw.send(b"".join(client_frame(1, message) for message in messages)))
        # From here on what comes stays in the kernel, which may take megabytes or hold the sender back.
        await until(lambda: bool(app.guests and app.guest.wire._is_read_paused))
        wire = app.guest.wire
        assert len(wire._pending or ()) <= 4 + websocket_protocol._SLICE // 1_000
        assert len(wire._held) <= 256 * 1024
        release.set()
        await sending
        await until(lambda: len(app.guest.seen) == len(messages))
        assert app.guest.seen == [message.decode() for message in messages]


async def test_pings_are_answered_while_commands_wait() -> None:
    release = asyncio.Event()

    async def slow(guest: Guest, data: str | bytes) -> None:
        await release.wait()

    async with adopted_app(slow) as (_, served), raw_socket(served) as raw:
        await raw.send(client_frame(1, b"x") * 5 + client_frame(9, b"there?"))
        assert await raw.frame() == (10, b"there?")
        release.set()


async def test_bytes_in_the_queue_are_bounded_too() -> None:
    release = asyncio.Event()

    async def slow(guest: Guest, data: str | bytes) -> None:
        await release.wait()

    limits = Limits(commands_in_flight=1_000, frame_bytes=1_000)
    async with adopted_app(slow, limits=limits) as (app, served), raw_socket(served) as raw:
        await raw.send(client_frame(1, b"x" * 900) * 100)
        await until(lambda: bool(app.guests and app.guest.wire._is_read_paused))
        assert app.guest.wire._pending_bytes <= 4 * 1_000 + websocket_protocol._SLICE
        release.set()
        await until(lambda: len(app.guest.seen) == 100)


async def test_flood_of_tiny_frames_leaves_the_others_their_turn() -> None:
    async with (
        adopted_app(limits=Limits(commands_in_flight=100_000)) as (_, served),
        client.connect(served.url) as other,
        raw_socket(served) as raw,
    ):
        sending = asyncio.create_task(raw.send(client_frame(1, b"x") * 60_000))
        reading = asyncio.create_task(raw.read_all())
        slowest = 0.0
        for number in range(20):
            started = time.monotonic()
            await other.send(str(number))
            assert await other.recv() == str(number)
            slowest = max(slowest, time.monotonic() - started)
        assert slowest < 0.5
        sending.cancel()
        reading.cancel()


# -------------------------------------------------------------------------------------- strangers' frames


async def test_fragments_make_one_message() -> None:
    async with adopted_app() as (_, served), raw_socket(served) as raw:
        pieces = "Grüße 🌿".encode()
        await raw.send(client_frame(1, pieces[:3], fin=False))
        await raw.send(client_frame(9, b"between"))
        await raw.send(client_frame(0, pieces[3:9], fin=False) + client_frame(0, b"", fin=False))
        await raw.send(client_frame(0, pieces[9:]))
        assert await raw.frame() == (10, b"between")
        assert await raw.frame() == (TEXT, pieces)


async def test_a_peer_may_leave_in_the_middle_of_a_fragmented_message() -> None:
    async with adopted_app() as (_, served), raw_socket(served) as raw:
        await raw.send(client_frame(1, b"half", fin=False) + close_frame(1000, "bye"))
        assert await raw.close_code() == 1000


BAD: list[tuple[str, bytes, int]] = [
    ("reserved bit", client_frame(1, b"x", reserved=0x20), 1002),
    ("unknown opcode", client_frame(3, b"x"), 1002),
    ("unmasked", frame(TEXT, b"x"), 1002),
    ("fragmented ping", client_frame(9, b"x", fin=False), 1002),
    ("long ping", client_frame(9, b"x" * 126), 1002),
    ("continuation of nothing", client_frame(0, b"x"), 1002),
    ("message inside a message", client_frame(1, b"x", fin=False) + client_frame(1, b"y"), 1002),
    ("close of one byte", client_frame(8, b"\x03"), 1002),
    ("close with a code nobody may send", close_frame(1005), 1002),
    ("close with a reason that is no text", client_frame(8, b"\x03\xe8\xff"), 1007),
    ("text that is none", client_frame(1, b"\xff\xfe"), 1007),
    ("text that ends in the middle of a character", client_frame(1, "é".encode()[:1]), 1007),
    ("surrogate", client_frame(1, b"\xed\xa0\x80"), 1007),
    ("bad text in pieces", client_frame(1, b"\xc3", fin=False) + client_frame(0, b"\x28"), 1007),
    ("too large", client_frame(1, b"x" * 2_001), 1009),
    ("announced as too large", b"\x81\xff" + (2**40).to_bytes(8, "big"), 1009),
    ("too large in pieces", client_frame(1, b"x" * 1_500, fin=False) + client_frame(0, b"x" * 501), 1009),
    ("too many fragments", client_frame(1, b"x", fin=False) + client_frame(0, b"", fin=False) * 2_000, 1009),
]


@pytest.mark.parametrize(("what", "data", "code"), BAD, ids=[what for what, _, _ in BAD])
async def test_bad_frame_is_answered_with_its_code(
    what: str, data: bytes, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with adopted_app(limits=Limits(frame_bytes=2_000)) as (app, served), raw_socket(served) as raw:
        await raw.send(data)
        assert await raw.close_code() == code
        raw.close()
        await until(lambda: served.connections == 0)
        assert app.guest.seen == []
        assert app.guest.endings == 1
    assert not caplog.records


async def test_message_as_large_as_the_limit_passes() -> None:
    async with adopted_app(limits=Limits(frame_bytes=2_000)) as (_, served), raw_socket(served) as raw:
        await raw.send(client_frame(1, b"x" * 2_000))
        assert await raw.frame() == (TEXT, b"x" * 2_000)
        await raw.send(client_frame(1, b"x" * 1_000, fin=False) + client_frame(0, b"x" * 1_000))
        assert await raw.frame() == (TEXT, b"x" * 2_000)


async def test_what_follows_a_received_close_is_ignored() -> None:
    async with adopted_app() as (app, served), raw_socket(served) as raw:
        await raw.send(close_frame(1000, "bye") + client_frame(1, b"late") + b"\xff" * 1_000)
        assert await raw.frame() == (8, b"\x03\xe8bye")
        await raw.read_all()
        await until(lambda: app.guest.endings == 1)
        assert app.guest.seen == []


async def test_peer_that_hangs_up_without_a_word_is_let_go() -> None:
    async with adopted_app() as (app, served):
        async with raw_socket(served) as raw:
            raw.reset()
            await until(lambda: app.guest.endings == 1)
        async with raw_socket(served):
            pass
        await until(lambda: app.guest.endings == 1 and served.connections == 0)


async def test_flood_of_pings_is_cut_off() -> None:
    async with adopted_app() as (app, served), raw_socket(served) as raw:
        await raw.send(client_frame(9, b"x") * 1_000)
        assert await raw.close_code() == 4201
        await until(lambda: app.guest.endings == 1)


async def test_pongs_do_not_pile_up_for_a_peer_that_reads_nothing() -> None:
    async with adopted_app(ignore) as (app, served), raw_socket(served, receive_buffer=4_096) as raw:
        while app.guest.wire.buffered() < 200_000:
            app.guest.wire.write(frame(BINARY, bytes(100_000)))
            await asyncio.sleep(0)
        before = app.guest.wire.buffered()
        await raw.send(client_frame(9, b"x" * 125) * 60)
        await asyncio.sleep(0.1)
        assert app.guest.wire.buffered() <= before


async def test_extension_offers_are_declined() -> None:
    async with adopted_app() as (_, served), raw_client(served.port) as raw:
        head = await raw.upgrade(headers={"Sec-WebSocket-Extensions": "permessage-deflate"})
        assert b"sec-websocket-extensions" not in head.lower()
