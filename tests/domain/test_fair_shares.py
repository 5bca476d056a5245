"""Fair shares of the listeners: what one guest, and one network, can take of them."""

from __future__ import annotations

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId
from chatserver.domain.listening import commands as on_floor
from chatserver.domain.listening.fair_shares import network_id
from chatserver.domain.listening.matching import place, queue
from chatserver.domain.listening.rest_rules import declined_within, pause_of, taken_today
from chatserver.domain.listening.state import Ending, ListeningRules, Wish
from tests.domain.listening_kit import ANNA, BEN, CARA, HOUR, LEO, LIV, LOU, MINUTE, SECOND, Stage

RULES = ListeningRules()


def ask_from(stage: Stage, who: MemberId, network: str, allowance: int = 1) -> None:
    stage.do(
        who,
        on_floor.Ask(name=who, wish=Wish(), avoid=frozenset(), is_open=True, network=network, allowance=allowance),
    )


def begin_and_end(stage: Stage, who: MemberId) -> None:
    """As who wants to use up listeners: be met, and go."""
    stage.ask(who)
    listener = stage.asked_about(who)
    assert listener is not None
    session = stage.accept_in_silence(listener, who)
    stage.do(who, on_floor.EndSession(session=session))


def refusal_of(stage: Stage, who: MemberId, network: str = "", allowance: int = 1) -> Refusal:
    with pytest.raises(Refusal) as refused:
        ask_from(stage, who, network, allowance)
    return refused.value


# ------------------------------------------------------------------------------------------------ one guest


def test_a_guest_who_begins_and_ends_sessions_leaves_all_listeners_free() -> None:
    stage = Stage(LEO, LIV, LOU, rules=RULES)
    for _ in range(RULES.member_sessions_a_day):
        begin_and_end(stage, ANNA)
    assert refusal_of(stage, ANNA).reason is Reason.SESSIONS_USED
    for listener in stage.state.listeners.values():
        assert pause_of(listener, stage.now, RULES) is None
        assert taken_today(listener, stage.now) == 0
    stage.ask(BEN)
    assert stage.asked_about(BEN) is not None


def test_the_refusal_says_when_a_member_may_ask_again_and_then_they_may() -> None:
    stage = Stage(LEO, rules=RULES)
    first = stage.now
    for _ in range(RULES.member_sessions_a_day):
        begin_and_end(stage, ANNA)
        stage.wait(HOUR)
        stage.do(LEO, on_floor.SetAvailable(on=True))
    refusal = refusal_of(stage, ANNA)
    assert refusal.details == {"again_at": first + 24 * HOUR}
    assert refusal.retry_after == (first + 24 * HOUR - stage.now) / 1000
    stage.wait(20 * HOUR)
    stage.ask(ANNA)
    stage.wait(28 * HOUR)
    assert ANNA not in stage.state.shares


def test_whoever_had_a_session_today_asks_behind_those_who_had_none() -> None:
    """[P-SHARE-1]"""
    stage = Stage(LEO, rules=RULES)
    begin_and_end(stage, ANNA)
    stage.do(LEO, on_floor.SetAvailable(on=False))
    stage.ask(ANNA)
    stage.wait(MINUTE)
    stage.ask(BEN)
    assert [each.member for each in queue(stage.state)] == [BEN, ANNA]
    assert place(stage.state, ANNA) == 2
    stage.do(LEO, on_floor.SetAvailable(on=True))
    assert stage.asked_about(BEN) == LEO


def test_whoever_lost_their_listener_is_first_and_has_lost_nothing_of_their_share() -> None:
    stage = Stage(LEO, LIV, rules=RULES)
    session = stage.meet(ANNA)
    stage.do(BEN, on_floor.Dismiss(member=session.listeners[0], is_erased=False))
    assert stage.state.seekers[ANNA].is_first
    assert stage.state.shares == {}


def test_a_session_that_its_listener_ends_early_is_given_back_where_the_seeker_wrote_or_could_not_yet() -> None:
    """[P-SHARE-1]"""
    for is_silent, waits, left in ((False, 0, 0), (True, 0, 0), (True, RULES.nobody_after, 1)):
        stage = Stage(LEO, rules=RULES)
        stage.ask(ANNA)
        session = (stage.accept_in_silence if is_silent else stage.accept)(LEO, ANNA)
        stage.wait(waits)
        stage.do(LEO, on_floor.EndSession(session=session))
        stage.do(LEO, on_floor.SetAvailable(on=False))
        stage.ask(ANNA)
        assert stage.state.seekers[ANNA].had == left


