"""The Wire of an ASGI server that knows nothing of ready-made frames: slower, and otherwise the same."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from chatserver.edge.admission import Admission
from chatserver.protocol.frames import TEXT, split

if TYPE_CHECKING:
    from starlette.types import Message, Send

LOW_WATER: Final = 32 * 1024
_CLOSE_SECONDS: Final = 5.0
_OUTBOXES: Final = 4


class SendWire:
    """Sends in one task, in order, from a bounded queue. The bound is beyond anything that delivery lets pile up; what
    exceeds it all the same drops the socket."""

    __slots__ = ("_bytes", "_close", "_drained", "_frames", "_limit", "_send", "_task", "_wake", "_wheel", "tick")

    def __init__(self, send: Send, admission: Admission) -> None:
        self._send = send
        self._wheel = admission.wheel
        self._limit = _OUTBOXES * admission.limits.outbox_bytes
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._close: Message | None = None
        self._drained: Callable[[], None] | None = None
        self.tick = 0
        self._task = asyncio.create_task(self._run())

    @property
    def task(self) -> asyncio.Task[None]:
        """Ends when nothing can be sent any more."""
        return self._task

    def write(self, frames: bytes) -> None:
        if self._close is not None or self._task.done():
            return
        if self._bytes + len(frames) > self._limit:
            self.abort()
            return
        self._frames.append(frames)
        self._bytes += len(frames)
        self._wake.set()

    def buffered(self) -> int:
        return self._bytes

    def when_drained(self, callback: Callable[[], None] | None) -> None:
        self._drained = callback
        if callback is not None and self._bytes <= LOW_WATER:
            asyncio.get_running_loop().call_soon(self._tell_drained)

    def watch_closely(self, is_on: bool) -> None:
        """Another server's own pings are not ours to hasten."""

    def unanswered(self) -> float:
        return 0.0

    def close(self, code: int, reason: str = "") -> None:
        if self._close is None and not self._task.done():
            self._close = {"type": "websocket.close", "code": code, "reason": reason}
            self._wake.set()
            self._wheel.schedule(self, _CLOSE_SECONDS)

    def abort(self) -> None:
        self._wheel.cancel(self)
        self._task.cancel()

    def due(self) -> None:
        """The close frame could not be sent in time."""
        self.abort()

    async def _run(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._frames:
                    await self._send_frames(self._frames.popleft())
                if self._close is not None:
                    await self._send(self._close)
                    return
        except OSError:
            return  # The peer is gone; the reading side hears of it too.
        finally:
            self._wheel.cancel(self)
            self._bytes = 0
            self._frames.clear()
            self._tell_drained()

    async def _send_frames(self, frames: bytes) -> None:
        for opcode, payload in split(frames):
            if opcode == TEXT:
                await self._send({"type": "websocket.send", "text": payload.decode()})
            else:
                await self._send({"type": "websocket.send", "bytes": payload})
        self._bytes -= len(frames)
        self._tell_drained()

    def _tell_drained(self) -> None:
        callback = self._drained
        if callback is not None and self._bytes <= LOW_WATER:
            self._drained = None
            callback()
