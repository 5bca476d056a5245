"""What strangers do to a server to keep it from serving others: slow, large, and far too much.

Each attack opens its connections at once, does what it says for as long as it is let, and notes how each one ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import repeat
from typing import Final

from chatserver.protocol.codec import Encoding
from tests.fuzz.frames import PING, TEXT, frame
from tests.fuzz.raw import Raw
from tests.kit.waiting import eventually

_DRIP: Final = 0.2
"""Seconds between two bytes of somebody slow."""
_HELLO: Final = '{"cmd":"hello","id":"h","guest":true}'
_PER_ADDRESS: Final = 10
"""Strangers who say hello behind one address: fewer than the guests that it may bring at once."""
_REQUESTS: Final = 60
"""On one connection."""


@dataclass(slots=True)
class Target:
    """Where the attack goes, for how long whoever is not ended by the server goes on, and how each of them ended.

    `sources` are the addresses that attackers come from; None lets them say in a header what a proxy would.
    """

    port: int
    patience: float
    """Seconds: the longest that anybody may be kept waiting for the end."""
    sources: Callable[[int], str] | None = None
    ends: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    """How long the last of those who were ended had held their connection, in seconds."""
    sent: int = 0
    """Bytes, or requests where those are what counts."""

    def local(self, number: int) -> tuple[str, int] | None:
        return None if self.sources is None else (self.sources(number), 0)

    def headers(self, number: int) -> str:
        return f"X-Forwarded-For: 203.0.{number // 250 % 250}.{number % 250}\r\n"

    def note(self, end: str, since: float) -> None:
        self.ends[end] += 1
        self.longest = max(self.longest, time.monotonic() - since)


Attack = Callable[[Target, int], Awaitable[None]]


class _Http:
    """One TCP connection, and what came back on it."""

    def __init__(self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._target = target
        self._reader = reader
        self._writer = writer
        self.since = time.monotonic()

    def say(self, data: bytes) -> None:
        self._target.sent += len(data)
        with contextlib.suppress(OSError):
            self._writer.write(data)

    async def drip(self, start: bytes, bytes_: Iterator[bytes]) -> None:
        """Say the start at once and then a byte at a time, until the server has had enough."""
        self.say(start)
        dripping = asyncio.create_task(self._drip(bytes_))
        try:
            await self.until_over()
        finally:
            dripping.cancel()

    async def until_over(self) -> None:
        """Read to the end, and note the status of the first answer, or that there was none."""
        head = b""
        try:
            async with asyncio.timeout(self._target.patience):
                while data := await self._reader.read(65_536):
                    head = (head + data)[:100]
        except TimeoutError:
            self._target.note("held", self.since)
            return
        except OSError:
            pass
        status = head[9:12].decode("ascii", "replace") if head.startswith(b"HTTP/1.") else "dropped"
        self._target.note(status, self.since)

    async def ask(self, request: bytes) -> str:
        """One request on a connection that is kept; the answer's status."""
        self.say(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if length:
            await self._reader.readexactly(int(length))
        return head[9:12].decode("ascii")

    async def _drip(self, bytes_: Iterator[bytes]) -> None:
        for each in bytes_:
            await asyncio.sleep(_DRIP)
            self.say(each)


@asynccontextmanager
async def _http(target: Target, number: int) -> AsyncIterator[_Http]:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, local_addr=target.local(number))
    try:
        yield _Http(target, reader, writer)
    finally:
        writer.transport.abort()


async def _all(peers: int, attack: Callable[[int], Awaitable[None]]) -> None:
    await asyncio.gather(*(attack(number) for number in range(peers)))


def _post(target: Target, number: int, path: str, more: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: chat\r\n{target.headers(number)}Content-Type: application/json\r\n{more}\r\n"
    ).encode()


# ----------------------------------------------------------------------------------------------------------- slow


async def silence(target: Target, peers: int) -> None:
    """Connections on which nobody says anything."""

    async def attack(number: int) -> None:
        async with _http(target, number) as http:
            await http.until_over()

    await _all(peers, attack)


async def slow_heads(target: Target, peers: int) -> None:
    """Requests whose head comes a byte at a time and has no end."""

    async def attack(number: int) -> None:
        async with _http(target, number) as http:
            await http.drip(b"GET / HTTP/1.1\r\nHost: chat\r\nX-Slow: ", repeat(b"x"))

    await _all(peers, attack)


async def slow_bodies(target: Target, peers: int) -> None:
    """Bodies that come a byte at a time."""

    async def attack(number: int) -> None:
        async with _http(target, number) as http:
            await http.drip(_post(target, number, "/api/identity/restore", "Content-Length: 4000\r\n"), repeat(b" "))

    await _all(peers, attack)


