"""Local fan-out: sends a channel's publications, in order, to every connection of this worker that is in it.

The store orders, the bus only announces, and the hub decides by offsets: repeats are dropped, and a hole is filled from
the store before anything later is shown. One frame per publication and encoding is shared by all; pending frames are
joined into one write per connection and flush.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from chatserver.bus.contract import Bus
from chatserver.delivery.catchup import CatchUp
from chatserver.delivery.channel import Channel, Prepared
from chatserver.delivery.channel_stream import ChannelStream
from chatserver.delivery.flushes import Flushes
from chatserver.delivery.gap_repair import GapRepair
from chatserver.delivery.meter import Meter
from chatserver.delivery.outbox import Outbox
from chatserver.delivery.pushes import push_of
from chatserver.delivery.tasks import Tasks
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Head, Millis, Offset, Return, StreamPosition, assess_return
from chatserver.domain.identity import MemberId, NodeId
from chatserver.domain.limits import Limits
from chatserver.domain.rooms.aliases import Aliases
from chatserver.domain.rooms.rooms import Posted, Publication, Reacted, room_of
from chatserver.metrics import Metrics
from chatserver.protocol.codec import encode_frame
from chatserver.protocol.internode import Announced, encode
from chatserver.protocol.messages import AnyPush
from chatserver.protocol.rooms.messages import GapPush
from chatserver.store.records import StoreUnavailable
from chatserver.store.store import Store

TICK_SECONDS: Final = 1.0
"""Seconds between two comparisons of heads with the store, which find what the bus lost at the end of a channel."""
TICK_SECONDS_DETACHED: Final = 0.25
"""The same while the bus is away: other workers' publications then arrive only this way."""
FOLD_REACH: Final = 4
"""How many times `recovery_publications` a client may be behind and still get what it missed with reactions folded.
Beyond it the store is not read: reading a room's whole log for every client that claims an old position would keep
others from reading."""
LINGER_SECONDS: Final = 60.0
"""Seconds for which a channel is followed after its last connection here left, so that returning clients find its
ring."""

_NOBODY_APART: Final[Mapping[Outbox, AnyPush | None]] = MappingProxyType({})

log = logging.getLogger("chatserver.delivery")


