"""Places in the queue, those who listen and what they are spared, and the moments at which time demands something."""

from __future__ import annotations

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening import commands as on_floor
from chatserver.domain.listening.commands import ListeningAction
from chatserver.domain.listening.decide import apply_due, decide_and_apply_due, due_at, evolve_all
from chatserver.domain.listening.invariants import BrokenInvariants, check_invariants
from chatserver.domain.listening.matching import place
from chatserver.domain.listening.rest_rules import ListenerState, declined_within, pause_of, state_of, states
from chatserver.domain.listening.state import (
    ListeningRules,
    ListeningState,
    Pause,
    Profile,
    Proposal,
    Seeker,
    SessionId,
    Wish,
)
from tests.domain.costly import full_queue
from tests.domain.listening_kit import ANNA, BEN, HOUR, LEO, LIV, MINUTE, RULES, SECOND, START, Stage
from tests.kit.work import lines_run


def refused(stage: Stage, who: MemberId, command: ListeningAction) -> Reason:
    with pytest.raises(Refusal) as refusal:
        stage.do(who, command)
    return refusal.value.reason


# ------------------------------------------------------------------------------------------------ places


def test_asking_again_changes_the_wish_and_keeps_the_place() -> None:
    stage = Stage()
    stage.ask(ANNA)
    stage.wait(MINUTE)
    stage.ask(BEN)
    stage.ask(ANNA, topics=("sleep",))
    assert place(stage.state, ANNA) == 1
    assert stage.state.seekers[ANNA].wish.topics == ("sleep",)


def test_nobody_asks_outside_the_hours_but_who_waits_may_change_the_wish() -> None:
    stage = Stage()
    closed = on_floor.Ask(name="Anna", wish=Wish(), avoid=frozenset(), is_open=False)
    assert refused(stage, ANNA, closed) is Reason.LISTENING_CLOSED
    stage.ask(ANNA)
    stage.do(ANNA, closed)
    assert ANNA in stage.state.seekers


def test_nobody_asks_from_within_a_session() -> None:
    stage = Stage(LEO)
    stage.meet(ANNA)
    ask = on_floor.Ask(name="Anna", wish=Wish(), avoid=frozenset(), is_open=True)
    assert refused(stage, ANNA, ask) is Reason.IN_SESSION


def test_a_place_outlives_a_lost_connection_then_lapses_can_be_taken_back_and_is_gone() -> None:
    stage = Stage()
    stage.ask(ANNA)
    stage.wait(SECOND)
    stage.ask(BEN)
    stage.away.add(ANNA)
    stage.wait(RULES.grace - 2 * SECOND)
    assert place(stage.state, ANNA) == 1
    stage.wait(5 * SECOND)
    assert place(stage.state, ANNA) is None
    stage.do(ANNA, on_floor.TakePlaceBack())
    assert place(stage.state, ANNA) == 1
    stage.wait(2 * RULES.grace + 5 * SECOND)
    assert ANNA not in stage.state.seekers
    assert refused(stage, ANNA, on_floor.TakePlaceBack()) is Reason.PLACE_GONE


def test_leaving_is_one_command_and_may_be_sent_again() -> None:
    stage = Stage(LEO)
    stage.ask(ANNA)
    stage.do(ANNA, on_floor.GiveUpPlace())
    stage.do(ANNA, on_floor.GiveUpPlace())
    assert stage.state.seekers == {}
    assert refused(stage, LEO, on_floor.Accept(seeker=ANNA, session=SessionId("s-1"))) is Reason.PROPOSAL_GONE


def test_nobody_waits_for_one_who_listens_here_no_more() -> None:
    stage = Stage(LEO, LIV)
    stage.do(LIV, on_floor.SetAvailable(on=False))
    stage.ask(ANNA, member=LIV, only=True)
    assert stage.asked_about(ANNA) is None
    stage.do(LIV, on_floor.Dismiss(member=LIV, is_erased=False))
    assert stage.asked_about(ANNA) == LEO


# ------------------------------------------------------------------------------------------------ listening


def test_the_readiness_check_comes_before_the_first_session() -> None:
    stage = Stage()
    stage.do(LEO, on_floor.Hire(person=Person(LEO, "Leo")))
    assert refused(stage, LEO, on_floor.SetAvailable(on=True)) is Reason.NOT_READY
    assert refused(stage, ANNA, on_floor.SetAvailable(on=True)) is Reason.NOT_LISTENER
    stage.do(LEO, on_floor.MarkReady())
    stage.do(LEO, on_floor.SetAvailable(on=True))
    assert stage.state.listeners[LEO].wants


