"""All the time-outs of a worker's sockets, on one timer.

A timer pair per connection costs memory and two heap operations for each byte of life; here each item stands in one set
that is looked at when its tick comes, and a touched item is simply moved on.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

_PER_TURN: Final = 64
"""How many items one turn of the event loop looks at, so that a crowd that came together does not stall the others."""


class Timed(Protocol):
    """Something that waits. `tick` belongs to the wheel: 0 while the item waits for nothing. The item MUST NOT define
    equality."""

    tick: int

    def due(self) -> None:
        """The time has come. MUST NOT block or raise; MAY schedule itself again."""
        ...


class TimerWheel:
    """Waits of seconds, exact to one tick, never early. Idle (no timer at all) while nothing waits."""

    __slots__ = ("_bound", "_loop", "_slots", "_timer", "resolution")

    def __init__(self, resolution: float = 1.0) -> None:
        self.resolution = resolution
        self._slots: dict[int, set[Timed]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None
        self._bound = 0

    def schedule(self, item: Timed, seconds: float) -> None:
        """Call `item.due()` after `seconds`, rounded up to the next tick. Replaces what it waited for before."""
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
        """The item waits for nothing any more."""
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
