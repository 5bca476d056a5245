"""Meetings: their phases and turns, who has a seat, and what happens when something breaks."""

from __future__ import annotations

import pytest

from chatserver.domain.errors import Reason
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.forms import FORMS, allotment
from chatserver.domain.meetings.options import may
from chatserver.domain.meetings.state import HOUR, MINUTE, SECOND, Ending, Form, PhaseKind, Place
from chatserver.domain.meetings.state import Stage as MeetingStage
from tests.domain.meeting_kit import FINCH, HERON, HOST, ROBIN, SECOND_HOST, START, TERN, WREN, Stage

SHARERS = (ROBIN, WREN, HERON)


def sharing(*members: MemberId) -> Stage:
    """A circle in which the first turn has begun."""
    stage = Stage().gathered(*(members or SHARERS))
    stage.run_to(PhaseKind.SHARE)
    return stage


# ------------------------------------------------------------------------------------------------ forms


@pytest.mark.parametrize(
    ("minutes", "sharers", "length"),
    [(36, 6, 5 * MINUTE), (36, 8, 3.5 * MINUTE), (36, 1, 12 * MINUTE), (10, 9, 2 * MINUTE)],
)
def test_every_allotment_is_equal_and_fits_into_the_phase(minutes: int, sharers: int, length: float) -> None:
    assert allotment(minutes, sharers) == length


@pytest.mark.parametrize("form", [each for each in Form if not FORMS[each].is_of_two])
def test_every_form_gathers_first_and_closes(form: Form) -> None:
    kinds = [phase.kind for phase in FORMS[form].phases]
    assert kinds[0] is PhaseKind.GATHER
    assert PhaseKind.CLOSING in kinds


# ------------------------------------------------------------------------------------------------ a whole meeting


def test_a_circle_runs_by_itself_from_its_doors_to_its_end() -> None:
    stage = Stage()
    assert stage.refusal(ROBIN, c.Enter(name="Robin", agreement=1)) is Reason.NOT_YET
    stage.gathered(*SHARERS)
    seen = [stage.kind]
    while stage.state.is_live:
        stage.wait(5 * SECOND)
        if stage.kind is not seen[-1]:
            seen.append(stage.kind)
    kinds = [phase.kind for phase in FORMS[Form.CIRCLE].phases]
    assert seen == [*kinds, None]
    assert stage.state.ending is Ending.SCRIPT
    assert stage.state.had == {*SHARERS}
    stage.wait(61 * MINUTE)
    assert stage.meeting is None
    assert stage.room.is_gone


def test_everybody_has_the_same_time_and_what_is_left_goes_to_the_open_phase() -> None:
    stage = sharing()
    first = stage.state.holder
    assert first is not None
    turn = stage.state.turn
    assert turn is not None
    assert turn.ends_at - turn.since == stage.state.allotment == 11 * MINUTE
    stage.wait(MINUTE)
    stage.do(first, c.Finish())
    second = stage.state.turn
    assert second is not None
    assert second.ends_at - second.since == 11 * MINUTE
    stage.run_to(PhaseKind.OPEN)
    until = stage.state.phase_until
    assert until is not None
    assert until - stage.state.phase_since == 10 * MINUTE + 10 * MINUTE


def test_a_turn_goes_on_for_a_minute_so_that_its_holder_can_finish() -> None:
    stage = sharing()
    first = stage.state.holder
    assert first is not None
    stage.wait(11 * MINUTE)
    assert stage.state.holder == first
    assert stage.state.turn is not None
    assert stage.state.turn.is_over
    assert stage.room.write(first)
    stage.wait(MINUTE)
    assert stage.state.holder != first
    assert not stage.room.write(first)


def test_only_the_holder_writes_while_they_share() -> None:
    stage = sharing()
    writers = [who for who in (HOST, *SHARERS) if stage.room.write(who)]
    assert writers == [stage.state.holder]


def test_a_round_is_over_once_everybody_wrote() -> None:
    stage = Stage().gathered(*SHARERS)
    stage.step()
    stage.step()
    kinds = []
    for who in (HOST, ROBIN, WREN):
        kinds.append(stage.kind)
        assert stage.write(who)
        assert not stage.write(who)
    kinds.append(stage.kind)
    stage.do(HERON, c.Pass(on=True))
    assert [*kinds, stage.kind] == [*[PhaseKind.CHECKIN] * 4, PhaseKind.PREPARE]


def test_who_passes_may_have_their_turn_back_while_others_share() -> None:
    stage = sharing()
    last = stage.state.order[-1]
    stage.do(last, c.Pass(on=True))
    assert last not in stage.state.order
    assert stage.state.saved == 11 * MINUTE
    stage.do(last, c.Pass(on=False))
    assert stage.state.order[-1] == last
    assert stage.state.saved == 0


