"""A line between a browser and the server that can fail in the ways in which a phone's network does."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Final, Self

from tests.kit.ports import HOST, free_port

_CHUNK: Final = 65_536


class Wire:
    """Carries bytes between a port of its own and the server's: `async with Wire(server.port) as wire`."""

    def __init__(self, server_port: int) -> None:
        self.port = free_port()
        self._server_port = server_port
        self._is_cut = False
        self._carries_sockets = True
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._up = _opened()
        self._down = _opened()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def cut(self) -> None:
        """Break every connection, and every new one as it comes."""
        self._is_cut = True
        for writer in list(self._writers):
            writer.transport.abort()

    def cut_sockets(self) -> None:
        """The same, but pages still load: only WebSockets cannot be opened."""
        self.cut()
        self._is_cut = False
        self._carries_sockets = False

    def hush(self) -> None:
        """Nothing arrives any more, either way, and nobody is told."""
        self._up.clear()
        self._down.clear()

    def hush_server(self) -> None:
        """What the browser says arrives; what the server answers does not."""
        self._down.clear()

    def mend(self) -> None:
        self._is_cut = False
        self._carries_sockets = True
        self._up.set()
        self._down.set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._carry, HOST, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mend()
        self.cut()
        if self._listener is not None:
            self._listener.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            with contextlib.suppress(OSError):
                first = await reader.read(_CHUNK)
                is_socket = b"\r\nupgrade: websocket\r\n" in first.lower()
                if self._is_cut or (is_socket and not self._carries_sockets):
                    return
                far_reader, far = await asyncio.open_connection(HOST, self._server_port)
                self._writers.add(far)
                await self._up.wait()
                far.write(first)
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pump(reader, far, self._up))
                    both.create_task(self._pump(far_reader, writer, self._down))
        finally:
            for end in (writer, far):
                if end is not None:
                    self._writers.discard(end)
                    end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await way.wait()
                writer.write(data)
                await writer.drain()
            await way.wait()
            writer.write_eof()


def _opened() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
