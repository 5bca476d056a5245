"""What callers and the store pass each other about moderation."""

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
    """A report from a themed room, about a post (`offset`) or a person (`about`)."""

    id: str
    at: Millis
    by: MemberId
    room: RoomId
    offset: Offset | None
    about: MemberId | None
    reason: str
    note: str
    epoch: Epoch | None = None
    """The epoch in which `offset` was read, if the reporter said so."""
    origin: Origin | None = None
    """Where the report comes from. Without it, it counts towards no flood."""


class ShownReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the person who decides a report was shown of it: the newest addition (`seen`: its `newest_at`, or `at` if it
    has none) and, if an outcome is proposed, that outcome with its reply. None means that the client did not say."""

    seen: Millis | None = None
    outcome: Outcome | None = None
    reply: str = ""


NOTHING_SAID: Final = ShownReport()


class ReportNote(msgspec.Struct, frozen=True, kw_only=True):
    """A moderator's note about a report, for other moderators."""

    by: MemberId
    at: Millis
    note: str


class ReportFile(msgspec.Struct, frozen=True, kw_only=True):
    """A report with everything in it: the reporter's words, the posts as they were, their earlier versions, notes, and
    the measures about the same person. Erased people have aliases in it (`domain/moderation/evidence.py`)."""

    report: Report
    note: str
    posts: tuple[Post, ...]
    notes: tuple[ReportNote, ...]
    measures: tuple[Measure, ...]
    names: dict[MemberId, str]
    earlier: tuple[EarlierVersion, ...] = ()
    neighbours: Neighbours | None = None
    """The neighbours of the person whom the report is about, or None if nothing is known."""


class Neighbours(msgspec.Struct, frozen=True):
    """What is known of people near a member: how many `others` came from their address in the last day, and whether the
    member is new (`is_newcomer`) from where somebody else is banned, muted or removed."""

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
    """Reports in the order of the queue. `next` is the place of the last one if more follow; `parts` says how many
    reports each card or fold holds; `names` has the names of the people in them."""

    reports: tuple[Report, ...]
    next: QueuePlace | None
    parts: dict[str, int]
    names: dict[MemberId, str]


class RingDue(msgspec.Struct, frozen=True, kw_only=True):
    """A report that rings, and since when."""

    report: Report
    at: Millis


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What moderators see: the first page of open reports, their numbers by rank, the last closed ones, measures in
    force (answered ones first), how many debriefs nobody has read, and the names of all these people. Reports inside a
    card or a fold are not counted."""

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
    """Moderation in numbers: open reports by reason (one of `measures.REASONS`), how many of them are late and since
    when the first is; measures in force by kind, and how many of them were answered; unread debriefs; and entries of
    the audit log."""

    reports: dict[str, int]
    overdue: int
    overdue_since: Millis | None
    measures: dict[MeasureKind, int]
    appeals: int
    unread_debriefs: int
    entries: int
    floods: int = 0
    folded: int = 0
    """Open floods, and how many reports are in them."""


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """When an open report should be looked at or, if claimed, be closed, and whether it is an escalation."""

    at: Millis
    is_escalation: bool


class Floods(NamedTuple):
    """Open floods, and how many reports are in them."""

    cards: int = 0
    folded: int = 0


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A closed report of one's own."""

    report: str
    at: Millis
    closed_at: Millis
    outcome: Outcome
    reply: str


class ModerationNotices(msgspec.Struct, frozen=True, kw_only=True):
    """What moderation tells one person: measures about them that are in force, and reports of theirs that were closed
    since they last looked. `is_stranded` says that a report of theirs waits because nobody here may handle it."""

    measures: tuple[Measure, ...] = ()
    answers: tuple[Answered, ...] = ()
    is_stranded: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A measure that was taken, and what must be announced: a post that was removed."""

    measure: Measure
    publications: tuple[Publication, ...] = ()
