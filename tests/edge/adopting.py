"""An app that adopts every connection, and what it does with each message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from chatserver.domain.limits import Limits
from chatserver.edge.websocket_handshake import EXTENSION
from chatserver.edge.websocket_protocol import ChatWebSocketProtocol
from chatserver.protocol.frames import BINARY, TEXT, frame
from tests.edge.serving import (
    Receive,
    Send,
    Served,
    serving,
)

QUICK = Limits(ping_seconds=0.2, pong_seconds=0.2, header_seconds=0.4, hello_seconds=0.4)


class Guest:
    """Somebody behind an adopted connection. `respond` is what happens to each message."""

    def __init__(self, wire: ChatWebSocketProtocol, respond: Callable[[Guest, str | bytes], Awaitable[None]]) -> None:
        self.wire = wire
        self.seen: list[str | bytes] = []
        self.endings = 0
        self.is_busy = False
        self._respond = respond

    async def receive(self, data: str | bytes) -> None:
        assert not self.is_busy, "one message at a time"
        assert not self.endings, "nothing after the end"
        self.is_busy = True
        try:
            self.seen.append(data)
            await self._respond(self, data)
        finally:
            self.is_busy = False

    def closed(self) -> None:
        assert not self.is_busy
        self.endings += 1


class AdoptedApp:
    """An app that adopts every connection."""

    def __init__(self, respond: Callable[[Guest, str | bytes], Awaitable[None]]) -> None:
        self.guests: list[Guest] = []
        self._respond = respond

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        wire = scope["extensions"][EXTENSION]
        guest = Guest(wire, self._respond)
        self.guests.append(guest)
        wire.adopt(guest)

    @property
    def guest(self) -> Guest:
        return self.guests[-1]


async def echo(guest: Guest, data: str | bytes) -> None:
    opcode, payload = (TEXT, data.encode()) if isinstance(data, str) else (BINARY, data)
    guest.wire.write(frame(opcode, payload))


async def ignore(guest: Guest, data: str | bytes) -> None:
    pass


@asynccontextmanager
async def adopted_app(
    respond: Callable[[Guest, str | bytes], Awaitable[None]] = echo, **options: Any
) -> AsyncIterator[tuple[AdoptedApp, Served]]:
    app = AdoptedApp(respond)
    async with serving(app, **options) as served:
        yield app, served
