"""Hashing come-back codes: one at a time, members who come back before members who want a code, and with a bound on how
many wait."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.people.comeback import hash_code

MOST_RETURNING: Final = 24
"""Who may wait to come back. Each takes some 50 ms: the last of them waits for little more than a second."""
MOST_MAKING: Final = 8
"""Who may wait for a new code, behind all of those."""
_RETRY_SECONDS: Final = 2.0


class Hasher:
    """One thread for one worker: each thread that has hashed keeps the 16 MiB that it took."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "hasher")
        self._returning: deque[asyncio.Future[None]] = deque()
        self._making: deque[asyncio.Future[None]] = deque()
        self._is_busy = False

    def require_room(self) -> None:
        """Raise BUSY where too many codes are waited for to make another one now."""
        if self._waiting(self._making) >= MOST_MAKING:
            raise Refusal(Reason.BUSY, retry_after=_RETRY_SECONDS)

    async def hash(self, code: str, pepper: bytes, *, is_return: bool) -> bytes:
        """Return what a code is kept under. `is_return` says that somebody waits to come back with it, and goes before
        those who want a new one. Raises BUSY where too many wait already."""
        queue, most = (self._returning, MOST_RETURNING) if is_return else (self._making, MOST_MAKING)
        if self._is_busy:
            if self._waiting(queue) >= most:
                raise Refusal(Reason.BUSY, retry_after=_RETRY_SECONDS)
            await self._turn(queue)
        self._is_busy = True
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, hash_code, code, pepper)
        finally:
            self._pass_on()

    async def _turn(self, queue: deque[asyncio.Future[None]]) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # It was theirs already, and nobody else would get it.
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        self._is_busy = False
        for queue in (self._returning, self._making):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    # It stays busy, so that nobody comes in between.
                    self._is_busy = True
                    turn.set_result(None)
                    return

    @staticmethod
    def _waiting(queue: deque[asyncio.Future[None]]) -> int:
        return sum(not turn.done() for turn in queue)
