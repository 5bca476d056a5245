"""Moderation's part of the contract as operations, for every database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from functools import partial
from typing import TypeVar

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import AuditHead, Entry
from chatserver.domain.moderation.measures import Measure, Outcome, TakeMeasure
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.moderation.report_queue import QueuePlace
from chatserver.domain.moderation.statistics import Happened
from chatserver.store import debriefs, measures, moderation, moderation_counts, moderation_queue, report_access
from chatserver.store.core.compiler import MakeOp
from chatserver.store.core.sealing import Sealer
from chatserver.store.moderation_contract import (
    NOTHING_SAID,
    Counts,
    DebriefRecord,
    Due,
    Floods,
    ModerationNotices,
    Queue,
    QueuePage,
    ReportFile,
    RingDue,
    RoomReport,
    ShownReport,
    Taken,
)

T = TypeVar("T")


class ModerationOperations(ABC):
    """`contract.ModerationStore` over the two things that a driver must be able to do. `sealer` seals what only a case
    may open."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def moderation_version(self) -> int:
        return await self._read(moderation.version)

    async def report(self, report: RoomReport) -> str:
        return await self._write(partial(moderation.report, report, self._sealer))

    async def queue(self, asker: Asker, now: Millis) -> Queue:
        return await self._read(partial(moderation.queue, asker, now))

    async def due(self, asker: Asker) -> tuple[Due, ...]:
        return await self._read(partial(report_access.due, asker))

    async def floods(self, asker: Asker) -> Floods:
        return await self._read(partial(moderation_queue.floods, asker))

    async def with_views_of_their_own(self, members: Collection[MemberId]) -> set[MemberId]:
        return await self._read(partial(report_access.with_views_of_their_own, members))

    async def stranded(self) -> set[str]:
        return await self._read(report_access.stranded)

    async def queue_page(self, asker: Asker, after: QueuePlace | None, within: str | None) -> QueuePage:
        return await self._read(partial(moderation_queue.page, asker, after, within))

    async def rings(self, asker: Asker, since: Millis) -> list[RingDue]:
        return await self._read(partial(moderation_queue.rings, asker, since))

    async def require_report(self, by: MemberId, now: Millis) -> None:
        await self._read(partial(moderation.require_report, by, now))

    async def escalations_due(self) -> list[Millis]:
        return await self._read(moderation_queue.escalations_due)

    async def open_report(self, report: str, asker: Asker, why: str, now: Millis) -> ReportFile:
        return await self._write(partial(moderation.open_report, report, asker, why, now, self._sealer))

    async def counts(self, now: Millis) -> Counts:
        return await self._read(partial(moderation_counts.counts, now))

    async def happened(self, start: Millis, end: Millis) -> Happened:
        return await self._read(partial(moderation_counts.happened, start, end))

    async def claim_report(
        self, report: str, asker: Asker, instead_of: MemberId | None, why: str, now: Millis
    ) -> Millis | None:
        return await self._write(partial(moderation.claim, report, asker, instead_of, why, now))

    async def release_report(self, report: str, asker: Asker, now: Millis) -> None:
        await self._write(partial(moderation.release, report, asker, now))

    async def note_report(self, report: str, asker: Asker, note: str, note_id: str, now: Millis) -> None:
        await self._write(partial(moderation.note, report, asker, note, note_id, now))

    async def close_report(
        self, report: str, asker: Asker, outcome: Outcome, reply: str, now: Millis, shown: ShownReport = NOTHING_SAID
    ) -> Millis | None:
        return await self._write(partial(moderation.close, report, asker, outcome, reply, now, shown))

    async def review_report(
        self, report: str, asker: Asker, why: str, now: Millis, shown: ShownReport = NOTHING_SAID, *, is_agreed: bool
    ) -> Millis | None:
        return await self._write(partial(moderation.review, report, asker, why, now, shown, is_agreed=is_agreed))

    async def take_measure(self, asked: TakeMeasure, now: Millis) -> Taken:
        return await self._write(partial(moderation.take_measure, asked, now, self._sealer))

    async def lift_measure(self, measure: str, by: MemberId, reason: str, now: Millis) -> None:
        await self._write(partial(moderation.lift, measure, by, reason, now))

    async def appeal(self, member: MemberId, measure: str, text: str, now: Millis) -> None:
        await self._write(partial(moderation.appeal, member, measure, text, now))

    async def measures_of(self, members: Collection[MemberId], now: Millis) -> list[Measure]:
        return await self._read(partial(measures.active_of, members, now))

    async def restricting(self, now: Millis) -> list[Measure]:
        return await self._read(partial(measures.restricting, now))

    async def moderation_notices(self, member: MemberId, now: Millis) -> ModerationNotices:
        return await self._read(partial(moderation.moderation_notices, member, now))

    async def concerned(self, since: int) -> set[MemberId]:
        return await self._read(partial(moderation.concerned, since))

    async def see_moderation_notices(self, member: MemberId, ids: Collection[str], now: Millis) -> None:
        await self._write(partial(moderation.see, member, ids, now))

    async def bar(self, measure: str, keys: Collection[bytes], now: Millis) -> None:
        await self._write(partial(moderation.bar, measure, keys, now))

    async def debriefs(self, asker: Asker, now: Millis) -> list[DebriefRecord]:
        return await self._write(partial(debriefs.debriefs, asker, now))

    async def read_debrief(self, debrief: str, asker: Asker, now: Millis) -> None:
        await self._write(partial(debriefs.read_debrief, debrief, asker, now))

    async def names(self, members: Collection[MemberId]) -> dict[MemberId, str]:
        return await self._read(partial(moderation_queue.names, members))

    async def audit_entries(self, after: int, limit: int) -> list[Entry]:
        return await self._read(partial(moderation.entries, after, limit))

    async def audit_head(self) -> AuditHead:
        return await self._read(moderation.head)
