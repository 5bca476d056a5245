"""The outgoing half of one socket, as delivery sees it. `edge/` implements it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Wire(Protocol):
    """Writes ready-made WebSocket frames. No method waits, blocks or raises, also after the socket is gone."""

    def write(self, frames: bytes) -> None:
        """Hand over one or more whole, unmasked server frames. They go to the socket now, or wait in its buffer."""
        ...

    def buffered(self) -> int:
        """Bytes handed over that the operating system has not taken yet."""
        ...

    def when_drained(self, callback: Callable[[], None] | None) -> None:
        """Call once, soon after the buffer has fallen below the low-water mark. None takes the wish back."""
        ...

    def watch_closely(self, is_on: bool) -> None:
        """Whether the peer is asked if it is there after a few seconds of silence, rather than seldom."""
        ...

    def unanswered(self) -> float:
        """For how many seconds the peer owes a sign that it is there. 0.0 where it was not asked, or has given one."""
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame; abort the socket if the peer has not answered within some seconds."""
        ...

    def abort(self) -> None:
        """Drop the socket now, with whatever waits in it."""
        ...
