"""What the sockets of one worker share: limits, the timer wheel, parsers, counters, and whether the worker is stopping.

uvicorn builds its protocol classes itself and gives them the lifespan's state, so the server's lifespan puts the
Admission into it: `yield {STATE_KEY: admission}`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.limits import Limits
from chatserver.domain.sources import WIDENING, Source
from chatserver.edge.timer_wheel import TimerWheel
from chatserver.edge.websocket_frames import FrameParsers

STATE_KEY: Final = "chatserver.admission"
"""Where uvicorn's protocol classes find the Admission in the lifespan's state."""

RETRY_FULL_SECONDS: Final = 10.0
RETRY_DRAINING_SECONDS: Final = 2.0
_TICK_SECONDS: Final = 0.05
"""Resolution of the timer wheel in seconds. All items due in one tick run together, and everything else waits."""
_SPARE_SOCKETS: Final = 256
"""TCP connections allowed beyond the WebSockets: for pages, probes, and clients that are told to come back later."""


class Admission:
    """Decides whether one worker accepts another connection. Metrics and tests read the counters."""

    __slots__ = (
        "_drains", "_peers", "_source", "is_draining", "limits", "parsers", "refused", "sockets", "tcp", "went_silent",
        "wheel",
    )  # fmt: skip

    def __init__(self, limits: Limits, source: Callable[[str], Source | None] = lambda address: None) -> None:
        """`source` returns the source of an address, or None if it is not counted: a proxy's, or a local socket."""
        self._source = source
        self._peers: dict[bytes, int] = {}
        self.limits = limits
        self.parsers = FrameParsers(limits.frame_bytes)
        shortest = min(limits.header_seconds, limits.hello_seconds, limits.ping_seconds, limits.pong_seconds)
        self.wheel = TimerWheel(min(_TICK_SECONDS, shortest / 4))
        self.is_draining = False
        self.sockets = 0
        """Open WebSockets, from the accepted upgrade to the end of the TCP connection."""
        self.tcp = 0
        """Open TCP connections, upgraded ones included."""
        self.refused = 0
        """Upgrades and connections that were turned away."""
        self.went_silent = 0
        """Sockets dropped because nothing was heard from them."""
        self._drains: list[Callable[[], None]] = []

    @classmethod
    def of(cls, app_state: dict[str, Any]) -> Admission:
        """Return the Admission in a lifespan's state. If another app put none there, add one with default limits."""
        admission = app_state.get(STATE_KEY)
        if admission is None:
            admission = app_state[STATE_KEY] = cls(Limits())
        assert isinstance(admission, cls)
        return admission

    def check(self) -> None:
        """Raise Refusal BUSY or DRAINING if one more WebSocket may not be opened."""
        if self.is_draining:
            self.refused += 1
            raise Refusal(Reason.DRAINING, retry_after=RETRY_DRAINING_SECONDS)
        if self.sockets >= self.limits.connections_per_worker:
            self.refused += 1
            raise Refusal(Reason.BUSY, retry_after=RETRY_FULL_SECONDS)

    def has_tcp_room(self) -> bool:
        """Return whether one more TCP connection gets any answer at all."""
        return self.tcp < self.limits.connections_per_worker + _SPARE_SOCKETS

    def enter_peer(self, address: str | None) -> tuple[bytes, ...] | None:
        """Count one more TCP connection that is not (yet) a WebSocket. Return the keys for `leave_peer`, empty if it is
        not counted; None if its address, or a network around it, has as many connections as it may."""
        source = self._source(address) if address else None
        if source is None:
            return ()
        keys, most = source.prefixes.today, self.limits.tcp_per_address * source.share
        if any(self._peers.get(key, 0) >= most * scale for key, scale in zip(keys, WIDENING, strict=False)):
            return None
        for key in keys:
            self._peers[key] = self._peers.get(key, 0) + 1
        return keys

    def leave_peer(self, keys: tuple[bytes, ...]) -> None:
        """Count one such connection less. `keys` is what `enter_peer` returned."""
        for key in keys:
            self._peers[key] -= 1
            if not self._peers[key]:
                del self._peers[key]

    def on_drain(self, drain: Callable[[], None]) -> None:
        """Register a function that closes the sockets in time when the worker is told to stop. It is called at most
        once."""
        self._drains.append(drain)

    def start_drain(self) -> bool:
        """Stop accepting connections. Return whether a registered drain closes those that are open."""
        if not self.is_draining:
            self.is_draining = True
            for drain in self._drains:
                drain()
        return bool(self._drains)
