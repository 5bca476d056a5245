"""A server that says everything back, through the transport that the chat is served with. For tests alone.

It answers as the chat does, with ready-made frames from a connection that it adopted. uvicorn is set up as for a
worker; only the app and some limits are others. With `stock` the connections are those of uvicorn's own protocol, which
knows nothing of adopting: there it answers through ASGI's `receive` and `send`.

python -m tests.autobahn.echo PORT LARGEST_MESSAGE [stock]
"""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Any, cast

import msgspec
from uvicorn import Server

from chatserver.config import load
from chatserver.domain.limits import Limits
from chatserver.edge.admission import STATE_KEY, Admission
from chatserver.edge.websocket_handshake import EXTENSION
from chatserver.edge.websocket_protocol import ChatWebSocketProtocol
from chatserver.protocol.frames import BINARY, TEXT, frame
from chatserver.serving import uvicorn_config
from tests.kit.ports import HOST

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from chatserver.delivery.wire import Wire

STOCK = "websockets-sansio"


class Parrot:
    """The receiver of one adopted connection."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def receive(self, data: str | bytes) -> None:
        self._wire.write(frame(TEXT, data.encode()) if isinstance(data, str) else frame(BINARY, data))

    def closed(self) -> None:
        """There is nothing to put away."""


class EchoApp:
    """The ASGI app."""

    def __init__(self, limits: Limits) -> None:
        self._admission = Admission(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "http":
            await receive()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await receive()
            await send({"type": "websocket.accept"})
            wire = cast("ChatWebSocketProtocol | None", scope["extensions"].get(EXTENSION))
            if wire is not None:
                wire.adopt(Parrot(wire))
            else:
                await self._say_back(receive, send)

    async def _say_back(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        cast("dict[str, Any]", scope["state"])[STATE_KEY] = self._admission
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


def main() -> None:
    port, largest = int(sys.argv[1]), int(sys.argv[2])
    settings = load()
    limits = msgspec.structs.replace(Limits(), frame_bytes=largest)
    config = uvicorn_config(settings)
    config.app, config.factory = cast("Any", EchoApp(limits)), False
    if sys.argv[3:] == ["stock"]:
        config.ws, config.ws_max_size, config.ws_per_message_deflate = STOCK, largest, False
        config.ws_ping_interval = config.ws_ping_timeout = None
    with socket.create_server((HOST, port), backlog=128) as listener:
        Server(config).run([listener])


if __name__ == "__main__":
    main()
