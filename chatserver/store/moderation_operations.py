"""Moderation's part of the contract as operations, for every database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from functools import partial
from typing import TypeVar

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.ledger import Entry, LedgerHead
from chatserver.domain.moderation import Measure, Outcome, TakeMeasure
from chatserver.domain.statistics import Happened
from chatserver.store import measures, moderation, moderation_counts
from chatserver.store.compiler import MakeOp
from chatserver.store.moderation_contract import Counts, Debrief, Matters, Queue, ReportFile, RoomReport, Taken

T = TypeVar("T")


class ModerationOperations(ABC):
    """`contract.ModerationStore` over the two things that a driver must be able to do."""

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def moderation_version(self) -> int:
        return await self._read(moderation.version)

    async def report(self, report: RoomReport) -> str:
        return await self._write(partial(moderation.report, report))

    async def queue(self, now: Millis) -> Queue:
        return await self._read(partial(moderation.queue, now))

    async def escalations_due(self) -> list[Millis]:
        return await self._read(moderation.escalations_due)

    async def open_report(self, report: str, by: MemberId, why: str, now: Millis) -> ReportFile:
        return await self._write(partial(moderation.open_report, report, by, why, now))

    async def counts(self, now: Millis) -> Counts:
        return await self._read(partial(moderation_counts.counts, now))

    async def happened(self, start: Millis, end: Millis) -> Happened:
        return await self._read(partial(moderation_counts.happened, start, end))

    async def claim_report(self, report: str, by: MemberId, instead_of: MemberId | None, now: Millis) -> Millis | None:
        return await self._write(partial(moderation.claim, report, by, instead_of, now))

    async def release_report(self, report: str, by: MemberId, now: Millis) -> None:
        await self._write(partial(moderation.release, report, by, now))

    async def note_report(self, report: str, by: MemberId, note: str, note_id: str, now: Millis) -> None:
        await self._write(partial(moderation.note, report, by, note, note_id, now))

    async def close_report(self, report: str, by: MemberId, outcome: Outcome, reply: str, now: Millis) -> Millis | None:
        return await self._write(partial(moderation.close, report, by, outcome, reply, now))

    async def take_measure(self, asked: TakeMeasure, now: Millis) -> Taken:
        return await self._write(partial(moderation.take_measure, asked, now))

    async def lift_measure(self, measure: str, by: MemberId, reason: str, now: Millis) -> None:
        await self._write(partial(moderation.lift, measure, by, reason, now))

    async def appeal(self, member: MemberId, measure: str, text: str, now: Millis) -> None:
        await self._write(partial(moderation.appeal, member, measure, text, now))

    async def measures_of(self, members: Collection[MemberId], now: Millis) -> list[Measure]:
        return await self._read(partial(measures.active_of, members, now))

    async def restricting(self, now: Millis) -> list[Measure]:
        return await self._read(partial(measures.restricting, now))

    async def matters(self, member: MemberId, now: Millis) -> Matters:
        return await self._read(partial(moderation.matters, member, now))

    async def concerned(self, since: int) -> set[MemberId]:
        return await self._read(partial(moderation.concerned, since))

    async def see_matters(self, member: MemberId, ids: Collection[str], now: Millis) -> None:
        await self._write(partial(moderation.see, member, ids, now))

    async def bar(self, measure: str, keys: Collection[bytes], until: Millis) -> None:
        await self._write(partial(moderation.bar, measure, keys, until))

    async def barred_until(self, key: bytes, now: Millis) -> Millis | None:
        return await self._read(partial(moderation.barred_until, key, now))

    async def debriefs(self) -> list[Debrief]:
        return await self._read(moderation.debriefs)

    async def read_debrief(self, debrief: str, by: MemberId, now: Millis) -> None:
        await self._write(partial(moderation.read_debrief, debrief, by, now))

    async def names(self, members: Collection[MemberId]) -> dict[MemberId, str]:
        return await self._read(partial(moderation.names, members))

    async def audit_entries(self, after: int, limit: int) -> list[Entry]:
        return await self._read(partial(moderation.entries, after, limit))

    async def audit_head(self) -> LedgerHead:
        return await self._read(moderation.head)