def test_repeated_ignoring_sets_a_listener_to_away() -> None:
    stage = Stage(LEO)
    stage.ask(ANNA)
    stage.wait(RULES.proposal)
    assert stage.state.listeners[LEO].wants
    stage.wait(RULES.ask_again + RULES.proposal)
    assert not stage.state.listeners[LEO].wants


def test_intent_outlives_a_connection_and_ends_with_its_lease() -> None:
    stage = Stage(LEO)
    stage.away.add(LEO)
    stage.wait(RULES.lease - SECOND)
    assert stage.state.listeners[LEO].wants
    stage.do(LEO, on_floor.StillHere())
    stage.wait(RULES.lease - SECOND)
    assert stage.state.listeners[LEO].wants
    stage.wait(SECOND)
    assert not stage.state.listeners[LEO].wants


def test_a_proposal_moves_on_when_its_listener_is_out_of_reach() -> None:
    stage = Stage(LEO, LIV)
    stage.ask(ANNA)
    first = stage.asked_about(ANNA)
    assert first is not None
    stage.away.add(first)
    stage.wait(RULES.reachable)
    assert stage.asked_about(ANNA) not in {first, None}
    assert stage.state.listeners[first].ignored == 0


def test_a_pause_follows_each_session_and_nobody_is_asked_in_it() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.do(LEO, on_floor.EndSession(session=session.id))
    stage.ask(BEN)
    assert pause_of(stage.state.listeners[LEO], stage.now, RULES) == (
        Pause.AFTER_SESSION,
        Millis(stage.now + RULES.pause),
    )
    stage.wait(RULES.pause - SECOND)
    assert stage.asked_about(BEN) is None
    stage.wait(SECOND)
    assert stage.asked_about(BEN) == LEO


def test_a_pause_takes_away_what_was_being_asked_for_another_seat() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.ask(BEN)
    assert stage.asked_about(BEN) == LEO
    stage.do(ANNA, on_floor.EndSession(session=session.id))
    assert stage.asked_about(BEN) is None


def test_a_heavy_session_is_followed_by_a_cool_down_and_a_note() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.do(LEO, on_floor.Flag(session=session.id, on=True))
    stage.do(ANNA, on_floor.EndSession(session=session.id))
    assert pause_of(stage.state.listeners[LEO], stage.now, RULES) == (Pause.DEBRIEF, None)
    assert refused(stage, LEO, on_floor.Flag(session=session.id, on=False)) is Reason.SESSION_OVER
    stage.do(LEO, on_floor.WriteDebrief(session=session.id, note="I am shaken"))
    assert pause_of(stage.state.listeners[LEO], stage.now, RULES) == (
        Pause.COOL_DOWN,
        Millis(stage.now + RULES.cool_down),
    )
    assert [each.note for each in stage.did(on_floor.KeepDebrief)] == ["I am shaken"]
    assert refused(stage, LEO, on_floor.WriteDebrief(session=session.id, note="again")) is Reason.SESSION_UNKNOWN


def test_a_session_can_be_flagged_after_its_end() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.do(ANNA, on_floor.EndSession(session=session.id))
    stage.wait(MINUTE)
    stage.do(LEO, on_floor.Flag(session=session.id, on=True))
    leo = stage.state.listeners[LEO]
    assert (leo.owes, leo.paused_until) == (session.id, stage.now - MINUTE + RULES.cool_down)


@pytest.mark.parametrize(("day", "week", "expected"), [(2, 30, Pause.DAY_CAP), (8, 2, Pause.WEEK_CAP)])
def test_caps_count_the_last_day_and_week(day: int, week: int, expected: Pause) -> None:
    stage = Stage(LEO, rules=ListeningRules(pause=0, brief=0, sessions_a_day=day, sessions_a_week=week))
    for _ in range(2):
        session = stage.meet(ANNA)
        stage.do(ANNA, on_floor.EndSession(session=session.id))
    stage.ask(BEN)
    assert stage.asked_about(BEN) is None
    span = 24 * HOUR if expected is Pause.DAY_CAP else 7 * 24 * HOUR
    assert pause_of(stage.state.listeners[LEO], stage.now, stage.rules) == (expected, Millis(START + span))
    stage.now = Millis(START + span)
    stage.see()
    stage.do(LEO, on_floor.StillHere())
    stage.do(LEO, on_floor.SetAvailable(on=True))
    stage.ask(BEN)
    assert stage.asked_about(BEN) == LEO