def test_one_may_be_last_once() -> None:
    stage = sharing()
    first = stage.state.holder
    assert first is not None
    stage.wait(MINUTE)
    stage.do(first, c.Later())
    assert stage.state.order[-1] == first
    assert stage.state.holder != first
    for _ in range(2):
        assert stage.state.holder is not None
        stage.do(stage.state.holder, c.Finish())
    turn = stage.state.turn
    assert turn is not None
    assert (turn.holder, turn.ends_at - turn.since) == (first, 10 * MINUTE)
    stage.do(first, c.Later())
    assert stage.state.holder == first


def test_added_time_is_for_everybody_who_is_to_come() -> None:
    stage = sharing()
    stage.do(HOST, c.AddTime())
    lengths = []
    while stage.kind is PhaseKind.SHARE:
        turn = stage.state.turn
        assert turn is not None
        lengths.append(turn.ends_at - turn.since)
        stage.do(turn.holder, c.Finish())
    assert lengths == [13 * MINUTE] * 3
    stage = sharing()
    stage.do(HOST, c.AddTime())
    stage.do(HOST, c.AddTime())
    assert stage.refusal(HOST, c.AddTime()) is Reason.NO_MORE_TIME


def test_a_step_that_was_pressed_twice_is_one_step() -> None:
    stage = sharing()
    seen = stage.state.step
    first = stage.state.holder
    stage.do(HOST, c.Step(seen=seen))
    second = stage.state.holder
    assert second != first
    stage.do(HOST, c.Step(seen=seen))
    assert stage.state.holder == second


def test_hands_come_first_that_had_the_fewest_turns() -> None:
    stage = Stage(Form.HANDS).gathered(*SHARERS)
    stage.run_to(PhaseKind.HANDS)
    stage.do(ROBIN, c.Raise(on=True))
    assert stage.state.holder == ROBIN
    stage.do(ROBIN, c.Finish())
    stage.do(WREN, c.Raise(on=True))
    stage.do(ROBIN, c.Raise(on=True))
    stage.wait(SECOND)
    stage.do(HERON, c.Raise(on=True))
    stage.do(WREN, c.Finish())
    assert stage.state.holder == HERON
    stage.do(HERON, c.Finish())
    assert stage.state.holder == ROBIN


def test_a_host_may_call_on_a_raised_hand() -> None:
    stage = Stage(Form.HANDS).gathered(*SHARERS)
    stage.run_to(PhaseKind.HANDS)
    for who in SHARERS:
        stage.do(who, c.Raise(on=True))
        stage.wait(SECOND)
    assert stage.refusal(HOST, c.CallOn(member=FINCH)) is Reason.MEMBER_UNKNOWN
    stage.do(HOST, c.CallOn(member=HERON))
    stage.do(ROBIN, c.Finish())
    assert stage.state.holder == HERON


def test_a_held_meeting_loses_no_time() -> None:
    stage = sharing()
    turn = stage.state.turn
    assert turn is not None
    stage.do(HOST, c.Pause(on=True))
    assert stage.room.write(HOST)
    assert not stage.room.write(turn.holder)
    stage.wait(4 * MINUTE)
    stage.do(HOST, c.Pause(on=False))
    after = stage.state.turn
    assert after is not None
    assert after.ends_at == turn.ends_at + 4 * MINUTE
    stage.do(HOST, c.Pause(on=True))
    stage.wait(7 * MINUTE)
    assert stage.state.held_at is None
    assert stage.refusal(HOST, c.Pause(on=True)) is Reason.NO_MORE_TIME


# ------------------------------------------------------------------------------------------------ seats


def test_a_freed_seat_is_held_for_the_first_who_waits_and_then_for_the_next() -> None:
    stage = Stage(seats=2)
    stage.now = Millis(START - 48 * HOUR)
    stage.sign_up(ROBIN, WREN)
    stage.wait(SECOND)
    stage.sign_up(HERON)
    stage.wait(SECOND)
    stage.sign_up(FINCH)
    assert (stage.place(HERON), stage.place(FINCH)) == (Place.WAITING, Place.WAITING)
    stage.do(ROBIN, c.SignOff())
    called = stage.state.people[HERON].called_until
    assert called == stage.now + 12 * HOUR
    stage.sign_up(TERN)
    assert stage.place(TERN) is Place.WAITING
    stage.wait(12 * HOUR, every=HOUR)
    assert stage.state.people[HERON].called_until is None
    assert stage.state.people[FINCH].called_until is not None
    stage.sign_up(FINCH)
    assert stage.place(FINCH) is Place.SEAT