def test_a_listener_who_takes_people_to_drop_them_at_once_is_soon_asked_no_more() -> None:
    """[P-DECLINE-1] Else one listener could take everybody's conversations of the day from them."""
    stage = Stage(LEO, rules=RULES)
    for number in range(RULES.declines_an_hour):
        stage.ask(ANNA)
        session = stage.accept_in_silence(LEO, ANNA)
        stage.do(LEO, on_floor.EndSession(session=session))
        assert declined_within(stage.state.listeners[LEO], HOUR, stage.now) == number + 1
    stage.ask(ANNA)
    assert stage.asked_about(ANNA) is None
    stage.hire(LIV)
    assert stage.asked_about(ANNA) == LIV, "nothing of it was hers"


def test_what_a_listener_drops_is_given_back_to_where_it_was_asked_from_and_a_block_is_not() -> None:
    """Else one listener could keep a school from asking for an hour, and a crowd could use up listeners by blocking."""
    for command, left in ((on_floor.EndSession, 0), (on_floor.Block, 1)):
        stage = Stage(LEO, rules=RULES)
        ask_from(stage, ANNA, "school")
        session = stage.accept_in_silence(LEO, ANNA)
        stage.do(LEO if command is on_floor.EndSession else ANNA, command(session=session))
        share = stage.state.shares.get(network_id("school"))
        assert len(() if share is None else share.sessions) == left
        assert ANNA not in stage.state.shares


def test_whoever_blocks_a_listener_at_once_is_not_put_behind_others() -> None:
    stage = Stage(LEO, rules=RULES)
    session = stage.meet(ANNA)
    stage.do(ANNA, on_floor.Block(session=session.id))
    stage.ask(ANNA)
    assert stage.state.seekers[ANNA].had == 0


# ------------------------------------------------------------------------------------------------ what it costs


def test_a_session_costs_its_listener_from_two_minutes_and_a_word_on() -> None:
    for is_silent, span, costs in ((False, 119 * SECOND, 0), (False, 120 * SECOND, 1), (True, 9 * MINUTE, 0)):
        stage = Stage(LEO, rules=RULES)
        stage.ask(ANNA)
        session = (stage.accept_in_silence if is_silent else stage.accept)(LEO, ANNA)
        stage.wait(span)
        stage.do(LEO, on_floor.EndSession(session=session))
        leo = stage.state.listeners[LEO]
        assert taken_today(leo, stage.now) == costs
        assert (pause_of(leo, stage.now, RULES) is not None) == bool(costs)


def test_a_brief_session_that_was_heavy_is_followed_by_its_cool_down() -> None:
    stage = Stage(LEO, rules=RULES)
    session = stage.meet(ANNA)
    stage.do(LEO, on_floor.Flag(session=session.id, on=True))
    stage.do(ANNA, on_floor.EndSession(session=session.id))
    assert pause_of(stage.state.listeners[LEO], stage.now, RULES) is not None
    assert stage.state.listeners[LEO].owes == session.id


def test_only_what_the_seeker_writes_counts_as_a_word() -> None:
    stage = Stage(LEO, rules=RULES)
    stage.ask(ANNA)
    session = stage.accept_in_silence(LEO, ANNA)
    stage.wait(5 * SECOND)
    stage.do(LEO, on_floor.Spoke(session=session))
    assert not stage.state.sessions[session].spoken
    stage.do(ANNA, on_floor.Spoke(session=session))
    assert stage.state.sessions[session].spoken


# ------------------------------------------------------------------------------------------------ nobody was there


def nobody(stage: Stage, who: MemberId) -> None:
    stage.ask(who)
    session = stage.accept_in_silence(LEO, who)
    stage.wait(RULES.nobody_after)
    stage.do(LEO, on_floor.SayNobody(session=session))
    assert stage.state.sessions[session].ending is Ending.NOBODY


def test_nobody_was_there_gives_the_seat_back_at_once() -> None:
    stage = Stage(LEO, rules=RULES, cap=1)
    nobody(stage, ANNA)
    stage.ask(BEN)
    assert stage.asked_about(BEN) == LEO