def test_who_declines_again_and_again_is_asked_no_more_for_the_hour() -> None:
    """[P-DECLINE-1] Whoever only looks at who waits sees six of them an hour, and it is counted."""
    stage = Stage(LEO)
    for number in range(RULES.declines_an_hour):
        who = MemberId(f"m_{number}")
        stage.ask(who)
        assert stage.asked_about(who) == LEO
        if number % 2:
            stage.do(LEO, on_floor.Decline(seeker=who))
        else:
            stage.wait(RULES.proposal)
            stage.see()
            stage.do(LEO, on_floor.SetAvailable(on=True))
        stage.do(who, on_floor.GiveUpPlace())
    listener = stage.state.listeners[LEO]
    assert declined_within(listener, HOUR, stage.now) == RULES.declines_an_hour
    over_at = Millis(min(listener.declined) + HOUR)
    assert pause_of(listener, stage.now, RULES) == (Pause.DECLINES, over_at)
    stage.ask(ANNA)
    assert stage.asked_about(ANNA) is None
    stage.now = over_at
    stage.see()
    stage.do(LEO, on_floor.StillHere())
    stage.do(LEO, on_floor.SetAvailable(on=True))
    stage.ask(BEN)
    assert LEO in {stage.asked_about(ANNA), stage.asked_about(BEN)}


def test_a_listener_has_as_many_at_once_as_they_take_and_the_service_allows() -> None:
    stage = Stage(LEO, cap=8)
    for number in range(6):
        stage.ask(MemberId(f"m_{number}"))
    for number in range(RULES.most_cap):
        stage.accept(LEO, MemberId(f"m_{number}"))
    assert stage.asked_about(MemberId("m_4")) is None
    assert state_of(stage.state, stage.state.listeners[LEO], stage.now, RULES) is ListenerState.BUSY


def test_a_lower_cap_takes_back_what_was_being_asked() -> None:
    stage = Stage(LEO)
    stage.meet(ANNA)
    stage.ask(BEN)
    assert stage.asked_about(BEN) == LEO
    stage.do(LEO, on_floor.SetProfile(profile=Profile(cap=1)))
    assert stage.asked_about(BEN) is None


def test_states_are_told_in_one_word_for_one_and_for_all() -> None:
    stage = Stage(LEO)
    stage.do(LIV, on_floor.Hire(person=Person(LIV, "Liv")))
    assert states(stage.state, stage.now, RULES) == {LEO: ListenerState.FREE, LIV: ListenerState.PRACTICE}
    session = stage.meet(ANNA)
    stage.do(ANNA, on_floor.EndSession(session=session.id))
    assert state_of(stage.state, stage.state.listeners[LEO], stage.now, RULES) is ListenerState.PAUSED
    stage.do(LEO, on_floor.SetAvailable(on=False))
    assert state_of(stage.state, stage.state.listeners[LEO], stage.now, RULES) is ListenerState.AWAY


def test_for_others_whoever_closed_the_page_is_away_and_for_themselves_is_not() -> None:
    stage = Stage(LEO, LIV)
    stage.away.add(LEO)
    stage.wait(RULES.reachable)
    assert states(stage.state, stage.now, RULES) == {LEO: ListenerState.AWAY, LIV: ListenerState.FREE}
    assert state_of(stage.state, stage.state.listeners[LEO], stage.now, RULES) is ListenerState.FREE


def test_who_waits_when_the_hours_end_keeps_the_place_and_may_ask_again() -> None:
    stage = Stage()
    stage.ask(ANNA)
    asked_at = stage.state.seekers[ANNA].asked_at
    stage.wait(MINUTE)
    closed = on_floor.Ask(name="Anna", wish=Wish(heavy=3), avoid=frozenset(), is_open=False)
    stage.do(ANNA, closed)
    assert (stage.state.seekers[ANNA].asked_at, stage.state.seekers[ANNA].wish) == (asked_at, Wish(heavy=3))
    stage.away.add(ANNA)
    stage.wait(RULES.grace)
    assert stage.state.seekers[ANNA].lapsed_at is not None
    stage.do(ANNA, closed)
    assert (stage.state.seekers[ANNA].asked_at, stage.state.seekers[ANNA].lapsed_at) == (asked_at, None)


def test_a_new_name_is_told_everywhere() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.do(ANNA, on_floor.Renamed(person=Person(ANNA, "Anna B")))
    stage.do(LEO, on_floor.Renamed(person=Person(LEO, "Leo B")))
    after = stage.session(session)
    assert (after.seeker_name, after.names[LEO]) == ("Anna B", "Leo B")
    assert stage.state.seekers[ANNA].name == "Anna B"
    assert stage.state.listeners[LEO].name == "Leo B"


