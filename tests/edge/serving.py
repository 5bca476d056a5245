"""Real uvicorn servers inside the test's own event loop, and clients that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import uvicorn

from chatserver.domain.limits import Limits
from chatserver.edge.admission import STATE_KEY, Admission
from chatserver.edge.websocket_handshake import EXTENSION
from chatserver.edge.websocket_protocol import ChatWebSocketProtocol
from chatserver.protocol.frames import BINARY, TEXT, frame

STOCK: Final = "uvicorn.protocols.websockets.websockets_sansio_impl:WebSocketsSansIOProtocol"
OURS: Final = "chatserver.edge.websocket_protocol:ChatWebSocketProtocol"
STOCK_HTTP: Final = "uvicorn.protocols.http.httptools_impl:HttpToolsProtocol"
OURS_HTTP: Final = "chatserver.edge.http_protocol:ChatHttpProtocol"
PATIENCE: Final = 20.0

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


async def until(condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
    """Wait for a condition; fail where it does not come true in time."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in code that knows nothing of tests
            await asyncio.sleep(0.005)


Say = Callable[[str | bytes], Awaitable[None]]
"""Sends one message to the client."""
Respond = Callable[[Say, str | bytes], Awaitable[None]]
"""What an app does with one message."""


class Adopter:
    """The receiver of one adopted connection."""

    def __init__(self, wire: ChatWebSocketProtocol, respond: Respond) -> None:
        self._wire = wire
        self._respond = respond

    async def receive(self, data: str | bytes) -> None:
        await self._respond(self._say, data)

    def closed(self) -> None:
        """There is nothing to put away."""

    async def _say(self, data: str | bytes) -> None:
        self._wire.write(frame(TEXT, data.encode()) if isinstance(data, str) else frame(BINARY, data))


async def ignore(say: Say, data: str | bytes) -> None:
    """Do nothing with a message."""


async def repeat(say: Say, data: str | bytes) -> None:
    """Say a message back."""
    await say(data)


async def accept(
    scope: dict[str, Any], receive: Receive, send: Send, respond: Respond = ignore
) -> ChatWebSocketProtocol | None:
    """Accept the upgrade, and adopt the connection where it is ours. None on uvicorn's own protocol."""
    await receive()
    await send({"type": "websocket.accept"})
    wire: ChatWebSocketProtocol | None = scope["extensions"].get(EXTENSION)
    if wire is not None:
        wire.adopt(Adopter(wire, respond))
    return wire


def responding(respond: Respond) -> App:
    """An app that does this with each message, on our protocol and on uvicorn's own."""

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        async def say(data: str | bytes) -> None:
            await send({"type": "websocket.send", "text" if isinstance(data, str) else "bytes": data})

        if await accept(scope, receive, send, respond) is None:
            while (message := await receive())["type"] == "websocket.receive":
                await respond(say, message["text"] if message.get("text") is not None else message["bytes"])

    return app


@dataclass
class Served:
    """A server that runs."""

    server: uvicorn.Server
    admission: Admission
    port: int
    stopping: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """What uvicorn does at SIGTERM."""
        self.stopping = asyncio.create_task(self.server.shutdown())

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)


