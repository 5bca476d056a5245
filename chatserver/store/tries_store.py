"""What a store promises of the tries of secrets that it counts, and how it is kept for every database."""

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

    Each call is one transaction: of two tries at once, each sees the other. Keys are keyed hashes. Where the store
    cannot answer these raise StoreUnavailable like everything else, and the caller MUST NOT let anybody try then.
    Rows are forgotten by `expire` once they count no more; of one kind there are never more than
    `domain.tries.MOST_KEYS` and one.
    """

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def count_tries(self, kind: TryKind, counted: Sequence[TryCount], window: int, now: Millis) -> float:
        """Count one try for each of the keys, each with its allowance in `window` milliseconds.

        Return 0.0; or, where one of them has none left, count nothing for any and return the seconds until each has.
        """
        return await self._write(partial(tries.count_tries, kind, counted, window, now))

    async def begin_try(self, kind: TryKind, key: bytes, backoff: Backoff, now: Millis) -> Begun:
        """Count one answer as wrong before it is looked at, so that many at once are not all the first. Where the key
        is locked count nothing; `Begun.wait` says for how long it is."""
        return await self._write(partial(tries.begin_try, kind, key, backoff, now))

    async def end_tries(self, kind: TryKind, key: bytes) -> int:
        """The answer was right: forget the wrong ones before it, and return how many there were in a row."""
        return await self._write(partial(tries.end_tries, kind, key))

    async def wrong_tries(self, kind: TryKind, key: bytes, now: Millis) -> Begun:
        """How many wrong answers in a row there are, and for how long the key is locked, counting nothing."""
        return await self._read(partial(tries.wrong_tries, kind, key, now))

    async def _forget_tries(self, now: Millis) -> None:
        """Forget what counts no more. Part of `expire`."""
        if await self._read(partial(tries.has_old, now)):
            await self._write(partial(tries.prune, now))