def test_who_signed_up_and_is_there_in_time_has_a_seat_before_others() -> None:
    stage = Stage(seats=2)
    stage.sign_up(ROBIN, WREN)
    stage.wait(SECOND)
    stage.sign_up(HERON)
    stage.wait_until(START - 10 * MINUTE)
    stage.enter(HOST, FINCH)
    assert stage.place(FINCH) is Place.WAITING
    stage.enter(ROBIN)
    stage.wait_until(START + 4 * MINUTE)
    stage.enter(HERON)
    assert stage.place(HERON) is Place.WAITING
    stage.wait_until(START + 5 * MINUTE)
    # Wren did not come.
    assert (stage.place(ROBIN), stage.place(HERON), stage.place(FINCH)) == (Place.SEAT, Place.SEAT, Place.WAITING)
    assert stage.place(WREN) is None
    assert stage.effects.count(c.CountMisses(meeting=stage.state.id, group="g_1", member=WREN, count=1)) == 1


def test_who_missed_two_meetings_in_a_row_loses_the_next_seat() -> None:
    stage = Stage()
    stage.sign_up(ROBIN, WREN)
    stage.do(ROBIN, c.NoteMisses(count=1))
    stage.do(WREN, c.NoteMisses(count=2))
    assert (stage.place(ROBIN), stage.place(WREN)) == (Place.SEAT, Place.FREED)
    stage.sign_up(WREN)
    assert stage.place(WREN) is Place.SEAT
    stage.wait_until(START - 5 * MINUTE)
    stage.enter(HOST, ROBIN)
    assert stage.effects[-1] == c.CountMisses(meeting=stage.state.id, group="g_1", member=ROBIN, count=0)


def test_who_comes_late_listens_and_is_shown_nothing_of_before() -> None:
    stage = sharing()
    stage.enter(FINCH)
    assert stage.place(FINCH) is Place.LISTENER
    assert FINCH in stage.room.from_now
    assert not stage.room.from_now & {*SHARERS, HOST}
    stage.run_to(PhaseKind.CLOSING)
    assert stage.refusal(TERN, c.Enter(name="Tern", agreement=1)) is Reason.DOORS_CLOSED


def test_a_seat_is_for_those_who_accepted_the_agreement() -> None:
    stage = Stage(agreement="Be kind.", agreement_version=2)
    stage.wait_until(START - 5 * MINUTE)
    assert stage.refusal(ROBIN, c.Enter(name="Robin", agreement=1)) is Reason.AGREEMENT_REQUIRED
    stage.do(ROBIN, c.Enter(name="Robin", agreement=2))
    assert stage.place(ROBIN) is Place.SEAT


def test_one_may_listen_instead_before_turns_begin() -> None:
    stage = Stage(seats=3).gathered(*SHARERS)
    stage.enter(FINCH)
    assert stage.place(FINCH) is Place.WAITING
    stage.do(ROBIN, c.SitBack(on=True))
    assert (stage.place(ROBIN), stage.place(FINCH)) == (Place.LISTENER, Place.SEAT)
    assert stage.refusal(ROBIN, c.SitBack(on=False)) is Reason.MEETING_FULL
    stage.run_to(PhaseKind.SHARE)
    assert stage.refusal(WREN, c.SitBack(on=True)) is Reason.PHASE_OVER


def test_who_was_sent_out_does_not_come_back_and_moderators_are_told() -> None:
    stage = sharing()
    stage.do(HOST, c.SendOut(member=WREN, reason="They were cruel."))
    assert WREN not in stage.room.members
    assert WREN not in (stage.state.holder, *stage.state.order)
    assert any(isinstance(each, c.ReportSentOut) and each.about == WREN for each in stage.effects)
    assert stage.refusal(WREN, c.Enter(name="Wren", agreement=1)) is Reason.SENT_OUT
    assert stage.refusal(HOST, c.SendOut(member=HOST, reason="x")) is Reason.NOT_ALLOWED


# ------------------------------------------------------------------------------------------------ what breaks


def test_who_loses_the_line_in_their_turn_has_the_rest_of_it_later() -> None:
    stage = sharing()
    first = stage.state.holder
    assert first is not None
    stage.wait(3 * MINUTE)
    stage.away.add(first)
    stage.wait(MINUTE)
    second = stage.state.holder
    assert second != first
    assert stage.state.aside == (first,)
    stage.away.discard(first)
    stage.wait(MINUTE)
    assert stage.state.holder == second
    assert second is not None
    stage.do(second, c.Finish())
    turn = stage.state.turn
    assert turn is not None
    assert (turn.holder, turn.ends_at - turn.since) == (first, 8 * MINUTE)


