"""What a store promises about counted tries of secrets, and how it is done for every database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from chatserver.domain.history import Millis
from chatserver.domain.people.tries import Backoff, Begun, TryCount, TryKind
from chatserver.store import tries
from chatserver.store.core.compiler import MakeOp

T = TypeVar("T")


class TriesStore(ABC):
    """Counts tries over all workers and restarts.

    Each call is one transaction, so that two tries at once see each other. Keys are keyed hashes. If the store cannot
    answer, the methods raise StoreUnavailable like every part of it, and the caller MUST NOT allow the try then.
    `expire` drops rows that no longer count; of one kind there are never more than `domain.people.tries.MOST_KEYS` and
    one.
    """

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def count_tries(self, kind: TryKind, counted: Sequence[TryCount], window: int, now: Millis) -> float:
        """Count one try for each of the keys, each with its own allowance in `window` milliseconds.

        Return 0.0. If any of them has no try left, count nothing, and return the seconds until all have.
        """
        return await self._write(partial(tries.count_tries, kind, counted, window, now))

    async def begin_try(self, kind: TryKind, key: bytes, backoff: Backoff, now: Millis) -> Begun:
        """Count one answer as wrong before it is checked, so that many at once do not all count as the first. If the
        key is locked, count nothing; `Begun.wait` says for how long it is locked."""
        return await self._write(partial(tries.begin_try, kind, key, backoff, now))

    async def end_tries(self, kind: TryKind, key: bytes) -> int:
        """Note that the answer was right: forget the wrong ones before it, and return how many there were in a row."""
        return await self._write(partial(tries.end_tries, kind, key))

    async def _forget_tries(self, now: Millis) -> None:
        """Drop rows that no longer count. Part of `expire`."""
        if await self._read(partial(tries.has_old, now)):
            await self._write(partial(tries.prune, now))
