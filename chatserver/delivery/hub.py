"""Local fan-out: a channel's publications, in line, to every connection here that is in it.

The store orders, the bus only announces, and the hub decides by offsets: repeats are dropped, and a hole is healed from
the store before anything later is shown. One frame per publication and encoding is shared by all; what is pending is
joined into one write per connection and flush.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from chatserver.bus.contract import Bus
from chatserver.delivery.catchup import CatchUp
from chatserver.delivery.channel import Channel
from chatserver.delivery.channel_stream import ChannelStream
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
from chatserver.domain.rooms.rooms import Edited, Posted, Publication, Reacted, room_of
from chatserver.metrics import Metrics
from chatserver.protocol.codec import encode_frame
from chatserver.protocol.internode import Announced, encode
from chatserver.protocol.messages import AnyPush, GapPush
from chatserver.store.records import StoreUnavailable
from chatserver.store.store import Store

FLUSH_SECONDS: Final = 0.005
"""How late a flush may be under load. It waits as long as the one before it took, so that at most half of the time goes
into writing; an idle hub flushes in the same turn of the loop."""
TICK_SECONDS: Final = 1.0
"""How often heads are compared with the store; what the bus lost at the end of a channel is found here."""
TICK_SECONDS_DETACHED: Final = 0.25
"""The same while the bus is away, when this is how publications of other workers come."""
FOLD_REACH: Final = 4
"""How many times `recovery_publications` somebody may be behind and still be told what they missed by folding
reactions. Beyond it the store is not asked: to look through a room's whole log for each who says that they read its
beginning would keep its reads from everybody else."""
LINGER_SECONDS: Final = 60.0
"""How long a channel is followed after its last connection here left: those who come back find its ring."""

_NOBODY_APART: Final[Mapping[Outbox, AnyPush | None]] = MappingProxyType({})

log = logging.getLogger("chatserver.delivery")


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """How a joining connection is to be served. `missed` is whole where `history` is `exact`, else empty; where it is
    `is_folded`, it is whole but for reactions that later ones replace."""

    history: Literal["page", "exact", "gap"]
    position: StreamPosition
    missed: list[Publication]
    is_folded: bool = False


class Hub:
    """All channels that somebody on this worker is in."""

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
        self._dirty: set[Channel] = set()
        self._flush_handle: asyncio.Handle | None = None
        self._flush_due = 0.0
        self._tasks = Tasks()
        self._healing = GapRepair(
            store, bus, limits, metrics, self._tasks, show=self._show, begin_anew=self._begin_anew
        )
        self._catch_up = CatchUp(
            store, limits, metrics, self._tasks, aliases, opened=self._opened_by_name, go_live=self._live_again
        )
        self.meter = Meter()
        """What goes on in the rooms here. The hub tells it what was delivered, the handlers what was written."""
        self.on_caught_up: Callable[[Outbox, ChannelName], None] = lambda outbox, channel: None
        """Called when a connection is live again in a channel, so that what is not a fact can be told anew."""

    # ------------------------------------------------------------------------------------------ life

    async def run(self) -> None:
        """Compare with the store for ever. Owned by the server; ends when cancelled."""
        self._healing.begin()
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
            if channel.line.contradicts(publication):
                self._healing.renew(channel)
                return
            self._show(channel, channel.line.accept((publication,)))
            if channel.line.has_hole:
                self._healing.heal(channel)
        # A foreign epoch means that the numbering began anew; the next tick sees it in the store and says so.

    def tell(self, name: ChannelName, push: AnyPush, apart: Mapping[Outbox, AnyPush | None] = _NOBODY_APART) -> None:
        """Write something that is not a fact to all who keep up in a channel. Latest wins; nobody waits for it.

        Those `apart` who keep up get what stands there instead, or nothing for None, in the same place."""
        channel = self._channels.get(name)
        if channel is None:
            return
        slow: list[Outbox] = []
        for outbox, other in apart.items():
            if (before := channel.aside(outbox)) is not None:
                outbox.tell(name, before if other is None else before + encode_frame(outbox.encoding, other))
                if outbox.waiting() > self._limits.outbox_bytes:
                    slow.append(outbox)
        for encoding, frames in channel.pending.items():
            if channel.is_heard(encoding):
                frames.append(encode_frame(encoding, push))
                self._mark(channel)
        if slow:
            # What is pending for them in other channels as well: they are replayed what stands after it.
            self.flush()
            for outbox in slow:
                self._fall_behind(outbox)

    def tell_one(self, outbox: Outbox, name: ChannelName, push: AnyPush) -> None:
        """Write something that is not a fact to one connection, after all that it was to be told of a channel before:
        now, or after the reply that is owed."""
        channel = self._channels.get(name)
        before = None if channel is None else channel.overtake(outbox)
        outbox.tell(name, (before or b"") + encode_frame(outbox.encoding, push))

    def last_text_of(
        self, name: ChannelName, member: MemberId, since: Millis, most: int, chars: int, before: Offset | None = None
    ) -> str:
        """Return the end of what a member last posted in a channel (before an offset, where there is one), as it stands
        now, where that was after `since` and is among the last `most` publications that this worker has heard of.
        Otherwise nothing."""
        channel = self._channels.get(name)
        if channel is None or channel.line is None:
            return ""
        changed: dict[Offset, str] = {}
        for publication in channel.line.newest(most):
            event = publication.event
            if publication.at < since:
                break
            if isinstance(event, Edited):
                changed.setdefault(event.target, event.text)
            if before is not None and publication.offset >= before:
                continue
            if isinstance(event, Posted) and event.post.author == member:
                return changed.get(publication.offset, event.post.text)[-chars:]
        return ""

    async def catch_up_with(
        self, outbox: Outbox, name: ChannelName, position: StreamPosition
    ) -> list[Publication] | None:
        """Bring a connection level with what was read in the store at `position`.

        Return what was let out in the channel after it, oldest first: by so much the read is older than what this
        connection has heard. Return None where memory does not reach back that far: read again. On return everything
        up to both has been written to it, if it keeps up; so it stays until the caller waits. Raises StoreUnavailable.
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
        """Follow a channel and say what a connection of `whom` that stands at `since` missed.

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
            outbox.send_all(push_of(publication, self._aliases) for publication in later)
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
        outbox.forget_held(name)
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
            waiting = outbox.waiting()
            for name in outbox.behind:
                count, total = found.get(name, (0, 0))
                found[name] = count + 1, total + waiting
        return found

    def measure(self) -> None:
        """Set the gauges that are sums over slow connections."""
        behind = self._catch_up.outboxes
        self._metrics.behind.set(len(behind))
        self._metrics.outbox_bytes.set(sum(outbox.waiting() for outbox in behind))

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
                outbox.tell(channel.name, data)
                if outbox.waiting() > bound:
                    slow.append(outbox)
            self._metrics.deliveries.inc(len(frames) * len(outboxes))
            self._metrics.delivered_bytes.inc(len(data) * len(outboxes))
            for outbox, rest in channel.join_live(encoding):
                outbox.tell(channel.name, rest)
                if outbox.waiting() > bound:
                    slow.append(outbox)
            frames.clear()
        return slow

    def _show(self, channel: Channel, publications: Iterable[Publication]) -> None:
        for publication in publications:
            push = push_of(publication, self._aliases)
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

    async def _opened(self, channel: Channel) -> ChannelStream:
        if channel.line is not None:
            return channel.line
        if channel.opening is None:
            channel.opening = asyncio.create_task(self._open(channel), name=f"open {channel.name}")
            self._tasks.keep(channel.opening)
        # Shielded: the one who leaves while it opens must not end it for the others.
        return await asyncio.shield(channel.opening)

    async def _opened_by_name(self, name: ChannelName) -> tuple[Channel, ChannelStream]:
        channel = self._channels[name]
        return channel, await self._opened(channel)

    async def _open(self, channel: Channel) -> ChannelStream:
        try:
            # Listen first, then look: what is committed in between comes over the bus, or the next tick sees it.
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
            self._dirty.discard(channel)
            for task in (channel.healing, channel.backfill, channel.renewing):
                if task is not None:
                    task.cancel()
            self._tasks.start(self._bus.unsubscribe([channel.name]), f"unsubscribe {channel.name}")

    async def _prepared_folded(self, channel: Channel, line: ChannelStream, offset: Offset, whom: MemberId) -> Prepared:
        """Where more happened than is replayed: without the reactions that later ones replace it may be little enough.
        One such read of a channel runs at a time; whoever comes meanwhile is told of a gap."""
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
        # What came after the line's end follows live, and with it what it replaced.
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
                # A store never steps back by itself: it was restored to an earlier day.
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
        """Stop live frames to a connection that cannot take them; it is replayed from where it stands as it drains.

        Call it right after a flush: what is pending would be lost to it."""
        for name in outbox.channels:
            channel = self._channels[name]
            if channel.line is not None and name not in outbox.behind:
                outbox.behind[name] = channel.line.last
            channel.let_out(outbox)
        self._catch_up.start(outbox)

    def _live_again(self, outbox: Outbox, channel: Channel) -> None:
        channel.let_in(outbox)
        self.on_caught_up(outbox, channel.name)
