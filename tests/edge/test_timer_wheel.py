"""The timer wheel."""

from __future__ import annotations

import asyncio

from chatserver.edge import timer_wheel
from chatserver.edge.timer_wheel import TimerWheel
from tests.edge.serving import until


class Item:
    def __init__(self, wheel: TimerWheel, again: float | None = None) -> None:
        self.tick = 0
        self.at: list[float] = []
        self._wheel = wheel
        self._again = again

    def due(self) -> None:
        self.at.append(asyncio.get_running_loop().time())
        if self._again is not None:
            self._wheel.schedule(self, self._again)


async def test_item_is_due_once_never_early_and_at_most_a_tick_late() -> None:
    wheel, now = TimerWheel(0.02), asyncio.get_running_loop().time
    items = [Item(wheel) for _ in range(10)]
    begun = now()
    for number, item in enumerate(items):
        wheel.schedule(item, number * 0.01)
    await until(lambda: all(item.at for item in items))
    for number, item in enumerate(items):
        assert number * 0.01 <= item.at[0] - begun + 0.001
        assert item.at[0] - begun < number * 0.01 + 0.12
    assert all(len(item.at) == 1 and item.tick == 0 for item in items)


async def test_scheduling_again_replaces_and_cancelling_ends_the_wait() -> None:
    wheel = TimerWheel(0.01)
    moved, cancelled, kept = Item(wheel), Item(wheel), Item(wheel)
    wheel.schedule(moved, 0.01)
    wheel.schedule(moved, 0.2)
    wheel.schedule(cancelled, 0.01)
    wheel.cancel(cancelled)
    wheel.cancel(cancelled)
    wheel.schedule(kept, 0.05)
    await until(lambda: bool(kept.at))
    assert not moved.at
    assert not cancelled.at
    await until(lambda: bool(moved.at))


async def test_sooner_wait_is_not_held_up_by_a_later_one() -> None:
    wheel = TimerWheel(0.01)
    late, soon = Item(wheel), Item(wheel)
    wheel.schedule(late, 60)
    wheel.schedule(soon, 0.01)
    await until(lambda: bool(soon.at), 1)
    wheel.cancel(late)


async def test_item_may_schedule_itself_again() -> None:
    wheel = TimerWheel(0.01)
    item = Item(wheel, again=0.01)
    wheel.schedule(item, 0.01)
    await until(lambda: len(item.at) >= 5)
    wheel.cancel(item)


async def test_crowd_is_served_over_several_turns_of_the_loop() -> None:
    wheel, loop = TimerWheel(0.01), asyncio.get_running_loop()
    crowd = [Item(wheel) for _ in range(timer_wheel._PER_TURN * 5)]
    for item in crowd:
        wheel.schedule(item, 0.01)
    turns = 0

    def count() -> None:
        nonlocal turns
        turns += 1
        if any(item.at for item in crowd) and not all(item.at for item in crowd):
            partly.append(turns)
        loop.call_soon(count) if not all(item.at for item in crowd) else None

    partly: list[int] = []
    loop.call_soon(count)
    await until(lambda: all(len(item.at) == 1 for item in crowd))
    assert len(partly) >= 3
