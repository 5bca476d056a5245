"""When pending frames are written: at once in a channel that was idle, later in one that was just written to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from chatserver.delivery.channel import Channel, write_pending
from chatserver.delivery.outbox import Outbox
from chatserver.metrics import Metrics

REST_SECONDS: Final = 0.020
"""Seconds for which a channel may rest after a flush. It rests twice as long as the flush took, so that posts share
writes where writing takes long. Other channels do not wait for it."""
_TIMER_SECONDS: Final = 0.001
"""The loop's timers count milliseconds: a shorter rest would only become longer."""


class Flushes:
    """Channels with pending frames, and the next flush. Belongs to one event loop."""

    def __init__(self, bound: int, metrics: Metrics, fall_behind: Callable[[Outbox], None]) -> None:
        """`fall_behind` is called with each connection for which more than `bound` bytes wait, when nothing is pending
        for it."""
        self._bound = bound
        self._metrics = metrics
        self._fall_behind = fall_behind
        self._pending: set[Channel] = set()
        self._next: asyncio.Handle | None = None
        self._next_at = 0.0
        """When the next flush is due, on the monotonic clock; 0.0 for as soon as possible."""

    def add(self, channel: Channel) -> None:
        """Note that frames are pending in a channel. They are written in this turn of the loop, or when the channel has
        rested."""
        self._pending.add(channel)
        self._arm(channel.rests_until)

    def discard(self, channel: Channel) -> None:
        """Forget a channel, with what is pending in it."""
        self._pending.discard(channel)

    def flush(self) -> None:
        """Write everything that is pending, also in channels that rest: one write per connection and channel."""
        self._end(self._write([*self._pending]))

    def _flush_rested(self) -> None:
        """Write what is pending in the channels that have rested, and come back for the others."""
        self._next = None
        soon = time.monotonic() + _TIMER_SECONDS
        slow = self._write([channel for channel in self._pending if channel.rests_until <= soon])
        if slow:
            # Whoever falls behind must have got what is pending in all their channels.
            slow += self._write([*self._pending])
        self._end(slow)

    def _end(self, slow: Iterable[Outbox]) -> None:
        if self._pending:
            self._arm(min(channel.rests_until for channel in self._pending))
        elif self._next is not None:
            self._next.cancel()
            self._next = None
        for outbox in slow:
            self._fall_behind(outbox)

    def _write(self, channels: Iterable[Channel]) -> list[Outbox]:
        """Write what is pending in these channels. Return the connections that are slow."""
        slow: list[Outbox] = []
        for channel in channels:
            self._pending.discard(channel)
            started = time.monotonic()
            slow += write_pending(channel, self._bound, self._metrics)
            ended = time.monotonic()
            took = ended - started
            channel.rests_until = ended + min(2 * took, REST_SECONDS) if took >= _TIMER_SECONDS else 0.0
        return slow

    def _arm(self, at: float) -> None:
        """Flush at this time, on the monotonic clock, unless that is done earlier anyway."""
        if self._next is not None:
            if self._next_at <= at:
                return
            self._next.cancel()
        loop, wait = asyncio.get_running_loop(), at - time.monotonic()
        if wait <= 0:
            self._next_at = 0.0
            self._next = loop.call_soon(self._flush_rested)
        else:
            self._next_at = at
            self._next = loop.call_later(wait, self._flush_rested)
