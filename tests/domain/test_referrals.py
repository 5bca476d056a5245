"""Somebody from a meeting goes first in the queue: rarely, and then for certain."""

from __future__ import annotations

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId
from chatserver.domain.listening import commands as on_floor
from chatserver.domain.listening import referrals
from chatserver.domain.listening.matching import queue
from chatserver.domain.listening.referrals import BETWEEN
from tests.domain.listening_kit import ANNA, BEN, CARA, HOUR, LEO, MINUTE, Stage


def offer(stage: Stage, who: MemberId) -> None:
    stage.do(MemberId("m_host"), on_floor.OfferFirst(member=who, is_open=True))


def why_not(stage: Stage, who: MemberId, *, is_open: bool = True) -> object:
    with pytest.raises(Refusal) as refused:
        stage.do(MemberId("m_host"), on_floor.OfferFirst(member=who, is_open=is_open))
    return refused.value.details["why"] if refused.value.details else refused.value.reason


def order(stage: Stage) -> list[MemberId]:
    return [each.member for each in queue(stage.state)]


def test_who_was_offered_it_is_first_when_they_ask_and_says_nothing_about_the_wait() -> None:
    stage = Stage()
    stage.ask(ANNA)
    stage.wait(MINUTE)
    offer(stage, BEN)
    stage.ask(BEN)
    assert order(stage) == [BEN, ANNA]
    stage.hire(LEO)
    assert stage.asked_about(BEN) == LEO
    session = stage.accept(LEO, BEN)
    assert stage.state.sessions[session].why[0] == "referred"
    assert stage.did(on_floor.NoteWait) == []


def test_somebody_who_lost_their_listener_comes_before_them() -> None:
    stage = Stage(LEO)
    stage.meet(ANNA)
    offer(stage, BEN)
    stage.ask(BEN)
    stage.do(LEO, on_floor.Dismiss(member=LEO, is_erased=False))
    assert order(stage) == [ANNA, BEN]


def test_somebody_who_waits_already_goes_to_the_head_when_they_ask_again() -> None:
    stage = Stage()
    for who in (ANNA, BEN, CARA):
        stage.ask(who)
        stage.wait(1000)
    offer(stage, CARA)
    assert order(stage)[-1] == CARA
    stage.ask(CARA)
    assert order(stage)[0] == CARA


def test_an_offer_is_made_to_one_person_once_an_hour_and_to_nobody_while_listening_is_closed() -> None:
    stage = Stage()
    assert why_not(stage, BEN, is_open=False) is Reason.LISTENING_CLOSED
    offer(stage, BEN)
    assert why_not(stage, BEN) == "person"
    stage.wait(HOUR - MINUTE)
    assert why_not(stage, BEN) == "person"
    stage.wait(MINUTE)
    offer(stage, BEN)


def test_an_offer_that_stands_is_kept_and_one_that_was_not_taken_costs_nobody_anything() -> None:
    stage = Stage()
    offer(stage, BEN)
    assert why_not(stage, CARA) == "others"
    stage.wait(7 * MINUTE)
    # Ben's time is over.
    stage.ask(ANNA)
    stage.ask(BEN)
    assert order(stage) == [ANNA, BEN]
    offer(stage, CARA)
    stage.ask(CARA)
    stage.wait(7 * MINUTE)
    # Cara waits, as somebody who was promised to be first.
    assert why_not(stage, ANNA) == "others"
    stage.do(CARA, on_floor.GiveUpPlace())
    offer(stage, ANNA)


def test_among_ten_sessions_that_begin_one_after_another_at_most_one_is_referred() -> None:
    stage = Stage()
    begun: list[bool] = []
    for number in range(38):
        listener = MemberId(f"m_l{number}")
        stage.hire(listener)
        who = MemberId(f"m_s{number}")
        is_referred = referrals.refusal(stage.state, who, stage.now) is None
        if is_referred:
            offer(stage, who)
        session = stage.meet(who)
        assert ("referred" in session.why) is is_referred
        begun.append(is_referred)
        stage.do(who, on_floor.EndSession(session=session.id))
        stage.do(listener, on_floor.Dismiss(member=listener, is_erased=False))
        stage.wait(referrals.STANDS)
    assert begun[0]
    assert all(sum(begun[at : at + BETWEEN + 1]) == 1 for at in range(38 - BETWEEN))
    # However long nothing happens.
    stage.wait(25 * HOUR)
    assert why_not(stage, ANNA) == "others"


def test_nothing_of_an_offer_is_left_of_somebody_who_is_erased_or_after_an_hour() -> None:
    stage = Stage()
    offer(stage, BEN)
    stage.do(BEN, on_floor.Dismiss(member=BEN, is_erased=True))
    assert BEN not in str(stage.state)
    offer(stage, CARA)
    stage.wait(HOUR + MINUTE)
    assert CARA not in str(stage.state)
