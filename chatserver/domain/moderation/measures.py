"""Reports and measures: what a moderator may do about a report, for how long, and to whom.

Pure: time and ids arrive as arguments. The effect of a measure on somebody who posts is decided in
`domain/rooms/rooms.py`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Epoch, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.crisis_phrases import URGENT
from chatserver.domain.rooms.rooms import Post, Restriction, RestrictionKind, RoomId
from chatserver.domain.text.cleaning import required

REPORTS_AN_HOUR: Final = 20
"""How many reports one person may make about rooms within an hour. Repeats of an open one are not counted."""
HOUR: Final = 3_600_000
CALL_TARGET: Final = 5 * 60_000
PRESSING_TARGET: Final = 20 * 60_000
REPORT_TARGET: Final = HOUR
"""Milliseconds within which a silent call, words of level 2 that the model takes for urgent, and any other report
should have been looked at."""
DANGER: Final = "danger"
"""The reason that is as urgent as a call: somebody is in danger."""
REASONS: Final = ("unkind", "contact", "pressure", "sexual", DANGER, "help", "other")
"""The reasons that pages offer. A client may send others: where reasons are counted, those are "other"."""
REASON_LENGTH: Final = 500
NOTE_LENGTH: Final = 2_000
"""Characters of a measure's reason and of a note, a reply or an appeal."""
_MINUTE: Final = 60_000
_DAY: Final = 24 * 60


