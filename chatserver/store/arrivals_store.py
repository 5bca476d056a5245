"""What a store promises about credentials, sources and resting names, and how it is done for every database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from functools import partial
from typing import TypeVar

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.newcomers import Bar
from chatserver.domain.rooms.hiding import Hiding
from chatserver.store import arrivals
from chatserver.store.arrivals_records import SourceSeen
from chatserver.store.core.compiler import MakeOp

T = TypeVar("T")


class ArrivalsStore(ABC):
    """Keeps what decides whether and how somebody may come in. `store.Store` is one."""

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def raise_credentials(self, member: MemberId, now: Millis, *, drops_code: bool) -> int:
        """End every token that somebody has, and with `drops_code` their come-back code. Returns the generation that a
        token needs from now on. Raises MEMBER_UNKNOWN."""
        return await self._write(partial(arrivals.raise_credentials, member, now, drops_code=drops_code))

    async def credentials_since(self, since: Millis) -> dict[MemberId, int]:
        """Return the members whose tokens were ended after `since`, each with the valid generation, in one cheap
        read."""
        return await self._read(partial(arrivals.credentials_since, since))

    async def note_sources(self, seen: Sequence[SourceSeen]) -> None:
        """Remember where members were seen. A later time replaces an earlier one; people who are no members are left
        out."""
        await self._write(partial(arrivals.note_sources, seen))

    async def bars(self, keys: Collection[bytes], now: Millis) -> list[Bar]:
        """Return the measures that apply to newcomers from networks with these keys."""
        return await self._read(partial(arrivals.bars, keys, now))

    async def hiding_and_bars(
        self, member: MemberId, networks: Collection[bytes], now: Millis
    ) -> tuple[Hiding, list[Bar]]:
        """Return whom a member hides and who hides them, and what `bars` returns, in one read."""
        return await self._read(partial(arrivals.hiding_and_bars, member, networks, now))
