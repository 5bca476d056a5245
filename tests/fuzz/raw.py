"""A bare TCP connection that may say anything, and understands the frames that come back."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import msgpack  # type: ignore[import-untyped]

from chatserver.protocol.codec import Encoding
from tests.fuzz.frames import BINARY, CLOSE, PONG, TEXT, frame

_PATIENCE: Final = 20.0
_HANDSHAKE: Final = (
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: {subprotocol}\r\n"
)


class Broken(Exception):
    """The server said what is no frame of a server, or no message of the protocol."""


@dataclass(slots=True)
class Raw:
    """One connection after its handshake. `answers` are the replies, `close_code` is None until a close frame came."""

    port: int
    encoding: Encoding = Encoding.JSON
    headers: str = ""
    """More lines for the handshake's head."""
    local: tuple[str, int] | None = None
    """The address to come from."""
    answers: list[dict[str, Any]] = field(default_factory=list)
    pongs: int = 0
    close_code: int | None = None
    is_over: bool = False
    """Nothing more comes."""
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=self.local)
        head = _HANDSHAKE.format(port=self.port, subprotocol=self.encoding.subprotocol)
        self._writer.write(f"{head}{self.headers}\r\n".encode())
        async with asyncio.timeout(_PATIENCE):
            answer = await self._reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 101 "):
            raise Broken(f"no handshake: {answer[:100]!r}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._writer is not None
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def say(self, data: bytes) -> None:
        """Bytes, as they are."""
        assert self._writer is not None
        with contextlib.suppress(OSError):
            self._writer.write(data)

    async def drained(self) -> None:
        """Wait until there is room for more, and let others have their turn."""
        assert self._writer is not None
        with contextlib.suppress(OSError):
            await self._writer.drain()
        await asyncio.sleep(0)

    def end(self) -> None:
        """Send nothing more."""
        assert self._writer is not None
        with contextlib.suppress(OSError):
            self._writer.write_eof()

    def send(self, payload: str | bytes) -> None:
        """One whole message."""
        is_text = isinstance(payload, str)
        self.say(frame(TEXT if is_text else BINARY, payload.encode() if isinstance(payload, str) else payload))

    async def until_answers(self, number: int) -> None:
        """Read until so many answers came in all, or the connection ended."""
        async with asyncio.timeout(_PATIENCE):
            while len(self.answers) < number and not self.is_over:
                await self._read_one()

    async def until_over(self, timeout: float = _PATIENCE) -> None:
        """Read until the server has ended the connection."""
        async with asyncio.timeout(timeout):
            while not self.is_over:
                await self._read_one()

    async def _read_one(self) -> None:
        assert self._reader is not None
        try:
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length >= 126:
                length = int.from_bytes(await self._reader.readexactly(2 if length == 126 else 8), "big")
            payload = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError):
            self.is_over = True
            return
        if second & 0x80 or not first & 0x80 or first & 0x70:
            raise Broken(f"a frame that begins with {first:#x} {second:#x}")
        self._take(first & 0x0F, payload)

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big") if payload else 1005
            self.is_over = True
        elif opcode == PONG:
            self.pongs += 1
        elif opcode == self.encoding.opcode:
            message = json.loads(payload) if opcode == TEXT else msgpack.unpackb(payload, strict_map_key=False)
            if "re" in message:
                self.answers.append(message)
            elif "push" not in message:
                raise Broken(f"a message of no kind: {sorted(message)}")
        else:
            raise Broken(f"a frame of opcode {opcode}")
