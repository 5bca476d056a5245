"""What every store MUST do for moderation. Part of `contract.Store`, and proved by the same suite.

Whatever staff does here is entered in the audit log in the same transaction. Every change raises one version, which
workers ask for twice a second: what the bus lost is found there.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple, Protocol

import msgspec

from chatserver.domain.history import Epoch, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.alert_floods import Origin
from chatserver.domain.moderation.audit_log import AuditHead, Entry
from chatserver.domain.moderation.evidence import EarlierVersion
from chatserver.domain.moderation.measures import Measure, MeasureKind, Outcome, Report, TakeMeasure
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.moderation.report_queue import QueuePlace, Rank
from chatserver.domain.moderation.statistics import Happened
from chatserver.domain.rooms.rooms import Post, Publication, RoomId


class RoomReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report from a themed room: of a post (`offset`), or of a person (`about`)."""

    id: str
    at: Millis
    by: MemberId
    room: RoomId
    offset: Offset | None
    about: MemberId | None
    reason: str
    note: str
    epoch: Epoch | None = None
    """The numbering in which `offset` was read, where the reporter said so."""
    origin: Origin | None = None
    """Where it comes from. Without it, it counts towards no flood."""


class ShownReport(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever decides a report was shown of it: the newest that was added (`seen`: its `newest_at`, or its `at`
    where it had none), and, of one whose outcome is proposed, that outcome with its reply. None: nobody says."""

    seen: Millis | None = None
    outcome: Outcome | None = None
    reply: str = ""


NOTHING_SAID: Final = ShownReport()


class ReportNote(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator noted about a report, for other moderators."""

    by: MemberId
    at: Millis
    note: str


class ReportFile(msgspec.Struct, frozen=True, kw_only=True):
    """A report with everything in it: the reporter's words, the posts as they stood, what of them was changed or taken
    back before, notes, and the measures that were taken about the same person. Whoever was erased stands there under an
    alias (`domain.evidence.is_alias`)."""

    report: Report
    note: str
    posts: tuple[Post, ...]
    notes: tuple[ReportNote, ...]
    measures: tuple[Measure, ...]
    names: dict[MemberId, str]
    earlier: tuple[EarlierVersion, ...] = ()
    neighbours: Neighbours | None = None
    """How it is around whom the report is about; None where nothing is known of it."""


class Neighbours(msgspec.Struct, frozen=True):
    """How it is around a member: how many `others` came from their address in the last day, and whether they are new
    from where somebody else is banned, muted or removed (`is_newcomer`)."""

    others: int
    is_newcomer: bool


class DebriefRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A listener's note to a supervisor."""

    id: str
    at: Millis
    listener: MemberId
    note: str
    read_by: MemberId | None
    read_at: Millis | None


class QueuePage(msgspec.Struct, frozen=True, kw_only=True):
    """Reports in the order of the queue. `next` is the place of the last one where more follow; `parts` says of those
    that hold others how many, and `names` what the people in them are called."""

    reports: tuple[Report, ...]
    next: QueuePlace | None
    parts: dict[str, int]
    names: dict[MemberId, str]


class RingDue(msgspec.Struct, frozen=True, kw_only=True):
    """A report to ring for, and since when."""

    report: Report
    at: Millis


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What moderators see: the first page of open reports, how many there are by rank, the last closed ones, measures
    that count (answered ones first), how many debriefs nobody has read, and the names of all these people. What a card
    or a fold holds is in none of these numbers."""

    version: int
    open: tuple[Report, ...]
    open_count: int
    ranks: dict[Rank, int]
    next: QueuePlace | None
    parts: dict[str, int]
    closed: tuple[Report, ...]
    measures: tuple[Measure, ...]
    unread_debriefs: int
    names: dict[MemberId, str]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Moderation in numbers: reports that are not closed by reason (one of `domain.moderation.REASONS`), how many of
    them are late and since when the first is; measures that count by kind, and how many of them were answered; unread
    debriefs; and entries of the audit log."""

    reports: dict[str, int]
    overdue: int
    overdue_since: Millis | None
    measures: dict[MeasureKind, int]
    appeals: int
    unread_debriefs: int
    entries: int
    floods: int = 0
    folded: int = 0
    """Open cards that hold a flood, and how many reports are in them."""


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """When a report that is not closed should have been looked at, or done with where somebody has it; and whether it
    is an escalation."""

    at: Millis
    is_escalation: bool


class Floods(NamedTuple):
    """Open cards that hold a flood, and how many reports are in them."""

    cards: int = 0
    folded: int = 0


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A report of one's own that was closed."""

    report: str
    at: Millis
    closed_at: Millis
    outcome: Outcome
    reply: str


class ModerationNotices(msgspec.Struct, frozen=True, kw_only=True):
    """What moderation has to tell one person: measures about them that count, and reports of theirs that were closed
    since they last looked. `is_stranded` says that a report of theirs waits because nobody here may handle it."""

    measures: tuple[Measure, ...] = ()
    answers: tuple[Answered, ...] = ()
    is_stranded: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A measure that was taken, and what has to be announced: a post that was taken back."""

    measure: Measure
    publications: tuple[Publication, ...] = ()


class ModerationStore(Protocol):
    """Raises `StoreUnavailable` as all of the store."""

    async def moderation_version(self) -> int:
        """One cheap read."""
        ...

    async def report(self, report: RoomReport) -> str:
        """Keep a report with the posts around what it is about, as they stand, and say under which id. The same person
        reporting the same thing again while it is open gets the id of the first. A post that was changed, taken back or
        erased is reported as any other: the report holds, sealed, how it stood before.

        Raises ROOM_UNKNOWN for a room that is not themed, NOT_IN_ROOM for somebody who never entered it, POST_UNKNOWN,
        MEMBER_UNKNOWN, INVALID for one of oneself, and RATE_LIMITED beyond `REPORTS_AN_HOUR`."""
        ...

    async def queue(self, asker: Asker, now: Millis) -> Queue:
        """One snapshot, bounded, of what `asker` may see: no report that is their own case, none about staff unless
        they are an operator, no measure about themselves, and nothing of these in any count. The answer to a measure
        that they took themselves is empty where somebody else may read it. Nobody's own case is seen by an asker whose
        member is nobody's id."""
        ...

    async def due(self, asker: Asker) -> tuple[Due, ...]:
        """When the reports that `asker` may see should have been looked at, the earliest first, bounded."""
        ...

    async def floods(self, asker: Asker) -> Floods:
        """Return how many floods there are of what `asker` may see: one of reports about somebody who works here is
        told to operators, and not to whom it is about."""
        ...

    async def with_views_of_their_own(self, members: Collection[MemberId]) -> set[MemberId]:
        """Those of these members who may not see something that others with their roles may."""
        ...

    async def stranded(self) -> set[str]:
        """The open reports about staff that nobody who works here may handle, bounded."""
        ...

    async def queue_page(self, asker: Asker, after: QueuePlace | None, within: str | None) -> QueuePage:
        """Return a page of the queue, as `asker` may see it, that follows a place (None: the first); with `within`, of
        what that card or fold holds. Going on from `next` until it is None shows everything that was there from the
        first page on."""
        ...

    async def rings(self, asker: Asker, since: Millis) -> list[RingDue]:
        """Return the reports to ring `asker` for that became so after `since` and that nobody has taken since then, in
        the order of the queue, bounded. What a card or a fold holds does not ring by itself."""
        ...

    async def require_report(self, by: MemberId, now: Millis) -> None:
        """Raise RATE_LIMITED where somebody has made `REPORTS_AN_HOUR` within the last hour, in rooms and sessions
        together."""
        ...

    async def escalations_due(self) -> list[Millis]:
        """Return when each open escalation should be looked at, and each that somebody has taken be closed, the
        earliest first, bounded."""
        ...

    async def open_report(self, report: str, asker: Asker, why: str, now: Millis) -> ReportFile:
        """Read a report's content. That it was read, by whom and why is entered before anything is returned, for all
        whose words are in it. Raises REPORT_UNKNOWN, here and below also where it is the asker's own case or about
        staff and they are no operator; TEXT_EMPTY or TEXT_TOO_LONG."""
        ...

    async def counts(self, now: Millis) -> Counts:
        """One snapshot."""
        ...

    async def happened(self, start: Millis, end: Millis) -> Happened:
        """What statistics count, from `start` until before `end`."""
        ...

    async def claim_report(
        self, report: str, asker: Asker, instead_of: MemberId | None, why: str, now: Millis
    ) -> Millis | None:
        """When the report was made, where nobody had it until now. Raises REPORT_UNKNOWN, and as
        `domain.report_steps.claim`."""
        ...

    async def release_report(self, report: str, asker: Asker, now: Millis) -> None: ...

    async def note_report(self, report: str, asker: Asker, note: str, note_id: str, now: Millis) -> None:
        """The same `note_id` again is the same note."""
        ...

    async def close_report(
        self, report: str, asker: Asker, outcome: Outcome, reply: str, now: Millis, shown: ShownReport = NOTHING_SAID
    ) -> Millis | None:
        """When the report was made, where this closed it; None where it is about staff and this proposes the outcome,
        which is done already where they have proposed the same. Raises as `domain.report_steps.close`, and
        REPORT_CHANGED where something was added to it that the asker has not seen."""
        ...

    async def review_report(
        self, report: str, asker: Asker, why: str, now: Millis, shown: ShownReport = NOTHING_SAID, *, is_agreed: bool
    ) -> Millis | None:
        """When the report was made, where this closed it. Where it is not agreed, `why` is kept as a note. Raises as
        `domain.report_steps.review`, and REPORT_CHANGED where another outcome is proposed than the one that was shown,
        or something was added that the asker who agrees has not seen."""
        ...

    async def take_measure(self, asked: TakeMeasure, now: Millis) -> Taken:
        """Decide and save, redact the post if that is the measure, and enter it, in one transaction. The same id again
        is the same measure. Raises as `domain.moderation.decide`, ROOM_UNKNOWN, as for a room that is not there for
        a session's but for what a report about it that `by` has claimed holds, and REPORT_UNKNOWN."""
        ...

    async def lift_measure(self, measure: str, by: MemberId, reason: str, now: Millis) -> None:
        """Raises MEASURE_UNKNOWN, TEXT_EMPTY, and NOT_ALLOWED about oneself ("self") and, once it was answered, for
        whoever took it where somebody else may decide ("own_measure"). Doing it again changes nothing."""
        ...

    async def appeal(self, member: MemberId, measure: str, text: str, now: Millis) -> None:
        """Raises MEASURE_UNKNOWN where it is not about them, or over, APPEALED, TEXT_EMPTY or TEXT_TOO_LONG."""
        ...

    async def measures_of(self, members: Collection[MemberId], now: Millis) -> list[Measure]:
        """Those that count, of all kinds."""
        ...

    async def restricting(self, now: Millis) -> list[Measure]:
        """Every measure that forbids somebody something now."""
        ...

    async def moderation_notices(self, member: MemberId, now: Millis) -> ModerationNotices: ...

    async def concerned(self, since: int) -> set[MemberId]:
        """Whose matters changed since a version."""
        ...

    async def see_moderation_notices(self, member: MemberId, ids: Collection[str], now: Millis) -> None:
        """They have seen these measures and answers. Others' are passed over."""
        ...

    async def bar(self, measure: str, keys: Collection[bytes], now: Millis) -> None:
        """Let a measure hold for newcomers from there, where its member is seen at this moment. Nothing where it is
        over."""
        ...

    async def debriefs(self, asker: Asker, now: Millis) -> list[DebriefRecord]:
        """Return the notes, the unread ones first, bounded; none of the asker's own, and none after a session that they
        were in. In the same transaction the audit log says that they were shown them."""
        ...

    async def read_debrief(self, debrief: str, asker: Asker, now: Millis) -> None:
        """Mark as read. It is done already where it was, is no more, or is not theirs to read."""
        ...

    async def names(self, members: Collection[MemberId]) -> dict[MemberId, str]:
        """What those who are members are called now."""
        ...

    async def audit_entries(self, after: int, limit: int) -> list[Entry]:
        """Entries in their order, beyond a place."""
        ...

    async def audit_head(self) -> AuditHead:
        """What the database takes for the newest entry."""
        ...
