"""TryCount tries as operations, for every database."""

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


class TriesOperations(ABC):
    """`contract.TriesStore` over the two things that a driver must be able to do."""

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def count_tries(self, kind: TryKind, counted: Sequence[TryCount], window: int, now: Millis) -> float:
        return await self._write(partial(tries.count_tries, kind, counted, window, now))

    async def begin_try(self, kind: TryKind, key: bytes, backoff: Backoff, now: Millis) -> Begun:
        return await self._write(partial(tries.begin_try, kind, key, backoff, now))

    async def end_tries(self, kind: TryKind, key: bytes) -> int:
        return await self._write(partial(tries.end_tries, kind, key))

    async def wrong_tries(self, kind: TryKind, key: bytes, now: Millis) -> Begun:
        return await self._read(partial(tries.wrong_tries, kind, key, now))

    async def _forget_tries(self, now: Millis) -> None:
        """Forget what counts no more. Part of `expire`."""
        if await self._read(partial(tries.has_old, now)):
            await self._write(partial(tries.prune, now))
