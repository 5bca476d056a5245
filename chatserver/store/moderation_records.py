"""What a store is told and tells of moderation."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from chatserver.domain.history import Epoch, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.alert_floods import Origin
from chatserver.domain.moderation.evidence import EarlierVersion
from chatserver.domain.moderation.measures import Measure, MeasureKind, Outcome, Report
from chatserver.domain.moderation.report_queue import QueuePlace, Rank
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
