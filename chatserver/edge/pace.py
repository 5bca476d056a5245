"""Middleware that limits HTTP requests per address, and that separates the inner port from the outer one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from chatserver.domain.errors import Reason, Refusal
from chatserver.edge.addresses import Addresses
from chatserver.edge.refusals import body_of, headers_of, status_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_METRICS: Final = "/metrics"
_PROBES: Final = frozenset({"/healthz", "/readyz", "/statusz"})
"""Paths of monitoring and load balancers, which are never rate limited."""
_CALLS: Final = "/api/"


class HttpPace:
    """Middleware that charges each request to the address it comes from: calls from one bucket, files of the page from
    another, larger one. Refused with `rate_limited` (429) and the seconds to wait. WebSockets have limits of their own.
    """

    def __init__(self, app: ASGIApp, addresses: Addresses) -> None:
        self._app = app
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _PROBES:
            path: str = scope["path"]
            source = self._addresses.source(scope.get("client"))
            is_call = path.startswith(_CALLS) or path == _METRICS
            wait = self._addresses.admit_call(source) if is_call else self._addresses.admit_file(source)
            if wait > 0:
                refusal = Refusal(Reason.RATE_LIMITED, retry_after=wait)
                answer = Response(body_of(refusal), status_of(refusal.reason), dict(headers_of(refusal)))
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


class InnerPort:
    """Middleware for a server with a second, inner port, which serves the metrics and the probes and nothing else; the
    outer port then serves no metrics. If `port` is None, everything is on the outer port."""

    def __init__(self, app: ASGIApp, port: int | None) -> None:
        self._app = app
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._port is None or scope["type"] == "lifespan" or self._is_here(scope, self._port):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await Response("There is nothing here.\n", 404)(scope, receive, send)

    def _is_here(self, scope: Scope, port: int) -> bool:
        path: str = scope["path"]
        server = scope.get("server")
        if server is not None and server[1] == port:
            return scope["type"] == "http" and (path == _METRICS or path in _PROBES)
        return path != _METRICS
