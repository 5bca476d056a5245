"""HTTP at the socket: uvicorn's protocol, with a limit for every wait.

uvicorn alone lets a client take any time over a request's head, send a head of any size, and read its answer as slowly
as it likes. A reverse proxy prevents all three; this class does so for servers without one.

It relies on these parts of uvicorn's class: the constructor, asyncio's methods, httptools' callback
`on_headers_complete`, and that `on_response_complete` is called when a response was handed over.
docs/decisions/0176 says why it is a subclass.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chatserver.edge.admission import Admission

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

_HEAD_BYTES: Final = 32 * 1024
_FLUSH_SECONDS: Final = 30.0
"""Seconds that a client may take to read an answer that was handed over."""


class ChatHttpProtocol(HttpToolsProtocol):
    """One TCP connection while it speaks HTTP. uvicorn loads the class by name (`serving.HTTP_PROTOCOL`)."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.tick = 0
        self._admission = Admission.of(app_state)
        self._head_bytes = 0
        self._is_in_head = True
        self._is_between = False
        """Whether all requests were answered, and no byte of another has arrived."""
        self._unanswered = 0
        """The number of requests whose head has arrived and whose response was not handed over yet."""
        self._peer: tuple[bytes, ...] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._peer = self._admission.enter_peer(peer[0] if isinstance(peer, tuple) else None)
        has_room = self._admission.has_tcp_room() and self._peer is not None
        self._admission.tcp += 1
        if has_room:
            self._admission.wheel.schedule(self, self._admission.limits.header_seconds)
        else:
            self._admission.refused += 1
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_between:
            # The first bytes of another request on a kept connection, or line breaks that never become one.
            self._is_between = False
            self._is_in_head = True
            self._head_bytes = 0
            self._admission.wheel.schedule(self, self._admission.limits.header_seconds)
        super().data_received(data)
        if self.transport.get_protocol() is not self:
            # The connection has become a WebSocket, and this object gets no more calls.
            self._leave()
        elif self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES and not self.transport.is_closing():
                self._refuse(431)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._unanswered += 1
        self._admission.wheel.cancel(self)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        self._unanswered -= 1
        self._is_between = self._unanswered == 0
        super().on_response_complete()
        if self.transport.get_write_buffer_size() > 0:
            self._admission.wheel.schedule(self, _FLUSH_SECONDS)

    def _leave(self) -> None:
        self._admission.wheel.cancel(self)
        self._admission.tcp -= 1
        if self._peer is not None:
            self._admission.leave_peer(self._peer)
            self._peer = None

    def due(self) -> None:
        """End the connection: its head did not arrive, or its answer was not read, in time. Called by the timer
        wheel."""
        if self._is_in_head and not self.transport.is_closing():
            self._refuse(408)
        elif self.transport.is_closing() or self.transport.get_write_buffer_size() > 0:
            self.transport.abort()

    def _refuse(self, status: int) -> None:
        line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        self.transport.write(f"{line}connection: close\r\ncontent-length: 0\r\n\r\n".encode("ascii"))
        self.transport.close()
        self._admission.wheel.schedule(self, _FLUSH_SECONDS)
