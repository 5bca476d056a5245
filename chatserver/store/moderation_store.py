"""What a store promises about moderation, and how it is done for every database.

Everything that staff do here is entered in the audit log in the same transaction. Every change raises one version,
which workers read twice a second, so that they find what the bus lost.
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
    """Keeps reports, measures and the audit log. Raises `StoreUnavailable` like every part of the store."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def moderation_version(self) -> int:
        """Return the version of moderation, in one cheap read."""
        return await self._read(moderation.version)

    async def report(self, report: RoomReport) -> str:
        """Keep a report with the posts around what it is about, as they are now, and return its id. If the same person
        has an open report of the same thing, that report's id is returned. A post that was edited, removed or erased
        can be reported like any other: the report holds, sealed, its earlier versions.

        Raises ROOM_UNKNOWN for a room that is not themed, NOT_IN_ROOM for somebody who never entered it, POST_UNKNOWN,
        MEMBER_UNKNOWN, INVALID for a report of oneself, and RATE_LIMITED beyond `REPORTS_AN_HOUR`."""
        return await self._write(partial(moderation.report, report, self._sealer))

    async def queue(self, asker: Asker, now: Millis) -> Queue:
        """Return one bounded snapshot of what `asker` may see: no report that is their own case, none about staff
        unless they are an operator, no measure about themselves, and none of these in any count. The answer to a
        measure that they took themselves is empty if somebody else may read it. An asker whose member is nobody's id
        has no case of their own."""
        return await self._read(partial(moderation.queue, asker, now))

    async def due(self, asker: Asker) -> tuple[Due, ...]:
        """Return when the reports that `asker` may see should have been looked at, the earliest first, bounded."""
        return await self._read(partial(report_access.due, asker))

    async def floods(self, asker: Asker) -> Floods:
        """Return how many floods `asker` may see. A flood of reports about one of the staff is shown to operators,
        except the person concerned."""
        return await self._read(partial(moderation_queue.floods, asker))

    async def with_views_of_their_own(self, members: Collection[MemberId]) -> set[MemberId]:
        """Return those of these members who may not see something that others with their roles may."""
        return await self._read(partial(report_access.with_views_of_their_own, members))

    async def stranded(self) -> set[str]:
        """Return the open reports about staff that nobody who works here may handle, bounded."""
        return await self._read(report_access.stranded)

    async def queue_page(self, asker: Asker, after: QueuePlace | None, within: str | None) -> QueuePage:
        """Return the page of the queue that follows a place (None: the first page), as `asker` may see it; with
        `within`, of what that card or fold holds. Going on from `next` until it is None returns everything that was
        there when the first page was read."""
        return await self._read(partial(moderation_queue.page, asker, after, within))

    async def rings(self, asker: Asker, since: Millis) -> list[RingDue]:
        """Return the reports that ring for `asker` since after `since` and that nobody has taken, in the order of the
        queue, bounded. Reports inside a card or a fold do not ring by themselves."""
        return await self._read(partial(moderation_queue.rings, asker, since))

    async def require_report(self, by: MemberId, now: Millis) -> None:
        """Raise RATE_LIMITED if somebody has made `REPORTS_AN_HOUR` within the last hour, in rooms and sessions
        together."""
        await self._read(partial(moderation.require_report, by, now))

    async def escalations_due(self) -> list[Millis]:
        """Return when each open escalation should be looked at and each claimed one be closed, the earliest first,
        bounded."""
        return await self._read(moderation_queue.escalations_due)

    async def open_report(self, report: str, asker: Asker, why: str, now: Millis) -> ReportFile:
        """Return a report's content. Before that, enter in the audit log who read it and why, for all whose words are
        in it. Raises REPORT_UNKNOWN, here and below also if it is the asker's own case, or is about staff and they are
        no operator; TEXT_EMPTY or TEXT_TOO_LONG for `why`."""
        return await self._write(partial(moderation.open_report, report, asker, why, now, self._sealer))

    async def counts(self, now: Millis) -> Counts:
        """Return the present numbers of moderation, in one snapshot."""
        return await self._read(partial(moderation_counts.counts, now))

    async def happened(self, start: Millis, end: Millis) -> Happened:
        """Return what statistics count, from `start` until before `end`."""
        return await self._read(partial(moderation_counts.happened, start, end))

    async def claim_report(
        self, report: str, asker: Asker, instead_of: MemberId | None, why: str, now: Millis
    ) -> Millis | None:
        """Claim a report. Return when it was made if nobody had claimed it, else None. Raises REPORT_UNKNOWN, and as
        `report_steps.claim`."""
        return await self._write(partial(moderation.claim, report, asker, instead_of, why, now))

    async def release_report(self, report: str, asker: Asker, now: Millis) -> None:
        await self._write(partial(moderation.release, report, asker, now))

    async def note_report(self, report: str, asker: Asker, note: str, note_id: str, now: Millis) -> None:
        """Add a note. A `note_id` that is known already adds nothing."""
        await self._write(partial(moderation.note, report, asker, note, note_id, now))

    async def close_report(
        self, report: str, asker: Asker, outcome: Outcome, reply: str, now: Millis, shown: ShownReport = NOTHING_SAID
    ) -> Millis | None:
        """Close a report and return when it was made; or, if it is about staff, propose the outcome and return None.
        Proposing the same again changes nothing. Raises as `report_steps.close`, and REPORT_CHANGED if something was
        added that the asker has not seen."""
        return await self._write(partial(moderation.close, report, asker, outcome, reply, now, shown))

    async def review_report(
        self, report: str, asker: Asker, why: str, now: Millis, shown: ShownReport = NOTHING_SAID, *, is_agreed: bool
    ) -> Millis | None:
        """Agree to a proposed outcome, or refuse it. Return when the report was made if this closed it, else None. On a
        refusal `why` is kept as a note. Raises as `report_steps.review`, and REPORT_CHANGED if another outcome is
        proposed than the one that was shown, or something was added that an asker who agrees has not seen."""
        return await self._write(partial(moderation.review, report, asker, why, now, shown, is_agreed=is_agreed))

    async def take_measure(self, asked: TakeMeasure, now: Millis) -> Taken:
        """Decide and save a measure, redact the post if that is the measure, and enter it, in one transaction. An id
        that is known already changes nothing. Raises as `measures.decide`, REPORT_UNKNOWN, and ROOM_UNKNOWN, also for a
        session's room beyond what a report that `by` has claimed holds."""
        return await self._write(partial(moderation.take_measure, asked, now, self._sealer))

    async def lift_measure(self, measure: str, by: MemberId, reason: str, now: Millis) -> None:
        """Lift a measure. Raises MEASURE_UNKNOWN, TEXT_EMPTY, and NOT_ALLOWED for a measure about oneself ("self") and,
        once it was answered, for the person who took it if somebody else may decide ("own_measure"). Doing it again
        changes nothing."""
        await self._write(partial(measures.lift, measure, by, reason, now))

    async def appeal(self, member: MemberId, measure: str, text: str, now: Millis) -> None:
        """Answer a measure. Raises MEASURE_UNKNOWN if it is not about `member` or is over, APPEALED, TEXT_EMPTY or
        TEXT_TOO_LONG."""
        await self._write(partial(measures.appeal, member, measure, text, now))

    async def restricting(self, now: Millis) -> list[Measure]:
        """Return every measure that forbids somebody something now."""
        return await self._read(partial(measures.restricting, now))

    async def moderation_notices(self, member: MemberId, now: Millis) -> ModerationNotices:
        return await self._read(partial(moderation.moderation_notices, member, now))

    async def concerned(self, since: int) -> set[MemberId]:
        """Return the people whose moderation notices changed after version `since`."""
        return await self._read(partial(moderation.concerned, since))

    async def see_moderation_notices(self, member: MemberId, ids: Collection[str], now: Millis) -> None:
        """Note that a member has seen these measures and answers. Ids that are not theirs are ignored."""
        await self._write(partial(moderation.see, member, ids, now))

    async def bar(self, measure: str, keys: Collection[bytes], now: Millis) -> None:
        """Apply a measure to newcomers from networks with these keys, where its member is seen now. No-op if it is
        over."""
        await self._write(partial(moderation.bar, measure, keys, now))

    async def debriefs(self, asker: Asker, now: Millis) -> list[DebriefRecord]:
        """Return the notes, unread ones first, bounded; none of the asker's own, and none after a session that they
        were in. The same transaction enters in the audit log that they were shown them."""
        return await self._write(partial(debriefs.debriefs, asker, now))

    async def read_debrief(self, debrief: str, asker: Asker, now: Millis) -> None:
        """Mark a note as read. No-op if it was read already, is gone, or may not be read by the asker."""
        await self._write(partial(debriefs.read_debrief, debrief, asker, now))

    async def names(self, members: Collection[MemberId]) -> dict[MemberId, str]:
        """Return the present names of those who are members."""
        return await self._read(partial(moderation_queue.names, members))

    async def audit_entries(self, after: int, limit: int) -> list[Entry]:
        """Return at most `limit` entries after a number, in order."""
        return await self._read(partial(audit.entries, after, limit))

    async def audit_head(self) -> AuditHead:
        """Return the number and hash of the newest entry, as the database has it."""
        return await self._read(audit.head)
