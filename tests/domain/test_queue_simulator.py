"""The flight simulator: a recorded run comes out as it was, and another policy as it would have been."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening import commands as on_floor
from chatserver.domain.listening.decide import apply_due, decide_and_apply_due, evolve_all
from chatserver.domain.listening.queue_history import GRAIN, Recorded, Span, Wait, WaitOutcome, noted, open_spans
from chatserver.domain.listening.queue_simulator import (
    FEWEST_ASKS,
    OutOfRange,
    Policy,
    Run,
    as_it_was,
    figures,
    replay,
    simulate,
    staffed,
)
from chatserver.domain.listening.state import ListeningRules, SessionId
from chatserver.domain.moderation.disclosure import SMALL
from tests.domain.listening_kit import ANNA, BEN, HOUR, LEO, MINUTE, RULES, SECOND, START, Stage

T = START // GRAIN * GRAIN


def moment(after: int) -> Millis:
    return Millis(T + after)


def met(asked: int, waited: int = 10 * SECOND, length: int = 30 * MINUTE) -> Wait:
    return Wait(moment(asked), moment(asked + waited), WaitOutcome.MET, length)


def left(asked: int, waited: int, outcome: WaitOutcome = WaitOutcome.WITHDRAWN) -> Wait:
    return Wait(moment(asked), moment(asked + waited), outcome, None)


def span(start: int, end: int, cap: int = 2) -> Span:
    return Span(moment(start), moment(end), cap)


def evening(asks: int, listeners: int, every: int = 2 * MINUTE, length: int = 30 * MINUTE) -> Recorded:
    """Somebody asks now and then; listeners are there throughout."""
    hours = asks * every + 3 * HOUR
    return Recorded(
        tuple(met(number * every, length=length) for number in range(asks)), tuple([span(0, hours)] * listeners)
    )


class Recorder(Stage):
    """A floor that is lived through in steps of five seconds, with listeners who answer by themselves, and recorded."""

    def __init__(self, seed: int, rules: ListeningRules = RULES) -> None:
        self.waits: list[Wait] = []
        self.spans: list[Span] = []
        self.random = random.Random(seed)
        super().__init__(rules=rules)

    def do(self, who: MemberId, command: on_floor.ListeningAction) -> SessionId | None:
        decided = decide_and_apply_due(self.state, command, who, self.now, self.rules)
        self._keep(decided)
        return decided.session

    def _keep(self, decided: on_floor.Decided) -> None:
        for each in noted(self.state, decided.events, self.now):
            if isinstance(each, Wait):
                self.waits.append(each)
            else:
                self.spans.append(each)
        self.state = evolve_all(self.state, decided.events)

    def live(self, listeners: int, asks: int, within: int) -> Recorded:
        """People ask at any moment, talk for 10 to 40 minutes, and give up after a quarter of an hour."""
        for number in range(listeners):
            self.hire(MemberId(f"m_listener{number}"))
        began = self.now
        coming = sorted(self.random.randrange(within) for _ in range(asks))
        ends: dict[SessionId, int] = {}
        lengths = [self.random.randrange(10 * MINUTE, 40 * MINUTE) for _ in range(asks)]
        came = 0
        while coming or self.state.seekers:
            while coming and began + coming[0] <= self.now:
                coming.pop(0)
                self.ask(MemberId(f"m_seeker{came}"))
                came += 1
            self.see()
            for seeker in [*self.state.seekers.values()]:
                if seeker.proposal is not None and self.now - seeker.proposal.made_at >= 8 * SECOND:
                    session = self.accept(seeker.proposal.listener, seeker.member)
                    ends[session] = self.now + lengths[len(ends)]
                elif seeker.session is None and self.now - seeker.asked_at >= 15 * MINUTE:
                    self.do(seeker.member, on_floor.GiveUpPlace())
            for session, at in [*ends.items()]:
                if at <= self.now:
                    found = self.state.sessions.get(session)
                    if found is not None and found.is_live:
                        self.do(found.seeker, on_floor.EndSession(session=session))
                    ends[session] = self.now + 10**9
            for listener in [*self.state.listeners]:
                self.do(listener, on_floor.StillHere())
            self._keep(apply_due(self.state, self.now, self.rules))
            self.now = Millis(self.now + 5 * SECOND)
        return Recorded(tuple(self.waits), (*self.spans, *open_spans(self.state, self.now)))


# ------------------------------------------------------------------------------------------------ what is recorded


def test_a_wait_that_led_to_a_session_is_noted_when_that_is_over() -> None:
    stage = Recorder(0)
    stage.hire(LEO)
    stage.now = Millis(stage.now + 12 * SECOND)
    stage.ask(ANNA)
    asked = stage.now
    stage.now = Millis(stage.now + 20 * SECOND)
    session = stage.accept(LEO, ANNA)
    assert stage.waits == []
    stage.now = Millis(stage.now + 7 * MINUTE)
    stage.do(ANNA, on_floor.EndSession(session=session))
    (wait,) = stage.waits
    assert (wait.outcome, wait.length) == (WaitOutcome.MET, 7 * MINUTE)
    assert abs(wait.asked_at - asked) <= GRAIN // 2
    assert wait.ended_at - wait.asked_at == 20 * SECOND
    assert all(at % GRAIN == 0 for at in (wait.asked_at, wait.ended_at))


def test_who_gives_up_and_who_vanishes_is_noted_as_that() -> None:
    stage = Recorder(0)
    stage.ask(ANNA)
    stage.ask(BEN)
    stage.now = Millis(stage.now + MINUTE)
    stage.do(ANNA, on_floor.GiveUpPlace())
    stage.now = Millis(stage.now + RULES.grace)
    stage.do(BEN, on_floor.ApplyDue())
    assert [wait.outcome for wait in stage.waits] == [WaitOutcome.WITHDRAWN], "the place can still be taken back"
    stage.now = Millis(stage.now + RULES.grace)
    stage.do(BEN, on_floor.ApplyDue())
    assert [wait.outcome for wait in stage.waits] == [WaitOutcome.WITHDRAWN, WaitOutcome.LAPSED]
    assert [wait.ended_at - wait.asked_at for wait in stage.waits] == [MINUTE, MINUTE + RULES.grace]


def test_who_lost_their_listener_is_one_ask() -> None:
    stage = Recorder(0)
    stage.hire(LEO)
    stage.ask(ANNA)
    stage.accept(LEO, ANNA)
    stage.now = Millis(stage.now + MINUTE)
    stage.do(LEO, on_floor.Dismiss(member=LEO, is_erased=False))
    stage.do(ANNA, on_floor.GiveUpPlace())
    assert [wait.outcome for wait in stage.waits] == [WaitOutcome.MET]


def test_a_span_lasts_from_wanting_to_no_more_and_one_that_goes_on_until_now() -> None:
    stage = Recorder(0)
    stage.hire(LEO, cap=3)
    stage.now = Millis(stage.now + 5 * MINUTE)
    (going_on,) = open_spans(stage.state, stage.now)
    stage.do(LEO, on_floor.SetAvailable(on=False))
    (over,) = stage.spans
    assert over == going_on
    assert (over.end - over.start, over.cap) == (5 * MINUTE, 3)
    assert open_spans(stage.state, stage.now) == []


# ------------------------------------------------------------------------------------------------ as it was


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("listeners", [2, 3, 6])
def test_a_recorded_run_comes_out_as_it_was(seed: int, listeners: int) -> None:
    """Within what `docs/operating.md` states: a minute at the median, three at nine in ten, six in a hundred of those
    who left."""
    recorded = Recorder(seed).live(listeners, 60, 4 * HOUR)
    assert len(recorded.waits) == 60
    was, again = as_it_was(recorded), replay(recorded, Policy(), RULES)
    for part, within in ((0.5, MINUTE), (0.9, 3 * MINUTE)):
        one, other = (sorted(wait for wait in run.waits if wait is not None) for run in (was, again))
        assert abs(one[int(part * len(one)) - 1] - other[int(part * len(other)) - 1]) <= within
    assert abs(was.waits.count(None) - again.waits.count(None)) <= 0.06 * 60 + 1


def test_the_same_seed_gives_the_same_and_the_record_is_no_longer_in_order() -> None:
    recorded = Recorder(4).live(2, 40, 3 * HOUR)
    shuffled = Recorded(tuple(random.Random(1).sample(recorded.waits, 40)), recorded.spans[::-1])
    policy = Policy(listeners=1)
    assert simulate(recorded, policy, RULES, 7) == simulate(shuffled, policy, RULES, 7)


# ------------------------------------------------------------------------------------------------ as it would be


def test_one_more_listener_helps_a_starved_queue() -> None:
    recorded = evening(60, listeners=3)
    simulation = simulate(recorded, Policy(listeners=1), RULES)
    assert simulation is not None
    assert simulation.replayed.half is not None
    assert simulation.imagined.half is not None
    assert simulation.imagined.half < simulation.replayed.half


def test_fewer_listeners_than_there_were_leave_nobody_met() -> None:
    run = replay(evening(30, listeners=2), Policy(listeners=-2), RULES)
    assert run.waits == (None,) * 30
    assert run.there == 0
    told = figures(run)
    assert (told.half, told.busy, told.left, told.soon.bound) == (None, None, None, "under")


def test_a_shorter_limit_ends_sessions_sooner_and_a_longer_one_only_those_that_reached_it() -> None:
    full = evening(30, listeners=30, every=MINUTE, length=RULES.length)
    short = evening(30, listeners=30, every=MINUTE, length=20 * MINUTE)
    for recorded, length, expected in (
        (full, 30 * MINUTE, 30 * MINUTE),
        (full, 60 * MINUTE, 60 * MINUTE),
        (short, 60 * MINUTE, 20 * MINUTE),
        (short, 15 * MINUTE, 15 * MINUTE),
    ):
        assert replay(recorded, Policy(length=length), RULES).taken == 30 * expected


def test_a_replay_in_which_everybody_is_asked_in_vain_is_given_up() -> None:
    with pytest.raises(OutOfRange, match="takes too long"):
        replay(evening(10, 1), Policy(proposal=1 * SECOND), RULES)


def test_a_shorter_deadline_lets_slow_answers_pass() -> None:
    """Drawn between 5 and 15 seconds here: all in time for the usual deadline, half for one of ten seconds."""
    recorded = evening(40, listeners=20)
    usual, short = (
        sum(each or 0 for each in replay(recorded, Policy(proposal=at), RULES).waits) for at in (None, 10_000)
    )
    assert usual < short


def test_one_at_a_time_lets_people_wait_longer() -> None:
    recorded = evening(40, listeners=4, every=4 * MINUTE)
    two, one = (replay(recorded, Policy(cap=cap), RULES) for cap in (2, 1))
    assert sum(each or 0 for each in one.waits) > sum(each or 0 for each in two.waits)


@settings(max_examples=60, deadline=None)
@given(
    people=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 120)), min_size=1, max_size=20),
    listeners=st.integers(1, 4),
    pause=st.integers(0, 30),
    shorter=st.integers(0, 30),
)
def test_a_shorter_pause_makes_nobody_wait_longer(
    people: list[tuple[int, int]], listeners: int, pause: int, shorter: int
) -> None:
    """True where listeners take one at a time and nobody gives up. Otherwise it is false of single people: whom a
    shorter pause lets meet somebody may take the place of another, who met them because the first had given up."""
    asked = [sum(gap for gap, _ in people[: number + 1]) * MINUTE for number in range(len(people))]
    waits = [met(at, 100 * HOUR, length * MINUTE) for at, (_, length) in zip(asked, people, strict=True)]
    recorded = Recorded(tuple(waits), tuple([span(0, 300 * HOUR, cap=1)] * listeners))
    rules = msgspec.structs.replace(RULES, sessions_a_day=10**6, sessions_a_week=10**6)
    longer, less = (replay(recorded, Policy(pause=each * MINUTE), rules).waits for each in (pause + shorter, pause))
    for before, after in zip(longer, less, strict=True):
        assert before is not None
        assert after is not None
        assert after <= before


def test_more_listeners_are_of_the_days_usual_kind() -> None:
    day = [span(0, HOUR), span(0, 2 * HOUR, cap=3), span(0, 9 * HOUR)]
    assert staffed(day, 1).count(day[1]) == 2
    assert staffed(day, -1) == [day[0], day[2]]
    assert staffed(day, -9) == []
    assert staffed([], 3) == []


# ------------------------------------------------------------------------------------------------ what is told


def test_of_too_few_nothing_is_told() -> None:
    assert simulate(evening(FEWEST_ASKS - 1, 2), Policy(), RULES) is None
    assert simulate(evening(FEWEST_ASKS, 2), Policy(), RULES) is not None


@given(
    waits=st.lists(st.one_of(st.none(), st.integers(0, HOUR)), min_size=FEWEST_ASKS, max_size=80).map(tuple),
)
def test_no_count_under_eleven_can_be_read(waits: tuple[int | None, ...]) -> None:
    told = figures(Run(waits, 0, 0))
    gone = waits.count(None)
    if min(gone, len(waits) - gone) < SMALL:
        assert told.left is None
    if len(waits) - gone < SMALL:
        assert (told.half, told.nine_in_ten, told.longest) == (None, None, None)
    soon = sum(wait is not None and wait <= 5 * MINUTE for wait in waits)
    if told.soon.bound == "is":
        assert min(soon, len(waits) - soon) >= SMALL
    else:
        # The bound is that of all small counts: it says nothing of which.
        assert (
            told.soon
            == figures(Run((0,) * len(waits) if told.soon.bound == "over" else (None,) * len(waits), 0, 0)).soon
        )
