"""What moderators are shown, and what members are told of decisions: replies, pushes, and what they are made of."""

from __future__ import annotations

from msgspec import Struct

from chatserver.domain.history import Epoch, Millis, Offset
from chatserver.domain.identity import Person
from chatserver.domain.moderation.evidence import EarlierVersion
from chatserver.domain.moderation.measures import MeasureKind, Outcome, ReportStatus
from chatserver.domain.moderation.report_queue import Folds
from chatserver.domain.rooms.rooms import Post, RoomId


class ReportView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report in the queue, without its content. `room` is a session's if it begins with `s-`. `offset` is a post of
    `epoch`. A person is absent if nobody is named; an erased person has an id that begins with `e_`, and no name. With
    a `level`, 2 or 3, it is an escalation: the server made it because of words in a post, and `reason` is their
    category. `rank` is 3 (now), 2 (a person reports) or 1 (words). `parts` is how many others it holds: of one person,
    or, if it `folds` "words" or "reports", those of a flood. `new` says that the reporter, or author, had come less
    than an hour before; `pressing`, that the model takes the words for urgent. With `about_staff` it is about a staff
    member: only operators see it, and `claimed_by` is the proposer while the outcome is `proposed`. `taken_from` and
    `taken_why` say from whom it was taken over, and why."""

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
    pressing: bool = False
    parts: int = 0
    folds: Folds | None = None
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
