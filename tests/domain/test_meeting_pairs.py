"""A meeting of two people: equal time for each, a word on what one would like, and what it means that one leaves."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.commands import MeetingAction
from chatserver.domain.meetings.decide import decide, see
from chatserver.domain.meetings.groups import GroupEdit, GroupId, open_group
from chatserver.domain.meetings.options import may
from chatserver.domain.meetings.pairs import open_pair
from chatserver.domain.meetings.phases import voice_of
from chatserver.domain.meetings.state import MINUTE, SECOND, Contract, Ending, Form, Gone, Meeting, MeetingId, PhaseKind
from chatserver.domain.meetings.timers import next_due

START = Millis(1_700_000_000_000)
WREN, ROBIN, FINCH = (MemberId(f"m_{name}") for name in ("wren", "robin", "finch"))
NOBODY = MemberId("")


class Pair:
    """Two people in an exchange of eight minutes each, both seen unless they are in `away`."""

    def __init__(self, *, seed: str = "s", hears_first: MemberId | None = None, minutes: int = 8) -> None:
        self.now = START
        names = {WREN: "Wren", ROBIN: "Robin"}
        opened = open_pair(MeetingId("m--x"), names, minutes, seed, START, hears_first=hears_first)
        assert opened.meeting is not None
        self.state: Meeting = opened.meeting
        self.away: set[MemberId] = set()

    @property
    def kind(self) -> PhaseKind | None:
        return self.state.kind

    def do(self, who: MemberId, command: MeetingAction) -> None:
        after = decide(self.state, command, who, self.now).meeting
        assert after is not None
        self.state = after

    def refusal(self, who: MemberId, command: MeetingAction) -> Reason:
        with pytest.raises(Refusal) as refused:
            self.do(who, command)
        return refused.value.reason

    def wait(self, span: int) -> None:
        until = self.now + span
        while self.now < until:
            self.now = Millis(min(until, self.now + 5 * SECOND))
            here = self.state.people
            is_back = any(self.now - here[each].seen_at > MINUTE for each in here if each not in self.away)
            for each in (WREN, ROBIN):
                if each not in self.away:
                    self.state = see(self.state, each, self.now)
            before = self.state
            due = next_due(before)
            self.do(NOBODY, c.ApplyDue())
            is_due = due is not None and due <= self.now
            # Whoever sees somebody again says so: it is no moment that could be known before.
            assert self.state == before or is_due or is_back, "next_due knows of every change"

    def agree(self) -> MemberId:
        """Let both choose, and return who begins."""
        self.do(WREN, c.Choose(how=Contract.ASK))
        self.do(ROBIN, c.Choose(how=Contract.LISTEN))
        assert self.state.holder is not None
        return self.state.holder


def other(who: MemberId) -> MemberId:
    return ROBIN if who == WREN else WREN


@pytest.mark.parametrize("minutes", [8, 12, 15])
def test_both_have_the_same_time_with_a_minute_between_and_the_swap_comes_by_itself(minutes: int) -> None:
    pair = Pair(minutes=minutes)
    assert not pair.state.contracts
    assert voice_of(pair.state).who == "none"
    first = pair.agree()
    given: dict[MemberId, int] = {}
    breath = 0
    while pair.kind is PhaseKind.SHARE:
        if pair.state.turn is not None:
            given[pair.state.turn.holder] = pair.state.turn.ends_at - pair.state.turn.since
        else:
            breath += SECOND
            assert voice_of(pair.state).who == "none"
        pair.wait(SECOND)
    assert list(given) == [first, other(first)]
    assert given[WREN] == given[ROBIN] == minutes * MINUTE
    assert breath == MINUTE
    assert pair.kind is PhaseKind.CLOSING
    pair.wait(3 * MINUTE)
    assert (pair.state.ending, pair.state.gone) == (Ending.SCRIPT, None)


def test_the_other_may_write_short_lines_while_one_speaks() -> None:
    pair = Pair()
    first = pair.agree()
    voice = voice_of(pair.state)
    assert voice.some == (first,)
    assert (voice.aside_length, voice.aside_pace) == (140, 20)


def test_the_first_turn_begins_after_three_minutes_although_nobody_chose() -> None:
    pair = Pair()
    pair.wait(3 * MINUTE)
    assert pair.state.holder is not None
    assert pair.refusal(WREN, c.Choose(how=Contract.ASK)) is Reason.PHASE_OVER


def test_chance_draws_who_begins_and_it_can_be_given_to_the_other_once() -> None:
    assert {Pair(seed=str(number)).agree() for number in range(20)} == {WREN, ROBIN}
    pair = Pair()
    first = pair.agree()
    pair.do(first, c.Later())
    assert pair.state.holder == other(first)
    assert pair.refusal(other(first), c.Pass(on=True)) is Reason.NOT_ALLOWED


@pytest.mark.parametrize("seed", [str(number) for number in range(8)])
def test_who_hears_first_never_begins(seed: str) -> None:
    pair = Pair(seed=seed, hears_first=WREN)
    assert pair.agree() == ROBIN
    assert pair.refusal(ROBIN, c.Later()) is Reason.NOT_ALLOWED
    assert "later" not in may(pair.state, ROBIN, pair.now)
    pair.away = {ROBIN}
    pair.wait(2 * MINUTE)
    assert pair.state.holder is None, "nobody gets the first turn because the other's line dropped"
    pair.away = set()
    pair.wait(10 * SECOND)
    assert pair.state.holder == ROBIN


def test_leaving_ends_it_and_says_what_was_over() -> None:
    pair = Pair()
    first = pair.agree()
    pair.do(other(first), c.StepOut())
    assert pair.state.ending is Ending.LEFT
    assert pair.state.gone == Gone(member=other(first), had_turn=False, other_had_turn=False)
    pair = Pair()
    first = pair.agree()
    pair.do(first, c.Finish())
    pair.wait(MINUTE)
    assert pair.state.holder == other(first)
    pair.do(first, c.StepOut())
    assert pair.state.gone == Gone(member=first, had_turn=True, other_had_turn=False)


def test_leaving_once_both_have_spoken_is_noted_nowhere() -> None:
    pair = Pair()
    first = pair.agree()
    pair.do(first, c.Finish())
    pair.wait(MINUTE)
    pair.do(other(first), c.Finish())
    assert pair.kind is PhaseKind.CLOSING
    pair.do(first, c.StepOut())
    assert (pair.state.ending, pair.state.gone) == (Ending.LEFT, None)


def test_a_lost_turn_is_kept_and_three_minutes_without_a_connection_are_as_leaving() -> None:
    pair = Pair()
    first = pair.agree()
    pair.wait(MINUTE)
    pair.away = {first}
    pair.wait(90 * SECOND)
    assert pair.state.holder == other(first), "the other goes on meanwhile"
    pair.away = set()
    pair.wait(10 * SECOND)
    assert pair.state.is_live
    pair.away = {first}
    pair.wait(200 * SECOND)
    assert pair.state.ending is Ending.LEFT
    assert pair.state.gone is not None
    assert pair.state.gone.member == first


def test_an_outage_for_both_costs_neither_of_them_anything() -> None:
    pair = Pair()
    pair.agree()
    pair.wait(MINUTE)
    pair.away = {WREN, ROBIN}
    pair.wait(30 * MINUTE)
    assert pair.state.is_live
    pair.away = set()
    pair.wait(10 * SECOND)
    assert pair.state.turn is not None


def test_nobody_else_ever_comes_in_or_learns_of_it() -> None:
    pair = Pair()
    for command in (c.Enter(name="Finch", agreement=1), c.SignUp(name="Finch"), c.Choose(how=Contract.ASK)):
        assert pair.refusal(FINCH, command) is Reason.MEETING_UNKNOWN
    pair.do(WREN, c.StepOut())
    assert pair.refusal(WREN, c.Enter(name="Wren", agreement=1)) is Reason.MEETING_UNKNOWN


def test_a_member_who_is_erased_is_named_nowhere_and_the_other_is_let_go() -> None:
    pair = Pair(hears_first=WREN)
    pair.agree()
    pair.do(WREN, c.Dismiss())
    assert pair.state.ending is Ending.LEFT
    assert WREN not in repr(replace(pair.state, people={}))


def test_no_group_has_such_meetings() -> None:
    with pytest.raises(Refusal) as refused:
        open_group(GroupId("g-1"), WREN, Form.EXCHANGE, GroupEdit(name="Two", about="Two"))
    assert refused.value.reason is Reason.INVALID
