"""The outgoing half of one socket, as delivery sees it. `edge/` implements it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Wire(Protocol):
    """Writes ready-made WebSocket frames. No method waits, blocks or raises, also after the socket is gone."""

    def write(self, frames: bytes) -> int:
        """Hand over one or more whole, unmasked server frames. They go to the socket now, or wait in its buffer.

        Return what `buffered` returns then, or 0 if that is no more than `limits.outbox_bytes`.
        """
        ...

    def buffered(self) -> int:
        """Return the bytes handed over that the operating system has not taken yet."""
        ...

    def when_drained(self, callback: Callable[[], None] | None) -> None:
        """Call `callback` once, soon after the buffer has fallen below the low-water mark. None cancels it."""
        ...

    def watch_closely(self, is_on: bool) -> None:
        """Set whether the peer is pinged after a few seconds of silence, instead of seldom."""
        ...

    def unanswered(self) -> float:
        """Return for how many seconds the peer has owed an answer to a ping. 0.0 if it was not pinged, or has
        answered."""
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame; abort the socket if the peer has not answered within some seconds."""
        ...

    def abort(self) -> None:
        """Drop the socket now, with whatever waits in it."""
        ...
