"""One channel as a worker follows it: its line, who is live in it, and what waits for the next flush."""

from __future__ import annotations

import asyncio

from chatserver.delivery.line import Line
from chatserver.delivery.outbox import Outbox
from chatserver.domain.history import ChannelName
from chatserver.domain.rooms import Publication
from chatserver.protocol.codec import Encoding


class Channel:
    """Followed from the first join until a while after the last connection has left."""

    __slots__ = ("backfill", "healing", "held", "idle_since", "line", "live", "name", "opening", "pending", "tracked")

    def __init__(self, name: ChannelName) -> None:
        self.name = name
        self.line: Line | None = None
        """None until the head is known."""
        self.held: list[Publication] = []
        """What arrived before the head was known."""
        self.opening: asyncio.Task[Line] | None = None
        self.healing: asyncio.Task[None] | None = None
        self.backfill: asyncio.Task[None] | None = None
        self.live: dict[Encoding, set[Outbox]] = {encoding: set() for encoding in Encoding}
        self.pending: dict[Encoding, list[bytes]] = {encoding: [] for encoding in Encoding}
        """Ready-made frames for those who are live."""
        self.tracked = 0
        """Connections in this channel, those in catch-up included, and joins under way."""
        self.idle_since: float | None = None
        """When the last one left, on the loop's clock."""
