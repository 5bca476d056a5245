"""Raw WebSocket frames and the upgrade, as far as the load and the relays use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
"""The one Sec-WebSocket-Key that the load sends, to which the relays know the answer (RFC 6455, section 1.3)."""
ACCEPT: Final = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
ACCEPTED: Final = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
).encode()
TEXT: Final = 0x81
CLOSE: Final = 0x88
PING: Final = 0x89
_PING: Final = re.compile(rb"\x89[\x00-\x0f]")
"""The first two bytes of a ping. They occur nowhere else in frames of ASCII JSON shorter than 35,000 bytes."""


class TornFrame(Exception):
    """The bytes are not a sequence of WebSocket frames."""


def upgrade(path: str, port: int, subprotocol: str | None = None) -> bytes:
    """Return the request that opens a WebSocket."""
    offer = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol is not None else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    ).encode()


def client_frame(payload: bytes) -> bytes:
    """Return one text frame from a client. Its mask is zero: the server has the same work, and the load has none."""
    size = len(payload)
    if size < 126:
        return bytes((TEXT, 0x80 | size, 0, 0, 0, 0)) + payload
    return bytes((TEXT, 0xFE)) + size.to_bytes(2, "big") + b"\0\0\0\0" + payload


LINE_PING: Final = b"{}"
"""How Centrifugo asks whether a client is there, as a message, and how that answers."""
LINE_PONG: Final = client_frame(LINE_PING)


def server_frame(payload: bytes) -> bytes:
    """Return one text frame from a server."""
    size = len(payload)
    if size < 126:
        return bytes((TEXT, size)) + payload
    return bytes((TEXT, 126)) + size.to_bytes(2, "big") + payload


def pong(payload: bytes) -> bytes:
    """Return a client's answer to a ping."""
    return bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload


def without_pings(data: bytes) -> tuple[bytes, list[bytes], int]:
    """Remove the pings from a part of a server's stream, cut anywhere. Return the rest, the payloads of the pings, and
    how many bytes at the end may be the beginning of another ping; those are not in the rest."""
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

    `at` is where the next frame begins. `rest()` returns the bytes that are not a whole frame yet.
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
