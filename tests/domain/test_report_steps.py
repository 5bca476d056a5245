"""A report's way from the queue to its end, and the second person whom one about staff needs."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.measures import NOTE_LENGTH, REASON_LENGTH, Outcome, Report, ReportStatus, due_at
from chatserver.domain.moderation.report_steps import (
    TRANSITIONS,
    Step,
    claim,
    close,
    is_proposed_by,
    release,
    require_proposal,
    require_seen,
    review,
)
from chatserver.domain.rooms.rooms import RoomId

NOW = Millis(1_700_000_000_000)
MO, ZOE, BO, LIV = MemberId("m_mo"), MemberId("m_zoe"), MemberId("m_bo"), MemberId("m_liv")


def report(**fields: object) -> Report:
    usual = Report(
        id="r1",
        at=NOW,
        due_at=due_at(NOW, "unkind", False),
        by=BO,
        about=LIV,
        room=RoomId("sleep"),
        offset=None,
        reason="unkind",
        is_call=False,
    )
    return msgspec.structs.replace(usual, **fields)


def refused(reason: Reason) -> pytest.RaisesExc[Refusal]:
    return pytest.raises(Refusal, match=f"^{reason.value}$")


def proposed() -> Report:
    return close(claim(report(is_about_staff=True), MO, None, ""), MO, Outcome.NOTHING, " All is well. ", NOW)


def test_a_report_has_one_owner_and_one_end() -> None:
    mine = claim(report(), MO, None, "")
    assert (mine.status, mine.claimed_by) == (ReportStatus.CLAIMED, MO)
    assert claim(mine, MO, None, "") == mine
    for instead_of in (None, BO):
        with refused(Reason.REPORT_TAKEN):
            claim(mine, ZOE, instead_of, "mine now")
    with refused(Reason.REPORT_TAKEN):
        release(mine, ZOE)
    assert release(mine, MO) == report()
    with refused(Reason.NOT_CLAIMED):
        close(report(), MO, Outcome.NOTHING, "", NOW)
    closed = close(mine, MO, Outcome.HANDLED, " Thank you. ", NOW)
    assert (closed.status, closed.outcome, closed.reply) == (ReportStatus.CLOSED, Outcome.HANDLED, "Thank you.")
    assert closed.closed_at == NOW
    with refused(Reason.TEXT_TOO_LONG):
        close(mine, MO, Outcome.NOTHING, "x" * (NOTE_LENGTH + 1), NOW)


def test_taking_it_from_somebody_needs_a_reason_that_stays_with_it() -> None:
    theirs = claim(report(), MO, None, "")
    for why, reason in ((" ", Reason.TEXT_EMPTY), ("x" * (REASON_LENGTH + 1), Reason.TEXT_TOO_LONG)):
        with refused(reason):
            claim(theirs, ZOE, MO, why)
    mine = claim(theirs, ZOE, MO, " You went home. ")
    assert (mine.claimed_by, mine.taken_from, mine.taken_reason) == (ZOE, MO, "You went home.")
    assert claim(report(), ZOE, MO, "").taken_from is None, "whoever had it gave it back meanwhile"
    assert release(mine, ZOE) == report()


def test_one_about_staff_is_closed_by_two() -> None:
    waiting = proposed()
    assert (waiting.status, waiting.claimed_by, waiting.closed_at) == (ReportStatus.PROPOSED, MO, None)
    assert (waiting.outcome, waiting.reply) == (Outcome.NOTHING, "All is well.")
    for is_agreed in (True, False):
        with refused(Reason.NOT_ALLOWED) as refusal:
            review(waiting, MO, "yes", NOW, is_agreed=is_agreed)
        assert refusal.value.details == {"why": "second"}
    closed = review(waiting, ZOE, "", NOW, is_agreed=True)
    assert (closed.status, closed.closed_at, closed.reply) == (ReportStatus.CLOSED, NOW, "All is well.")


def test_who_does_not_agree_says_why_and_it_is_open_again() -> None:
    with refused(Reason.TEXT_EMPTY):
        review(proposed(), ZOE, "", NOW, is_agreed=False)
    assert review(proposed(), ZOE, "Ask her again.", NOW, is_agreed=False) == report(is_about_staff=True)
    assert release(proposed(), MO) == report(is_about_staff=True), "an outcome can be taken back by whoever proposed it"
    with refused(Reason.REPORT_TAKEN):
        claim(proposed(), ZOE, MO, "I know better")


_STANDING = {
    ReportStatus.OPEN: report(is_about_staff=True),
    ReportStatus.CLAIMED: claim(report(is_about_staff=True), MO, None, ""),
    ReportStatus.PROPOSED: proposed(),
    ReportStatus.CLOSED: review(proposed(), ZOE, "", NOW, is_agreed=True),
}


@pytest.mark.parametrize(("status", "step"), [*itertools.product(ReportStatus, Step)])
def test_every_step_goes_where_the_table_says_or_nowhere(status: ReportStatus, step: Step) -> None:
    before = _STANDING[status]
    if step is Step.CLOSE:
        before = msgspec.structs.replace(before, is_about_staff=False)
    by = ZOE if step in (Step.CONFIRM, Step.REFUSE) else MO
    steps = {
        Step.CLAIM: lambda: claim(before, by, None, ""),
        Step.RELEASE: lambda: release(before, by),
        Step.CLOSE: lambda: close(before, by, Outcome.HANDLED, "", NOW),
        Step.PROPOSE: lambda: close(before, by, Outcome.HANDLED, "", NOW),
        Step.CONFIRM: lambda: review(before, by, "yes", NOW, is_agreed=True),
        Step.REFUSE: lambda: review(before, by, "no", NOW, is_agreed=False),
    }
    expected = TRANSITIONS.get((status, step))
    if expected is not None:
        assert steps[step]().status is expected
        return
    with pytest.raises(Refusal) as refusal:
        steps[step]()
    assert refusal.value.reason in {
        Reason.REPORT_CLOSED,
        Reason.REPORT_TAKEN,
        Reason.NOT_CLAIMED,
        Reason.NOT_PROPOSED,
    }


def test_nobody_decides_what_was_added_after_they_looked() -> None:
    grown = msgspec.structs.replace(report(), newest_at=NOW)
    require_seen(grown, NOW)
    require_seen(report(), Millis(0))
    with pytest.raises(Refusal) as refusal:
        require_seen(grown, Millis(NOW - 1))
    assert refusal.value.reason is Reason.REPORT_CHANGED


def test_nobody_agrees_with_what_is_proposed_no_more() -> None:
    require_proposal(proposed(), Outcome.NOTHING, "All is well.")
    for outcome, reply in ((Outcome.MEASURE, "All is well."), (Outcome.NOTHING, "")):
        with pytest.raises(Refusal) as refusal:
            require_proposal(proposed(), outcome, reply)
        assert refusal.value.reason is Reason.REPORT_CHANGED
    assert is_proposed_by(proposed(), MO, Outcome.NOTHING, " All is well. ")
    assert not is_proposed_by(proposed(), ZOE, Outcome.NOTHING, "All is well.")
