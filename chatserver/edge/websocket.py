"""The WebSocket route: who may open it, with which subprotocol, and how sockets close when the worker stops."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, cast

from chatserver.domain.errors import Refusal
from chatserver.domain.people.tries import TryKind
from chatserver.domain.sources import Source
from chatserver.edge.addresses import Addresses, address_of
from chatserver.edge.admission import Admission
from chatserver.edge.refusals import PLAIN_HEADERS, body_of, headers_of, plain_error, status_of
from chatserver.edge.web_security import Cookies, Origins, Standing, security_headers
from chatserver.edge.websocket_handshake import EXTENSION
from chatserver.edge.websocket_protocol import ChatWebSocketProtocol
from chatserver.handlers.connection import Connection
from chatserver.handlers.dispatcher import CommandDispatcher
from chatserver.handlers.people.tries import Tries
from chatserver.protocol.codec import Encoding
from chatserver.protocol.codes import Close

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from chatserver.delivery.wire import Wire

_CLOSES_PER_SECOND: Final = 200.0
"""Connections that are closed per second when the worker stops, so that a few close at once and thousands are
spread."""
_RETURN_SECONDS: Final = 0.5
_RETURNS_PER_SECOND: Final = 500.0
_SHORTEST_SPREAD, _LONGEST_SPREAD = 1.5, 10.0


class ChatSocket:
    """The ASGI app behind `/ws`.

    It refuses before the handshake, with a JSON body: a foreign Origin (403), none of our subprotocols (400), an
    address with too many sockets (503). Cookies count only if the page is ours. The server must be uvicorn with
    `ChatWebSocketProtocol`, which refuses upgrades while a worker is full or stopping.
    """

    def __init__(
        self,
        dispatcher: CommandDispatcher,
        admission: Admission,
        *,
        origins: Origins,
        cookies: Cookies,
        staff_cookies: Cookies,
        addresses: Addresses,
        tries: Tries,
    ) -> None:
        self.dispatcher = dispatcher
        self.admission = admission
        self.addresses = addresses
        self.tries = tries
        self.drain = Drain(self)
        self._origins = origins
        self._cookies = cookies
        self._staff_cookies = staff_cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        standing = self._origins.judge(scope)
        if standing is Standing.FOREIGN:
            body = plain_error("origin_refused", "Pages of this origin may not connect to this server.")
            await _deny(scope, send, 403, PLAIN_HEADERS, body)
            return
        encoding = next((known for name in scope["subprotocols"] if (known := Encoding.of(name)) is not None), None)
        if encoding is None:
            names = " or ".join(known.subprotocol for known in Encoding)
            body = plain_error("subprotocol_required", f"Offer the subprotocol {names}.")
            await _deny(scope, send, 400, PLAIN_HEADERS, body)
            return
        token = self._cookies.token(scope) if standing is Standing.OURS else None
        staff_token = self._staff_cookies.token(scope) if standing is Standing.OURS else None
        source = self.addresses.source(scope.get("client"))
        wire = cast("ChatWebSocketProtocol", scope["extensions"][EXTENSION])
        try:
            self.addresses.enter(source)
        except Refusal as refusal:
            await _deny(scope, send, status_of(refusal.reason), headers_of(refusal), body_of(refusal))
            return
        try:
            await send({"type": "websocket.accept", "subprotocol": encoding.subprotocol, "headers": []})
            handler = SocketHandler(
                self, wire, encoding, source, address_of(scope.get("client")), token=token, staff_token=staff_token
            )
        except BaseException:
            self.addresses.leave(source)
            raise
        wire.adopt(handler)


class SocketHandler:
    """One connection, as the edge sees it: passes messages to the dispatcher, and releases what it used when it
    closes. It implements `AddressLimits` for the connection."""

    __slots__ = ("_address", "_is_binary", "_place", "_source", "connection", "tick", "wire")

    def __init__(
        self,
        place: ChatSocket,
        wire: Wire,
        encoding: Encoding,
        source: Source,
        address: str | None,
        *,
        token: str | None,
        staff_token: str | None,
    ) -> None:
        self._place = place
        self._source = source
        self._address = address
        self._is_binary = encoding is Encoding.MSGPACK
        self.wire = wire
        self.tick = 0
        self.connection: Connection = place.dispatcher.open(
            wire,
            binary=self._is_binary,
            token=token,
            staff_token=staff_token,
            address_limits=self,
            source=source,
        )
        place.admission.wheel.schedule(self, place.admission.limits.hello_seconds)
        place.drain.enter(self)

    async def receive(self, data: str | bytes) -> None:
        if isinstance(data, bytes) is not self._is_binary:
            self.wire.close(Close.UNSUPPORTED_DATA)
            return
        await self._place.dispatcher.receive(self.connection, data)

    def closed(self) -> None:
        place = self._place
        place.admission.wheel.cancel(self)
        place.drain.leave(self)
        place.addresses.leave(self._source)
        place.dispatcher.closed(self.connection)
        # The connection refers to this handler (`address_limits`). Breaking the cycle frees both now.
        del self.connection

    def due(self) -> None:
        """Close the connection if it has not said hello in time."""
        if not self._place.dispatcher.has_said_hello(self.connection):
            self.wire.close(Close.HELLO_TIMEOUT)

    def admit_guest(self) -> float:
        return self._place.addresses.admit_guest(self._source)

    async def admit_code(self) -> None:
        # By today's key: a socket that was opened days ago must not have a count of its own.
        await self._place.tries.count_from(TryKind.NEW_CODE, self._place.addresses.source_of(self._address))

    async def admit_words(self) -> None:
        await self._place.tries.count_from(TryKind.CODE, self._place.addresses.source_of(self._address))


class Drain:
    """Closes all sockets when the worker stops, spread over time, so that the other workers can take them."""

    def __init__(self, place: ChatSocket) -> None:
        self._place = place
        self._handlers: set[SocketHandler] = set()
        self._task: asyncio.Task[None] | None = None
        place.admission.on_drain(self.start)

    def enter(self, handler: SocketHandler) -> None:
        """Note a new connection. While the worker stops it is closed at once."""
        self._handlers.add(handler)
        if self._task is not None:
            asyncio.get_running_loop().call_soon(self._send_off, handler, _SHORTEST_SPREAD)

    def leave(self, handler: SocketHandler) -> None:
        """Note that a connection has closed."""
        self._handlers.discard(handler)

    def start(self) -> None:
        """Begin. Takes at most `limits.drain_seconds`, plus the time that a peer may take to answer its close frame."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        handlers = random.sample([*self._handlers], len(self._handlers))
        count = len(handlers)
        window = min(self._place.admission.limits.drain_seconds, count / _CLOSES_PER_SECOND)
        spread = min(max(count / _RETURNS_PER_SECOND, _SHORTEST_SPREAD), _LONGEST_SPREAD)
        loop = asyncio.get_running_loop()
        start = loop.time()
        for index, handler in enumerate(handlers):
            if (wait := start + window * index / count - loop.time()) > 0:
                await asyncio.sleep(wait)
            self._send_off(handler, spread)

    def _send_off(self, handler: SocketHandler, spread: float) -> None:
        if handler in self._handlers:
            self._place.dispatcher.say_draining(handler.connection, _RETURN_SECONDS + random.random() * spread)
            handler.wire.close(Close.SERVICE_RESTART)


async def _deny(scope: Scope, send: Send, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
    """Refuse an upgrade with this answer."""
    pairs = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers] + security_headers(scope)
    await send({"type": "websocket.http.response.start", "status": status, "headers": pairs})
    await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
