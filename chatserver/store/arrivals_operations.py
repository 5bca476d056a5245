"""The methods of `arrivals_contract.ArrivalsStore` as operations, the same for every database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from functools import partial
from typing import TypeVar

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.newcomers import Bar
from chatserver.store import arrivals
from chatserver.store.arrivals_contract import SourceSeen
from chatserver.store.core.compiler import MakeOp

T = TypeVar("T")


class ArrivalsOperations(ABC):
    """`arrivals_contract.ArrivalsStore` over the two things that a driver must be able to do."""

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def raise_credentials(self, member: MemberId, now: Millis, *, drops_code: bool) -> int:
        return await self._write(partial(arrivals.raise_credentials, member, now, drops_code=drops_code))

    async def credentials_since(self, since: Millis) -> dict[MemberId, int]:
        return await self._read(partial(arrivals.credentials_since, since))

    async def note_sources(self, seen: Sequence[SourceSeen]) -> None:
        await self._write(partial(arrivals.note_sources, seen))

    async def bars(self, keys: Collection[bytes], now: Millis) -> list[Bar]:
        return await self._read(partial(arrivals.bars, keys, now))
