"""Reads from the store what the bus did not bring: holes, publications before the ring, and what others have seen
already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from chatserver.bus.contract import Bus
from chatserver.delivery.channel import Channel
from chatserver.delivery.channel_stream import ChannelStream
from chatserver.delivery.tasks import Tasks
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Head, Offset
from chatserver.domain.limits import Limits
from chatserver.domain.rooms.rooms import Publication
from chatserver.metrics import Metrics
from chatserver.store.records import StoreUnavailable
from chatserver.store.store import Store

HOLE_PATIENCE: Final = 0.03
"""Seconds for which a missing publication may still be on its way before the store is read."""
RETRY_SECONDS: Final = 0.25
"""Seconds between two attempts at a store that is away."""
READ_LIMIT: Final = 500
"""Publications in one read."""
BELIEF_SECONDS: Final = 600.0
"""Seconds after a start for which a client that returns from beyond a log's end is believed."""
_ANY_OFFSET: Final = Offset(2**62)


class GapRepair:
    """Reads the log for channels that miss something, never twice at once for the same channel.

    `show` is called with the publications that may be shown now, in order; `begin_anew` with a channel whose stream can
    never be complete again.
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
        self._began_at = float("-inf")
        self._believed: set[ChannelName] = set()
        """Channels in which a client that returned from beyond the log's end was believed, whether they are still
        followed or not."""

    def begin(self) -> None:
        """Note that this worker starts to serve."""
        self._began_at = asyncio.get_running_loop().time()

    def heal(self, channel: Channel) -> None:
        """Close the hole in a channel soon."""
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
                        # The channel was removed; its members are told of that separately.
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
                        # What is missing has expired in the meantime: nobody can get it any more.
                        self._begin_anew(channel, found.head)
                    else:
                        # Announced, but not there: the store was restored. The tick will say so.
                        line.target = line.last
                    return
        finally:
            channel.healing = None

    async def reach(self, channel: Channel, line: ChannelStream, offset: Offset) -> None:
        """Read up to an offset that somebody has seen elsewhere before it came to this worker. If it does not exist, a
        backup may have been restored; then the channel begins anew."""
        while channel.line is line and line.last < offset:
            asked = line.last
            self._metrics.store_reads.labels("reach").inc()
            found = await self._store.read(channel.name, asked, READ_LIMIT)
            if channel.line is not line or found.head.epoch != line.epoch:
                return
            if found.head.last < offset:
                if self._is_believed(channel) and await self._renew_now(channel, line, offset):
                    self._believed.add(channel.name)
                return
            self._show(channel, line.accept(found.publications))
            if line.last == asked:
                return

    def _is_believed(self, channel: Channel) -> bool:
        """Return whether one returning client's position is enough to begin a channel anew. Everybody in the channel is
        then told of a gap, and anybody can claim a position: so it is believed once, and only soon after a start, when
        clients return to what was restored."""
        is_new = asyncio.get_running_loop().time() - self._began_at < BELIEF_SECONDS
        return is_new and channel.name not in self._believed

    def renew(self, channel: Channel) -> None:
        """Begin a channel anew, also for clients that return later, because the store is older than what was shown."""
        line = channel.line
        if channel.renewing is None and line is not None:
            channel.renewing = asyncio.create_task(self._keep_renewing(channel, line), name=f"renew {channel.name}")
            self._tasks.watch(channel.renewing)

    async def _keep_renewing(self, channel: Channel, line: ChannelStream) -> None:
        try:
            while channel.line is line:
                try:
                    await self._renew_now(channel, line, _ANY_OFFSET)
                    return
                except StoreUnavailable:
                    self._metrics.store_failures.inc()
                except Refusal as refusal:
                    if refusal.reason is Reason.ROOM_UNKNOWN:
                        return
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            channel.renewing = None

    async def _renew_now(self, channel: Channel, line: ChannelStream, below: Offset) -> bool:
        """Return whether the channel has another numbering now. Raises Refusal or StoreUnavailable."""
        head = await self._store.renew_epoch(channel.name, line.epoch, below)
        if head.epoch == line.epoch:
            return False
        if channel.line is line:
            self._begin_anew(channel, head)
        return True

    async def backfilled(self, channel: Channel, line: ChannelStream) -> None:
        """Read what lies before the ring, once for all clients that reconnect at the same moment."""
        if channel.backfill is None:
            channel.backfill = asyncio.create_task(self._backfill(channel, line), name=f"backfill {channel.name}")
            self._tasks.keep(channel.backfill)
        await asyncio.shield(channel.backfill)

    async def _backfill(self, channel: Channel, line: ChannelStream) -> None:
        try:
            start = Offset(max(line.first - 1, line.last - self._limits.recovery_publications, 0))
            self._metrics.store_reads.labels("recover").inc()
            found = await self._store.read(channel.name, start, int(line.ring_start - 1 - start))
            if found.head.epoch == line.epoch:
                line.expire(found.head.first)
                line.extend_back(found.publications)
        finally:
            channel.backfill = None
