"""What the sockets of one worker share: limits, the timer wheel, their number, and whether the worker is leaving.

uvicorn builds its protocol classes itself and hands them the lifespan's state, so the server's lifespan puts the
Admission there: `yield {STATE_KEY: admission}`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.limits import Limits
from chatserver.domain.sources import WIDENING, Source
from chatserver.edge.timer_wheel import TimerWheel

STATE_KEY: Final = "chatserver.admission"
"""Where uvicorn's protocol classes find the Admission in the lifespan's state."""

RETRY_FULL_SECONDS: Final = 10.0
RETRY_DRAINING_SECONDS: Final = 2.0
_TICK_SECONDS: Final = 0.05
"""How fine the wheel turns: what is due together is done together, and everybody else waits for it."""
_SPARE_SOCKETS: Final = 256
"""TCP connections beyond the WebSockets: pages, probes, and those that must be told to come back later."""


class Admission:
    """Says who may still connect to one worker. The counters are plain numbers, for metrics and tests."""

    __slots__ = (
        "_drains", "_peers", "_source", "is_draining", "limits", "refused", "sockets", "tcp", "went_silent", "wheel",
    )  # fmt: skip

    def __init__(self, limits: Limits, source: Callable[[str], Source | None] = lambda address: None) -> None:
        """`source` says where an address belongs, None where it is not to be counted: a proxy's, or a local socket."""
        self._source = source
        self._peers: dict[bytes, int] = {}
        self.limits = limits
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
        """The Admission in a lifespan's state; one with default limits where a foreign app put none there."""
        admission = app_state.get(STATE_KEY)
        if admission is None:
            admission = app_state[STATE_KEY] = cls(Limits())
        assert isinstance(admission, cls)
        return admission

    def check(self) -> None:
        """Raise the Refusal (BUSY or DRAINING) that keeps one more WebSocket out, if there is one."""
        if self.is_draining:
            self.refused += 1
            raise Refusal(Reason.DRAINING, retry_after=RETRY_DRAINING_SECONDS)
        if self.sockets >= self.limits.connections_per_worker:
            self.refused += 1
            raise Refusal(Reason.BUSY, retry_after=RETRY_FULL_SECONDS)

    def has_tcp_room(self) -> bool:
        """Whether one more TCP connection is worth an answer at all."""
        return self.tcp < self.limits.connections_per_worker + _SPARE_SOCKETS

    def enter_peer(self, address: str | None) -> tuple[bytes, ...] | None:
        """Count one more TCP connection that is no WebSocket (yet). Return the keys to let it go with (`leave_peer`);
        none where nobody counts it, and None where its address, or a network around it, has as many as it may."""
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
        """One of them less."""
        for key in keys:
            self._peers[key] -= 1
            if not self._peers[key]:
                del self._peers[key]

    def on_drain(self, drain: Callable[[], None]) -> None:
        """Register what happens when the worker is told to stop: closing the sockets, in good time. Called at most
        once."""
        self._drains.append(drain)

    def start_drain(self) -> bool:
        """Stop letting anybody in. Returns whether somebody takes care of closing those who are here."""
        if not self.is_draining:
            self.is_draining = True
            for drain in self._drains:
                drain()
        return bool(self._drains)
