"""A TCP proxy that misbehaves on demand: it cuts, delays or stalls connections, or swallows everything."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from tests.kit.ports import HOST, free_port

_PIECE: Final = 64 * 1024


class TcpProxy:
    """Listens on a port of its own and passes everything on to `port` of this machine, both ways.

    `piece` is how many bytes it passes on at once, and `delay` is for how many seconds each piece is held back; order
    is kept. While `is_open` is false, nothing passes on existing connections, and new ones are accepted and get no
    data, as in a network that swallows packets. What was swallowed is never delivered.
    """

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self.piece = _PIECE
        self.delay: Callable[[], float] = lambda: 0.0
        self.is_open = True
        self.cuts = 0
        self._target = port
        self._era = 0
        self._server: asyncio.Server | None = None
        self._pairs: set[asyncio.Task[None]] = set()
        self._writers: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, self.port, limit=_PIECE, backlog=1_024)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        pairs = [*self._pairs]
        for pair in pairs:
            pair.cancel()
        await asyncio.gather(*pairs, return_exceptions=True)

    @property
    def connections(self) -> int:
        return len(self._pairs)

    def cut(self, share: float = 1.0) -> int:
        """Break this share of the connections in the middle of their data. Return how many were broken."""
        pairs = random.sample([*self._pairs], round(len(self._pairs) * share))
        for pair in pairs:
            for writer in self._writers.get(pair, ()):
                writer.transport.abort()
            pair.cancel()
        self.cuts += len(pairs)
        return len(pairs)

    def black_hole(self) -> None:
        """From now on swallow everything, and hide the end of connections."""
        self.is_open = False

    def abandon(self) -> None:
        """Swallow everything on existing connections for ever, and serve new ones normally, as when a machine dies and
        another takes its address."""
        self._era += 1

    def heal(self) -> None:
        """Work normally again. What was swallowed is gone, so the existing connections are broken."""
        self.is_open = True
        self.cut()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: asyncio would report the cutting as a failure of a task that it made for a coroutine.
        writers = [writer]
        pair = asyncio.create_task(self._join(reader, writers))
        self._pairs.add(pair)
        self._writers[pair] = writers
        pair.add_done_callback(self._ended)

    def _ended(self, pair: asyncio.Task[None]) -> None:
        self._pairs.discard(pair)
        for writer in self._writers.pop(pair):
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writers: list[asyncio.StreamWriter]) -> None:
        """Serve one connection until either side ends or it is cut. Adds the other side to its `writers`."""
        (writer,) = writers
        era = self._era
        try:
            if not self.is_open:
                await asyncio.Event().wait()
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target, limit=_PIECE)
            writers.append(far_writer)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, far_writer, era))
                group.create_task(self._carry(far_reader, writer, era))
        except* (OSError, asyncio.IncompleteReadError):
            pass

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, era: int) -> None:
        """Copy one direction until its end, which is passed on if the network works normally."""
        while data := await reader.read(_PIECE):
            for start in range(0, len(data), self.piece):
                if (seconds := self.delay()) > 0:
                    await asyncio.sleep(seconds)
                if self._passes(era):
                    writer.write(data[start : start + self.piece])
                    await writer.drain()
        if not self._passes(era):
            await asyncio.Event().wait()
        with contextlib.suppress(OSError):
            writer.write_eof()

    def _passes(self, era: int) -> bool:
        return self.is_open and era == self._era
