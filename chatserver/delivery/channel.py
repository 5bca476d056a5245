"""One channel as a worker follows it: its line, who is live in it, and what waits for the next flush."""

from __future__ import annotations

import asyncio
from collections import deque

from chatserver.delivery.channel_stream import EARLY_LIMIT, ChannelStream
from chatserver.delivery.outbox import Outbox
from chatserver.domain.history import ChannelName
from chatserver.domain.rooms.rooms import Publication
from chatserver.protocol.codec import Encoding


class Channel:
    """Followed from the first join until a while after the last connection has left."""

    __slots__ = (
        "_arriving", "backfill", "healing", "held", "idle_since", "is_folding", "line", "live", "name", "opening",
        "pending", "renewing", "tracked",
    )  # fmt: skip

    def __init__(self, name: ChannelName) -> None:
        self.name = name
        self.line: ChannelStream | None = None
        """None until the head is known."""
        self.held: deque[Publication] = deque(maxlen=EARLY_LIMIT)
        """What arrived before the head was known. Of more, the newest: they say how far the store must be read."""
        self.opening: asyncio.Task[ChannelStream] | None = None
        self.healing: asyncio.Task[None] | None = None
        self.backfill: asyncio.Task[None] | None = None
        self.renewing: asyncio.Task[None] | None = None
        self.is_folding = False
        """Whether what somebody missed is being read without replaced reactions."""
        self.live: dict[Encoding, set[Outbox]] = {encoding: set() for encoding in Encoding}
        """Those who get every frame that is pending."""
        self.pending: dict[Encoding, list[bytes]] = {encoding: [] for encoding in Encoding}
        """Ready-made frames for those who are live."""
        self._arriving: dict[Encoding, dict[Outbox, int]] = {encoding: {} for encoding in Encoding}
        """Those who became live since the last flush, and how many of the pending frames are not for them."""
        self.tracked = 0
        """Connections in this channel, those in catch-up included, and joins under way."""
        self.idle_since: float | None = None
        """When the last one left, on the loop's clock."""

    def let_in(self, outbox: Outbox) -> None:
        """From now on this connection is live. What is pending already is not for it: it has that, or stands after."""
        if frames := self.pending[outbox.encoding]:
            self._arriving[outbox.encoding][outbox] = len(frames)
        else:
            self.live[outbox.encoding].add(outbox)

    def let_out(self, outbox: Outbox) -> None:
        """This connection is live no more. What is pending does not go to it."""
        self.live[outbox.encoding].discard(outbox)
        self._arriving[outbox.encoding].pop(outbox, None)

    def overtake(self, outbox: Outbox) -> bytes | None:
        """Return what is pending for this connection, which the caller writes at once: it gets all of it before
        anything else. None where it is not live here."""
        frames, arriving = self.pending[outbox.encoding], self._arriving[outbox.encoding]
        if outbox not in arriving and outbox not in self.live[outbox.encoding]:
            return None
        before = b"".join(frames[arriving.get(outbox, 0) :])
        self.live[outbox.encoding].discard(outbox)
        arriving[outbox] = len(frames)
        return before

    def aside(self, outbox: Outbox) -> bytes | None:
        """As `overtake`, and the next frame that becomes pending is not for this connection either."""
        before = self.overtake(outbox)
        if before is not None:
            self._arriving[outbox.encoding][outbox] += 1
        return before

    def is_heard(self, encoding: Encoding) -> bool:
        """Whether anybody is live in this encoding."""
        return bool(self.live[encoding] or self._arriving[encoding])

    def join_live(self, encoding: Encoding) -> list[tuple[Outbox, bytes]]:
        """Those who became live since the last flush are like everybody else from now on. Returns those for
        whom something is pending, with that. Call it when the others have been written to."""
        frames, arriving = self.pending[encoding], self._arriving[encoding]
        settled = [(outbox, b"".join(frames[skip:])) for outbox, skip in arriving.items() if skip < len(frames)]
        self.live[encoding].update(arriving)
        arriving.clear()
        return settled
