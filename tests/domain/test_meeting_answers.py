"""Answers after a share, offers to one person, notes of screening, and groups that take nobody new."""

from __future__ import annotations

from typing import Any

from chatserver.domain.errors import Reason
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.forms import ANSWERS, FORMS, OFFERED, planned
from chatserver.domain.meetings.groups import length_of
from chatserver.domain.meetings.options import may
from chatserver.domain.meetings.phases import voice_of
from chatserver.domain.meetings.state import MINUTE, SECOND, Form, PhaseKind, Place
from tests.domain.meeting_kit import FINCH, HERON, HOST, ROBIN, SECOND_HOST, START, WREN, Stage

SHARERS = (ROBIN, WREN, HERON)


def sharing(**fields: Any) -> tuple[Stage, MemberId]:
    """A circle in its first turn, and whose it is."""
    stage = Stage(no_crosstalk=False, **fields).gathered(*SHARERS)
    stage.run_to(PhaseKind.SHARE)
    assert stage.state.holder is not None
    return stage, stage.state.holder


def test_after_a_share_everybody_may_answer_for_two_minutes_and_then_the_next_one_shares() -> None:
    stage, first = sharing()
    other = next(each for each in SHARERS if each != first)
    assert not stage.room.write(other)
    stage.do(first, c.Finish())
    voice = stage.room.voice
    assert voice is not None
    assert (voice.who, voice.phase, voice.pace, stage.state.holder) == ("all", "answers", 20, None)
    assert stage.room.write(other)
    stage.wait(ANSWERS - SECOND)
    assert stage.state.holder is None
    stage.wait(2 * SECOND)
    assert stage.state.holder not in (None, first)
    assert not stage.room.write(other) or stage.state.holder == other


def test_a_host_ends_the_answers_and_holds_them() -> None:
    stage, first = sharing()
    stage.do(first, c.Finish())
    stage.do(HOST, c.Pause(on=True))
    stage.wait(5 * MINUTE)
    assert voice_of(stage.state).who == "hosts"
    stage.do(HOST, c.Pause(on=False))
    assert voice_of(stage.state).phase == "answers"
    stage.step()
    assert stage.state.holder not in (None, first)


def test_there_are_no_answers_where_there_is_no_crosstalk_nor_after_somebody_who_left_or_passed() -> None:
    stage, first = sharing()
    stage.do(first, c.StepOut())
    second = stage.state.holder
    assert second not in (None, first)
    stage.do(second or first, c.Pass(on=True))
    assert stage.state.holder not in (None, first, second)
    quiet = Stage(no_crosstalk=True).gathered(*SHARERS)
    quiet.run_to(PhaseKind.SHARE)
    quiet.do(quiet.state.holder or HOST, c.Finish())
    assert quiet.state.holder is not None


def test_turns_are_as_long_with_answers_as_without_and_the_meeting_is_longer() -> None:
    stage, _ = sharing()
    assert stage.state.allotment == 11 * MINUTE
    assert length_of(stage.state) == planned(FORMS[Form.CIRCLE].phases) + 6 * ANSWERS
    while stage.state.is_live:
        stage.wait(30 * SECOND)
        stage.write(stage.state.holder or ROBIN)
    assert stage.state.had == {*SHARERS}


# ------------------------------------------------------------------------------------------------ offers


def test_an_offer_to_talk_with_one_listener_is_answered_or_ends_by_itself() -> None:
    stage, _ = sharing()
    assert stage.refusal(ROBIN, c.AnswerAside(yes=True)) is Reason.OFFER_GONE
    for who in (ROBIN, WREN, HERON):
        stage.do(HOST, c.Aside(member=who))
    before = stage.state
    stage.do(HOST, c.Aside(member=ROBIN))
    assert stage.state.people == before.people
    assert "answer_aside" in may(stage.state, ROBIN, stage.now)
    stage.do(ROBIN, c.AnswerAside(yes=False))
    stage.do(WREN, c.AnswerAside(yes=True))
    assert {each.member for each in stage.state.here() if each.offered_until is not None} == {HERON}
    stage.wait(OFFERED + SECOND)
    assert stage.refusal(HERON, c.AnswerAside(yes=True)) is Reason.OFFER_GONE
    assert "answer_aside" not in may(stage.state, HERON, stage.now)


def test_only_a_host_offers_and_only_to_somebody_who_is_there_and_hosts_nothing() -> None:
    stage, _ = sharing(hosts=(HOST, SECOND_HOST))
    stage.enter(SECOND_HOST)
    assert stage.refusal(ROBIN, c.Aside(member=WREN)) is Reason.NOT_ALLOWED
    assert stage.refusal(HOST, c.Aside(member=FINCH)) is Reason.MEMBER_UNKNOWN
    assert stage.refusal(HOST, c.Aside(member=SECOND_HOST)) is Reason.NOT_ALLOWED
    stage.do(HOST, c.Aside(member=WREN))
    stage.do(WREN, c.StepOut())
    assert stage.refusal(WREN, c.AnswerAside(yes=True)) is Reason.MEETING_UNKNOWN


# ------------------------------------------------------------------------------------------------ notes


def test_hosts_are_noted_what_screening_found_once_and_of_nobody_who_is_gone_for_good() -> None:
    stage, _ = sharing()
    for _ in range(2):
        stage.do(ROBIN, c.NoteConcern(post=7, category="self_harm", level=3))
    assert [(each.member, each.post, each.level) for each in stage.state.notes] == [(ROBIN, 7, 3)]
    for post in range(40):
        stage.do(WREN, c.NoteConcern(post=post, category="self_harm", level=2))
    assert len(stage.state.notes) == 20
    stage.do(WREN, c.Dismiss())
    assert stage.state.notes == ()


# ------------------------------------------------------------------------------------------------ closed groups


def test_a_group_that_is_closed_lets_in_whom_it_knows_and_nobody_new() -> None:
    stage = Stage(is_for_known=True)
    assert stage.refusal(ROBIN, c.SignUp(name="Robin")) is Reason.GROUP_CLOSED
    stage.sign_up(ROBIN, is_known=True)
    assert stage.place(ROBIN) is Place.SEAT
    stage.wait_until(START - 5 * MINUTE)
    stage.enter(HOST, ROBIN)
    assert stage.refusal(WREN, c.Enter(name="Wren", agreement=1)) is Reason.GROUP_CLOSED
    assert "enter" not in may(stage.state, WREN, stage.now)


def test_who_is_known_to_a_closed_group_may_step_out_and_come_back() -> None:
    stage = Stage(is_for_known=True)
    stage.sign_up(ROBIN, is_known=True)
    stage.wait_until(START - 5 * MINUTE)
    stage.enter(HOST, ROBIN)
    stage.do(ROBIN, c.StepOut())
    stage.enter(ROBIN)
    assert stage.state.people[ROBIN].is_here
    stage.do(ROBIN, c.Dismiss())
    assert ROBIN not in stage.state.known
