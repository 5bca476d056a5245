"""Server-to-client WebSocket frames, built once and shared (RFC 6455, section 5.2: unmasked, one frame a message)."""

from __future__ import annotations

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
