"""Raw WebSocket frames and the upgrade, as far as the load and the relays need them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
"""The one Sec-WebSocket-Key that the load sends, and that the relays know the answer to (RFC 6455, section 1.3)."""
ACCEPT: Final = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
ACCEPTED: Final = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
).encode()
TEXT: Final = 0x81
CLOSE: Final = 0x88
PING: Final = 0x89
_PING: Final = re.compile(rb"\x89[\x00-\x0f]")
"""How a ping begins. Two bytes that stand nowhere else in frames of ASCII JSON shorter than 35,000 bytes."""


class TornFrame(Exception):
    """Not a sequence of WebSocket frames."""


def upgrade(path: str, port: int, subprotocol: str | None = None) -> bytes:
    """The request that opens a WebSocket."""
    offer = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol is not None else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    ).encode()


def client_frame(payload: bytes) -> bytes:
    """One text frame from a client. The mask is of zeros: the server's work is the same, and ours is none."""
    size = len(payload)
    if size < 126:
        return bytes((TEXT, 0x80 | size, 0, 0, 0, 0)) + payload
    return bytes((TEXT, 0xFE)) + size.to_bytes(2, "big") + b"\0\0\0\0" + payload


def server_frame(payload: bytes) -> bytes:
    """One text frame from a server."""
    size = len(payload)
    if size < 126:
        return bytes((TEXT, size)) + payload
    return bytes((TEXT, 126)) + size.to_bytes(2, "big") + payload


def pong(payload: bytes) -> bytes:
    """A client's answer to a ping."""
    return bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload


def without_pings(data: bytes) -> tuple[bytes, list[bytes], int]:
    """Bytes of a server's stream, cut anywhere, without the pings: the rest, the pings' payloads, and how many bytes
    at its end may be the beginning of one more, which the rest does not hold."""
    rest: list[bytes] = []
    payloads: list[bytes] = []
    at = 0
    while (found := _PING.search(data, at)) is not None:
        start = found.end()
        end = start + data[start - 1]
        rest.append(data[at : found.start()])
        if end > len(data):
            return b"".join(rest), payloads, len(data) - found.start()
        payloads.append(data[start:end])
        at = end
    torn = int(data.endswith(b"\x89", at))
    rest.append(data[at : len(data) - torn])
    return b"".join(rest), payloads, torn


class Incoming:
    """Iterates over the whole frames at the front of some bytes: first byte, payload (unmasked with a mask of zeros).

    `at` is where the next frame begins, and `rest()` what was not whole.
    """

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        data = self.data
        while len(data) - self.at >= 2:
            first, size, start = data[self.at], data[self.at + 1], self.at + 2
            if not first & 0x80 or first & 0x70:
                raise TornFrame(bytes(data[self.at : self.at + 16]))
            masked, size = size & 0x80, size & 0x7F
            if size == 126:
                size, start = int.from_bytes(data[start : start + 2], "big"), start + 2
            elif size == 127:
                size, start = int.from_bytes(data[start : start + 8], "big"), start + 8
            if masked:
                start += 4
            if start + size > len(data):
                return
            self.at = start + size
            yield first, data[start : start + size]

    def rest(self) -> bytes:
        return self.data[self.at :]
