"""A WebSocket at the socket: uvicorn's sans-I/O protocol with a raw writer, bounded waits and nothing kept in vain.

uvicorn is handed `chatserver.edge.websocket_protocol:ChatWebSocketProtocol` by name, so that spawned workers find it.
The app finds the connection itself as the ASGI extension `chatserver.wire`: a `delivery.wire.Wire` that can also be
adopted (`adopt`), after which no task, queue or scope stays behind for an idle connection.

Writes of ready-made frames go past websockets' state machine. That is right because every write, its own included, is
of whole frames, and because none follows a close frame (`close_sent`).
"""

from __future__ import annotations

import asyncio
import email.utils
import logging
import random
import socket
import struct
from asyncio.transports import BaseTransport
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Protocol as FrameProtocol
from websockets.protocol import Side, State

from chatserver.domain.errors import Refusal
from chatserver.domain.limits import Bucket
from chatserver.edge.admission import Admission
from chatserver.edge.receiver import NOBODY, Receiver
from chatserver.edge.refusals import body_of, headers_of, status_of
from chatserver.edge.tracebacks import traceback_places
from chatserver.protocol.codes import Close

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent
    from uvicorn.config import Config
    from uvicorn.server import ServerState

EXTENSION: Final = "chatserver.wire"
CLOSE_SECONDS: Final = 5.0
"""How long a peer may take to answer a close frame, or to take what was written before the end."""
LOW_WATER: Final = 32 * 1024
"""Bytes in the write buffer at or below which a connection counts as drained."""

_PING: Final = b"\x89\x00"
_PING_SPREAD: Final = 0.2
"""A peer is pinged up to this share of `ping_seconds` early, so that a crowd is not pinged in one moment."""
_FRAMES_PER_TURN: Final = 64
"""A peer that sends a flood of tiny frames is read in slices, so that the others get their turn."""
_SLICE: Final = 4_096
_FRAGMENTS: Final = 128
"""Fragments of one message, empty ones included."""
_CONTROLS_PER_SECOND: Final = 10.0
_CONTROLS_AT_ONCE: Final = 100.0
_QUEUED_FRAMES: Final = 4
"""What may be queued for the app, in largest frames."""
_PARTING_SECONDS: Final = 1.0
_NO_LINGER: Final = struct.pack("ii", 1, 0)

_log = logging.getLogger("chatserver.edge")
_frame_log = logging.getLogger("chatserver.edge.frames")


class _Frames(FrameProtocol):
    """websockets' frame half, which lets a peer leave in the middle of a fragmented message: a close frame may come
    between fragments like every control frame (RFC 6455, section 5.4), and is answered with its own code."""

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)


class ChatWebSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket, from its upgrade to its end. It is the Wire of its connection."""

    # uvicorn's own attributes stand here as well: in a dictionary they would take 2 KB of every connection.
    __slots__ = (
        "_admission", "_adopted", "_asked", "_controls", "_drained", "_fragments", "_heard", "_held", "_is_admitted",
        "_is_over", "_is_watched", "_is_write_paused", "_pending", "_pending_bytes", "_pump", "_resuming", "app",
        "app_state", "asgi_version", "client", "close_sent", "close_timeout", "close_timer", "config", "conn",
        "connections", "curr_msg_data_type", "default_headers", "disconnected", "frames", "handshake_complete",
        "handshake_initiated", "initial_response", "last_ping_rtt", "logger", "loop", "pending_ping_payload",
        "ping_interval", "ping_sent_at", "ping_timeout", "ping_timer", "pong_timer", "queue", "read_paused",
        "request", "response", "root_path", "scheme", "scope", "server", "tasks", "tick", "transport", "writable",
    )  # fmt: skip

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._admission = Admission.of(app_state)
        self.tick = 0
        self._adopted: Receiver | None = None
        self._pump: asyncio.Task[None] | None = None
        self._pending: list[str | bytes] = []
        self._pending_bytes = 0
        self._held = b""
        self._resuming: asyncio.Handle | None = None
        self._drained: Callable[[], None] | None = None
        self._controls: Bucket | None = None
        self._fragments = 0
        self._heard = 0.0
        self._asked = 0.0
        """When a ping was sent first since anything was heard."""
        self._is_watched = False
        self._is_admitted = False
        self._is_over = False
        self._is_write_paused = False

    # ------------------------------------------------------------------------------------------ the Wire

    def write(self, frames: bytes) -> None:
        if self.handshake_complete and not self.close_sent and not self.disconnected:
            self.transport.write(frames)

    def buffered(self) -> int:
        return 0 if self.disconnected else self.transport.get_write_buffer_size()

    def when_drained(self, callback: Callable[[], None] | None) -> None:
        self._drained = callback
        if callback is not None and not self.disconnected and not self._is_write_paused:
            self.loop.call_soon(self._tell_drained)

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye; what was received and not yet handled is dropped. The peer has CLOSE_SECONDS to answer, and to
        take what is still in the buffer."""
        self._close(code, reason, CLOSE_SECONDS)

    def abort(self) -> None:
        if self.disconnected:
            return
        self.close_sent = True
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            # The kernel too forgets what it still holds for a peer that takes nothing.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def adopt(self, receiver: Receiver) -> None:
        """Hand the accepted connection to `receiver`. The ASGI call is expected to return now: the connection lives
        on without it, until either side closes."""
        self._adopted = receiver
        if self._is_over:
            self.loop.call_soon(self._farewell, receiver)

    # ------------------------------------------------------------------------------- what asyncio tells

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._admission.tcp += 1
        # With one mark for both directions there is no size at which a wish to be told would be forgotten.
        self.transport.set_write_buffer_limits(high=LOW_WATER, low=LOW_WATER)
        self._admission.wheel.schedule(self, self._admission.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)
        self._admission.tcp -= 1
        if self._is_admitted:
            self._admission.sockets -= 1
        self._admission.wheel.cancel(self)
        self.disconnected = True
        self.handshake_complete = True
        self._held = b""
        self._is_write_paused = False
        self._tell_drained()
        if self._adopted is None:
            # Nobody resumes a transport that is lost while paused.
            self.writable.set()
        if self._pump is not None:
            self.tasks.add(self._pump)
            self._pump.add_done_callback(self.tasks.discard)
        self._end(1005 if self.close_sent else 1006, "")
        # The parser and its generator hold each other; so would the receiver and this wire. Nobody should have to wait
        # for the garbage collector.
        self.conn.parser.close()

    def eof_received(self) -> None:
        """The peer sends nothing any more; returning nothing makes asyncio close what it could not half-close."""

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        if self._held:
            self._held += data
        else:
            self._read(data)

    def pause_writing(self) -> None:
        self._is_write_paused = True
        if self._adopted is None:
            self.writable.clear()

    def resume_writing(self) -> None:
        self._is_write_paused = False
        if self._adopted is None:
            self.writable.set()
        self._tell_drained()

    def shutdown(self) -> None:
        """uvicorn stops. Who has been adopted is closed by the drain, in its turn."""
        is_cared_for = self._admission.start_drain()
        if not self.handshake_complete:
            return
        if not (is_cared_for and self._adopted is not None):
            self.close(Close.SERVICE_RESTART)

    def due(self) -> None:
        """What the timer wheel calls: the peer was silent, or took too long to begin or to end."""
        if self.close_sent or not self.handshake_complete or self.transport.is_closing():
            self.abort()
            return
        limits, wheel = self._admission.limits, self._admission.wheel
        if self.read_paused:
            # It is we who do not listen.
            self._heard = self.loop.time()
        silent = self.loop.time() - self._heard
        if silent >= limits.ping_seconds + limits.pong_seconds:
            self._admission.went_silent += 1
            self._close(Close.WENT_SILENT, "", _PARTING_SECONDS)
        elif silent >= self._patience() * (1.0 - _PING_SPREAD):
            self.transport.write(_PING)
            if self._asked <= self._heard:
                self._asked = self.loop.time()
            left = limits.ping_seconds + limits.pong_seconds - silent
            wheel.schedule(self, min(left, self._patience()) if self._is_watched else left)
        else:
            wheel.schedule(self, self._quiet_seconds() - silent)

    def _quiet_seconds(self) -> float:
        """How long the peer may say nothing before it is pinged, drawn anew each time."""
        return self._patience() * (1.0 - _PING_SPREAD * random.random())

    def _patience(self) -> float:
        limits = self._admission.limits
        return min(limits.session_ping_seconds, limits.ping_seconds) if self._is_watched else limits.ping_seconds

    def watch_closely(self, is_on: bool) -> None:
        if self._is_watched is is_on:
            return
        self._is_watched = is_on
        if is_on and self.handshake_complete and not self.close_sent and not self.transport.is_closing():
            self._admission.wheel.schedule(self, 0.0)

    def unanswered(self) -> float:
        return self.loop.time() - self._asked if self._asked > self._heard else 0.0

    # ------------------------------------------------------------------------------------------ reading

    def _read(self, data: bytes) -> None:
        """Parse, at most so many frames at once; the rest is held until the next turn or until the app caught up."""
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
        """Feed the state machine and do what follows. Returns how many frames there were."""
        conn = self.conn
        conn.receive_data(data)
        events = conn.events_received()
        for event in events:
            if isinstance(event, Request):
                self.handle_connect(event)
            elif isinstance(event, Frame) and not self.close_sent:
                self._take(event)
            elif isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                self._part()
        if self.disconnected:
            return len(events)
        if writes := b"".join(self.conn.data_to_send()):
            self._send_own(writes)
        if self.conn.parser_exc is not None:
            self._fail()
        elif not self.handshake_initiated and self.conn.handshake_exc is not None:
            # websockets has written its own refusal of an oversized or unreadable head.
            self.handshake_initiated = True
            self._turn_away()
        return len(events)

    def _take(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self.curr_msg_data_type = "text" if frame.opcode is Opcode.TEXT else "bytes"
                if frame.fin:
                    self._message(bytes(frame.data))
                else:
                    self._fragments = 1
                    self.frames.append(bytes(frame.data))
            case Opcode.CONT:
                self._fragments += 1
                if frame.data:
                    self.frames.append(bytes(frame.data))
                if frame.fin:
                    whole = b"".join(self.frames)
                    self.frames.clear()
                    self._message(whole)
                elif self._fragments >= _FRAGMENTS:
                    self.conn.fail(Close.MESSAGE_TOO_BIG, "too many fragments")
                    self._fail()
            case Opcode.CLOSE:
                close = self.conn.close_rcvd
                assert close is not None
                self._send_own(b"".join(self.conn.data_to_send()))
                self.close_sent = True
                self._end(close.code, close.reason)
                self._part()
            case _:
                self._count_control()

    def _message(self, data: bytes) -> None:
        if self.curr_msg_data_type == "bytes":
            self._deliver(data)
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.conn.fail(Close.INVALID_TEXT)
            self._fail()
        else:
            self._deliver(text)

    def _deliver(self, data: str | bytes) -> None:
        if self._adopted is None:
            if isinstance(data, str):
                self.queue.put_nowait({"type": "websocket.receive", "text": data})
            else:
                self.queue.put_nowait({"type": "websocket.receive", "bytes": data})
        elif self._pump is None:
            self._pump = self.loop.create_task(self._run(self._adopted, data))
        else:
            self._pending.append(data)
            self._pending_bytes += len(data)

    async def _run(self, receiver: Receiver, data: str | bytes) -> None:
        """Handle one message, and those that came meanwhile."""
        try:
            while True:
                await receiver.receive(data)
                if not self._pending:
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
                self._farewell(receiver)
            else:
                self._resume_if_room()

    def _count_control(self) -> None:
        now = self.loop.time()
        if self._controls is None:
            self._controls = Bucket(_CONTROLS_PER_SECOND, _CONTROLS_AT_ONCE, now)
        if self._controls.take(1.0, now) > 0.0:
            self.close(Close.TOO_FAST, "too many control frames")

    # ------------------------------------------------------------------------- pausing, and reading on

    def _is_full(self) -> bool:
        limits = self._admission.limits
        if self.close_sent:
            return False
        if self._adopted is None:
            is_opening = self.handshake_initiated and not self.handshake_complete
            return is_opening or self.queue.qsize() >= limits.commands_in_flight
        return (
            len(self._pending) >= limits.commands_in_flight
            or self._pending_bytes >= limits.frame_bytes * _QUEUED_FRAMES
        )

    def _pause(self) -> None:
        if not self.read_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

    def _resume_if_room(self) -> None:
        if self.read_paused and not self._is_full():
            self._resume_soon()

    def _resume_soon(self) -> None:
        if self._resuming is None:
            self._resuming = self.loop.call_soon(self._resume)

    def _resume(self) -> None:
        self._resuming = None
        if self.disconnected or not self.read_paused:
            return
        held, self._held = self._held, b""
        self._heard = self.loop.time()
        self.read_paused = False
        if held:
            self._read(held)
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    # ---------------------------------------------------------------------------------------- the handshake

    def handle_connect(self, event: Request) -> None:
        try:
            self._admission.check()
        except Refusal as refusal:
            self.handshake_initiated = True
            self._refuse(status_of(refusal.reason), headers_of(refusal), body_of(refusal))
            return
        super().handle_connect(event)
        if self.close_sent:
            self._turn_away()
            return
        self._admission.sockets += 1
        self._is_admitted = True
        cast("dict[str, object]", self.scope["extensions"])[EXTENSION] = self
        # What comes before the handshake is answered stays in the kernel.
        self._pause()

    async def run_asgi(self) -> None:
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            self._close(Close.INTERNAL, "", CLOSE_SECONDS)
        except Exception as failure:  # noqa: BLE001 - the boundary of a connection's task
            _log.error("the app failed on a WebSocket: %s", traceback_places(failure))
            if self.handshake_complete:
                self._close(Close.INTERNAL, "", CLOSE_SECONDS)
            else:
                self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, [], b"")
        except BaseException:
            self.abort()
            raise
        else:
            if not self.handshake_complete:
                _log.error("the app answered a WebSocket upgrade with nothing")
                self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, [], b"")
            elif self._adopted is None:
                self.close(Close.NORMAL)
        if self._adopted is not None:
            # Nothing of the handshake is needed any more.
            del self.queue, self.writable, self.scope, self.request, self.response
            self.client = self.server = None

    async def send(self, message: ASGISendEvent) -> None:
        """The plain ASGI way, for the handshake and for apps that do not know the extension."""
        if self._is_write_paused:
            await self.writable.wait()
        if self.disconnected:
            raise ClientDisconnected
        if not self.handshake_complete:
            self._answer_upgrade(message)
        elif self.close_sent:
            raise ClientDisconnected
        elif message["type"] == "websocket.send":
            self._send_message(message.get("bytes"), message.get("text"))
        elif message["type"] == "websocket.close":
            self.close(message.get("code", 1000), message.get("reason") or "")
        else:
            raise RuntimeError(f"unexpected ASGI message {message['type']!r} on an open WebSocket")

    async def receive(self) -> Any:
        message = await self.queue.get()
        self._resume_if_room()
        return message

    def _send_message(self, binary: bytes | None, text: str | None) -> None:
        try:
            if binary is not None:
                self.conn.send_binary(binary)
            else:
                self.conn.send_text((text or "").encode())
        except InvalidState:
            raise ClientDisconnected from None
        self.transport.write(b"".join(self.conn.data_to_send()))

    def _answer_upgrade(self, message: ASGISendEvent) -> None:
        started = self.initial_response
        if started is not None and message["type"] == "websocket.http.response.body":
            status, headers, body = started
            self.initial_response = (status, headers, body + message["body"])
            if not message.get("more_body", False):
                self._refuse(*self.initial_response)
        elif started is None and message["type"] == "websocket.accept":
            self._accept(message.get("subprotocol"), list(message.get("headers", [])))
        elif started is None and message["type"] == "websocket.close":
            self._refuse(HTTPStatus.FORBIDDEN, [], b"")
        elif started is None and message["type"] == "websocket.http.response.start":
            pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", [])]
            self.initial_response = (message["status"], pairs, b"")
        else:
            raise RuntimeError(f"unexpected ASGI message {message['type']!r} before the handshake was answered")

    def _accept(self, subprotocol: str | None, headers: list[tuple[bytes, bytes]]) -> None:
        response = self.response
        del response.headers["Date"]
        for name, value in (*self.default_headers, *headers):
            response.headers[name.decode("latin-1")] = value.decode("latin-1")
        if subprotocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = subprotocol
        self.handshake_complete = True
        self.transport.write(response.serialize())
        # websockets' server object keeps the request; its frame half is all that is needed from here on.
        opening, limits = self.conn, self._admission.limits
        size = min(limits.frame_bytes, self.config.ws_max_size)
        conn = _Frames(Side.SERVER, state=State.OPEN, max_size=size, logger=_frame_log)
        conn.extensions = opening.extensions
        opening.parser.close()
        self.conn = cast("Any", conn)
        self._heard = self.loop.time()
        self._admission.wheel.schedule(self, self._quiet_seconds())
        self._resume_if_room()

    def _refuse(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer the upgrade with a plain HTTP response, and part."""
        if self.handshake_complete or self.transport.is_closing():
            return
        answer = Headers(headers)
        answer.setdefault("Date", email.utils.formatdate(usegmt=True))
        answer.setdefault("Connection", "close")
        answer.setdefault("Content-Length", str(len(body)))
        answer.setdefault("Content-Type", "text/plain; charset=utf-8")
        self.transport.write(Response(status, HTTPStatus(status).phrase, answer, body).serialize())
        self._turn_away()

    def _turn_away(self) -> None:
        """The upgrade has been refused, and the answer written."""
        self.handshake_complete = True
        self.close_sent = True
        self._end(1006, "")
        self._part()

    # ------------------------------------------------------------------------------------------- the end

    def _close(self, code: int, reason: str, patience: float) -> None:
        if self.close_sent or self.disconnected or not self.handshake_complete:
            return
        if self.conn.state is State.OPEN:
            self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._pending.clear()
        self._pending_bytes = 0
        self._end(code, reason)
        self._admission.wheel.schedule(self, patience)
        # The peer's answer is still to be read.
        self._resume_if_room()

    def _fail(self) -> None:
        """The peer broke the protocol, and websockets has a close frame ready that says how."""
        if self.close_sent:
            return
        self._send_own(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        close = self.conn.close_sent
        self._end(1006 if close is None else close.code, "")
        # Reading goes on until the peer has read why: a socket closed over unread bytes resets the connection.
        self._admission.wheel.schedule(self, CLOSE_SECONDS)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _part(self) -> None:
        """All has been said: close as soon as it is written, and do not wait for ever for that."""
        self._admission.wheel.schedule(self, CLOSE_SECONDS)
        self.transport.close()

    def _end(self, code: int, reason: str) -> None:
        """Nothing more comes from here for the app. It is told once, after what it is handling now."""
        if self._is_over:
            return
        self._is_over = True
        if self._adopted is None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        elif self._pump is None:
            self.loop.call_soon(self._farewell, self._adopted)

    def _farewell(self, receiver: Receiver) -> None:
        self._adopted = NOBODY
        receiver.closed()

    def _send_own(self, frames: bytes) -> None:
        """Write websockets' own frames. Answers to pings are not piled up for a peer that does not read them."""
        if frames and not (self._is_write_paused and self.conn.state is State.OPEN):
            self.transport.write(frames)

    def _tell_drained(self) -> None:
        callback = self._drained
        if callback is not None and not self._is_write_paused:
            self._drained = None
            callback()
