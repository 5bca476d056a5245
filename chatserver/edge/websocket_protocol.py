"""A WebSocket at the socket: every wait is bounded, ready-made frames are written as they are, and idle connections
keep no task.

uvicorn loads `ChatWebSocketProtocol` by name (`serving.WS_PROTOCOL`), so that spawned workers find it. It relies on the
arguments of uvicorn's constructor call (`ServerConfig`, `ServerState`), and on `shutdown` being called when the server
stops. The app finds the connection as the ASGI extension `chatserver.wire`, accepts the upgrade and adopts the
connection (`adopt`). An idle connection has no task, queue or scope.

Ready-made frames are written past websockets' state machine. That is safe because every write is of whole frames, and
because none follows a close frame. See docs/decisions/0050, 0051 and 0176.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import struct
from asyncio.transports import BaseTransport
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, cast

from chatserver.domain.errors import Refusal
from chatserver.domain.limits import Bucket
from chatserver.edge.admission import Admission
from chatserver.edge.receiver import Receiver
from chatserver.edge.refusals import body_of, headers_of, status_of
from chatserver.edge.tracebacks import traceback_places
from chatserver.edge.websocket_frames import FrameEvent, FrameReader
from chatserver.edge.websocket_handshake import Handshake, ServerConfig, ServerState
from chatserver.protocol.codes import Close

CLOSE_SECONDS: Final = 5.0
"""Seconds that a peer may take to answer a close frame, or to read what was written before the end."""
LOW_WATER: Final = 32 * 1024
"""Bytes in the write buffer at or below which a connection counts as drained, unless `limits.outbox_bytes` is less."""

_PING: Final = b"\x89\x00"
_PING_SPREAD: Final = 0.2
"""A peer is pinged up to this share of `ping_seconds` early, so that many peers are not pinged at the same moment."""
_FRAMES_PER_TURN: Final = 64
"""Frames read from one peer in one turn of the loop, so that a flood of tiny frames does not delay the others."""
_SLICE: Final = 4_096
_CONTROLS_PER_SECOND: Final = 10.0
_CONTROLS_AT_ONCE: Final = 100.0
_QUEUED_FRAMES: Final = 4
"""How much may wait for the receiver, as a multiple of the largest frame."""
_PARTING_SECONDS: Final = 1.0
_NO_LINGER: Final = struct.pack("ii", 1, 0)

_log = logging.getLogger("chatserver.edge")


class _Phase(IntEnum):
    OPENING = 0
    """The upgrade has not been answered yet."""
    OPEN = 1
    ENDING = 2
    """A close frame was sent or answered, the upgrade was refused, or the socket was dropped. Only answers to control
    frames are still written."""
    LOST = 3
    """There is no TCP connection any more."""


# Looking up a member of an enumeration takes longer than the comparisons here.
_OPENING, _OPEN, _ENDING, _LOST = _Phase


class ChatWebSocketProtocol(asyncio.Protocol):
    """One WebSocket, from its upgrade to its end. It implements `Wire` (`delivery/wire.py`) for its connection."""

    # A dictionary of attributes would take a kilobyte of every connection.
    __slots__ = (
        "__weakref__", "_admission", "_asked", "_controls", "_drained", "_handshake", "_heard", "_held", "_is_admitted",
        "_is_over", "_is_read_paused", "_is_watched", "_is_write_paused", "_loop", "_pending", "_pending_bytes",
        "_phase", "_pump", "_reader", "_receiver", "_resuming", "_server_state", "tick", "transport",
    )  # fmt: skip

    transport: asyncio.Transport

    def __init__(
        self,
        config: ServerConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.tick = 0
        self._loop = _loop or asyncio.get_running_loop()
        self._server_state = server_state
        self._admission = Admission.of(app_state)
        self._phase = _OPENING
        self._handshake: Handshake | None = Handshake(self, config, server_state, app_state)
        """The handshake, until the upgrade is answered."""
        self._reader: FrameReader | None = None
        """The reader of frames, once the upgrade was accepted."""
        self._receiver: Receiver | None = None
        """The receiver that adopted the connection, until it was told of the end."""
        self._pump: asyncio.Task[None] | None = None
        self._pending: list[str | bytes] | None = None
        """Messages that wait for the receiver; None where there are none."""
        self._pending_bytes = 0
        self._held = b""
        """Bytes that were received and not read yet."""
        self._resuming: asyncio.Handle | None = None
        self._drained: Callable[[], None] | None = None
        self._controls: Bucket | None = None
        self._heard = 0.0
        self._asked = 0.0
        """When the first ping since the last received byte was sent."""
        self._is_watched = False
        self._is_admitted = False
        self._is_over = False
        """Whether the receiver must be told of the end once it has handled the current message."""
        self._is_read_paused = False
        self._is_write_paused = False

    # ------------------------------------------------------------------------------------------ the Wire

    def write(self, frames: bytes) -> int:
        if self._phase is _OPEN:
            self.transport.write(frames)
        # asyncio pauses a protocol before `write` returns, if more waits than the mark that `connection_made` sets.
        return self.buffered() if self._is_write_paused else 0

    def buffered(self) -> int:
        return 0 if self._phase is _LOST else self.transport.get_write_buffer_size()

    def when_drained(self, callback: Callable[[], None] | None) -> None:
        self._drained = callback
        if callback is not None and self._phase is not _LOST and not self._is_write_paused:
            self._loop.call_soon(self._tell_drained)

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame; what was received and not yet handled is dropped. The peer has CLOSE_SECONDS to answer,
        and to read what is still in the buffer."""
        self._close(code, reason, CLOSE_SECONDS)

    def abort(self) -> None:
        if self._phase is _LOST:
            return
        self._leave_handshake(_ENDING)
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            # Make the kernel too discard what it still holds for a peer that reads nothing.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def watch_closely(self, is_on: bool) -> None:
        if self._is_watched is is_on:
            return
        self._is_watched = is_on
        if is_on and self._phase is _OPEN and not self.transport.is_closing():
            self._admission.wheel.schedule(self, 0.0)

    def unanswered(self) -> float:
        return self._loop.time() - self._asked if self._asked > self._heard else 0.0

    def adopt(self, receiver: Receiver) -> None:
        """Give the accepted connection to `receiver`. The ASGI call is expected to return now; the connection stays
        open without it until either side closes. MUST be called in the turn of the loop in which the app accepted."""
        self._receiver = receiver
        if self._is_over:
            self._loop.call_soon(self._tell_end, receiver)
        else:
            self._resume_if_room()

    # --------------------------------------------------------------------------- what asyncio and uvicorn tell

    def connection_made(self, transport: BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._server_state.connections.add(self)
        self._admission.tcp += 1
        # With a single mark for both directions, no buffer size can be reached at which a drain callback would be
        # missed.
        mark = min(LOW_WATER, self._admission.limits.outbox_bytes)
        self.transport.set_write_buffer_limits(high=mark, low=mark)
        self._admission.wheel.schedule(self, self._admission.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server_state.connections.discard(self)
        self._admission.tcp -= 1
        if self._is_admitted:
            self._admission.sockets -= 1
        self._admission.wheel.cancel(self)
        self._phase = _LOST
        self._held = b""
        self._is_write_paused = False
        self._tell_drained()
        if self._pump is not None:
            # uvicorn waits for the current message to be handled.
            self._server_state.tasks.add(self._pump)
            self._pump.add_done_callback(self._server_state.tasks.discard)
        self._end()
        # Break the reference cycle now rather than leave it to the garbage collector.
        self._leave_handshake(_LOST)
        if self._reader is not None:
            self._reader.release()
            self._reader = None

    def eof_received(self) -> None:
        """Note that the peer sends nothing more; returning None makes asyncio close the connection."""

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        if self._held:
            self._held += data
        else:
            self._read(data)

    def pause_writing(self) -> None:
        self._is_write_paused = True

    def resume_writing(self) -> None:
        self._is_write_paused = False
        self._tell_drained()

    def shutdown(self) -> None:
        """Close, because uvicorn stops. If the app has a drain, it closes all connections in turn instead."""
        is_cared_for = self._admission.start_drain()
        if not is_cared_for:
            self.close(Close.SERVICE_RESTART)

    # ----------------------------------------------------------------------------------------- the handshake

    def opened(self, response: bytes) -> None:
        """Note that the app accepted the upgrade. Nothing is read until it adopts the connection."""
        self._leave_handshake(_OPEN)
        self.transport.write(response)
        self._reader = FrameReader(self._admission.parsers)
        self._heard = self._loop.time()
        self._admission.wheel.schedule(self, self._quiet_seconds())

    def refused(self, response: bytes) -> None:
        """Send the response that refuses the upgrade, and close."""
        if self.transport.is_closing():
            return
        self._leave_handshake(_ENDING)
        self.transport.write(response)
        self._end()
        self._part()

    def app_returned(self, *, is_failure: bool) -> None:
        """Note that the app's call has returned. It must have adopted what it accepted."""
        if self._phase is _OPEN and self._receiver is None:
            _log.error("the app accepted a WebSocket and did not adopt it")
            is_failure = True
        if is_failure:
            self.close(Close.INTERNAL)

    def _open(self, handshake: Handshake, data: bytes) -> None:
        """Read a part of the upgrade request, and have it answered once it is complete."""
        if not handshake.feed(data):
            return
        try:
            self._admission.check()
        except Refusal as refusal:
            handshake.refuse(status_of(refusal.reason), headers_of(refusal), body_of(refusal))
            return
        if handshake.start():
            self._admission.sockets += 1
            self._is_admitted = True
            # What arrives before the handshake is answered stays in the kernel.
            self._pause()

    def _leave_handshake(self, phase: _Phase) -> None:
        self._phase = phase
        if self._handshake is not None:
            self._handshake.end()
            self._handshake = None

    # ------------------------------------------------------------------------------------------ reading

    def _read(self, data: bytes) -> None:
        """Parse at most a fixed number of frames; the rest waits for the next turn, or until there is room."""
        at, frames = 0, 0
        while at < len(data):
            if self._is_full() or frames >= _FRAMES_PER_TURN:
                self._held = data[at:]
                self._pause()
                if not self._is_full():
                    self._resume_soon()
                return
            piece = data if len(data) <= _SLICE else data[at : at + _SLICE]
            at += len(piece)
            frames += self._parse(piece)
            if self.transport.is_closing():
                return
        if self._is_full():
            self._pause()

    def _parse(self, data: bytes) -> int:
        """Parse some bytes and act on the frames. Return how many frames ended in them."""
        if self._handshake is not None:
            self._open(self._handshake, data)
            return 0
        reader = self._reader
        if reader is None:
            return 0
        entries = reader.feed(data)
        for entry in entries:
            if not isinstance(entry, FrameEvent):
                if self._phase is _OPEN:
                    self._deliver(entry)
            elif entry is FrameEvent.CLOSED:
                self._answer_close(reader)
            elif self._phase is not _OPEN:
                continue
            elif entry is FrameEvent.CONTROL:
                self._count_control()
            elif entry is FrameEvent.FAILED:
                self._fail(reader)
        if self._phase is not _LOST and (answers := reader.to_send()) and not self._is_write_paused:
            # Do not pile up answers to pings for a peer that does not read them.
            self.transport.write(answers)
        return len(entries)

    def _answer_close(self, reader: FrameReader) -> None:
        if self._phase is _OPEN:
            self._phase = _ENDING
            self.transport.write(reader.to_send())
            self._end()
        self._part()

    def _fail(self, reader: FrameReader) -> None:
        """Tell the peer how it broke the protocol, and close."""
        self._phase = _ENDING
        self.transport.write(reader.to_send())
        self._end()
        # Go on reading until the peer has read the reason: closing a socket with unread bytes resets the connection.
        self._admission.wheel.schedule(self, CLOSE_SECONDS)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _count_control(self) -> None:
        now = self._loop.time()
        if self._controls is None:
            self._controls = Bucket(_CONTROLS_PER_SECOND, _CONTROLS_AT_ONCE, now)
        if self._controls.take(1.0, now) > 0.0:
            self.close(Close.TOO_FAST, "too many control frames")

    def _deliver(self, data: str | bytes) -> None:
        if self._pump is None:
            assert self._receiver is not None
            self._pump = self._loop.create_task(self._run(self._receiver, data))
        else:
            if self._pending is None:
                self._pending = []
            self._pending.append(data)
            self._pending_bytes += len(data)

    async def _run(self, receiver: Receiver, data: str | bytes) -> None:
        """Have one message handled, and then those that have arrived meanwhile."""
        try:
            while True:
                await receiver.receive(data)
                if not self._pending:
                    self._pending = None
                    break
                data = self._pending.pop(0)
                self._pending_bytes -= len(data)
                self._resume_if_room()
        except Exception as failure:  # noqa: BLE001 - the boundary of a connection's task
            _log.error("a receiver failed: %s", traceback_places(failure))
            self.close(Close.INTERNAL)
        finally:
            self._pump = None
            if self._is_over:
                self._tell_end(receiver)
            else:
                self._resume_if_room()

    # ------------------------------------------------------------------------- pausing, and reading on

    def _is_full(self) -> bool:
        if self._phase is _OPENING:
            return self._handshake is not None and self._handshake.has_request
        if self._phase is not _OPEN:
            return False
        limits = self._admission.limits
        return (
            self._receiver is None
            or (self._pending is not None and len(self._pending) >= limits.commands_in_flight)
            or self._pending_bytes >= limits.frame_bytes * _QUEUED_FRAMES
        )

    def _pause(self) -> None:
        if not self._is_read_paused and not self.transport.is_closing():
            self._is_read_paused = True
            self.transport.pause_reading()

    def _resume_if_room(self) -> None:
        if self._is_read_paused and not self._is_full():
            self._resume_soon()

    def _resume_soon(self) -> None:
        if self._resuming is None:
            self._resuming = self._loop.call_soon(self._resume)

    def _resume(self) -> None:
        self._resuming = None
        if self._phase is _LOST or not self._is_read_paused:
            return
        held, self._held = self._held, b""
        self._heard = self._loop.time()
        self._is_read_paused = False
        if held:
            self._read(held)
        if not self._is_read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    # --------------------------------------------------------------------------------------- waiting

    def due(self) -> None:
        """Handle a time-out: the peer was silent, or took too long to begin or to end. Called by the timer wheel."""
        if self._phase is not _OPEN or self.transport.is_closing():
            self.abort()
            return
        limits, wheel = self._admission.limits, self._admission.wheel
        if self._is_read_paused:
            # The peer is not silent: this side has paused reading.
            self._heard = self._loop.time()
        silent = self._loop.time() - self._heard
        if silent >= limits.ping_seconds + limits.pong_seconds:
            self._admission.went_silent += 1
            self._close(Close.WENT_SILENT, "", _PARTING_SECONDS)
        elif silent >= self._patience() * (1.0 - _PING_SPREAD):
            self.transport.write(_PING)
            if self._asked <= self._heard:
                self._asked = self._loop.time()
            left = limits.ping_seconds + limits.pong_seconds - silent
            wheel.schedule(self, min(left, self._patience()) if self._is_watched else left)
        else:
            wheel.schedule(self, self._quiet_seconds() - silent)

    def _quiet_seconds(self) -> float:
        """Return the seconds of silence after which the peer is pinged, drawn anew each time."""
        return self._patience() * (1.0 - _PING_SPREAD * random.random())

    def _patience(self) -> float:
        limits = self._admission.limits
        return min(limits.session_ping_seconds, limits.ping_seconds) if self._is_watched else limits.ping_seconds

    # ------------------------------------------------------------------------------------------- the end

    def _close(self, code: int, reason: str, patience: float) -> None:
        """Send a close frame. The peer has `patience` seconds to answer it."""
        if self._phase is not _OPEN:
            return
        assert self._reader is not None
        self.transport.write(self._reader.close(code, reason))
        self._phase = _ENDING
        self._pending = None
        self._pending_bytes = 0
        self._end()
        self._admission.wheel.schedule(self, patience)
        # The peer's answer must still be read.
        self._resume_if_room()

    def _part(self) -> None:
        """Close the socket once everything is written, but do not wait for that longer than CLOSE_SECONDS."""
        self._admission.wheel.schedule(self, CLOSE_SECONDS)
        self.transport.close()

    def _end(self) -> None:
        """Tell the receiver once that the connection is over, after the message it is handling now."""
        if self._is_over:
            return
        self._is_over = True
        if self._receiver is not None and self._pump is None:
            self._loop.call_soon(self._tell_end, self._receiver)

    def _tell_end(self, receiver: Receiver) -> None:
        self._receiver = None
        receiver.closed()

    def _tell_drained(self) -> None:
        callback = self._drained
        if callback is not None and not self._is_write_paused:
            self._drained = None
            callback()