class Hub:
    """All channels in which a connection of this worker is."""

    def __init__(
        self,
        node: NodeId,
        store: Store,
        bus: Bus,
        limits: Limits,
        metrics: Metrics,
        now: Callable[[], Millis],
        aliases: Aliases,
    ) -> None:
        self._node = node
        self._store = store
        self._bus = bus
        self._limits = limits
        self._metrics = metrics
        self._now = now
        self._aliases = aliases
        self._channels: dict[ChannelName, Channel] = {}
        self._flushes = Flushes(limits.outbox_bytes, metrics, self._fall_behind)
        self._tasks = Tasks()
        self._healing = GapRepair(
            store, bus, limits, metrics, self._tasks, show=self._show, begin_anew=self._begin_anew
        )
        self._catch_up = CatchUp(
            store, limits, metrics, self._tasks, aliases, opened=self._opened_by_name, go_live=self._live_again
        )
        self.meter = Meter()
        """Counts of what happens in the rooms here. The hub reports what was delivered, the handlers what was
        written."""
        self.on_caught_up: Callable[[Outbox, ChannelName], None] = lambda outbox, channel: None
        """Called when a connection is live again in a channel, so that what is not a fact can be sent again."""

    # ------------------------------------------------------------------------------------------ life

    async def run(self) -> None:
        """Compare with the store for ever. Owned by the server; ends when cancelled."""
        self._healing.begin()
        while True:
            await asyncio.sleep(TICK_SECONDS if self._bus.is_attached else TICK_SECONDS_DETACHED)
            try:
                await self._tick()
            except (StoreUnavailable, Refusal):
                # The store is away, or has too much to do.
                self._metrics.store_failures.inc()
            except Exception:
                # Repairs must go on, whatever went wrong with one channel.
                log.exception("tick_failed")

    async def close(self) -> None:
        """End every task. Connections have been closed before."""
        self.flush()
        await self._tasks.close()

    # ------------------------------------------------------------------------------------------ in

    def announce(self, publications: Sequence[Publication]) -> None:
        """Show committed publications to the connections here at once, and announce them to other workers over the
        bus, if there may be any."""
        for publication in publications:
            self.take(publication)
        if not self._bus.is_alone:
            self._bus.publish([(p.channel, encode(self._node, Announced(p))) for p in publications])

    def take(self, publication: Publication) -> None:
        """Take one committed publication, from any source, in any order, any number of times."""
        channel = self._channels.get(publication.channel)
        if channel is None:
            return
        if channel.line is None:
            channel.held.append(publication)
        elif publication.epoch == channel.line.epoch:
            if channel.line.contradicts(publication):
                self._healing.renew(channel)
                return
            self._show(channel, channel.line.accept((publication,)))
            if channel.line.has_hole:
                self._healing.heal(channel)
        # Another epoch means that the numbering began anew; the next tick finds it in the store and tells the clients.

    def tell(self, name: ChannelName, push: AnyPush, apart: Mapping[Outbox, AnyPush | None] = _NOBODY_APART) -> None:
        """Write something that is not a fact to all connections that keep up in a channel. Nobody waits for it, and a
        later one replaces it.

        Connections in `apart` that keep up get the push given there instead, in the same place, or nothing for None.
        """
        channel = self._channels.get(name)
        if channel is None:
            return
        slow: list[Outbox] = []
        for outbox, other in apart.items():
            if (before := channel.aside(outbox)) is not None:
                data = before if other is None else before + encode_frame(outbox.encoding, other)
                if outbox.tell(name, data) > self._limits.outbox_bytes:
                    slow.append(outbox)
        for encoding, frames in channel.pending.items():
            if channel.is_heard(encoding):
                frames.append(encode_frame(encoding, push))
                self._flushes.add(channel)
        if slow:
            # What is pending for them in other channels too: they are replayed what follows it.
            self.flush()
            for outbox in slow:
                self._fall_behind(outbox)

    def tell_one(self, outbox: Outbox, name: ChannelName, push: AnyPush) -> None:
        """Write something that is not a fact to one connection, after everything it has to get of a channel before:
        now, or after the reply that is due."""
        channel = self._channels.get(name)
        before = None if channel is None else channel.overtake(outbox)
        outbox.tell(name, (before or b"") + encode_frame(outbox.encoding, push))

    def last_text_of(
        self, name: ChannelName, member: MemberId, since: Millis, most: int, chars: int, before: Offset | None = None
    ) -> str:
        """Return the end of a member's last post in a channel (before an offset, if one is given) in its present state,
        if it was written after `since` and is among the last `most` publications that this worker has heard of.
        Otherwise return an empty text."""
        channel = self._channels.get(name)
        if channel is None or channel.line is None:
            return ""
        return channel.line.last_text_of(member, since, most, chars, before)

    async def catch_up_with(
        self, outbox: Outbox, name: ChannelName, position: StreamPosition
    ) -> list[Publication] | None:
        """Bring a connection up to `position`, at which the store was read.

        Return the publications released in the channel after it, oldest first: by these the read is older than what
        this connection has got. Return None if memory does not reach back that far: read again. On return everything up
        to both has been written to the connection, if it keeps up; that stays true until the caller awaits. Raises
        StoreUnavailable.
        """
        channel = self._channels.get(name)
        line = None if channel is None else channel.line
        if channel is None or line is None or line.epoch != position.epoch:
            return []
        await self._healing.reach(channel, line, position.offset)
        later = line.since(position.offset) if channel.line is line else None
        if later is not None and (before := channel.overtake(outbox)):
            outbox.wire.write(before)
        return later

    # ------------------------------------------------------------------------------------------ joining

    async def prepare(self, name: ChannelName, since: StreamPosition | None, whom: MemberId | None = None) -> Prepared:
        """Follow a channel and find out what a connection of `whom` at `since` missed.

        The caller sends its reply and then calls `go_live`, or `give_up` if it cannot. Raises Refusal ROOM_UNKNOWN or
        StoreUnavailable, in which case there is nothing to give up.
        """
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = Channel(name)
        channel.tracked += 1
        try:
            line = await self._opened(channel)
            if since is None:
                return Prepared(history="page", position=line.position, missed=[])
            if since.epoch == line.epoch and since.offset > line.last:
                await self._healing.reach(channel, line, since.offset)
                line = await self._opened(channel)
            if assess_return(since, line.head) is not Return.EXACT:
                return self._prepared_gap(line)
            behind = line.last - since.offset
            if behind > self._limits.recovery_publications:
                if behind > FOLD_REACH * self._limits.recovery_publications or channel.is_folding or whom is None:
                    return self._prepared_gap(line)
                return await self._prepared_folded(channel, line, since.offset, whom)
            missed = line.since(since.offset)
            if missed is None:
                with line.kept():
                    await self._healing.backfilled(channel, line)
                    missed = line.since(since.offset) if channel.line is line else None
            if missed is None:
                return self._prepared_gap(line)
            self._metrics.recoveries.labels("exact").inc()
            return Prepared(history="exact", position=line.position, missed=missed)
        except BaseException:
            self.give_up(name)
            raise

    def go_live(self, outbox: Outbox, name: ChannelName, position: StreamPosition) -> None:
        """From `position` on, this connection gets everything of the channel. Its reply has been written."""
        channel = self._channels[name]
        line = channel.line
        assert line is not None, "prepare comes first"
        if name in outbox.channels:
            # It is in the channel already. What is pending for it is in its reply, or follows below.
            channel.let_out(outbox)
            self._release(channel)
        outbox.enter(channel.name)
        channel.idle_since = None
        if line.epoch != position.epoch or line.last < position.offset:
            # The numbering began anew between the reply and now.
            position = line.position
            outbox.send(GapPush(channel=name, position=position))
        later = line.since(position.offset)
        if outbox.behind or later is None:
            outbox.behind[name] = position.offset
            self._catch_up.start(outbox)
            return
        if later:
            outbox.send_all(push_of(publication, self._aliases) for publication in later)
        channel.let_in(outbox)

    def give_up(self, name: ChannelName) -> None:
        """Undo a prepared join that did not happen."""
        channel = self._channels.get(name)
        if channel is not None:
            self._release(channel)

    def leave(self, outbox: Outbox, name: ChannelName) -> None:
        """Take a connection out of the channel. No-op if it is not in it."""
        if name not in outbox.channels:
            return
        outbox.leave(name)
        channel = self._channels[name]
        channel.let_out(outbox)
        self._release(channel)

    def closed(self, outbox: Outbox) -> None:
        """Forget everything about a connection whose socket is gone."""
        self._catch_up.stop(outbox)
        for name in outbox.channels:
            self.leave(outbox, name)

    # ------------------------------------------------------------------------------------------ forgetting

    def forget(self, member: MemberId) -> None:
        """Drop everything that names an erased member, so that nothing of them is replayed from memory."""
        for channel in self._channels.values():
            if channel.line is not None:
                channel.line.forget(member)

    def expire(self, heads: dict[ChannelName, Head]) -> None:
        """Drop the beginnings of these channels, which the store no longer keeps."""
        for name, head in heads.items():
            channel = self._channels.get(name)
            if channel is not None and channel.line is not None and channel.line.epoch == head.epoch:
                channel.line.expire(head.first)

    @property
    def channels(self) -> int:
        """Return how many channels are followed."""
        return len(self._channels)

    def behind(self) -> dict[ChannelName, tuple[int, int]]:
        """Return, for each channel with slow connections, their number and the bytes that wait for them."""
        return self._catch_up.behind()

    def measure(self) -> None:
        """Set the gauges that are sums over slow connections."""
        behind = self._catch_up.outboxes
        self._metrics.behind.set(len(behind))
        self._metrics.outbox_bytes.set(sum(outbox.waiting() for outbox in behind))

    # ------------------------------------------------------------------------------------------ out

    def flush(self) -> None:
        """Write everything that is pending: one write per connection and channel."""
        self._flushes.flush()

    def _show(self, channel: Channel, publications: Iterable[Publication]) -> None:
        for publication in publications:
            push = push_of(publication, self._aliases)
            for encoding, frames in channel.pending.items():
                if channel.is_heard(encoding):
                    frames.append(encode_frame(encoding, push))
                    self._flushes.add(channel)
            if isinstance(publication.event, Posted):
                took = max(0, self._now() - publication.at)
                self._metrics.delivery_seconds.observe(took / 1000)
                self.meter.delivered(room_of(channel.name), took, time.monotonic())

    # ------------------------------------------------------------------------------------------ opening

    async def _opened(self, channel: Channel) -> ChannelStream:
        if channel.line is not None:
            return channel.line
        if channel.opening is None:
            channel.opening = asyncio.create_task(self._open(channel), name=f"open {channel.name}")
            self._tasks.keep(channel.opening)
        # Shielded: a caller that leaves while it opens must not end it for the others.
        return await asyncio.shield(channel.opening)

    async def _opened_by_name(self, name: ChannelName) -> tuple[Channel, ChannelStream]:
        channel = self._channels[name]
        return channel, await self._opened(channel)

    async def _open(self, channel: Channel) -> ChannelStream:
        try:
            # Subscribe first, then read: what is committed in between comes over the bus, or the next tick finds it.
            await self._bus.subscribe([channel.name])
            self._metrics.store_reads.labels("open").inc()
            head = (await self._store.heads([channel.name])).get(channel.name)
            if head is None:
                raise Refusal(Reason.ROOM_UNKNOWN)
            line = channel.line = ChannelStream(head, self._limits.ring_publications)
            self._show(channel, line.accept(p for p in channel.held if p.epoch == line.epoch))
            channel.held.clear()
            if line.has_hole:
                self._healing.heal(channel)
            return line
        finally:
            channel.opening = None

    def _release(self, channel: Channel) -> None:
        channel.tracked -= 1
        if channel.tracked > 0:
            return
        if channel.line is None:
            self._forget(channel)
        else:
            channel.idle_since = asyncio.get_running_loop().time()

    def _forget(self, channel: Channel) -> None:
        if self._channels.get(channel.name) is channel:
            del self._channels[channel.name]
            self._flushes.discard(channel)
            for task in (channel.healing, channel.backfill, channel.renewing):
                if task is not None:
                    task.cancel()
            self._tasks.start(self._bus.unsubscribe([channel.name]), f"unsubscribe {channel.name}")

    async def _prepared_folded(self, channel: Channel, line: ChannelStream, offset: Offset, whom: MemberId) -> Prepared:
        """Prepare a join after more facts than are replayed: without reactions that later ones replace they may fit.
        One such read of a channel runs at a time; other callers meanwhile get a gap."""
        most = self._limits.recovery_publications
        self._metrics.store_reads.labels("fold").inc()
        channel.is_folding = True
        try:
            found = await self._store.read_folded(channel.name, offset, 2 * most + 1, whom, FOLD_REACH * most)
        finally:
            channel.is_folding = False
        told = found.publications
        others = sum(not isinstance(each.event, Reacted) for each in told)
        is_whole = channel.line is line and found.head.epoch == line.epoch and offset + 1 >= found.head.first
        if not is_whole or others > most or len(told) > 2 * most:
            return self._prepared_gap(line)
        self._metrics.recoveries.labels("folded").inc()
        # What came after the stream's end follows live, and with it what it replaced.
        missed = [each for each in told if each.offset <= line.last]
        position = StreamPosition(line.epoch, missed[-1].offset if missed else offset)
        return Prepared(history="exact", position=position, missed=missed, is_folded=True)

    def _prepared_gap(self, line: ChannelStream) -> Prepared:
        self._metrics.recoveries.labels("gap").inc()
        return Prepared(history="gap", position=line.position, missed=[])

    # ------------------------------------------------------------------------------------------ healing

    async def _tick(self) -> None:
        now = asyncio.get_running_loop().time()
        for channel in [*self._channels.values()]:
            if channel.tracked == 0 and channel.idle_since is not None and now - channel.idle_since > LINGER_SECONDS:
                self._forget(channel)
        lines = {channel.name: channel.line for channel in self._channels.values() if channel.line is not None}
        stood = {name: line.last for name, line in lines.items()}
        if not lines:
            return
        for name, head in (await self._store.heads(stood.keys())).items():
            line = lines[name]
            channel_now = self._channels.get(name)
            if channel_now is None or channel_now.line is not line:
                continue
            if head.epoch != line.epoch:
                self._begin_anew(channel_now, head)
                continue
            if head.last < stood[name]:
                # A store never goes back by itself: an older backup was restored.
                self._healing.renew(channel_now)
                continue
            line.expire(head.first)
            line.target = max(line.target, head.last)
            if line.has_hole:
                self._healing.heal(channel_now)

    def _begin_anew(self, channel: Channel, head: Head) -> None:
        log.warning("channel_renumbered", extra={"channel": channel.name})
        self.flush()
        channel.line = ChannelStream(head, self._limits.ring_publications)
        push = GapPush(channel=channel.name, position=head.position)
        self.tell(channel.name, push)
        for outbox in self._catch_up.outboxes:
            if channel.name in outbox.behind:
                outbox.tell(channel.name, encode_frame(outbox.encoding, push))
                outbox.behind[channel.name] = head.last

    # ------------------------------------------------------------------------------------------ falling behind

    def _fall_behind(self, outbox: Outbox) -> None:
        """Stop live frames to a connection that cannot take them; it is replayed from its position as it drains.

        Call it right after a flush: otherwise pending frames would be lost to it.
        """
        for name in outbox.channels:
            channel = self._channels[name]
            if channel.line is not None and name not in outbox.behind:
                outbox.behind[name] = channel.line.last
            channel.let_out(outbox)
        self._catch_up.start(outbox)

    def _live_again(self, outbox: Outbox, channel: Channel) -> None:
        channel.let_in(outbox)
        self.on_caught_up(outbox, channel.name)
