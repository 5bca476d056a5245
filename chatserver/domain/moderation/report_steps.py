"""A report's steps from the queue to its end, as a table.

Pure. A report about a staff member is closed by two people: the first proposes an outcome, and a second one confirms
it, or refuses it, and then it is open again. Who may take a step at all is decided in
`domain/moderation/report_access.py`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.measures import NOTE_LENGTH, REASON_LENGTH, Outcome, Report, ReportStatus
from chatserver.domain.text.cleaning import optional, required


class Step(StrEnum):
    CLAIM = "claim"
    RELEASE = "release"
    CLOSE = "close"
    PROPOSE = "propose"
    CONFIRM = "confirm"
    REFUSE = "refuse"


TRANSITIONS: Final[dict[tuple[ReportStatus, Step], ReportStatus]] = {
    (ReportStatus.OPEN, Step.CLAIM): ReportStatus.CLAIMED,
    (ReportStatus.CLAIMED, Step.CLAIM): ReportStatus.CLAIMED,
    (ReportStatus.OPEN, Step.RELEASE): ReportStatus.OPEN,
    (ReportStatus.CLAIMED, Step.RELEASE): ReportStatus.OPEN,
    (ReportStatus.PROPOSED, Step.RELEASE): ReportStatus.OPEN,
    (ReportStatus.CLAIMED, Step.CLOSE): ReportStatus.CLOSED,
    (ReportStatus.CLAIMED, Step.PROPOSE): ReportStatus.PROPOSED,
    (ReportStatus.PROPOSED, Step.CONFIRM): ReportStatus.CLOSED,
    (ReportStatus.PROPOSED, Step.REFUSE): ReportStatus.OPEN,
}
"""A step that is not here is refused. `claimed_by` is the owner while it is claimed, and the proposer while an outcome
is proposed."""


def claim(report: Report, by: MemberId, instead_of: MemberId | None, why: str) -> Report:
    """Return the report as claimed by `by`, taken from `instead_of` if they have it, for the reason `why`.

    Raises REPORT_CLOSED; REPORT_TAKEN, with the owner's id as `by`, if it is somebody else's by now, or if its outcome
    is proposed; TEXT_EMPTY or TEXT_TOO_LONG if it is taken from somebody without a valid reason.
    """
    status = _next(report, Step.CLAIM)
    if report.claimed_by not in (None, by, instead_of):
        raise Refusal(Reason.REPORT_TAKEN, details={"by": report.claimed_by})
    if report.claimed_by in (None, by):
        return replace(report, status=status, claimed_by=by)
    reason = required(why, REASON_LENGTH)
    return replace(report, status=status, claimed_by=by, taken_from=report.claimed_by, taken_reason=reason)


def release(report: Report, by: MemberId) -> Report:
    """Return the report after `by` gives it back to the queue, or withdraws the outcome that they proposed. Raises
    REPORT_CLOSED, or REPORT_TAKEN if it is somebody else's."""
    status = _next(report, Step.RELEASE)
    if report.claimed_by not in (None, by):
        raise Refusal(Reason.REPORT_TAKEN, details={"by": report.claimed_by})
    return _waiting(report, status)


def close(report: Report, by: MemberId, outcome: Outcome, reply: str, now: Millis) -> Report:
    """Return the report closed by `by`, who has claimed it, or with that outcome proposed if it is about a staff
    member. `reply` is for the reporter, and may be empty.

    Raises REPORT_CLOSED, NOT_CLAIMED, REPORT_TAKEN if an outcome is proposed already, or TEXT_TOO_LONG.
    """
    status = _next(report, Step.PROPOSE if report.is_about_staff else Step.CLOSE)
    if report.claimed_by != by:
        raise Refusal(Reason.NOT_CLAIMED)
    text = optional(reply, NOTE_LENGTH)
    closed_at = now if status is ReportStatus.CLOSED else None
    return replace(report, status=status, closed_at=closed_at, outcome=outcome, reply=text)


def review(report: Report, by: MemberId, why: str, now: Millis, *, is_agreed: bool) -> Report:
    """Return the report after a second person has reviewed the proposed outcome: closed, or open again. `why` must not
    be empty if they do not agree.

    Raises REPORT_CLOSED; NOT_PROPOSED; NOT_ALLOWED ("second") for the proposer; TEXT_EMPTY or TEXT_TOO_LONG.
    """
    status = _next(report, Step.CONFIRM if is_agreed else Step.REFUSE)
    if report.claimed_by == by:
        raise Refusal(Reason.NOT_ALLOWED, details={"why": "second"})
    if is_agreed:
        optional(why, REASON_LENGTH)
        return replace(report, status=status, closed_at=now)
    required(why, REASON_LENGTH)
    return _waiting(report, status)


def is_proposed_by(report: Report, by: MemberId, outcome: Outcome, reply: str) -> bool:
    """Return whether `by` has proposed this very outcome and reply already: the answer to it was lost, and the command
    came again."""
    is_theirs = report.status is ReportStatus.PROPOSED and report.claimed_by == by
    return is_theirs and (report.outcome, report.reply) == (outcome, optional(reply, NOTE_LENGTH))


def require_seen(report: Report, seen: Millis) -> None:
    """Raise REPORT_CHANGED if something was added to the report after `seen`: the moderator who decides it has not seen
    that. `seen` is the `newest_at` that they were shown, the report's `at` if it had none, or when they looked."""
    if report.newest_at is not None and report.newest_at > seen:
        raise Refusal(Reason.REPORT_CHANGED)


def require_proposal(report: Report, outcome: Outcome, reply: str) -> None:
    """Raise REPORT_CHANGED if the proposed outcome or reply is no longer the one that was shown."""
    if report.status is ReportStatus.PROPOSED and (report.outcome, report.reply) != (outcome, reply):
        raise Refusal(Reason.REPORT_CHANGED)


def _waiting(report: Report, status: ReportStatus) -> Report:
    """Return the report without an owner, a proposal or a take-over."""
    return replace(report, status=status, claimed_by=None, outcome=None, reply="", taken_from=None, taken_reason="")


def _next(report: Report, step: Step) -> ReportStatus:
    status = TRANSITIONS.get((report.status, step))
    if status is not None:
        return status
    if report.status is ReportStatus.CLOSED:
        raise Refusal(Reason.REPORT_CLOSED)
    if step in (Step.CONFIRM, Step.REFUSE):
        raise Refusal(Reason.NOT_PROPOSED)
    if report.status is ReportStatus.PROPOSED:
        raise Refusal(Reason.REPORT_TAKEN, details={"by": report.claimed_by})
    raise Refusal(Reason.NOT_CLAIMED)
