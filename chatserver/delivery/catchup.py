"""Connections that cannot keep up: they stop being live, and are sent what they missed as their buffers drain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from chatserver.delivery.channel import Channel
from chatserver.delivery.channel_stream import ChannelStream
from chatserver.delivery.gap_repair import READ_LIMIT, RETRY_SECONDS
from chatserver.delivery.outbox import Outbox
from chatserver.delivery.pushes import push_of
from chatserver.delivery.tasks import Tasks
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Offset
from chatserver.domain.limits import Limits
from chatserver.domain.rooms.aliases import Aliases
from chatserver.metrics import Metrics
from chatserver.protocol.codec import encode_frame
from chatserver.protocol.codes import Close
from chatserver.protocol.rooms.messages import GapPush
from chatserver.store.records import StoreUnavailable
from chatserver.store.store import Store

CHUNK: Final = 32 * 1024
"""Bytes written to a connection before its buffer is checked again."""


class CatchUp:
    """The slow connections of one worker, each with a task of its own while it is behind.

    `opened` returns a followed channel and its stream; `go_live` makes a connection live again when nothing is left to
    replay.
    """

    def __init__(
        self,
        store: Store,
        limits: Limits,
        metrics: Metrics,
        tasks: Tasks,
        aliases: Aliases,
        *,
        opened: Callable[[ChannelName], Awaitable[tuple[Channel, ChannelStream]]],
        go_live: Callable[[Outbox, Channel], None],
    ) -> None:
        self._store = store
        self._limits = limits
        self._metrics = metrics
        self._tasks = tasks
        self._aliases = aliases
        self._opened = opened
        self._go_live = go_live
        self._chunk = min(CHUNK, limits.outbox_bytes // 2)
        self._running: dict[Outbox, asyncio.Task[None]] = {}

    @property
    def outboxes(self) -> Collection[Outbox]:
        """Return the outboxes that are behind now."""
        return self._running.keys()

    def start(self, outbox: Outbox) -> None:
        """Start replaying to a connection; `outbox.behind` says what it has."""
        if outbox not in self._running:
            task = self._running[outbox] = asyncio.create_task(self._catch_up(outbox), name="catch up")
            self._tasks.watch(task)

    def stop(self, outbox: Outbox) -> None:
        """End the replay of a connection whose socket is gone."""
        if (task := self._running.pop(outbox, None)) is not None:
            task.cancel()

    async def _catch_up(self, outbox: Outbox) -> None:
        try:
            while outbox.behind:
                if not await outbox.room(self._chunk, self._limits.catch_up_seconds):
                    self._metrics.evictions.labels("too_slow").inc()
                    outbox.wire.close(Close.TOO_SLOW)
                    outbox.wire.abort()
                    return
                name, offset = next(iter(outbox.behind.items()))
                try:
                    await self._replay(outbox, name, offset)
                except StoreUnavailable:
                    self._metrics.store_failures.inc()
                    await asyncio.sleep(RETRY_SECONDS)
                except Refusal as refusal:
                    if refusal.reason is Reason.ROOM_UNKNOWN:
                        # The channel was removed.
                        outbox.behind.pop(name, None)
                    else:
                        await asyncio.sleep(RETRY_SECONDS)
        except Exception:
            # They would be sent nothing more, without knowing it. A client that reconnects gets everything.
            outbox.wire.close(Close.INTERNAL)
            raise
        finally:
            self._running.pop(outbox, None)

    async def _replay(self, outbox: Outbox, name: ChannelName, offset: Offset) -> None:
        """Write the next part of what a connection missed in one channel, or make it live if nothing is left."""
        channel, line = await self._opened(name)
        later = line.since(offset)
        if later is None and not self._is_out_of_reach(line, offset):
            self._metrics.store_reads.labels("catch_up").inc()
            found = await self._store.read(name, offset, READ_LIMIT)
            if found.head.epoch != line.epoch:
                # The store was restored; the tick will say so.
                await asyncio.sleep(RETRY_SECONDS)
                return
            # What another worker let expire since the last tick is not in what was read.
            line.expire(found.head.first)
            later = list(found.publications)
        if outbox.behind.get(name) != offset or channel.line is not line:
            # The connection left, or the numbering began anew, while the store was read.
            return
        if later is None or self._is_out_of_reach(line, offset):
            outbox.tell(name, encode_frame(outbox.encoding, GapPush(channel=name, position=line.position)))
            outbox.behind[name] = line.last
            return
        written = 0
        frames: list[bytes] = []
        for publication in later:
            if publication.offset > line.last or written > self._chunk:
                break
            frames.append(encode_frame(outbox.encoding, push_of(publication, self._aliases)))
            written += len(frames[-1])
            offset = publication.offset
        if frames:
            outbox.tell(name, b"".join(frames))
        outbox.behind[name] = offset
        if offset == line.last:
            del outbox.behind[name]
            self._go_live(outbox, channel)

    def _is_out_of_reach(self, line: ChannelStream, offset: Offset) -> bool:
        """Return whether part of what follows `offset` is no longer kept, or it is more than is replayed."""
        return offset + 1 < line.first or line.last - offset > self._limits.recovery_publications

    def behind(self) -> dict[ChannelName, tuple[int, int]]:
        """Return, for each channel with slow connections, their number and the bytes that wait for them."""
        found: dict[ChannelName, tuple[int, int]] = {}
        for outbox in self.outboxes:
            waiting = outbox.waiting()
            for name in outbox.behind:
                count, total = found.get(name, (0, 0))
                found[name] = count + 1, total + waiting
        return found