def test_nobody_was_there_is_not_for_somebody_who_wrote_or_has_only_just_come() -> None:
    stage = Stage(LEO, rules=RULES)
    stage.ask(ANNA)
    session = stage.accept_in_silence(LEO, ANNA)
    with pytest.raises(Refusal) as early:
        stage.do(LEO, on_floor.SayNobody(session=session))
    assert (early.value.reason, early.value.retry_after) == (Reason.NOT_NOBODY, 30)
    stage.do(ANNA, on_floor.Spoke(session=session))
    stage.wait(MINUTE)
    with pytest.raises(Refusal) as written:
        stage.do(LEO, on_floor.SayNobody(session=session))
    assert (written.value.reason, written.value.retry_after) == (Reason.NOT_NOBODY, None)
    with pytest.raises(Refusal) as theirs:
        stage.do(ANNA, on_floor.SayNobody(session=session))
    assert theirs.value.reason is Reason.NOT_LISTENER


def test_several_nobodies_put_a_member_behind_everybody_and_more_of_them_aside_for_an_hour() -> None:
    stage = Stage(LEO, rules=RULES)
    for _ in range(2):
        nobody(stage, ANNA)
    stage.do(LEO, on_floor.SetAvailable(on=False))
    for _ in range(2):
        # Somebody who had more sessions, but was there.
        stage.do(LEO, on_floor.SetAvailable(on=True))
        begin_and_end(stage, BEN)
    stage.do(LEO, on_floor.SetAvailable(on=False))
    stage.ask(ANNA)
    stage.ask(BEN)
    assert [each.member for each in queue(stage.state)] == [BEN, ANNA]
    stage.do(BEN, on_floor.GiveUpPlace())
    stage.do(LEO, on_floor.SetAvailable(on=True))
    nobody(stage, ANNA)
    refusal = refusal_of(stage, ANNA)
    assert (refusal.reason, refusal.retry_after) == (Reason.SESSIONS_USED, 3600)
    stage.wait(HOUR)
    stage.ask(ANNA)


# ------------------------------------------------------------------------------------------------ going back


def test_each_withdrawal_from_a_proposal_rests_a_member_for_longer_and_the_card_is_quiet() -> None:
    """[P-SHARE-3]"""
    stage = Stage(LEO, rules=RULES)
    stage.ask(ANNA)
    assert stage.asked_about(ANNA) == LEO
    assert not stage.state.seekers[ANNA].is_quiet
    for rest in (30, 60, 120, 240, 480, 900, 900):
        stage.do(ANNA, on_floor.GiveUpPlace())
        stage.do(LEO, on_floor.SetAvailable(on=True))
        stage.ask(ANNA)
        stage.wait((rest - 1) * SECOND)
        stage.do(LEO, on_floor.SetAvailable(on=True))
        assert stage.asked_about(ANNA) is None
        stage.wait(SECOND)
        assert stage.asked_about(ANNA) == LEO
        assert stage.state.seekers[ANNA].is_quiet


def test_another_wish_that_takes_a_proposal_back_counts_as_a_withdrawal() -> None:
    stage = Stage(LEO, rules=RULES, not_topics=("grief",))
    stage.ask(ANNA)
    assert stage.asked_about(ANNA) == LEO
    stage.ask(ANNA, topics=("grief",))
    stage.ask(ANNA)
    assert stage.asked_about(ANNA) is None
    stage.wait(30 * SECOND)
    assert stage.asked_about(ANNA) == LEO


def test_whoever_leaves_the_queue_while_nobody_is_asked_may_come_back_at_once() -> None:
    stage = Stage(rules=RULES)
    stage.ask(ANNA)
    stage.do(ANNA, on_floor.GiveUpPlace())
    assert stage.state.shares == {}


def test_nobody_waits_behind_somebody_who_rests() -> None:
    stage = Stage(LEO, rules=RULES)
    stage.ask(ANNA)
    stage.do(ANNA, on_floor.GiveUpPlace())
    stage.ask(ANNA)
    stage.ask(BEN)
    assert stage.asked_about(BEN) == LEO


def test_a_network_whose_guests_withdraw_one_after_the_other_rests_as_one() -> None:
    stage = Stage(LEO, rules=RULES)
    shown = 0
    for number in range(30):
        guest = MemberId(f"m_guest{number}")
        ask_from(stage, guest, "ab")
        shown += stage.asked_about(guest) is not None
        stage.do(guest, on_floor.GiveUpPlace())
        stage.wait(500)
    assert shown == RULES.places_per_network + 1
    ask_from(stage, BEN, "cd")
    assert stage.asked_about(BEN) == LEO