async def no_hello(target: Target, peers: int) -> None:
    """WebSockets on which nobody says hello."""

    async def attack(number: int) -> None:
        since = time.monotonic()
        async with _raw(target, number // _PER_ADDRESS) as raw:
            await _until_over(target, raw, since)

    await _all(peers, attack)


async def slow_frames(target: Target, peers: int) -> None:
    """Guests whose one message, as large as may be, comes a byte at a time. They are let stay, as on a bad network."""

    async def attack(number: int) -> None:
        since = time.monotonic()
        async with _raw(target, number // _PER_ADDRESS) as raw:
            raw.send(_HELLO)
            raw.say(frame(TEXT, b" " * 16_384)[:16_000])
            reading = asyncio.create_task(raw.until_over(target.patience + 1))
            while time.monotonic() - since < target.patience and not reading.done():
                raw.say(b" ")
                await asyncio.sleep(_DRIP)
            reading.cancel()
            target.sent += 16_000
            target.ends["held" if raw.close_code is None and not raw.is_over else f"closed {raw.close_code}"] += 1

    await _all(peers, attack)


# ---------------------------------------------------------------------------------------------------------- large


async def bombs(target: Target, peers: int) -> None:
    """What is small and wants to become large: compressed frames, compressed bodies, lengths that are claimed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(12_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)
    body = zlib.compress(bytes(3_500_000), 9)

    async def attack(number: int) -> None:
        since = time.monotonic()
        async with _raw(target, number // _PER_ADDRESS, "Sec-WebSocket-Extensions: permessage-deflate\r\n") as raw:
            raw.say(frame(TEXT, bomb, reserved=4))
            target.sent += len(bomb)
            await _until_over(target, raw, since)
        for more, data in (
            (f"Content-Encoding: deflate\r\nContent-Length: {len(body)}\r\n", body),
            ("Content-Length: 10000000000\r\n", b" " * 1_000),
            ("Transfer-Encoding: chunked\r\n", b"fffffff\r\n" + b" " * 8_000),
        ):
            async with _http(target, number) as http:
                http.say(_post(target, number, "/api/identity/restore", f"Connection: close\r\n{more}") + data)
                await http.until_over()

    await _all(peers, attack)


# ------------------------------------------------------------------------------------------------------- too much


async def commands(target: Target, peers: int) -> None:
    """Guests who send commands as fast as they can."""
    await _flood(target, peers, frame(TEXT, b'{"cmd":"ping","id":"p"}'))


async def pings(target: Target, peers: int) -> None:
    """Guests who send pings as fast as they can."""
    await _flood(target, peers, frame(PING, b"x" * 100))


async def connections(target: Target, peers: int) -> None:
    """One address that opens WebSockets without end, and keeps those that it gets."""

    async def attack(_: int) -> None:
        since = time.monotonic()
        async with _http(target, 0) as http:
            handshake = _HANDSHAKE + target.headers(0)
            status = await http.ask(f"{handshake}\r\n".encode())
            target.note(status, since)
            if status == "101":
                await hold.wait()

    hold = asyncio.Event()
    trying = [asyncio.create_task(attack(number)) for number in range(peers)]
    try:
        await eventually(lambda: target.ends.total() == peers, target.patience)
    finally:
        hold.set()
        await asyncio.gather(*trying, return_exceptions=True)


async def requests(target: Target, peers: int) -> None:
    """Addresses that ask for new identities as fast as they are answered, each twice as often as it may."""

    async def attack(number: int) -> None:
        async with _http(target, number) as http:
            request = _post(target, number, "/api/identity", "Content-Length: 0\r\n")
            for _ in range(_REQUESTS):
                target.ends[await http.ask(request)] += 1

    await _all(peers, attack)


async def files(target: Target, peers: int) -> None:
    """Addresses that ask for the page as fast as they are answered."""

    async def attack(number: int) -> None:
        async with _http(target, number) as http:
            request = f"GET / HTTP/1.1\r\nHost: chat\r\n{target.headers(number)}\r\n".encode()
            for _ in range(_REQUESTS):
                target.ends[await http.ask(request)] += 1

    await _all(peers, attack)


async def _flood(target: Target, peers: int, data: bytes) -> None:
    async def attack(number: int) -> None:
        since = time.monotonic()
        async with _raw(target, number // _PER_ADDRESS) as raw:
            raw.send(_HELLO)
            reading = asyncio.create_task(_until_over(target, raw, since))
            while not reading.done():
                raw.say(data * 50)
                target.sent += len(data) * 50
                await raw.drained()
            await reading

    await _all(peers, attack)


_HANDSHAKE: Final = (
    "GET /ws HTTP/1.1\r\nHost: chat\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat.v1.json\r\n"
)


def _raw(target: Target, number: int, more: str = "") -> Raw:
    return Raw(target.port, Encoding.JSON, headers=target.headers(number) + more, local=target.local(number))


async def _until_over(target: Target, raw: Raw, since: float) -> None:
    try:
        await raw.until_over(target.patience)
    except TimeoutError:
        target.note("held", since)
        return
    target.note("dropped" if raw.close_code is None else f"closed {raw.close_code}", since)
