"""One channel as a worker follows it: its stream, its live connections, and the frames for the next flush."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Literal

import msgspec

from chatserver.delivery.channel_stream import EARLY_LIMIT, ChannelStream
from chatserver.delivery.outbox import Outbox
from chatserver.domain.history import ChannelName, StreamPosition
from chatserver.domain.rooms.rooms import Publication
from chatserver.metrics import Metrics
from chatserver.protocol.codec import Encoding


class Channel:
    """A channel is followed from the first join until some time after its last connection has left."""

    __slots__ = (
        "_arriving", "backfill", "healing", "held", "idle_since", "is_folding", "line", "live", "name", "opening",
        "pending", "renewing", "rests_until", "tracked",
    )  # fmt: skip

    def __init__(self, name: ChannelName) -> None:
        self.name = name
        self.line: ChannelStream | None = None
        """None until the head is known."""
        self.held: deque[Publication] = deque(maxlen=EARLY_LIMIT)
        """Publications that arrived before the head was known. If there are more, the newest: they say how far to read
        the store."""
        self.opening: asyncio.Task[ChannelStream] | None = None
        self.healing: asyncio.Task[None] | None = None
        self.backfill: asyncio.Task[None] | None = None
        self.renewing: asyncio.Task[None] | None = None
        self.is_folding = False
        """Whether a read without replaced reactions is running for a connection that is far behind."""
        self.live: dict[Encoding, set[Outbox]] = {encoding: set() for encoding in Encoding}
        """Connections that get every pending frame."""
        self.pending: dict[Encoding, list[bytes]] = {encoding: [] for encoding in Encoding}
        """Ready-made frames for the live connections."""
        self._arriving: dict[Encoding, dict[Outbox, int]] = {encoding: {} for encoding in Encoding}
        """Connections that became live since the last flush, with the number of pending frames that are not for
        them."""
        self.rests_until = 0.0
        """Until when the next flush waits, on the monotonic clock."""
        self.tracked = 0
        """Connections in this channel, including those in catch-up, and joins that are under way."""
        self.idle_since: float | None = None
        """When the last connection left, on the loop's clock."""

    def let_in(self, outbox: Outbox) -> None:
        """Make a connection live. Frames that are pending now are not for it: it has them already, or they come before
        its position."""
        if frames := self.pending[outbox.encoding]:
            self._arriving[outbox.encoding][outbox] = len(frames)
        else:
            self.live[outbox.encoding].add(outbox)

    def let_out(self, outbox: Outbox) -> None:
        """Stop a connection being live. Pending frames do not go to it."""
        self.live[outbox.encoding].discard(outbox)
        self._arriving[outbox.encoding].pop(outbox, None)

    def overtake(self, outbox: Outbox) -> bytes | None:
        """Return the frames pending for this connection, which the caller writes at once, before anything else. Return
        None if the connection is not live here."""
        frames, arriving = self.pending[outbox.encoding], self._arriving[outbox.encoding]
        if outbox not in arriving and outbox not in self.live[outbox.encoding]:
            return None
        before = b"".join(frames[arriving.get(outbox, 0) :])
        self.live[outbox.encoding].discard(outbox)
        arriving[outbox] = len(frames)
        return before

    def aside(self, outbox: Outbox) -> bytes | None:
        """Like `overtake`, and the next frame that becomes pending is not for this connection either."""
        before = self.overtake(outbox)
        if before is not None:
            self._arriving[outbox.encoding][outbox] += 1
        return before

    def is_heard(self, encoding: Encoding) -> bool:
        """Return whether any connection is live in this encoding."""
        return bool(self.live[encoding] or self._arriving[encoding])

    def join_live(self, encoding: Encoding) -> list[tuple[Outbox, bytes]]:
        """Treat the connections that became live since the last flush like all others from now on. Return those with
        pending frames, and these frames. Call it after the others have been written to."""
        frames, arriving = self.pending[encoding], self._arriving[encoding]
        settled = [(outbox, b"".join(frames[skip:])) for outbox, skip in arriving.items() if skip < len(frames)]
        self.live[encoding].update(arriving)
        arriving.clear()
        return settled


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """How a joining connection is to be served. `missed` is complete if `history` is `exact`, else empty; if
    `is_folded`, it is complete except for reactions that later ones replace."""

    history: Literal["page", "exact", "gap"]
    position: StreamPosition
    missed: list[Publication]
    is_folded: bool = False


def write_pending(channel: Channel, bound: int, metrics: Metrics) -> list[Outbox]:
    """Write what is pending to everybody who is live. Return those for whom more than `bound` bytes wait."""
    slow: list[Outbox] = []
    for encoding, frames in channel.pending.items():
        if not frames:
            continue
        data = frames[0] if len(frames) == 1 else b"".join(frames)
        outboxes, name = channel.live[encoding], channel.name
        slow += [outbox for outbox in outboxes if outbox.tell(name, data) > bound]
        metrics.deliveries.inc(len(frames) * len(outboxes))
        metrics.delivered_bytes.inc(len(data) * len(outboxes))
        for outbox, rest in channel.join_live(encoding):
            if outbox.tell(name, rest) > bound:
                slow.append(outbox)
        frames.clear()
    return slow
