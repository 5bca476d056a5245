"""The opening of a WebSocket: the upgrade request as an ASGI scope, and the app's answer as an HTTP response.

websockets reads and judges the request (its public `ServerProtocol`). Nothing of the handshake is kept once the
connection is open.
"""

from __future__ import annotations

import asyncio
import email.utils
import logging
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import unquote

from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from chatserver.edge.tracebacks import traceback_places
from chatserver.edge.websocket_frames import dismantle, frame_log

EXTENSION: Final = "chatserver.wire"
"""The ASGI extension by which the app finds the connection and adopts it."""

_log = logging.getLogger("chatserver.edge")

Message = dict[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


class ServerConfig(Protocol):
    """The parts of uvicorn's `Config` that are used."""

    loaded_app: Any
    root_path: str

    @property
    def asgi_version(self) -> str: ...


class ServerState(Protocol):
    """The parts of uvicorn's `ServerState` that are used. All connections of a server share it."""

    connections: set[Any]
    """uvicorn calls `shutdown` of each when it stops, and waits until the set is empty."""
    tasks: set[asyncio.Task[None]]
    """uvicorn waits for them when it stops, and cancels those that take too long."""
    default_headers: list[tuple[bytes, bytes]]


class Opening(Protocol):
    """The connection that is being opened, as its handshake sees it."""

    transport: asyncio.Transport

    def opened(self, response: bytes) -> None:
        """The app accepted: send this response. Frames follow from here on."""
        ...

    def refused(self, response: bytes) -> None:
        """The upgrade was refused: send this response, and close."""
        ...

    def app_returned(self, *, is_failure: bool) -> None:
        """Note that the app's call has returned. Called once, also if the app refused the upgrade."""
        ...

    def abort(self) -> None:
        """Drop the socket now."""
        ...


class PeerGone(OSError):
    """The app sends to a connection that is over. ASGI requires a subclass of OSError here."""


class Handshake:
    """One WebSocket upgrade, from the first byte of its request to the app's answer."""

    __slots__ = (
        "_app", "_app_state", "_body", "_config", "_connection", "_core", "_gone", "_is_accepted", "_is_over",
        "_is_told", "_request", "_response", "_server_state", "_started",
    )  # fmt: skip

    def __init__(
        self, connection: Opening, config: ServerConfig, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        self._connection = connection
        self._app: App = config.loaded_app
        self._config = config
        self._server_state = server_state
        self._app_state = app_state
        self._core = ServerProtocol(logger=frame_log)
        self._request: Request | None = None
        self._response: Response | None = None
        self._started: tuple[int, list[tuple[str, str]]] | None = None
        """The status and the headers of a refusal whose body is still to come."""
        self._body = b""
        self._is_told = False
        """Whether the app has received `websocket.connect`."""
        self._is_accepted = False
        self._is_over = False
        """Whether the upgrade was answered, or the peer has gone."""
        self._gone = asyncio.Event()

    @property
    def has_request(self) -> bool:
        """Whether the whole request was received."""
        return self._request is not None

    def feed(self, data: bytes) -> bool:
        """Read a part of the request. Return whether it is complete. A request that cannot be read is refused.

        A peer must not send frames before it has its answer (RFC 6455, section 4.1), and uvicorn passes on only the
        request, so bytes after it in `data` are ignored.
        """
        self._core.receive_data(data)
        events = self._core.events_received()
        if events and isinstance(events[0], Request):
            self._request = events[0]
        elif self._core.handshake_exc is not None:
            # websockets has written its own refusal, if it has one.
            self._end_refused()
        return self.has_request

    def start(self) -> bool:
        """Let the app answer the request. Return False if it is not an upgrade; it is then refused at once."""
        assert self._request is not None
        response = self._core.accept(self._request)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._core.send_response(response)
            self._end_refused()
            return False
        self._response = response
        task = asyncio.get_running_loop().create_task(self._run(self._scope(self._request)))
        self._server_state.tasks.add(task)
        task.add_done_callback(self._server_state.tasks.discard)
        return True

    def refuse(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Answer the upgrade with a plain HTTP response. No-op if it was answered before."""
        if self._is_over:
            return
        answer = Headers(headers)
        answer.setdefault("Date", email.utils.formatdate(usegmt=True))
        answer.setdefault("Connection", "close")
        answer.setdefault("Content-Length", str(len(body)))
        answer.setdefault("Content-Type", "text/plain; charset=utf-8")
        self._core.send_response(Response(status, HTTPStatus(status).phrase, answer, body))
        self._end_refused()

    def end(self) -> None:
        """Stop serving the app, because the connection is over or open."""
        self._is_over = True
        self._gone.set()
        dismantle(self._core)

    def _end_refused(self) -> None:
        self._is_over = True
        self._connection.refused(b"".join(self._core.data_to_send()))

    def _scope(self, request: Request) -> Message:
        """Return the request as an ASGI scope (HTTP & WebSocket ASGI Message Format, version 2.4)."""
        path, _, query = request.path.partition("?")
        offers = request.headers.get_all("Sec-WebSocket-Protocol")
        transport = self._connection.transport
        return {
            "type": "websocket",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if transport.get_extra_info("sslcontext") else "ws",
            "server": _server_of(transport.get_extra_info("sockname")),
            "client": _client_of(transport.get_extra_info("peername")),
            "root_path": self._config.root_path,
            "path": self._config.root_path + unquote(path),
            "raw_path": (self._config.root_path + path).encode("ascii"),
            "query_string": query.encode("ascii"),
            "headers": [(name.encode("ascii"), value.encode("latin-1")) for name, value in request.headers.raw_items()],
            "subprotocols": [name.strip() for offer in offers for name in offer.split(",")],
            "state": self._app_state.copy(),
            "extensions": {"websocket.http.response": {}, EXTENSION: self._connection},
        }

    async def _run(self, scope: Message) -> None:
        connection = self._connection
        try:
            await self._app(scope, self._receive, self._send)
        except PeerGone:
            connection.app_returned(is_failure=False)
        except Exception as failure:  # noqa: BLE001 - the boundary of a connection's task
            _log.error("the app failed on a WebSocket: %s", traceback_places(failure))
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, [], b"")
            connection.app_returned(is_failure=True)
        except BaseException:
            connection.abort()
            raise
        else:
            if not self._is_over:
                _log.error("the app did not answer a WebSocket upgrade")
                self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, [], b"")
            connection.app_returned(is_failure=False)

    async def _receive(self) -> Message:
        if not self._is_told:
            self._is_told = True
            return {"type": "websocket.connect"}
        await self._gone.wait()
        return {"type": "websocket.disconnect", "code": 1006, "reason": ""}

    async def _send(self, message: Message) -> None:
        if self._is_accepted:
            raise RuntimeError("an accepted WebSocket takes no ASGI messages: it is adopted")
        if self._is_over:
            raise PeerGone
        kind = message["type"]
        if self._started is not None and kind == "websocket.http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                self.refuse(*self._started, self._body)
        elif self._started is None and kind == "websocket.accept":
            self._accept(message.get("subprotocol"), message.get("headers", ()))
        elif self._started is None and kind == "websocket.close":
            self.refuse(HTTPStatus.FORBIDDEN, [], b"")
        elif self._started is None and kind == "websocket.http.response.start":
            pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
            self._started = (message["status"], pairs)
        else:
            raise RuntimeError(f"unexpected ASGI message {kind!r} before the handshake was answered")

    def _accept(self, subprotocol: str | None, headers: Iterable[tuple[bytes, bytes]]) -> None:
        response = self._response
        assert response is not None
        # uvicorn adds a date of its own, if it is to send one.
        del response.headers["Date"]
        for name, value in (*self._server_state.default_headers, *headers):
            response.headers[name.decode("latin-1")] = value.decode("latin-1")
        if subprotocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = subprotocol
        self._core.send_response(response)
        self._is_accepted = self._is_over = True
        self._connection.opened(b"".join(self._core.data_to_send()))


def _client_of(peer: object) -> tuple[str, int] | None:
    """Return a peer's address and port, or None if it has none: a local socket, or a peer that has gone."""
    return (str(peer[0]), int(peer[1])) if isinstance(peer, tuple) else None


def _server_of(name: object) -> tuple[str, int | None] | None:
    """Return our own address and port, or the path of a local socket."""
    if isinstance(name, tuple):
        return str(name[0]), int(name[1])
    return (name, None) if isinstance(name, str) and name else None
