"""What a store promises about the exchange, and how it is done for every database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from functools import partial
from typing import TypeVar

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.state import MeetingId
from chatserver.store import exchange_log
from chatserver.store.core.compiler import MakeOp
from chatserver.store.core.sealing import Sealer
from chatserver.store.exchange_records import ExchangeChange, ExchangeCommitted, ExchangePicture

T = TypeVar("T")


class ExchangeStore(ABC):
    """Keeps the exchange: who waits, who was offered whom, and what each may and owes, as one state."""

    def __init__(self, sealer: Sealer) -> None:
        self._exchange_sealer = sealer

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def commit_exchange(self, change: ExchangeChange) -> ExchangeCommitted:
        """Lock the exchange, load it, decide, save, and open the meetings that begin, in one transaction. Raises the
        Refusal of `decide`, which writes nothing.

        On return it is durable, and nobody whom it paired waits for a listener or talks with one."""
        return await self._write(partial(exchange_log.commit, change, self._exchange_sealer))

    async def exchange_version(self) -> int:
        """Return the version of the exchange, in one cheap read. It rises with every change but that somebody was
        seen."""
        return await self._read(exchange_log.version)

    async def exchange(self, members: Collection[MemberId]) -> ExchangePicture:
        """Return the exchange as it is now, with the records of these members."""
        return await self._read(partial(exchange_log.picture, members))

    async def needs_somebody(self, member: MemberId, now: Millis) -> bool:
        """Return whether screening raised somebody to moderators within the hour, and nobody has closed it yet."""
        return await self._read(partial(exchange_log.needs_somebody, member, now))

    async def report_exchange(
        self, meeting: MeetingId, by: MemberId, about: MemberId | None, reason: str, note: str, at: Millis
    ) -> None:
        """Keep a report of an exchange with a snapshot of its last posts, taken in the same transaction."""
        await self._write(partial(exchange_log.report, meeting, by, about, reason, note, at, self._exchange_sealer))

    async def see_in_exchange(self, members: Collection[MemberId], now: Millis) -> None:
        """Note that these people have a connection at `now`. No version rises."""
        if members:
            await self._write(partial(exchange_log.see, members, now))
