"""All time-outs of a worker's sockets, on one timer.

A timer for each connection would cost memory, and two heap operations whenever bytes arrive. Here each item is in the
set of one tick, which is looked at when the tick comes; to postpone an item moves it to another set.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

_PER_TURN: Final = 64
"""How many items are handled in one turn of the event loop, so that many due at once do not stall other work."""


class Timed(Protocol):
    """Something that waits for a time-out. `tick` belongs to the wheel: 0 while the item waits for nothing. The item
    MUST NOT define equality."""

    tick: int

    def due(self) -> None:
        """Handle the time-out. MUST NOT block or raise; MAY schedule the item again."""
        ...


class TimerWheel:
    """Calls items after some seconds, never early and at most one tick late. Has no timer while nothing waits."""

    __slots__ = ("_bound", "_loop", "_slots", "_timer", "resolution")

    def __init__(self, resolution: float = 1.0) -> None:
        self.resolution = resolution
        self._slots: dict[int, set[Timed]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None
        self._bound = 0

    def schedule(self, item: Timed, seconds: float) -> None:
        """Call `item.due()` after `seconds`, rounded up to the next tick. Replaces an earlier schedule of the item."""
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        if item.tick:
            self.cancel(item)
        tick = int((loop.time() + seconds) / self.resolution) + 1
        item.tick = tick
        slot = self._slots.get(tick)
        if slot is None:
            slot = self._slots[tick] = set()
            if self._timer is None or tick < self._bound:
                self._arm(loop, tick)
        slot.add(item)

    def cancel(self, item: Timed) -> None:
        """Cancel the item's time-out, if it has one."""
        if item.tick:
            slot = self._slots.get(item.tick)
            item.tick = 0
            if slot is not None:
                slot.discard(item)

    def _arm(self, loop: asyncio.AbstractEventLoop, tick: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._bound = tick
        self._timer = loop.call_at(tick * self.resolution, self._turn)

    def _turn(self) -> None:
        loop = self._loop
        assert loop is not None
        self._timer = None
        now = int(loop.time() / self.resolution + 0.001)
        left = _PER_TURN
        for tick in sorted(tick for tick in self._slots if tick <= now):
            slot = self._slots[tick]
            while slot and left:
                item = slot.pop()
                item.tick = 0
                left -= 1
                item.due()
            if not slot:
                del self._slots[tick]
        if left == 0 and any(tick <= now for tick in self._slots):
            if self._timer is not None:
                self._timer.cancel()
            self._bound = now
            self._timer = loop.call_soon(self._turn)
        elif self._slots:
            self._arm(loop, min(self._slots))