# ------------------------------------------------------------------------------------------------ time


def test_an_empty_queue_is_never_due() -> None:
    assert due_at(ListeningState(), START, RULES) is None


def test_a_queue_is_due_when_a_place_lapses_when_a_proposal_does_and_when_somebody_can_be_matched() -> None:
    stage = Stage()
    stage.ask(ANNA)
    assert due_at(stage.state, stage.now, RULES) == stage.now + RULES.grace
    stage.hire(LEO)
    assert due_at(stage.state, stage.now, RULES) == stage.now + RULES.reachable
    anna = msgspec.structs.replace(stage.state.seekers[ANNA], proposal=None)
    free = msgspec.structs.replace(stage.state, seekers={ANNA: anna})
    assert due_at(free, stage.now, RULES) == stage.now


def test_a_clock_that_is_ahead_breaks_nothing() -> None:
    stage = Stage(LEO)
    stage.ask(ANNA)
    ahead = msgspec.structs.replace(
        stage.state,
        seekers={ANNA: msgspec.structs.replace(stage.state.seekers[ANNA], seen_at=Millis(START + 9_000))},
        listeners={LEO: msgspec.structs.replace(stage.state.listeners[LEO], seen_at=Millis(START + 9_000))},
    )
    assert apply_due(ahead, START, RULES).events == ()
    before = Millis(START - 9_000)
    decided = decide_and_apply_due(ahead, on_floor.Accept(seeker=ANNA, session=SessionId("s-1")), LEO, before, RULES)
    state = evolve_all(ahead, decided.events)
    assert apply_due(state, before, RULES).events == ()
    assert check_invariants(state, START, RULES) == BrokenInvariants()
    waits = [effect for effect in decided.effects if isinstance(effect, on_floor.NoteWait)]
    assert waits == [on_floor.NoteWait(asked_at=before, met_at=before)]


# ------------------------------------------------------------------------------------------------ the check_invariants


def test_an_audit_counts_every_broken_promise() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    late = Millis(stage.now + 24 * HOUR)
    proposal = Proposal(listener=LEO, made_at=stage.now, deadline=Millis(stage.now + 1))
    seeker = Seeker(member=BEN, name="", asked_at=stage.now, wish=Wish(), seen_at=stage.now)
    state = msgspec.structs.replace(
        stage.state,
        seekers={
            **stage.state.seekers,
            BEN: msgspec.structs.replace(seeker, session=session.id),
            **{
                MemberId(f"m_{number}"): msgspec.structs.replace(
                    seeker, member=MemberId(f"m_{number}"), proposal=proposal
                )
                for number in range(2)
            },
        },
        sessions={
            session.id: session,
            SessionId("s-9"): msgspec.structs.replace(session, id=SessionId("s-9")),
            SessionId("s-8"): msgspec.structs.replace(
                session, id=SessionId("s-8"), ended_at=stage.now, forget_at=stage.now
            ),
        },
        listeners={LEO: msgspec.structs.replace(stage.state.listeners[LEO], owes=session.id)},
    )
    found = check_invariants(state, late, RULES)
    assert found.shared_sessions == 2
    assert found.double_seekers == 1
    assert found.over_cap == 1
    assert found.in_pause == 1
    assert found.double_proposals == 1
    assert found.orphans == 4
    assert found.late_proposals == 2
    assert found.stale == 1
    assert found.broken == 13


def test_an_audit_sees_a_listener_idle_while_somebody_waits() -> None:
    stage = Stage(LEO)
    stage.ask(ANNA)
    anna = msgspec.structs.replace(stage.state.seekers[ANNA], proposal=None)
    state = msgspec.structs.replace(stage.state, seekers={ANNA: anna})
    found = check_invariants(state, Millis(stage.now + 2_500), RULES)
    assert (found.idle, found.idle_ms, found.broken) == (1, 2_500, 0)


# ------------------------------------------------------------------------------------------------ cost


def test_a_command_on_a_full_queue_costs_little() -> None:
    """56,000 lines of code, which take a millisecond: `python -m bench.cpu_bounds` measures that."""
    stage = full_queue()
    ask = on_floor.Ask(name="", wish=Wish(), avoid=frozenset(), is_open=True)
    decided = lines_run(lambda: decide_and_apply_due(stage.state, ask, MemberId("m_new"), stage.now, RULES))
    assert decided < 100_000
