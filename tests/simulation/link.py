"""A connection between a client and a worker: two directions in order, a buffer that may fill, and two ends that may
learn at different times that the other has ended.

The worker's end does what `edge/websocket_protocol.py` does with an adopted connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from chatserver.handlers.connection import Connection

if TYPE_CHECKING:
    from tests.simulation.worker import Worker

CLOSE_SECONDS = 5.0
KERNEL_BYTES = 200
"""Bytes that the network takes for a client that reads nothing."""


class _Unlimited:
    """The limits of an address that allow everything."""

    def admit_guest(self) -> float:
        return 0.0

    async def admit_words(self) -> None:
        """Count nothing."""

    async def admit_code(self) -> None:
        """Count nothing."""


class _Way:
    """One direction: what is sent arrives later, in order."""

    def __init__(self, random: Random, arrive: Callable[[bytes], None]) -> None:
        self._random = random
        self._arrive = arrive
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._last = 0.0
        self._is_cut = False

    def send(self, data: bytes) -> None:
        if self._is_cut:
            return
        loop = asyncio.get_running_loop()
        self._last = max(self._last, loop.time() + self._random.uniform(0.0002, 0.01))
        self._under_way.append((self._last, data))
        loop.call_at(self._last, self._tick, loop)

    def cut(self) -> None:
        """Let nothing arrive any more."""
        self._is_cut = True
        self._under_way.clear()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._under_way and self._under_way[0][0] <= loop.time():
            self._arrive(self._under_way.popleft()[1])


class Link:
    """One connection. It is the worker's `Wire`. The client uses `say`, `hear` and `hang_up`; the plan disturbs the
    network."""

    def __init__(
        self,
        worker: Worker,
        random: Random,
        *,
        binary: bool,
        token: str,
        hear: Callable[[bytes], None],
        lost: Callable[[int | None], None],
    ) -> None:
        self.worker = worker
        self._random = random
        self._binary = binary
        self._to_client = _Way(random, hear)
        self._to_worker = _Way(random, self._received)
        self._lost = lost
        # The client's end.
        self._is_client_gone = False
        # The network in between.
        self._is_stalled = False
        self._is_slow = False
        self._buffer: deque[bytes] = deque()
        self._waiting = 0
        self._taken = 0
        """How many bytes of the buffer's first piece have been sent."""
        self._in_kernel = 0
        # The worker's end.
        self.biggest = 0
        self.most = 0
        self._close_code: int | None = None
        self._is_disconnected = False
        self._is_over = False
        self._pending: list[bytes] = []
        self._pump: asyncio.Task[None] | None = None
        self._drained: Callable[[], None] | None = None
        self.connection: Connection = worker.dispatcher.open(
            self, binary=binary, token=token, staff_token=None, address_limits=_Unlimited()
        )
        worker.links[self] = None

    # ------------------------------------------------------------------------------------------ the client's end

    def say(self, data: bytes) -> None:
        if not self._is_client_gone:
            self._to_worker.send(data)

    def hang_up(self, notice: float) -> None:
        """End the client. The worker sees it after so many seconds; what was under way may still arrive there."""
        if not self._is_client_gone:
            self._is_client_gone = True
            self._to_client.cut()
            asyncio.get_running_loop().call_later(notice, self.disconnect)

    def settle(self) -> None:
        """Let the network work normally, and the client read. Clients that disappeared are noticed now."""
        self.slow_down(False)
        self.stall(False)
        if self._is_client_gone:
            self.disconnect()

    def tear(self) -> None:
        """Drop the connection; both sides see it soon."""
        self._to_client.cut()
        self._to_worker.cut()
        loop = asyncio.get_running_loop()
        loop.call_later(self._random.uniform(0.0, 0.05), self.disconnect)
        loop.call_later(self._random.uniform(0.0, 0.05), self._tell_client, None)

    def stall(self, is_stalled: bool) -> None:
        self._is_stalled = is_stalled
        if not is_stalled:
            self._in_kernel = 0
            self._drain(self._waiting)

    def slow_down(self, is_slow: bool) -> None:
        """Set whether the line is slow, and carries a few bytes at a time."""
        if is_slow and not self._is_slow:
            self._is_slow = True
            self._trickle()
        self._is_slow = is_slow

    def _trickle(self) -> None:
        if self._is_disconnected:
            return
        if self._is_slow:
            self._drain(400)
            asyncio.get_running_loop().call_later(0.1, self._trickle)
        elif not self._is_stalled:
            self._drain(self._waiting)

    def _tell_client(self, code: int | None) -> None:
        if not self._is_client_gone:
            self._is_client_gone = True
            self._to_client.cut()
            self._lost(code)

    # ------------------------------------------------------------------------------------------ the Wire

    def write(self, frames: bytes) -> int:
        if self._close_code is None and not self._is_disconnected:
            if len(frames) > self.biggest:
                self.biggest = len(frames)
            self._put(frames)
        return self.buffered()

    def buffered(self) -> int:
        return 0 if self._is_disconnected else self._waiting

    def when_drained(self, callback: Callable[[], None] | None) -> None:
        self._drained = callback
        if callback is not None and not self._is_disconnected and not self._buffer:
            asyncio.get_running_loop().call_soon(self._tell_drained)

    def watch_closely(self, is_on: bool) -> None:
        """Do nothing: nobody is pinged here."""

    def unanswered(self) -> float:
        return 0.0

    def close(self, code: int, reason: str = "") -> None:
        if self._close_code is not None or self._is_disconnected:
            return
        self._close_code = code
        self._pending.clear()
        self._end()
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.abort)
        if not self._buffer:
            self._part()

    def abort(self) -> None:
        if not self._is_disconnected:
            asyncio.get_running_loop().call_soon(self.disconnect)
            self._to_client.cut()
            asyncio.get_running_loop().call_later(self._random.uniform(0.0, 0.05), self._tell_client, None)

    # ------------------------------------------------------------------------------------------ the worker's end

    def disconnect(self) -> None:
        """Let the worker's side see that the connection has ended."""
        if self._is_disconnected:
            return
        self._is_disconnected = True
        self._to_worker.cut()
        self._buffer.clear()
        self._waiting = 0
        self._tell_drained()
        self._end()

    def kill(self) -> None:
        """End with the worker's process."""
        self._is_disconnected = True
        self._to_worker.cut()
        if self._pump is not None:
            self._pump.cancel()
        self.tear()

    def _received(self, data: bytes) -> None:
        if self._close_code is not None or self._is_disconnected or self._is_over:
            return
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._run(data))
        else:
            self._pending.append(data)

    async def _run(self, data: bytes) -> None:
        try:
            while True:
                await self.worker.dispatcher.receive(self.connection, data if self._binary else data.decode())
                if not self._pending:
                    break
                data = self._pending.pop(0)
        finally:
            self._pump = None
            if self._is_over and not self.worker.is_dead:
                self._farewell()

    def _end(self) -> None:
        if not self._is_over:
            self._is_over = True
            if self._pump is None:
                asyncio.get_running_loop().call_soon(self._farewell)

    def _farewell(self) -> None:
        self.worker.links.pop(self, None)
        if not self.worker.is_dead:
            self.worker.dispatcher.closed(self.connection)

    def _put(self, data: bytes) -> None:
        if not self._buffer and not self._is_slow:
            if not self._is_stalled:
                self._to_client.send(data)
                return
            if self._in_kernel + len(data) <= KERNEL_BYTES:
                self._in_kernel += len(data)
                self._to_client.send(data)
                return
        self._buffer.append(data)
        self._waiting += len(data)
        self.most = max(self.most, self._waiting)

    def _drain(self, size: int) -> None:
        if self._is_disconnected or not self._buffer:
            return
        self._taken += min(size, self._waiting)
        self._waiting -= min(size, self._waiting)
        while self._buffer and self._taken >= len(self._buffer[0]):
            data = self._buffer.popleft()
            self._taken -= len(data)
            self._to_client.send(data)
        if not self._buffer:
            self._tell_drained()
            if self._close_code is not None:
                self._part()

    def _tell_drained(self) -> None:
        callback, self._drained = self._drained, None
        if callback is not None:
            callback()

    def _part(self) -> None:
        """End both sides: the close frame was sent after everything else, and the client answers it."""
        code = self._close_code
        loop = asyncio.get_running_loop()
        at = max(loop.time(), self._to_client._last) + 0.011
        loop.call_at(at, self._tell_client, code)
        loop.call_at(at + 0.01, self.disconnect)
