"""A TCP proxy that misbehaves when told to: it cuts, delays, stalls, or swallows everything."""

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

    `piece` is how many bytes it passes on at once, and `delay` says for how many seconds each piece is held back; order
    is kept. While `is_open` is false nothing at all passes on the connections there are, and new ones are taken and
    hear nothing: a network that swallows. What was swallowed never comes.
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
        """Break this share of the connections in the middle of whatever they carry; how many those were."""
        pairs = random.sample([*self._pairs], round(len(self._pairs) * share))
        for pair in pairs:
            for writer in self._writers.get(pair, ()):
                writer.transport.abort()
            pair.cancel()
        self.cuts += len(pairs)
        return len(pairs)

    def black_hole(self) -> None:
        """From now on swallow everything, and let no end be noticed."""
        self.is_open = False

    def abandon(self) -> None:
        """Swallow what passes on the connections there are, for ever; new ones find an honest network. So it is where a
        machine dies and another takes its address."""
        self._era += 1

    def heal(self) -> None:
        """Be an honest network again. What was swallowed is gone, so the connections of before are broken."""
        self.is_open = True
        self.cut()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: of one that asyncio makes for a coroutine here, it reports the cutting as a failure.
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
        """One connection, until either side ends or it is cut. Adds the other side to its `writers`."""
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
        """One direction, until its end; an end is passed on where the network is honest."""
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
