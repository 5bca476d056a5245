"""What every store MUST do for moderation. Part of `contract.Store`, and proved by the same suite.

Whatever staff does here is entered in the audit log in the same transaction. Every change raises one version, which
workers ask for twice a second: what the bus lost is found there.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import msgspec

from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.ledger import Entry, LedgerHead
from chatserver.domain.moderation import Measure, MeasureKind, Outcome, Report, TakeMeasure
from chatserver.domain.rooms import Post, Publication, RoomId
from chatserver.domain.statistics import Happened


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


class ReportNote(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator noted about a report, for other moderators."""

    by: MemberId
    at: Millis
    note: str


class ReportFile(msgspec.Struct, frozen=True, kw_only=True):
    """A report with everything in it: the reporter's words, the posts as they stood, notes, and the measures that were
    taken about the same person."""

    report: Report
    note: str
    posts: tuple[Post, ...]
    notes: tuple[ReportNote, ...]
    measures: tuple[Measure, ...]
    names: dict[MemberId, str]


class Debrief(msgspec.Struct, frozen=True, kw_only=True):
    """A listener's note to a supervisor."""

    id: str
    at: Millis
    listener: MemberId
    note: str
    read_by: MemberId | None
    read_at: Millis | None


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What moderators see: open reports (the most urgent first) and how many there are, the last closed ones, measures
    that count (answered ones first), how many debriefs nobody has read, and the names of all these people."""

    version: int
    open: tuple[Report, ...]
    open_count: int
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


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A report of one's own that was closed."""

    report: str
    at: Millis
    closed_at: Millis
    outcome: Outcome
    reply: str


class Matters(msgspec.Struct, frozen=True, kw_only=True):
    """What moderation has to tell one person: measures about them that count, and reports of theirs that were closed
    since they last looked."""

    measures: tuple[Measure, ...] = ()
    answers: tuple[Answered, ...] = ()


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
        reporting the same thing again while it is open gets the id of the first.

        Raises ROOM_UNKNOWN for a room that is not themed, NOT_IN_ROOM for somebody who never entered it, POST_UNKNOWN,
        MEMBER_UNKNOWN, INVALID for one of oneself, and RATE_LIMITED beyond `REPORTS_AN_HOUR`."""
        ...

    async def queue(self, now: Millis) -> Queue:
        """One snapshot, bounded."""
        ...

    async def escalations_due(self) -> list[Millis]:
        """When each escalation that nobody has taken should be looked at, the earliest first, bounded."""
        ...

    async def open_report(self, report: str, by: MemberId, why: str, now: Millis) -> ReportFile:
        """Read a report's content. That it was read, by whom and why is entered before anything is returned, for all
        whose words are in it. Raises REPORT_UNKNOWN, TEXT_EMPTY or TEXT_TOO_LONG."""
        ...

    async def counts(self, now: Millis) -> Counts:
        """One snapshot."""
        ...

    async def happened(self, start: Millis, end: Millis) -> Happened:
        """What statistics count, from `start` until before `end`."""
        ...

    async def claim_report(self, report: str, by: MemberId, instead_of: MemberId | None, now: Millis) -> Millis | None:
        """When the report was made, where nobody had it until now. Raises REPORT_UNKNOWN, and as
        `domain.moderation.claim`."""
        ...

    async def release_report(self, report: str, by: MemberId, now: Millis) -> None: ...

    async def note_report(self, report: str, by: MemberId, note: str, note_id: str, now: Millis) -> None:
        """The same `note_id` again is the same note."""
        ...

    async def close_report(self, report: str, by: MemberId, outcome: Outcome, reply: str, now: Millis) -> Millis | None:
        """When the report was made, where it was not closed until now. Raises as `domain.moderation.close`."""
        ...

    async def take_measure(self, asked: TakeMeasure, now: Millis) -> Taken:
        """Decide and save, redact the post if that is the measure, and enter it, in one transaction. The same id again
        is the same measure. Raises as `domain.moderation.decide`, and ROOM_UNKNOWN."""
        ...

    async def lift_measure(self, measure: str, by: MemberId, reason: str, now: Millis) -> None:
        """Raises MEASURE_UNKNOWN or TEXT_EMPTY. Doing it again changes nothing."""
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

    async def matters(self, member: MemberId, now: Millis) -> Matters: ...

    async def concerned(self, since: int) -> set[MemberId]:
        """Whose matters changed since a version."""
        ...

    async def see_matters(self, member: MemberId, ids: Collection[str], now: Millis) -> None:
        """They have seen these measures and answers. Others' are passed over."""
        ...

    async def bar(self, measure: str, keys: Collection[bytes], until: Millis) -> None:
        """Let no new guests in from there. Nothing where the measure is over."""
        ...

    async def barred_until(self, key: bytes, now: Millis) -> Millis | None: ...

    async def debriefs(self) -> list[Debrief]:
        """The unread ones first, bounded."""
        ...

    async def read_debrief(self, debrief: str, by: MemberId, now: Millis) -> None:
        """Mark as read. It is done already where it was, or is no more."""
        ...

    async def names(self, members: Collection[MemberId]) -> dict[MemberId, str]:
        """What those who are members are called now."""
        ...

    async def audit_entries(self, after: int, limit: int) -> list[Entry]:
        """Entries in their order, beyond a place."""
        ...

    async def audit_head(self) -> LedgerHead:
        """What the database takes for the newest entry."""
        ...
