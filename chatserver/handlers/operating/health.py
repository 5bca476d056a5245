"""Whether this worker may be sent new people, and whether all that it works with is there.

These are two questions. A worker without Redis, or without a store that takes writes, still has the page, the helplines
and what was written, so nobody may be kept from it. What is missing is told to those who run it.
"""

from __future__ import annotations

import logging
from typing import Final

from chatserver.domain.errors import Refusal
from chatserver.handlers.node import Node
from chatserver.protocol.internode import Canary, encode, node_topic
from chatserver.store.records import StoreUnavailable

CANARY_FRESH: Final = 3.0
"""Seconds within which a canary must have come back."""
STORE_FRESH: Final = 3.0
"""Seconds that a write may take until the store counts as one that takes none: it may be given longer to fail."""
_STORE_CHECK_EVERY: Final = 1.0

OK: Final = "ok"
_NO_WRITES: Final = "takes no writes"

log = logging.getLogger("chatserver.handlers")


class Health:
    """Says for `/readyz` whether people may be sent here, and proves the data path for `/statusz`. `HealthPart` sends
    the canary and hears it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._heard_at: float | None = None
        self._store_checked_at = float("-inf")
        self._is_checking = False
        self._store_state = OK
        self._round_trip = 0.0
        self.store_seconds: float | None = None
        """How long the last write took that was tried; None before one has worked."""

    def send_canary(self) -> None:
        """Send a canary over the bus. Call this once a second."""
        node = self._node
        node.bus.publish([(node_topic(node.id), encode(node.id, Canary(node.monotonic())))])

    def heard(self, canary: Canary) -> None:
        """Note that a canary of this worker came back."""
        now = self._node.monotonic()
        self._heard_at = now
        self._round_trip = now - canary.sent
        self._node.metrics.bus_lag_seconds.set(self._round_trip)

    @property
    def bus_seconds(self) -> float | None:
        """Return how long the last round trip through the bus took; None where none came back within `CANARY_FRESH`."""
        is_fresh = self._heard_at is not None and self._node.monotonic() - self._heard_at <= CANARY_FRESH
        return self._round_trip if is_fresh else None

    @property
    def takes_people(self) -> bool:
        """Return whether a balancer may send people to this worker. This waits for nothing, whatever is away."""
        return not self._node.is_draining

    async def check(self) -> dict[str, str]:
        """Return each check's name with "ok" or what is wrong. Costs at most one small write a second."""
        return {"draining": self._draining(), "bus": self._bus(), "store": await self._store()}

    def _draining(self) -> str:
        return "this worker is stopping" if self._node.is_draining else OK

    def _bus(self) -> str:
        now = self._node.monotonic()
        if self._heard_at is None:
            return "no canary has come back yet"
        age = now - self._heard_at
        return OK if age <= CANARY_FRESH else f"the last canary came back {age:.0f} s ago"

    async def _store(self) -> str:
        now = self._node.monotonic()
        if self._is_checking:
            # Somebody else's question waits for a write; meanwhile the last answer holds, but not for ever.
            return self._store_state if now - self._store_checked_at <= STORE_FRESH else _NO_WRITES
        if now - self._store_checked_at >= _STORE_CHECK_EVERY:
            self._store_checked_at = now
            self._is_checking = True
            try:
                await self._node.store.check_writable()
                self._store_state = OK
                self.store_seconds = self._node.monotonic() - now
            except (StoreUnavailable, Refusal) as trouble:
                # Strangers may ask; the cause, which may name hosts and files, is for the log.
                self._store_state = _NO_WRITES
                log.warning("store_not_writable", extra={"cause": str(trouble)})
            finally:
                self._is_checking = False
        return self._store_state
