"""Local fan-out: a channel's publications, in line, to every connection here that is in it.

The store orders, the bus only announces, and the hub decides by offsets: repeats are dropped, and a hole is healed from
the store before anything later is shown. One frame per publication and encoding is shared by all; what is pending is
joined into one write per connection and flush.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import msgspec

from chatserver.bus.contract import Bus
from chatserver.delivery.catchup import CatchUp
from chatserver.delivery.channel import Channel
from chatserver.delivery.healing import Healing
from chatserver.delivery.line import Line
from chatserver.delivery.meter import Meter
from chatserver.delivery.outbox import Outbox
from chatserver.delivery.pushes import push_of
from chatserver.delivery.tasks import Tasks
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Head, Millis, Return, StreamPosition, assess_return
from chatserver.domain.identity import MemberId, NodeId
from chatserver.domain.limits import Limits
from chatserver.domain.rooms import Posted, Publication, room_of
from chatserver.metrics import Metrics
from chatserver.protocol.codec import encode_frame
from chatserver.protocol.internode import Announced, encode
from chatserver.protocol.messages import AnyPush, GapPush
from chatserver.store.contract import Store, StoreUnavailable

FLUSH_SECONDS: Final = 0.005
"""How late a flush may be under load. It waits as long as the one before it took, so that at most half of the time goes
into writing; an idle hub flushes in the same turn of the loop."""
TICK_SECONDS: Final = 1.0
"""How often heads are compared with the store; what the bus lost at the end of a channel is found here."""
TICK_SECONDS_DETACHED: Final = 0.25
"""The same while the bus is away, when this is how publications of other workers come."""
LINGER_SECONDS: Final = 60.0
"""How long a channel is followed after its last connection here left: those who come back find its ring."""

log = logging.getLogger("chatserver.delivery")


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """How a joining connection is to be served. `missed` is whole where `history` is `exact`, else empty."""

    history: Literal["page", "exact", "gap"]
    position: StreamPosition
    missed: list[Publication]


class Hub:
    """All channels that somebody on this worker is in."""

    def __init__(
        self, node: NodeId, store: Store, bus: Bus, limits: Limits, metrics: Metrics, now: Callable[[], Millis]
    ) -> None:
        self._node = node
        self._store = store
        self._bus = bus
        self._limits = limits
        self._metrics = metrics
        self._now = now
        self._channels: dict[ChannelName, Channel] = {}
        self._dirty: set[Channel] = set()
        self._flush_handle: asyncio.Handle | None = None
        self._flush_due = 0.0
        self._tasks = Tasks()
        self._healing = Healing(store, bus, limits, metrics, self._tasks, show=self._show, begin_anew=self._begin_anew)
        self._catch_up = CatchUp(
            store, limits, metrics, self._tasks, opened=self._opened_by_name, go_live=self._live_again
        )
        self.meter = Meter()
        """What goes on in the rooms here. The hub tells it what was delivered, the handlers what was written."""
        self.on_caught_up: Callable[[Outbox, ChannelName], None] = lambda outbox, channel: None
        """Called when a connection is live again in a channel, so that what is not a fact can be told anew."""

    # ------------------------------------------------------------------------------------------ life

    async def run(self) -> None:
        """Compare with the store for ever. Owned by the server; ends when cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS if self._bus.is_attached else TICK_SECONDS_DETACHED)
            try:
                await self._tick()
            except (StoreUnavailable, Refusal):
                # Away, or with more to do than it takes on.
                self._metrics.store_failures.inc()
            except Exception:
                # What heals must go on, whatever one channel ran into.
                log.exception("tick_failed")

    async def close(self) -> None:
        """End every task. Connections have been closed before."""
        self.flush()
        await self._tasks.close()

    # ------------------------------------------------------------------------------------------ in

    def announce(self, publications: Sequence[Publication]) -> None:
        """Tell everybody of committed publications: those here at once, other workers over the bus."""
        for publication in publications:
            self.take(publication)
        self._bus.publish([(p.channel, encode(self._node, Announced(p))) for p in publications])

    def take(self, publication: Publication) -> None:
        """One committed publication, from anywhere, in any order, any number of times."""
        channel = self._channels.get(publication.channel)
        if channel is None:
            return
        if channel.line is None:
            channel.held.append(publication)
        elif publication.epoch == channel.line.epoch:
            self._show(channel, channel.line.accept((publication,)))
            if channel.line.has_hole:
                self._healing.heal(channel)
        # A foreign epoch means that the numbering began anew; the next tick sees it in the store and says so.

    def tell(self, name: ChannelName, push: AnyPush) -> None:
        """Write something that is not a fact to all who keep up in a channel. Latest wins; nobody waits for it."""
        channel = self._channels.get(name)
        if channel is None:
            return
        for encoding, frames in channel.pending.items():
            if channel.is_heard(encoding):
                frames.append(encode_frame(encoding, push))
                self._mark(channel)

    # ------------------------------------------------------------------------------------------ joining

    async def prepare(self, name: ChannelName, since: StreamPosition | None) -> Prepared:
        """Follow a channel and say what a connection that stands at `since` missed.

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
            if assess_return(since, line.head) is not Return.EXACT:
                return self._prepared_gap(line)
            if line.last - since.offset > self._limits.recovery_publications:
                return self._prepared_gap(line)
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
            # It is here already. What is pending for it is in its reply, or follows below.
            channel.let_out(outbox)
            self._release(channel)
        outbox.channels.add(name)
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
            outbox.send_all(push_of(publication) for publication in later)
        channel.let_in(outbox)

    def give_up(self, name: ChannelName) -> None:
        """A prepared join did not happen."""
        channel = self._channels.get(name)
        if channel is not None:
            self._release(channel)

    def leave(self, outbox: Outbox, name: ChannelName) -> None:
        """This connection is in the channel no more. Not being in it changes nothing."""
        if name not in outbox.channels:
            return
        outbox.channels.discard(name)
        outbox.behind.pop(name, None)
        channel = self._channels[name]
        channel.let_out(outbox)
        self._release(channel)

    def closed(self, outbox: Outbox) -> None:
        """The socket is gone: forget everything about it."""
        self._catch_up.stop(outbox)
        for name in [*outbox.channels]:
            self.leave(outbox, name)

    # ------------------------------------------------------------------------------------------ forgetting

    def forget(self, member: MemberId) -> None:
        """A member is no more: nothing that names them is replayed from memory."""
        for channel in self._channels.values():
            if channel.line is not None:
                channel.line.forget(member)

    def expire(self, heads: dict[ChannelName, Head]) -> None:
        """The store forgot the beginnings of these channels; so does this worker."""
        for name, head in heads.items():
            channel = self._channels.get(name)
            if channel is not None and channel.line is not None and channel.line.epoch == head.epoch:
                channel.line.expire(head.first)

    @property
    def channels(self) -> int:
        """How many channels are followed."""
        return len(self._channels)

    def behind(self) -> dict[ChannelName, tuple[int, int]]:
        """For each channel that somebody is behind in: how many connections are, and the bytes that wait for them."""
        found: dict[ChannelName, tuple[int, int]] = {}
        for outbox in self._catch_up.outboxes:
            waiting = outbox.wire.buffered()
            for name in outbox.behind:
                count, total = found.get(name, (0, 0))
                found[name] = count + 1, total + waiting
        return found

    def measure(self) -> None:
        """Set the gauges that are sums over slow connections."""
        behind = self._catch_up.outboxes
        self._metrics.behind.set(len(behind))
        self._metrics.outbox_bytes.set(sum(outbox.wire.buffered() for outbox in behind))

    # ------------------------------------------------------------------------------------------ out

    def flush(self) -> None:
        """Write everything that is pending: one write per connection and channel."""
        if self._flush_handle is not None:
            self._flush_handle.cancel()
            self._flush_handle = None
        dirty, self._dirty = self._dirty, set()
        slow: list[Outbox] = []
        started = time.monotonic()
        for channel in dirty:
            slow += self._write(channel)
        ended = time.monotonic()
        # The loop's timers count milliseconds: a pause shorter than one would only become longer.
        took = ended - started
        self._flush_due = ended + min(took, FLUSH_SECONDS) if took >= 0.001 else 0.0
        for outbox in slow:
            self._fall_behind(outbox)

    def _write(self, channel: Channel) -> list[Outbox]:
        slow: list[Outbox] = []
        bound = self._limits.outbox_bytes
        for encoding, frames in channel.pending.items():
            if not frames:
                continue
            data = frames[0] if len(frames) == 1 else b"".join(frames)
            outboxes = channel.live[encoding]
            for outbox in outboxes:
                wire = outbox.wire
                wire.write(data)
                if wire.buffered() > bound:
                    slow.append(outbox)
            self._metrics.deliveries.inc(len(frames) * len(outboxes))
            self._metrics.delivered_bytes.inc(len(data) * len(outboxes))
            for outbox, rest in channel.settle(encoding):
                outbox.wire.write(rest)
                if outbox.wire.buffered() > bound:
                    slow.append(outbox)
            frames.clear()
        return slow

    def _show(self, channel: Channel, publications: Iterable[Publication]) -> None:
        for publication in publications:
            push = push_of(publication)
            for encoding, frames in channel.pending.items():
                if channel.is_heard(encoding):
                    frames.append(encode_frame(encoding, push))
                    self._mark(channel)
            if isinstance(publication.event, Posted):
                took = max(0, self._now() - publication.at)
                self._metrics.delivery_seconds.observe(took / 1000)
                self.meter.delivered(room_of(channel.name), took, time.monotonic())

    def _mark(self, channel: Channel) -> None:
        self._dirty.add(channel)
        if self._flush_handle is None:
            loop = asyncio.get_running_loop()
            wait = self._flush_due - time.monotonic()
            self._flush_handle = loop.call_soon(self.flush) if wait <= 0 else loop.call_later(wait, self.flush)

    # ------------------------------------------------------------------------------------------ opening

    async def _opened(self, channel: Channel) -> Line:
        if channel.line is not None:
            return channel.line
        if channel.opening is None:
            channel.opening = asyncio.create_task(self._open(channel), name=f"open {channel.name}")
            self._tasks.keep(channel.opening)
        # Shielded: the one who leaves while it opens must not end it for the others.
        return await asyncio.shield(channel.opening)

    async def _opened_by_name(self, name: ChannelName) -> tuple[Channel, Line]:
        channel = self._channels[name]
        return channel, await self._opened(channel)

    async def _open(self, channel: Channel) -> Line:
        try:
            # Listen first, then look: what is committed in between comes over the bus, or the next tick sees it.
            await self._bus.subscribe([channel.name])
            self._metrics.store_reads.labels("open").inc()
            head = (await self._store.heads([channel.name])).get(channel.name)
            if head is None:
                raise Refusal(Reason.ROOM_UNKNOWN)
            line = channel.line = Line(head, self._limits.ring_publications)
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
            self._dirty.discard(channel)
            for task in (channel.healing, channel.backfill):
                if task is not None:
                    task.cancel()
            self._tasks.start(self._bus.unsubscribe([channel.name]), f"unsubscribe {channel.name}")

    def _prepared_gap(self, line: Line) -> Prepared:
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
            if head.epoch != line.epoch or head.last < stood[name]:
                # A store never steps back by itself: it was restored to an earlier day.
                self._begin_anew(channel_now, head)
                continue
            line.expire(head.first)
            line.target = max(line.target, head.last)
            if line.has_hole:
                self._healing.heal(channel_now)

    def _begin_anew(self, channel: Channel, head: Head) -> None:
        log.warning("channel_renumbered", extra={"channel": channel.name})
        self.flush()
        channel.line = Line(head, self._limits.ring_publications)
        push = GapPush(channel=channel.name, position=head.position)
        self.tell(channel.name, push)
        for outbox in self._catch_up.outboxes:
            if channel.name in outbox.behind:
                outbox.send(push)
                outbox.behind[channel.name] = head.last

    # ------------------------------------------------------------------------------------------ falling behind

    def _fall_behind(self, outbox: Outbox) -> None:
        """Stop live frames to a connection that cannot take them; it is replayed from where it stands as it drains."""
        for name in outbox.channels:
            channel = self._channels[name]
            if channel.line is not None and name not in outbox.behind:
                outbox.behind[name] = channel.line.last
            channel.let_out(outbox)
        self._catch_up.start(outbox)

    def _live_again(self, outbox: Outbox, channel: Channel) -> None:
        channel.let_in(outbox)
        self.on_caught_up(outbox, channel.name)
