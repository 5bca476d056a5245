"""The messages of moderation: reporting, what moderators see and do, and what members are told of it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from chatserver.domain.errors import Reason
from chatserver.domain.history import Epoch, Millis, Offset
from chatserver.domain.identity import Person
from chatserver.domain.moderation.evidence import EarlierVersion
from chatserver.domain.moderation.measures import MeasureKind, Outcome, ReportStatus
from chatserver.domain.people.staff import Capability
from chatserver.domain.rooms.rooms import Post, RoomId
from chatserver.protocol.fields import Command, EpochName, Fields, MemberName, Place, ReportReason, RoomName, Text
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


class ReportView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report in the queue, without its content. `room` is a session's if it begins with `s-`. `offset` is a post of
    `epoch`. A person is absent if nobody is named; an erased person has an id that begins with `e_`, and no name. With
    a `level`, 2 or 3, it is an escalation: the server made it because of words in a post, and `reason` is their
    category. `rank` is 3 (now), 2 (a person reports) or 1 (words). `parts` is how many others it holds: of one person,
    or, if it `folds` "words" or "reports", those of a flood. `new` says that the reporter, or author, had come less
    than an hour before. With `about_staff` it is about a staff member: only operators see it, and `claimed_by` is the
    proposer while the outcome is `proposed`. `taken_from` and `taken_why` say from whom it was taken over, and why."""

    id: str
    at: Millis
    due_at: Millis
    room: RoomId
    reason: str
    status: ReportStatus
    is_call: bool = False
    level: int | None = None
    offset: Offset | None = None
    epoch: Epoch | None = None
    by: Person | None = None
    about: Person | None = None
    claimed_by: Person | None = None
    closed_at: Millis | None = None
    outcome: Outcome | None = None
    reply: str = ""
    about_staff: bool = False
    taken_from: Person | None = None
    taken_why: str = ""
    rank: int
    new: bool = False
    parts: int = 0
    folds: str | None = None
    card: str | None = None
    fold: str | None = None
    newest_at: Millis | None = None


class RankCounts(Struct, frozen=True, kw_only=True):
    """The number of open reports and cards of each rank."""

    now: int
    reports: int
    words: int


class MeasureView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A measure as moderators see it, with the answer of the person concerned (`appeal`, at `appealed_at`). The
    moderator who took the measure finds that empty if somebody else is there to read it."""

    id: str
    at: Millis
    kind: MeasureKind
    by: Person
    about: Person
    reason: str
    expires_at: Millis
    room: RoomId | None = None
    offset: Offset | None = None
    report: str | None = None
    lifted_at: Millis | None = None
    appeal: str | None = None
    appealed_at: Millis | None = None


class NoteView(Struct, frozen=True, kw_only=True):
    """A moderator's note about a report."""

    by: Person
    at: Millis
    note: str


class DebriefView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A listener's note to a supervisor, and who has read it."""

    id: str
    at: Millis
    listener: Person
    note: str
    read_by: Person | None = None
    read_at: Millis | None = None


class DeclinesView(Struct, frozen=True, kw_only=True):
    """How many proposals a listener declined or let lapse, in the last hour and the last 24, and how many sessions they
    began in these 24. `hour_cap` is the number in an hour after which they get no more for the rest of it."""

    listener: Person
    hour: int
    hour_cap: int
    day: int
    sessions: int


class ModerationNoticeView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A moderator's decision about the member. Who decided is not told."""

    id: str
    at: Millis
    kind: MeasureKind
    reason: str
    until: Millis
    room: RoomId | None = None
    seen: bool = False
    appealed: bool = False


class AnswerView(Struct, frozen=True, kw_only=True):
    """A report of the member's own that was looked at. `reply` may be empty."""

    id: str
    at: Millis
    closed_at: Millis
    outcome: Outcome
    reply: str


# --------------------------------------------------------------------------------------------------------- replies


class ReportsOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="reports"):
    """The first page of open reports, the most urgent first, with `next` if more follow; how many there are in all and
    of each rank; those that were closed last; active measures, answered ones first; and how many debrief notes nobody
    has read."""

    version: int
    open: tuple[ReportView, ...]
    open_count: int
    ranks: RankCounts
    next: str | None = None
    closed: tuple[ReportView, ...]
    measures: tuple[MeasureView, ...]
    unread_debriefs: int


class ReportPageOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="report_page"):
    """One more page of the queue, or of what a report holds, with `next` if more follow."""

    reports: tuple[ReportView, ...]
    next: str | None = None


class NetworkView(Struct, frozen=True):
    """The network of the person a report is about: how many `others` came from it in the last day, and whether they are
    a `newcomer` from where a measure holds against somebody else."""

    others: int
    newcomer: bool


class ReportOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="report"):
    """A report with the reporter's `note`, the posts as they stood, what was written in them before it was changed,
    taken back or erased (`earlier`, oldest first within a post), moderators' notes, and every measure about the same
    person that is kept. Every offset in it is of the `epoch` of the report. An author whose id begins with `e_` was
    erased: the same id is the same person. `network` is that of the person it is about, if it is known."""

    report: ReportView
    note: str
    posts: tuple[Post, ...]
    notes: tuple[NoteView, ...]
    measures: tuple[MeasureView, ...]
    earlier: tuple[EarlierVersion, ...] = ()
    network: NetworkView | None = None


class MeasureOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="measure"):
    """The measure, and until when it holds."""

    measure: str
    until: Millis


class DebriefsOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="debriefs"):
    """The notes, unread ones first; and which listeners declined proposals lately, those with most first."""

    debriefs: tuple[DebriefView, ...]
    declines: tuple[DeclinesView, ...]


ModerationOk = ReportsOk | ReportPageOk | ReportOk | MeasureOk | DebriefsOk

# ---------------------------------------------------------------------------------------------------------- pushes


class ReportsPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="reports"):
    """The queue has changed. Not a fact: the highest `version` of this connection is right."""

    version: int
    open: tuple[ReportView, ...]
    open_count: int
    ranks: RankCounts
    next: str | None = None
    closed: tuple[ReportView, ...]
    measures: tuple[MeasureView, ...]
    unread_debriefs: int


class RingPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="ring"):
    """Somebody needs a moderator now: a listener calls, somebody reports danger, or words sound like it. Sent to every
    moderator who is connected. `more` is how many others it stands for, which came too fast to ring one by one."""

    report: str
    at: Millis
    room: RoomId
    kind: str
    more: int = 0


class ModerationNoticesPush(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="push", tag="matters"):
    """What moderation has to tell this person, whole: active measures about them, and answers to their reports that
    they have not seen. Sent after hello if there is any, and whenever it changes. `stranded` says that a report of
    theirs waits because no staff member may handle it, and `contact` to whom outside they can turn."""

    measures: tuple[ModerationNoticeView, ...]
    answers: tuple[AnswerView, ...]
    stranded: bool = False
    contact: str = ""


ModerationPush = ReportsPush | RingPush | ModerationNoticesPush