class ReportStatus(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    PROPOSED = "proposed"
    """Somebody proposed an outcome, and a second person has to confirm it (`domain/moderation/report_steps.py`)."""
    CLOSED = "closed"


class Outcome(StrEnum):
    NOTHING = "nothing"
    HANDLED = "handled"
    MEASURE = "measure"


def counted_reason(reason: str) -> str:
    """Return the one of REASONS under which a report is counted."""
    return reason if reason in REASONS else "other"


class MeasureKind(StrEnum):
    """From the mildest to the strongest."""

    NOTICE = "notice"
    REDACT = "redact"
    MUTE = "mute"
    REMOVE = "remove"
    BAN = "ban"


MOST_MINUTES: Final = {
    MeasureKind.NOTICE: 30 * _DAY,
    MeasureKind.REDACT: 30 * _DAY,
    MeasureKind.MUTE: 30 * _DAY,
    MeasureKind.REMOVE: 90 * _DAY,
    MeasureKind.BAN: 365 * _DAY,
}
"""How long each may last. For a notice and a redaction it is how long they are kept and can be appealed against."""
_RESTRICTS: Final = {
    MeasureKind.MUTE: RestrictionKind.MUTE,
    MeasureKind.REMOVE: RestrictionKind.REMOVE,
    MeasureKind.BAN: RestrictionKind.BAN,
}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report as it stands in the queue, without what was written. `room` may be a session's closed room; `by` is None
    once the reporter was erased."""

    id: str
    at: Millis
    due_at: Millis
    by: MemberId | None
    about: MemberId | None
    room: RoomId
    offset: Offset | None
    reason: str
    is_call: bool
    status: ReportStatus = ReportStatus.OPEN
    claimed_by: MemberId | None = None
    closed_at: Millis | None = None
    outcome: Outcome | None = None
    reply: str = ""
    level: int | None = None
    """The level of an escalation, whose `by` is None and whose `reason` is a `crisis_phrases.Category`."""
    is_about_staff: bool = False
    """It is about a staff member: it goes to operators only, and two of them close it."""
    taken_from: MemberId | None = None
    taken_reason: str = ""
    """From whom it was taken while they had it, and the reason that they are told."""
    band: int = 0
    """Its position in the queue, as `report_queue.band_of` says."""
    is_new: bool = False
    """Whether the reporter, or the author whose words raised it, was new here at that moment."""
    card: str | None = None
    """The report that holds it, if a person's words raised more than one."""
    fold: str | None = None
    """The report that holds it since it came in a flood."""
    folds: str | None = None
    """For a report that holds a flood: of what, a `report_queue.Folds`."""
    epoch: Epoch | None = None
    """The epoch of `offset`, as long as its room exists."""
    newest_at: Millis | None = None
    """When the last addition was made; None if there was none."""
    is_pressing: bool = False
    """Whether the model takes the words for urgent. It is no higher level, but is due earlier."""


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator did about somebody. It holds until `expires_at` unless it was lifted."""

    id: str
    at: Millis
    by: MemberId
    about: MemberId
    kind: MeasureKind
    room: RoomId | None
    offset: Offset | None
    reason: str
    expires_at: Millis
    report: str | None = None
    lifted_at: Millis | None = None
    appeal: str | None = None
    appealed_at: Millis | None = None
    seen_at: Millis | None = None

    def is_active(self, now: Millis) -> bool:
        return self.lifted_at is None and self.expires_at > now


class TakeMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """A moderator's request. `minutes` None is the longest for a notice and a redaction, and refused for others."""

    id: str
    by: MemberId
    about: MemberId | None
    kind: MeasureKind
    room: RoomId | None
    offset: Offset | None
    reason: str
    minutes: int | None
    report: str | None
    epoch: Epoch | None = None
    """The epoch in which `offset` was read, if the moderator gave it."""
    is_operator: bool = False
    """Whether `by` is an operator: it decides which reports they may name (`domain/moderation/report_access.py`)."""


class MeasureState(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be known, loaded in the transaction that saves the measure: the post that it names, whether the
    person it is about is a member, and whether they are staff."""

    post: Post | None
    is_member: bool
    is_staff: bool


def about_whom(asked: TakeMeasure, post: Post | None) -> MemberId:
    """Return the member a measure is about: the author, if it names a post. Raises POST_UNKNOWN or INVALID."""
    if asked.kind is MeasureKind.REDACT and (asked.room is None or asked.offset is None):
        raise _invalid("$.offset", "a post is taken back in a room, by its offset")
    if asked.offset is not None:
        if post is None:
            raise Refusal(Reason.POST_UNKNOWN)
        return post.author
    if asked.about is None:
        raise _invalid("$.member", "missing")
    return asked.about


def decide(asked: TakeMeasure, state: MeasureState, now: Millis) -> Measure:
    """Return the measure. Raises Refusal: TEXT_EMPTY without a reason, INVALID, POST_UNKNOWN, POST_REDACTED,
    MEMBER_UNKNOWN, and NOT_ALLOWED about oneself ("self") or a staff member ("staff": they are revoked instead)."""
    about = about_whom(asked, state.post)
    if about == asked.by:
        raise Refusal(Reason.NOT_ALLOWED, details={"why": "self"})
    if state.is_staff:
        raise Refusal(Reason.NOT_ALLOWED, details={"why": "staff"})
    if not state.is_member:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    if asked.kind is MeasureKind.REDACT and state.post is not None and state.post.redacted:
        raise Refusal(Reason.POST_REDACTED)
    if asked.kind is MeasureKind.REMOVE and asked.room is None:
        raise _invalid("$.room", "missing")
    most = MOST_MINUTES[asked.kind]
    minutes = asked.minutes
    if minutes is None:
        if asked.kind in _RESTRICTS:
            raise _invalid("$.minutes", "missing")
        minutes = most
    if not 1 <= minutes <= most:
        raise _invalid("$.minutes", f"from 1 to {most}")
    return Measure(
        id=asked.id,
        at=now,
        by=asked.by,
        about=about,
        kind=asked.kind,
        # A ban holds everywhere, whatever room it was seen in.
        room=None if asked.kind is MeasureKind.BAN else asked.room,
        offset=asked.offset,
        reason=required(asked.reason, REASON_LENGTH),
        expires_at=Millis(now + minutes * _MINUTE),
        report=asked.report,
    )


def restriction_of(measure: Measure) -> Restriction | None:
    """Return what a measure forbids; None if it forbids nothing."""
    kind = _RESTRICTS.get(measure.kind)
    if kind is None:
        return None
    return Restriction(measure=measure.id, kind=kind, room=measure.room, until=measure.expires_at)


def appeal(measure: Measure, text: str, now: Millis) -> Measure:
    """Return the measure with the one answer of the person it is about. Raises APPEALED if there is one already,
    MEASURE_UNKNOWN if it is over, and as `required`."""
    if not measure.is_active(now):
        raise Refusal(Reason.MEASURE_UNKNOWN)
    if measure.appeal is not None:
        raise Refusal(Reason.APPEALED)
    return msgspec.structs.replace(measure, appeal=required(text, NOTE_LENGTH), appealed_at=now)


# ------------------------------------------------------------------------------------------------ a report's way


def due_at(at: Millis, reason: str, is_call: bool, level: int | None = None, *, is_pressing: bool = False) -> Millis:
    """Return by when somebody should have looked. `level` is an escalation's, and then decides; `is_pressing` says that
    the model takes it for urgent, which brings it forward within its level."""
    is_urgent = is_call or (reason == DANGER if level is None else level >= URGENT)
    return Millis(at + (CALL_TARGET if is_urgent else PRESSING_TARGET if is_pressing else REPORT_TARGET))


# ------------------------------------------------------------------------------------------------ parts


def _invalid(field: str, problem: str) -> Refusal:
    return Refusal(Reason.INVALID, details={"field": field, "problem": problem})
