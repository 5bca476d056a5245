"""Takes the server's ready-made frames apart again."""

from __future__ import annotations

from collections.abc import Iterator


def split(frames: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the opcode and payload of each frame that `frame` built."""
    at = 0
    while at < len(frames):
        opcode, size, start = frames[at] & 0x0F, frames[at + 1], at + 2
        if size == 126:
            size, start = int.from_bytes(frames[start : start + 2], "big"), start + 2
        elif size == 127:
            size, start = int.from_bytes(frames[start : start + 8], "big"), start + 8
        yield opcode, frames[start : start + size]
        at = start + size