def with_admission(app: App, admission: Admission) -> App:
    """The app with a lifespan that hands the Admission to uvicorn's protocol classes, as the real server's does."""

    async def wrapped(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        await receive()
        scope["state"][STATE_KEY] = admission
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    return wrapped


@contextlib.asynccontextmanager
async def serving(
    app: App,
    *,
    ws: str = OURS,
    http: str = OURS_HTTP,
    limits: Limits | None = None,
    admission: Admission | None = None,
    has_own_lifespan: bool = False,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> AsyncIterator[Served]:
    """Serve `app` on a free port. `options` go to uvicorn's Config.

    uvicorn's own main loop and shutdown sleep for tenths of a second; only tests that stop the server wait for them.
    """
    if not has_own_lifespan:
        app = with_admission(app, admission or Admission(limits or Limits()))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listener.setblocking(False)
    config = uvicorn.Config(
        app,
        ws=ws,
        http=http,
        lifespan="on",
        ws_per_message_deflate=False,
        log_level="critical",
        access_log=False,
        **options,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    served = Served(server, Admission.of(server.lifespan.state), listener.getsockname()[1])
    try:
        yield served
    finally:
        if served.stopping is None:
            for listening in server.servers:
                listening.close()
            for connection in [*server.server_state.connections]:
                connection.transport.abort()
            await until(lambda: served.connections == 0)
            for task in [*server.server_state.tasks]:
                task.cancel()
            await until(lambda: not server.server_state.tasks)
            await server.lifespan.shutdown()
        else:
            await asyncio.wait_for(served.stopping, 20)
        listener.close()


class RawClient:
    """A TCP client that does what it is told, right or wrong."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._loop = asyncio.get_running_loop()
        self.buffer = b""

    @classmethod
    async def connect(cls, port: int, *, receive_buffer: int | None = None) -> RawClient:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return cls(sock)

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self.sock, data)

    async def read(self, size: int = 65_536, timeout: float = PATIENCE) -> bytes:
        """What arrives next; empty at the end of the stream or after a reset."""
        try:
            return await asyncio.wait_for(self._loop.sock_recv(self.sock, size), timeout)
        except ConnectionResetError:
            return b""

    async def read_until(self, mark: bytes, timeout: float = PATIENCE) -> bytes:
        """Everything up to and including `mark`."""
        async with asyncio.timeout(timeout):
            while mark not in self.buffer:
                data = await self.read()
                if not data:
                    raise EOFError(self.buffer)
                self.buffer += data
        head, self.buffer = (
            self.buffer[: self.buffer.index(mark) + len(mark)],
            self.buffer[self.buffer.index(mark) + len(mark) :],
        )
        return head

    async def read_all(self, timeout: float = PATIENCE) -> bytes:
        """Everything until the server closes."""
        async with asyncio.timeout(timeout):
            while data := await self.read(timeout=timeout):
                self.buffer += data
        rest, self.buffer = self.buffer, b""
        return rest

    async def frame(self, timeout: float = PATIENCE) -> tuple[int, bytes]:
        """The next frame's opcode and payload. Raises EOFError at the end."""
        async with asyncio.timeout(timeout):
            while (taken := _take_frame(self.buffer)) is None:
                data = await self.read(timeout=timeout)
                if not data:
                    raise EOFError(self.buffer)
                self.buffer += data
        opcode, payload, self.buffer = taken
        return opcode, payload

    async def close_code(self, timeout: float = PATIENCE) -> int | None:
        """Read on until a close frame; its code, or None where there was none."""
        try:
            while True:
                opcode, payload = await self.frame(timeout)
                if opcode == 8:
                    return int.from_bytes(payload[:2], "big") if payload else 1005
        except EOFError:
            return None

    async def upgrade(self, *, path: str = "/ws", headers: dict[str, str] | None = None) -> bytes:
        """Ask for a WebSocket; the head of the answer."""
        await self.send(upgrade_head(path, headers))
        return await self.read_until(b"\r\n\r\n")

    def reset(self) -> None:
        """Vanish with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()


@contextlib.asynccontextmanager
async def raw_client(port: int, *, receive_buffer: int | None = None) -> AsyncIterator[RawClient]:
    client = await RawClient.connect(port, receive_buffer=receive_buffer)
    try:
        yield client
    finally:
        client.close()


@contextlib.asynccontextmanager
async def raw_socket(served: Served, *, receive_buffer: int | None = None, **headers: str) -> AsyncIterator[RawClient]:
    """A raw client whose upgrade was accepted."""
    async with raw_client(served.port, receive_buffer=receive_buffer) as client:
        head = await client.upgrade(headers={name.replace("_", "-"): value for name, value in headers.items()})
        assert head.startswith(b"HTTP/1.1 101"), head
        yield client


def upgrade_head(path: str = "/ws", headers: dict[str, str] | None = None) -> bytes:
    lines = {
        "Host": "127.0.0.1",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **(headers or {}),
    }
    return f"GET {path} HTTP/1.1\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in lines.items()).encode() + b"\r\n"


def client_frame(opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0) -> bytes:
    """A masked frame, as clients send them."""
    mask = os.urandom(4)
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 65_536:
        length = bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((0x80 | 127,)) + size.to_bytes(8, "big")
    key = (mask * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
    return bytes(((0x80 if fin else 0) | reserved | opcode,)) + length + mask + masked


def close_frame(code: int, reason: str = "") -> bytes:
    return client_frame(8, code.to_bytes(2, "big") + reason.encode())


def _take_frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    if len(data) < 2:
        return None
    opcode, size, start = data[0] & 15, data[1] & 127, 2
    if size == 126:
        size, start = int.from_bytes(data[2:4], "big"), 4
    elif size == 127:
        size, start = int.from_bytes(data[2:10], "big"), 10
    if len(data) < start or len(data) < start + size:
        return None
    return opcode, data[start : start + size], data[start + size :]
