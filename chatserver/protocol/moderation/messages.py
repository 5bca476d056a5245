"""The messages of moderation: reporting, what moderators see and do, and what members are told of it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from chatserver.domain.errors import Reason
from chatserver.domain.moderation.measures import MeasureKind, Outcome
from chatserver.domain.people.staff import Capability
from chatserver.protocol.fields import Command, EpochName, Fields, MemberName, Place, ReportReason, RoomName, Text
from chatserver.protocol.moderation.views import (
    DebriefsOk,
    MeasureOk,
    ModerationNoticesPush,
    ReportOk,
    ReportPageOk,
    ReportsOk,
    ReportsPush,
    RingPush,
)
from chatserver.protocol.refusals import CASE

ReportName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$(?!\n)")]
Seen = Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)]

# ---------------------------------------------------------------------------------------------- everybody's commands


class ReportPost(Command, frozen=True, kw_only=True, tag="report_post"):
    """Tell the moderators of a post in a room (`offset`, of `epoch`), or of a person there (`member`). The posts around
    it are kept as they stand. The same again while it is open is the same report; nobody else is told."""

    cost: ClassVar[float] = 10.0
    refusals: ClassVar[tuple[Reason, ...]] = (
        Reason.ROOM_UNKNOWN,
        Reason.NOT_IN_ROOM,
        Reason.POST_UNKNOWN,
        Reason.EPOCH_STALE,
        Reason.MEMBER_UNKNOWN,
        Reason.TEXT_TOO_LONG,
    )
    example: ClassVar[Fields] = {
        "room": "sleep",
        "reason": "pressure",
        "offset": 41,
        "epoch": "b7Jk2mQx",
        "note": "It goes on and on.",
    }

    room: RoomName
    reason: ReportReason
    offset: Place | None = None
    epoch: EpochName | None = None
    member: MemberName | None = None
    note: Text = ""


class SeenModerationNotices(Command, frozen=True, kw_only=True, tag="seen"):
    """Confirm that these measures and answers, of those in `matters`, were shown and read."""

    cost: ClassVar[float] = 5.0
    example: ClassVar[Fields] = {"ids": ("kX3nW9tQm2ZbP7dL",)}

    ids: Annotated[tuple[ReportName, ...], Meta(max_length=100)]


# --------------------------------------------------------------------------------------------- moderators' commands


class AskReports(Command, frozen=True, kw_only=True, tag="reports"):
    """Get the queue. Answered with `reports`; pushes of the same follow whenever it changes."""

    answer: ClassVar[str] = "reports"
    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_ALLOWED,)


class PageReports(Command, frozen=True, kw_only=True, tag="report_page"):
    """Get one more page of the queue: what follows `after`, the `next` of a page; or of what the report `within` holds,
    from its beginning if `after` is absent."""

    answer: ClassVar[str] = "report_page"
    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = CASE
    example: ClassVar[Fields] = {"after": "10.1767225600000.kX3nW9tQm2ZbP7dL"}

    after: Annotated[str, Meta(max_length=100)] | None = None
    within: ReportName | None = None


class OpenReport(Command, frozen=True, kw_only=True, tag="open_report"):
    """Read a report: its words and the posts that were kept. The reader and `why` are entered in the audit log first,
    and the people who wrote there can see that it happened."""

    answer: ClassVar[str] = "report"
    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = (*CASE, Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG)
    example: ClassVar[Fields] = {"report": "kX3nW9tQm2ZbP7dL", "why": "To answer it."}

    report: ReportName
    why: Text


class ClaimReport(Command, frozen=True, kw_only=True, tag="claim"):
    """Take a report. `instead_of` is the moderator it is taken from, if somebody has it; then `why` must not be empty,
    and they are told it."""

    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = (
        *CASE,
        Reason.REPORT_TAKEN,
        Reason.REPORT_CLOSED,
        Reason.TEXT_EMPTY,
        Reason.TEXT_TOO_LONG,
    )
    example: ClassVar[Fields] = {"report": "kX3nW9tQm2ZbP7dL"}

    report: ReportName
    instead_of: MemberName | None = None
    why: Text = ""


class ReleaseReport(Command, frozen=True, kw_only=True, tag="release"):
    """Give a report back to the queue."""

    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = (*CASE, Reason.REPORT_TAKEN, Reason.REPORT_CLOSED, Reason.NOT_CLAIMED)
    example: ClassVar[Fields] = {"report": "kX3nW9tQm2ZbP7dL"}

    report: ReportName


class NoteReport(Command, frozen=True, kw_only=True, tag="note"):
    """Add a note for the other moderators."""

    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = (*CASE, Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG)
    example: ClassVar[Fields] = {"report": "kX3nW9tQm2ZbP7dL", "note": "Second time this week."}

    report: ReportName
    note: Text


class CloseReport(Command, frozen=True, kw_only=True, tag="close"):
    """Decide a report that one has claimed. The reporter is told that it was looked at, with `reply`. A report about a
    staff member is not closed by it: the outcome is proposed, and a second person has to `review` it. `seen` is the
    `newest_at` of the report as it was shown, or its `at` if it had none: if something was added since, nothing is
    closed, and the answer is `report_changed`."""

    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = (
        *CASE,
        Reason.REPORT_TAKEN,
        Reason.REPORT_CLOSED,
        Reason.REPORT_CHANGED,
        Reason.NOT_CLAIMED,
        Reason.TEXT_TOO_LONG,
    )
    example: ClassVar[Fields] = {
        "report": "kX3nW9tQm2ZbP7dL",
        "outcome": "measure",
        "reply": "Thank you. They can't write for a day.",
    }

    report: ReportName
    outcome: Outcome
    reply: Text = ""
    seen: Seen | None = None


class ReviewReport(Command, frozen=True, kw_only=True, tag="review"):
    """Agree with the outcome that somebody else has proposed, which closes the report, or refuse it, which opens it
    again; then `why` must not be empty. The proposer cannot review. `seen` is as in `close`; `outcome` and `reply` are
    those that were shown, so that nobody agrees with another one."""

    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = (
        *CASE,
        Reason.REPORT_CLOSED,
        Reason.REPORT_CHANGED,
        Reason.NOT_PROPOSED,
        Reason.TEXT_EMPTY,
        Reason.TEXT_TOO_LONG,
    )
    example: ClassVar[Fields] = {"report": "kX3nW9tQm2ZbP7dL", "agree": True}

    report: ReportName
    agree: bool
    why: Text = ""
    seen: Seen | None = None
    outcome: Outcome | None = None
    reply: Text = ""


class TakeMeasureCommand(Command, frozen=True, kw_only=True, tag="measure"):
    """Take a measure, from a private notice to a ban. `room`, `offset` and `epoch` name a post, `member` a person; a
    mute without `room` holds in every room. `minutes` is how long it lasts."""

    answer: ClassVar[str] = "measure"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = (
        *CASE,
        Reason.CONFIRMATION_REQUIRED,
        Reason.ROOM_UNKNOWN,
        Reason.POST_UNKNOWN,
        Reason.POST_REDACTED,
        Reason.EPOCH_STALE,
        Reason.MEMBER_UNKNOWN,
        Reason.TEXT_EMPTY,
        Reason.TEXT_TOO_LONG,
    )
    example: ClassVar[Fields] = {
        "kind": "mute",
        "reason": "Pressing others for where they live.",
        "member": "m_Zp6tW2dLc9GfJ5aM",
        "room": "sleep",
        "minutes": 1440,
        "report": "kX3nW9tQm2ZbP7dL",
    }

    kind: MeasureKind
    reason: Text
    member: MemberName | None = None
    room: RoomName | None = None
    offset: Place | None = None
    epoch: EpochName | None = None
    minutes: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    report: ReportName | None = None

    def requires_confirmation(self) -> bool:
        """Return whether it is a ban: only that is dangerous; the other measures must not wait for a password."""
        return self.kind is MeasureKind.BAN


class LiftMeasure(Command, frozen=True, kw_only=True, tag="lift"):
    """End a measure before its time. Succeeds also if it was lifted."""

    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = (
        Reason.NOT_ALLOWED,
        Reason.MEASURE_UNKNOWN,
        Reason.TEXT_EMPTY,
        Reason.TEXT_TOO_LONG,
    )
    example: ClassVar[Fields] = {"measure": "Vb8sJq4Yc6RfT1hG", "reason": "It was a misunderstanding."}

    measure: ReportName
    reason: Text


class AskDebriefs(Command, frozen=True, kw_only=True, tag="debriefs"):
    """Get the notes that listeners wrote to a supervisor."""

    answer: ClassVar[str] = "debriefs"
    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.SUPERVISE
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_ALLOWED,)


class ReadDebrief(Command, frozen=True, kw_only=True, tag="read_debrief"):
    """Mark a note as read by somebody who will see to its listener."""

    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.SUPERVISE
    refusals: ClassVar[tuple[Reason, ...]] = CASE
    example: ClassVar[Fields] = {"debrief": "Qz5xN8wKj3DvB6mT"}

    debrief: ReportName


ModerationCommand = (
    ReportPost
    | SeenModerationNotices
    | AskReports
    | PageReports
    | OpenReport
    | ClaimReport
    | ReleaseReport
    | NoteReport
    | CloseReport
    | ReviewReport
    | TakeMeasureCommand
    | LiftMeasure
    | AskDebriefs
    | ReadDebrief
)

# ----------------------------------------------------------------------------------------------------------- views


# --------------------------------------------------------------------------------------------------------- replies


ModerationOk = ReportsOk | ReportPageOk | ReportOk | MeasureOk | DebriefsOk

# ---------------------------------------------------------------------------------------------------------- pushes


ModerationPush = ReportsPush | RingPush | ModerationNoticesPush
