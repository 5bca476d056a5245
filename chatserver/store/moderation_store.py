"""What a store promises of moderation, and how it is kept for every database.

Whatever staff does here is entered in the audit log in the same transaction. Every change raises one version, which
workers ask for twice a second: what the bus lost is found there.
"""

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
from chatserver.store import audit, debriefs, measures, moderation, moderation_counts, moderation_queue, report_access
from chatserver.store.core.compiler import MakeOp
from chatserver.store.core.sealing import Sealer
from chatserver.store.moderation_records import (
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


class ModerationStore(ABC):
    """Raises `StoreUnavailable` as all of the store."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def moderation_version(self) -> int:
        """One cheap read."""
        return await self._read(moderation.version)

    async def report(self, report: RoomReport) -> str:
        """Keep a report with the posts around what it is about, as they stand, and say under which id. The same person
        reporting the same thing again while it is open gets the id of the first. A post that was changed, taken back or
        erased is reported as any other: the report holds, sealed, how it stood before.

        Raises ROOM_UNKNOWN for a room that is not themed, NOT_IN_ROOM for somebody who never entered it, POST_UNKNOWN,
        MEMBER_UNKNOWN, INVALID for one of oneself, and RATE_LIMITED beyond `REPORTS_AN_HOUR`."""
        return await self._write(partial(moderation.report, report, self._sealer))

    async def queue(self, asker: Asker, now: Millis) -> Queue:
        """One snapshot, bounded, of what `asker` may see: no report that is their own case, none about staff unless
        they are an operator, no measure about themselves, and nothing of these in any count. The answer to a measure
        that they took themselves is empty where somebody else may read it. Nobody's own case is seen by an asker whose
        member is nobody's id."""
        return await self._read(partial(moderation.queue, asker, now))

    async def due(self, asker: Asker) -> tuple[Due, ...]:
        """When the reports that `asker` may see should have been looked at, the earliest first, bounded."""
        return await self._read(partial(report_access.due, asker))

    async def floods(self, asker: Asker) -> Floods:
        """Return how many floods there are of what `asker` may see: one of reports about somebody who works here is
        told to operators, and not to whom it is about."""
        return await self._read(partial(moderation_queue.floods, asker))

    async def with_views_of_their_own(self, members: Collection[MemberId]) -> set[MemberId]:
        """Those of these members who may not see something that others with their roles may."""
        return await self._read(partial(report_access.with_views_of_their_own, members))

    async def stranded(self) -> set[str]:
        """The open reports about staff that nobody who works here may handle, bounded."""
        return await self._read(report_access.stranded)

    async def queue_page(self, asker: Asker, after: QueuePlace | None, within: str | None) -> QueuePage:
        """Return a page of the queue, as `asker` may see it, that follows a place (None: the first); with `within`, of
        what that card or fold holds. Going on from `next` until it is None shows everything that was there from the
        first page on."""
        return await self._read(partial(moderation_queue.page, asker, after, within))

    async def rings(self, asker: Asker, since: Millis) -> list[RingDue]:
        """Return the reports to ring `asker` for that became so after `since` and that nobody has taken since then, in
        the order of the queue, bounded. What a card or a fold holds does not ring by itself."""
        return await self._read(partial(moderation_queue.rings, asker, since))

    async def require_report(self, by: MemberId, now: Millis) -> None:
        """Raise RATE_LIMITED where somebody has made `REPORTS_AN_HOUR` within the last hour, in rooms and sessions
        together."""
        await self._read(partial(moderation.require_report, by, now))

    async def escalations_due(self) -> list[Millis]:
        """Return when each open escalation should be looked at, and each that somebody has taken be closed, the
        earliest first, bounded."""
        return await self._read(moderation_queue.escalations_due)

    async def open_report(self, report: str, asker: Asker, why: str, now: Millis) -> ReportFile:
        """Read a report's content. That it was read, by whom and why is entered before anything is returned, for all
        whose words are in it. Raises REPORT_UNKNOWN, here and below also where it is the asker's own case or about
        staff and they are no operator; TEXT_EMPTY or TEXT_TOO_LONG."""
        return await self._write(partial(moderation.open_report, report, asker, why, now, self._sealer))

    async def counts(self, now: Millis) -> Counts:
        """One snapshot."""
        return await self._read(partial(moderation_counts.counts, now))

    async def happened(self, start: Millis, end: Millis) -> Happened:
        """What statistics count, from `start` until before `end`."""
        return await self._read(partial(moderation_counts.happened, start, end))

    async def claim_report(
        self, report: str, asker: Asker, instead_of: MemberId | None, why: str, now: Millis
    ) -> Millis | None:
        """When the report was made, where nobody had it until now. Raises REPORT_UNKNOWN, and as
        `domain.report_steps.claim`."""
        return await self._write(partial(moderation.claim, report, asker, instead_of, why, now))

    async def release_report(self, report: str, asker: Asker, now: Millis) -> None:
        await self._write(partial(moderation.release, report, asker, now))

    async def note_report(self, report: str, asker: Asker, note: str, note_id: str, now: Millis) -> None:
        """The same `note_id` again is the same note."""
        await self._write(partial(moderation.note, report, asker, note, note_id, now))

    async def close_report(
        self, report: str, asker: Asker, outcome: Outcome, reply: str, now: Millis, shown: ShownReport = NOTHING_SAID
    ) -> Millis | None:
        """When the report was made, where this closed it; None where it is about staff and this proposes the outcome,
        which is done already where they have proposed the same. Raises as `domain.report_steps.close`, and
        REPORT_CHANGED where something was added to it that the asker has not seen."""
        return await self._write(partial(moderation.close, report, asker, outcome, reply, now, shown))

    async def review_report(
        self, report: str, asker: Asker, why: str, now: Millis, shown: ShownReport = NOTHING_SAID, *, is_agreed: bool
    ) -> Millis | None:
        """When the report was made, where this closed it. Where it is not agreed, `why` is kept as a note. Raises as
        `domain.report_steps.review`, and REPORT_CHANGED where another outcome is proposed than the one that was shown,
        or something was added that the asker who agrees has not seen."""
        return await self._write(partial(moderation.review, report, asker, why, now, shown, is_agreed=is_agreed))

    async def take_measure(self, asked: TakeMeasure, now: Millis) -> Taken:
        """Decide and save, redact the post if that is the measure, and enter it, in one transaction. The same id again
        is the same measure. Raises as `domain.moderation.decide`, ROOM_UNKNOWN, as for a room that is not there for
        a session's but for what a report about it that `by` has claimed holds, and REPORT_UNKNOWN."""
        return await self._write(partial(moderation.take_measure, asked, now, self._sealer))

    async def lift_measure(self, measure: str, by: MemberId, reason: str, now: Millis) -> None:
        """Raises MEASURE_UNKNOWN, TEXT_EMPTY, and NOT_ALLOWED about oneself ("self") and, once it was answered, for
        whoever took it where somebody else may decide ("own_measure"). Doing it again changes nothing."""
        await self._write(partial(measures.lift, measure, by, reason, now))

    async def appeal(self, member: MemberId, measure: str, text: str, now: Millis) -> None:
        """Raises MEASURE_UNKNOWN where it is not about them, or over, APPEALED, TEXT_EMPTY or TEXT_TOO_LONG."""
        await self._write(partial(measures.appeal, member, measure, text, now))

    async def measures_of(self, members: Collection[MemberId], now: Millis) -> list[Measure]:
        """Those that count, of all kinds."""
        return await self._read(partial(measures.active_of, members, now))

    async def restricting(self, now: Millis) -> list[Measure]:
        """Every measure that forbids somebody something now."""
        return await self._read(partial(measures.restricting, now))

    async def moderation_notices(self, member: MemberId, now: Millis) -> ModerationNotices:
        return await self._read(partial(moderation.moderation_notices, member, now))

    async def concerned(self, since: int) -> set[MemberId]:
        """Whose matters changed since a version."""
        return await self._read(partial(moderation.concerned, since))

    async def see_moderation_notices(self, member: MemberId, ids: Collection[str], now: Millis) -> None:
        """They have seen these measures and answers. Others' are passed over."""
        await self._write(partial(moderation.see, member, ids, now))

    async def bar(self, measure: str, keys: Collection[bytes], now: Millis) -> None:
        """Let a measure hold for newcomers from there, where its member is seen at this moment. Nothing where it is
        over."""
        await self._write(partial(moderation.bar, measure, keys, now))

    async def debriefs(self, asker: Asker, now: Millis) -> list[DebriefRecord]:
        """Return the notes, the unread ones first, bounded; none of the asker's own, and none after a session that they
        were in. In the same transaction the audit log says that they were shown them."""
        return await self._write(partial(debriefs.debriefs, asker, now))

    async def read_debrief(self, debrief: str, asker: Asker, now: Millis) -> None:
        """Mark as read. It is done already where it was, is no more, or is not theirs to read."""
        await self._write(partial(debriefs.read_debrief, debrief, asker, now))

    async def names(self, members: Collection[MemberId]) -> dict[MemberId, str]:
        """What those who are members are called now."""
        return await self._read(partial(moderation_queue.names, members))

    async def audit_entries(self, after: int, limit: int) -> list[Entry]:
        """Entries in their order, beyond a place."""
        return await self._read(partial(audit.entries, after, limit))

    async def audit_head(self) -> AuditHead:
        """What the database takes for the newest entry."""
        return await self._read(audit.head)
