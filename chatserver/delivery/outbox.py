"""Everything that goes to one socket, and where that socket stands when it cannot keep up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from chatserver.delivery.wire import Wire
from chatserver.domain.history import ChannelName, Offset
from chatserver.protocol.codec import Encoding, encode_frame
from chatserver.protocol.messages import AnyServerMessage


class Outbox:
    """One connection's way out. Live frames are written by the hub, everything else by `send`.

    `behind` is empty while the connection keeps up. Otherwise it maps each of its channels to the last offset written,
    and nothing but replies is written until catch-up has replayed what follows.
    """

    __slots__ = ("_drained", "behind", "channels", "encoding", "wire")

    def __init__(self, wire: Wire, encoding: Encoding) -> None:
        self.wire = wire
        self.encoding = encoding
        self.channels: set[ChannelName] = set()
        self.behind: dict[ChannelName, Offset] = {}
        self._drained: asyncio.Event | None = None
        """Set while somebody waits in `room`."""

    def send(self, message: AnyServerMessage) -> None:
        """Write one message now. The caller keeps replies bounded by waiting for `room` between commands."""
        self.wire.write(encode_frame(self.encoding, message))

    def send_all(self, messages: Iterable[AnyServerMessage]) -> None:
        """Write several messages with one write."""
        self.wire.write(b"".join(encode_frame(self.encoding, message) for message in messages))

    async def room(self, limit: int, patience: float) -> bool:
        """Wait until less than `limit` bytes are waiting, or the buffer has drained. False where not a byte went out
        for `patience` seconds. Any number of tasks may wait."""
        waiting = self.wire.buffered()
        while waiting >= limit:
            if self._drained is None:
                self._drained = asyncio.Event()
                self.wire.when_drained(self._tell_drained)
            try:
                async with asyncio.timeout(patience):
                    await self._drained.wait()
                return True
            except TimeoutError:
                before, waiting = waiting, self.wire.buffered()
                if waiting >= before:
                    return False
        return True

    def _tell_drained(self) -> None:
        if self._drained is not None:
            self._drained.set()
            self._drained = None