def test_nobody_holds_the_others_up_by_losing_the_line_again_and_again() -> None:
    stage = sharing()
    first = stage.state.holder
    assert first is not None
    for _ in range(2):
        stage.away.add(first)
        while stage.state.holder == first:
            stage.wait(5 * SECOND)
        stage.away.discard(first)
        stage.wait(5 * SECOND)
        assert stage.state.holder is not None
        stage.do(stage.state.holder, c.Finish())
    assert first in stage.state.had
    assert first not in stage.state.aside


def test_an_outage_costs_nobody_their_turn() -> None:
    stage = sharing()
    turn = stage.state.turn
    assert turn is not None
    stage.wait(MINUTE)
    everybody = {HOST, *SHARERS}
    stage.away |= everybody
    # Nobody can be noted, and nothing can be carried out.
    stage.now = Millis(stage.now + 40 * MINUTE)
    stage.away -= {turn.holder}
    stage.wait(5 * SECOND)
    stage.away -= everybody
    stage.wait(5 * SECOND)
    assert stage.state.holder == turn.holder
    assert stage.state.aside == ()
    assert stage.state.stood == 40 * MINUTE + 5 * SECOND - 15 * SECOND


def test_without_its_host_a_meeting_goes_to_its_closing_after_the_turn() -> None:
    stage = sharing()
    first = stage.state.holder
    assert first is not None
    stage.wait(5 * SECOND)
    stage.away.add(HOST)
    stage.wait(4 * MINUTE)
    assert stage.state.holder == first
    stage.do(first, c.Finish())
    assert stage.kind is PhaseKind.CLOSING
    stage.wait(6 * MINUTE)
    assert stage.state.stage is MeetingStage.ENDED


def test_a_second_host_holds_the_meeting_and_nobody_else_is_promoted() -> None:
    stage = Stage(hosts=(HOST, SECOND_HOST)).gathered(*SHARERS, SECOND_HOST)
    stage.run_to(PhaseKind.SHARE)
    stage.do(HOST, c.StepOut())
    stage.wait(5 * MINUTE)
    assert stage.kind is PhaseKind.SHARE
    stage.do(SECOND_HOST, c.Step(seen=stage.state.step))
    stage.do(SECOND_HOST, c.StepOut())
    for who in SHARERS:
        assert stage.refusal(who, c.Step(seen=stage.state.step)) is Reason.NOT_ALLOWED
    stage.run_to(PhaseKind.CLOSING)


@pytest.mark.parametrize(
    ("there", "ending"), [((ROBIN, WREN, HERON), Ending.NO_HOST), ((HOST, ROBIN), Ending.TOO_FEW), ((), Ending.NO_HOST)]
)
def test_a_meeting_that_cannot_begin_ends_kindly(there: tuple[MemberId, ...], ending: Ending) -> None:
    stage = Stage()
    stage.wait_until(START - 10 * MINUTE)
    stage.enter(*there)
    stage.wait_until(START + 11 * MINUTE)
    assert stage.state.ending is ending


def test_a_host_may_begin_with_few() -> None:
    stage = Stage().gathered(ROBIN)
    stage.step()
    stage.wait_until(START + 15 * MINUTE)
    assert stage.state.is_live


def test_because_of_danger_a_meeting_ends_at_once_and_otherwise_it_closes() -> None:
    stage = sharing()
    stage.do(HOST, c.EndMeeting())
    assert stage.kind is PhaseKind.CLOSING
    stage.do(HOST, c.EndMeeting())
    assert stage.state.ending is Ending.HOST
    stage = sharing()
    assert stage.refusal(ROBIN, c.EndMeeting(why="danger")) is Reason.NOT_ALLOWED
    stage.do(MemberId("m_mo"), c.EndMeeting(why="danger"), is_moderator=True)
    assert stage.state.ending is Ending.DANGER


def test_who_is_dismissed_is_nowhere_in_the_meeting() -> None:
    stage = sharing()
    for who in (*SHARERS, HOST):
        stage.do(who, c.Dismiss())
        assert who not in str(stage.state)


def test_a_stranger_learns_nothing() -> None:
    stage = sharing()
    for command in (c.StepOut(), c.Finish(), c.Step(seen=1), c.EndMeeting(why="danger")):
        assert stage.refusal(FINCH, command) is Reason.MEETING_UNKNOWN
    assert may(stage.state, FINCH, stage.now) == ["enter"]
