"""What the bus did not bring comes from the store: holes, what was before the ring, what others have seen already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from chatserver.bus.contract import Bus
from chatserver.delivery.channel import Channel
from chatserver.delivery.line import Line
from chatserver.delivery.tasks import Tasks
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Head, Offset
from chatserver.domain.limits import Limits
from chatserver.domain.rooms import Publication
from chatserver.metrics import Metrics
from chatserver.store.contract import Store, StoreUnavailable

HOLE_PATIENCE: Final = 0.03
"""How long a missing publication may still be on its way before the store is asked."""
RETRY_SECONDS: Final = 0.25
"""Between two questions to a store that is away."""
READ_LIMIT: Final = 500
"""Publications in one read."""


class Healing:
    """Reads the log for channels that miss something; never twice at once for the same.

    `show` is given what may be shown now, in order; `begin_anew` a channel whose line can never be whole again.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        limits: Limits,
        metrics: Metrics,
        tasks: Tasks,
        *,
        show: Callable[[Channel, Sequence[Publication]], None],
        begin_anew: Callable[[Channel, Head], None],
    ) -> None:
        self._store = store
        self._bus = bus
        self._limits = limits
        self._metrics = metrics
        self._tasks = tasks
        self._show = show
        self._begin_anew = begin_anew

    def heal(self, channel: Channel) -> None:
        """There is a hole: close it soon."""
        if channel.healing is None:
            channel.healing = asyncio.create_task(self._heal_now(channel), name=f"heal {channel.name}")
            self._tasks.watch(channel.healing)

    async def _heal_now(self, channel: Channel) -> None:
        try:
            if self._bus.is_attached:
                await asyncio.sleep(HOLE_PATIENCE)
            while (line := channel.line) is not None and line.has_hole:
                asked = line.last
                try:
                    self._metrics.store_reads.labels("heal").inc()
                    found = await self._store.read(channel.name, asked, READ_LIMIT)
                except StoreUnavailable:
                    self._metrics.store_failures.inc()
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                except Refusal as refusal:
                    if refusal.reason is Reason.ROOM_UNKNOWN:
                        # The channel was removed; those who are in it hear of that by another road.
                        return
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                if channel.line is not line or found.head.epoch != line.epoch:
                    return
                before = line.last
                self._show(channel, line.accept(found.publications))
                why = "hole" if self._bus.is_attached else "bus_away"
                self._metrics.healed.labels(why).inc(line.last - before)
                if line.last == asked:
                    if found.head.last > asked:
                        # What is missing has expired in the meantime: nobody can have it any more.
                        self._begin_anew(channel, found.head)
                    else:
                        # Announced, but not there: the store was restored. The tick will say so.
                        line.target = line.last
                    return
        finally:
            channel.healing = None

    async def reach(self, channel: Channel, line: Line, offset: Offset) -> None:
        """Somebody has seen more elsewhere than has come to this worker yet: read up to there, if it is true."""
        while channel.line is line and line.last < offset:
            asked = line.last
            self._metrics.store_reads.labels("reach").inc()
            found = await self._store.read(channel.name, asked, READ_LIMIT)
            if channel.line is not line or found.head.epoch != line.epoch or found.head.last < offset:
                return
            self._show(channel, line.accept(found.publications))
            if line.last == asked:
                return

    async def backfilled(self, channel: Channel, line: Line) -> None:
        """Read what lies before the ring, once for all who come back at the same moment."""
        if channel.backfill is None:
            channel.backfill = asyncio.create_task(self._backfill(channel, line), name=f"backfill {channel.name}")
            self._tasks.keep(channel.backfill)
        await asyncio.shield(channel.backfill)

    async def _backfill(self, channel: Channel, line: Line) -> None:
        try:
            start = Offset(max(line.first - 1, line.last - self._limits.recovery_publications, 0))
            self._metrics.store_reads.labels("recover").inc()
            found = await self._store.read(channel.name, start, int(line.ring_start - 1 - start))
            if found.head.epoch == line.epoch:
                line.expire(found.head.first)
                line.extend_back(found.publications)
        finally:
            channel.backfill = None