# ------------------------------------------------------------------------------------------------ one network


def test_thirty_guests_of_one_network_hold_only_its_places() -> None:
    stage = Stage(rules=RULES)
    for number in range(RULES.places_per_network):
        ask_from(stage, MemberId(f"m_guest{number}"), "ab")
    for number in range(RULES.places_per_network, 30):
        assert refusal_of(stage, MemberId(f"m_guest{number}"), "ab").reason is Reason.PLACES_USED
    stage.wait(SECOND)
    ask_from(stage, BEN, "cd")
    ask_from(stage, CARA, "")
    assert place(stage.state, BEN) == RULES.places_per_network + 1


def test_the_many_networks_of_one_household_hold_twice_the_places_of_one_and_rest_as_one() -> None:
    """Whoever has an IPv6 /56 has 256 of what one address is counted by."""

    def asks(number: int, wide: str = "56", wider: str = "48") -> None:
        place_of_one = on_floor.Ask(
            name="Guest", wish=Wish(), avoid=frozenset(), is_open=True, network=f"64-{number}", around=(wide, wider)
        )
        stage.do(MemberId(f"m_guest{number}"), place_of_one)

    stage = Stage(rules=RULES)
    most = RULES.places_per_network
    for number in range(2 * most):
        asks(number)
    with pytest.raises(Refusal) as refused:
        asks(2 * most)
    assert refused.value.reason is Reason.PLACES_USED
    for number in range(2 * most, 4 * most):
        asks(number, wide=f"56-{number}")
    with pytest.raises(Refusal) as refused:
        asks(4 * most, wide="56-other")
    assert refused.value.reason is Reason.PLACES_USED
    asks(4 * most, wide="56-other", wider="48-other")

    stage, shown = Stage(LEO, rules=RULES), 0
    for number in range(30):
        guest = MemberId(f"m_guest{number}")
        asks(number)
        shown += stage.asked_about(guest) is not None
        stage.do(guest, on_floor.GiveUpPlace())
        stage.wait(500)
    assert shown == 2 * most + 1


def test_a_shared_network_may_have_as_many_times_more() -> None:
    stage = Stage(rules=RULES)
    for number in range(3 * RULES.places_per_network):
        ask_from(stage, MemberId(f"m_pupil{number}"), "ab", allowance=3)
    assert refusal_of(stage, ANNA, "ab", 3).reason is Reason.PLACES_USED


def test_a_network_begins_only_so_many_sessions_an_hour() -> None:
    stage = Stage(LEO, LIV, LOU, rules=RULES)
    first = stage.now
    for number in range(RULES.network_sessions_an_hour):
        guest = MemberId(f"m_guest{number}")
        ask_from(stage, guest, "ab")
        listener = stage.asked_about(guest)
        assert listener is not None
        session = stage.accept_in_silence(listener, guest)
        stage.do(guest, on_floor.EndSession(session=session))
        stage.wait(MINUTE)
    refusal = refusal_of(stage, ANNA, "ab")
    assert (refusal.reason, refusal.details) == (Reason.PLACES_USED, {"again_at": first + HOUR})
    stage.ask(BEN)
    stage.wait(first + HOUR - stage.now)
    ask_from(stage, ANNA, "ab")


def test_whose_wish_changes_keeps_a_place_that_their_network_would_not_get_again() -> None:
    stage = Stage(rules=RULES)
    for number in range(RULES.places_per_network):
        ask_from(stage, MemberId(f"m_guest{number}"), "ab")
    ask_from(stage, MemberId("m_guest0"), "ab")
    assert place(stage.state, MemberId("m_guest0")) == 1


def test_where_somebody_asked_from_is_kept_only_while_they_wait_and_an_hour_more() -> None:
    stage = Stage(LEO, rules=RULES)
    ask_from(stage, ANNA, "ab")
    assert stage.state.seekers[ANNA].network == "ab"
    stage.accept(LEO, ANNA)
    assert stage.state.seekers[ANNA].network == ""
    assert "net:ab" in stage.state.shares
    stage.wait(HOUR)
    assert "net:ab" not in stage.state.shares


def test_an_erased_member_leaves_no_share() -> None:
    stage = Stage(LEO, rules=RULES)
    begin_and_end(stage, ANNA)
    stage.do(ANNA, on_floor.Dismiss(member=ANNA, is_erased=True))
    assert stage.state.shares == {}
