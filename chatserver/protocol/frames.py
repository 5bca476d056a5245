"""Server-to-client WebSocket frames, built once and shared (RFC 6455, section 5.2: unmasked, one frame a message)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

TEXT: Final = 0x1
BINARY: Final = 0x2
_FIN: Final = 0x80


def frame(opcode: int, payload: bytes) -> bytes:
    """Return one whole frame, header and payload."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN | opcode, size)) + payload
    if size < 65_536:
        return bytes((_FIN | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_FIN | opcode, 127)) + size.to_bytes(8, "big") + payload


def split(frames: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the opcode and payload of each frame that `frame` built, for a transport that frames by itself."""
    at = 0
    while at < len(frames):
        opcode, size, start = frames[at] & 0x0F, frames[at + 1], at + 2
        if size == 126:
            size, start = int.from_bytes(frames[start : start + 2], "big"), start + 2
        elif size == 127:
            size, start = int.from_bytes(frames[start : start + 8], "big"), start + 8
        yield opcode, frames[start : start + size]
        at = start + size
