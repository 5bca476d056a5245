"""The messages of moderation: reporting, what moderators see and do, and what one is told of it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import Person
from chatserver.domain.moderation import MeasureKind, Outcome, ReportStatus
from chatserver.domain.rooms import Post, RoomId
from chatserver.protocol.fields import Command, MemberName, Place, RoomName, Text

ReportName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$(?!\n)")]
Word = Annotated[str, Meta(max_length=64)]

# ---------------------------------------------------------------------------------------------- everybody's commands


class ReportPost(Command, frozen=True, kw_only=True, tag="report_post"):
    """Tell the moderators of a post in a room (`offset`), or of a person there (`member`). The posts around it are kept
    as they stand. The same again while it is open is the same report; nobody else is told."""

    room: RoomName
    reason: Word
    offset: Place | None = None
    member: MemberName | None = None
    note: Text = ""


class SeenMatters(Command, frozen=True, kw_only=True, tag="seen"):
    """These measures and answers, of those in `matters`, were shown and read."""

    ids: Annotated[tuple[ReportName, ...], Meta(max_length=100)]


# --------------------------------------------------------------------------------------------- moderators' commands


class AskReports(Command, frozen=True, kw_only=True, tag="reports"):
    """What is there to do? Answered with `reports`; pushes of the same follow whenever it changes."""


class OpenReport(Command, frozen=True, kw_only=True, tag="open_report"):
    """Read a report: its words and the posts that were kept. Who read it and `why` is entered in the audit log first,
    and whoever wrote there can see that it happened."""

    report: ReportName
    why: Text


class ClaimReport(Command, frozen=True, kw_only=True, tag="claim"):
    """This one is mine. `instead_of` is whom it is taken from, where somebody has it."""

    report: ReportName
    instead_of: MemberName | None = None


class ReleaseReport(Command, frozen=True, kw_only=True, tag="release"):
    """Give a report back to the queue."""

    report: ReportName


class NoteReport(Command, frozen=True, kw_only=True, tag="note"):
    """Note something for the other moderators."""

    report: ReportName
    note: Text


class CloseReport(Command, frozen=True, kw_only=True, tag="close"):
    """Decide a report that one has claimed. The reporter is told that it was looked at, with `reply`."""

    report: ReportName
    outcome: Outcome
    reply: Text = ""


class TakeMeasureCommand(Command, frozen=True, kw_only=True, tag="measure"):
    """Do something about somebody, from a private notice to a ban. `room` and `offset` name a post, `member` a person;
    a mute without `room` is in every room. `minutes` is how long it lasts."""

    kind: MeasureKind
    reason: Text
    member: MemberName | None = None
    room: RoomName | None = None
    offset: Place | None = None
    minutes: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    report: ReportName | None = None


class LiftMeasure(Command, frozen=True, kw_only=True, tag="lift"):
    """End a measure before its time. It is done already where it was lifted."""

    measure: ReportName
    reason: Text


class AskDebriefs(Command, frozen=True, kw_only=True, tag="debriefs"):
    """The notes that listeners wrote to a supervisor."""


class ReadDebrief(Command, frozen=True, kw_only=True, tag="read_debrief"):
    """Somebody has read this note, and will see to its listener."""

    debrief: ReportName


ModerationCommand = (
    ReportPost
    | SeenMatters
    | AskReports
    | OpenReport
    | ClaimReport
    | ReleaseReport
    | NoteReport
    | CloseReport
    | TakeMeasureCommand
    | LiftMeasure
    | AskDebriefs
    | ReadDebrief
)

# ----------------------------------------------------------------------------------------------------------- views


class ReportView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report in the queue, without its content. `room` is a session's where it begins with `s-`. A person is absent
    where nobody is named, or who it was is erased. With a `level`, 2 or 3, it is an escalation: the server made it
    because of words in a post, and `reason` is their category."""

    id: str
    at: Millis
    due_at: Millis
    room: RoomId
    reason: str
    status: ReportStatus
    is_call: bool = False
    level: int | None = None
    offset: Offset | None = None
    by: Person | None = None
    about: Person | None = None
    claimed_by: Person | None = None
    closed_at: Millis | None = None
    outcome: Outcome | None = None
    reply: str = ""


class MeasureView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A measure as moderators see it, with what the person concerned said to it."""

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


class MatterView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a moderator decided about oneself. Who it was is not told."""

    id: str
    at: Millis
    kind: MeasureKind
    reason: str
    until: Millis
    room: RoomId | None = None
    seen: bool = False
    appealed: bool = False


class AnswerView(Struct, frozen=True, kw_only=True):
    """A report of one's own that was looked at. `reply` may be empty."""

    id: str
    at: Millis
    closed_at: Millis
    outcome: Outcome
    reply: str


# --------------------------------------------------------------------------------------------------------- replies


class ReportsOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="reports"):
    """Open reports, the most urgent first, and how many there are; those that were closed last; measures that count,
    answered ones first; and how many debrief notes nobody has read."""

    version: int
    open: tuple[ReportView, ...]
    open_count: int
    closed: tuple[ReportView, ...]
    measures: tuple[MeasureView, ...]
    unread_debriefs: int


class ReportOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="report"):
    """A report with the reporter's `note`, the posts as they stood, moderators' notes, and every measure about the same
    person that is kept."""

    report: ReportView
    note: str
    posts: tuple[Post, ...]
    notes: tuple[NoteView, ...]
    measures: tuple[MeasureView, ...]


class MeasureOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="measure"):
    """It holds, until then."""

    measure: str
    until: Millis


class DebriefsOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="debriefs"):
    """Unread ones first."""

    debriefs: tuple[DebriefView, ...]


ModerationOk = ReportsOk | ReportOk | MeasureOk | DebriefsOk

# ---------------------------------------------------------------------------------------------------------- pushes


class ReportsPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="reports"):
    """What there is to do has changed. Not a fact: the highest `version` is right."""

    version: int
    open: tuple[ReportView, ...]
    open_count: int
    closed: tuple[ReportView, ...]
    measures: tuple[MeasureView, ...]
    unread_debriefs: int


class RingPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="ring"):
    """A listener calls, silently, for a moderator to come. Sent to every moderator who is connected."""

    report: str
    at: Millis
    room: RoomId


class MattersPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="matters"):
    """What moderation has to tell this person, whole: measures about them that count, and answers to reports of theirs
    that they have not seen. Sent after hello where there is any, and whenever it changes."""

    measures: tuple[MatterView, ...]
    answers: tuple[AnswerView, ...]


ModerationPush = ReportsPush | RingPush | MattersPush
