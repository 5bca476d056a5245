"""Everything that goes to one socket, and its positions while it cannot keep up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from chatserver.delivery.wire import Wire
from chatserver.domain.history import ChannelName, Offset
from chatserver.protocol.codec import Encoding, encode_frame
from chatserver.protocol.messages import AnyServerMessage


class Outbox:
    """One connection's outgoing queue. Live frames are written by the hub, everything else by `send`.

    `behind` is empty while the connection keeps up. Otherwise it maps each of its channels to the last offset written,
    and nothing but replies is written until catch-up has replayed what follows.

    While a command of this connection is carried out, frames of channels are held back: a fact that it made may be
    found in the store, or heard from another worker, before its reply is written.
    """

    __slots__ = ("_drained", "_held", "_held_bytes", "_released", "behind", "channels", "encoding", "wire")

    def __init__(self, wire: Wire, encoding: Encoding) -> None:
        self.wire = wire
        self.encoding = encoding
        self.channels: tuple[ChannelName, ...] = ()
        self.behind: dict[ChannelName, Offset] = {}
        self._drained: asyncio.Event | None = None
        """Set while a task waits in `room`."""
        self._held: list[tuple[ChannelName, bytes]] | None = None
        """Frames that wait for a reply, each with its channel; None while nothing is held back."""
        self._held_bytes = 0
        self._released: asyncio.Event | None = None
        """Set while a task waits in `room` for a reply."""

    def enter(self, channel: ChannelName) -> None:
        """Note that the connection is in a channel."""
        if channel not in self.channels:
            self.channels = (*self.channels, channel)

    def leave(self, channel: ChannelName) -> None:
        """Note that the connection is in a channel no more, and drop what is held back of it."""
        self.channels = tuple(each for each in self.channels if each != channel)
        self.behind.pop(channel, None)
        if self._held:
            self._held = [each for each in self._held if each[0] != channel]
            self._held_bytes = sum(len(frames) for _, frames in self._held)

    def send(self, message: AnyServerMessage) -> int:
        """Write one message now, and return its bytes. The caller keeps replies bounded by waiting for `room` between
        commands."""
        frame = encode_frame(self.encoding, message)
        self.wire.write(frame)
        return len(frame)

    def tell(self, channel: ChannelName, frames: bytes) -> int:
        """Write a channel's frames, in order: now, or after the reply that is due. Return what `waiting` returns then,
        or 0 if that is no more than `limits.outbox_bytes`."""
        if self._held is None:
            return self.wire.write(frames)
        self._held.append((channel, frames))
        self._held_bytes += len(frames)
        return self.waiting()

    def hold(self) -> None:
        """Hold back frames of channels from now on. The caller calls `release` when it has written its reply, and does
        not hold twice."""
        self._held = []

    def release(self) -> None:
        """Write what was held back, and stop holding back."""
        held, self._held, self._held_bytes = self._held, None, 0
        if held:
            self.wire.write(b"".join(frames for _, frames in held))
        if self._released is not None:
            self._released.set()
            self._released = None

    def waiting(self) -> int:
        """Return the bytes that the socket has not taken yet, including what is held back."""
        return self.wire.buffered() + self._held_bytes

    def send_all(self, messages: Iterable[AnyServerMessage]) -> None:
        """Write several messages with one write."""
        self.wire.write(b"".join(encode_frame(self.encoding, message) for message in messages))

    async def room(self, limit: int, patience: float) -> bool:
        """Wait until less than `limit` bytes are waiting, or the buffer has drained. Return False if not a single byte
        went out for `patience` seconds. Any number of tasks may wait."""
        while self._held is not None and self._held_bytes >= limit:
            # The store's timeout bounds it, as it bounds every command.
            if self._released is None:
                self._released = asyncio.Event()
            await self._released.wait()
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
