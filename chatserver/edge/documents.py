"""Serves the descriptions that client authors need: OpenAPI for the HTTP calls, AsyncAPI for the WebSocket."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from hashlib import blake2b

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatserver.edge.http import JSON
from chatserver.edge.static import takes_gzip
from chatserver.protocol.schemas import Json

_KEEP = "public, max-age=300"
"""The documents change only with the version of the server."""


class DocumentRoutes:
    """Serves both documents. Each is made at the first request for it, and kept in its encoded forms."""

    def __init__(self, openapi: Callable[[], Json], asyncapi: Callable[[], Json]) -> None:
        self._openapi = _Document(openapi)
        self._asyncapi = _Document(asyncapi)

    async def openapi(self, request: Request) -> Response:
        """`GET /api/openapi.json`: this description of the HTTP calls."""
        return await self._openapi.answer(request)

    async def asyncapi(self, request: Request) -> Response:
        """`GET /api/asyncapi.json`: the description of the WebSocket, with every message and an example of it."""
        return await self._asyncapi.answer(request)


class _Document:
    def __init__(self, make: Callable[[], Json]) -> None:
        self._make = make
        self._lock = asyncio.Lock()
        self._made: tuple[bytes, bytes, str] | None = None
        """The plain bytes, the gzip bytes, and the ETag."""

    async def answer(self, request: Request) -> Response:
        async with self._lock:
            if self._made is None:
                # Making it takes a moment; on the event loop everybody else would wait for it.
                self._made = await asyncio.to_thread(self._bytes)
        plain, packed, tag = self._made
        headers = {"cache-control": _KEEP, "vary": "accept-encoding", "etag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(None, 304, headers)
        if takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(packed, 200, {**headers, "content-encoding": "gzip"}, JSON)
        return Response(plain, 200, headers, JSON)

    def _bytes(self) -> tuple[bytes, bytes, str]:
        plain = msgspec.json.encode(self._make())
        return plain, gzip.compress(plain, mtime=0), f'"{blake2b(plain, digest_size=12).hexdigest()}"'
