"""The exchange: who is paired with whom, what is fair after somebody left, and what a state never breaks."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.exchange import decide as d
from chatserver.domain.exchange import practice
from chatserver.domain.exchange.pairing import broken, hears_first
from chatserver.domain.exchange.state import (
    DAY,
    GRACE,
    HOUR,
    MINUTE,
    OFFER,
    OWES,
    PAUSE,
    PLACES,
    Participant,
    Pool,
    Waiting,
    Wish,
    expires_at,
    is_debtor,
    is_favoured,
    pruned,
)
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.pairs import open_pair
from chatserver.domain.meetings.state import Ending, Gone, Meeting, MeetingId, Stage

START = Millis(1_700_000_000_000)
WREN, ROBIN, FINCH, TERN = (MemberId(f"m_{name}") for name in ("wren", "robin", "finch", "tern"))
NOBODY = MemberId("")


class Line:
    """An exchange, its meetings, and a clock. Everybody has practised and is seen unless they are in `away`."""

    def __init__(self, *people: MemberId) -> None:
        self.now = START
        self.pool = Pool(people={each: Participant(member=each, practised_at=START) for each in people})
        self.meetings: dict[MeetingId, Meeting] = {}
        self.apart: dict[MemberId, frozenset[MemberId]] = {}
        self.busy: frozenset[MemberId] = frozenset()
        self.is_off = False
        self.away: set[MemberId] = set()
        self.opened: list[d.OpenExchange] = []
        self._seeds = random.Random(1)

    def do(self, who: MemberId, command: d.ExchangeAction) -> Participant:
        self.see()
        seed = str(self._seeds.random())
        facts = d.Facts(meetings=self.meetings, apart=self.apart, busy=self.busy, seed=seed, is_off=self.is_off)
        decided = d.decide(self.pool, command, who, self.now, facts)
        again = d.decide(decided.pool, d.ApplyDue(), NOBODY, self.now, self.facts_after(decided))
        assert again.pool == decided.pool, "what is due twice changes nothing"
        self.pool = decided.pool
        for each in decided.opened:
            meeting = open_pair(
                each.id, each.names, each.minutes, each.seed, self.now, hears_first=each.hears_first
            ).meeting
            assert meeting is not None
            self.meetings[each.id] = meeting
            self.opened.append(each)
        assert broken(self.pool, self.now) == []
        return self.who(who)

    def facts_after(self, decided: d.Decided) -> d.Facts:
        live = {
            each.id: open_pair(each.id, each.names, each.minutes, each.seed, self.now).meeting
            for each in decided.opened
        }
        known = {id_: meeting for id_, meeting in live.items() if meeting is not None}
        return d.Facts(meetings={**self.meetings, **known}, apart=self.apart, busy=self.busy, is_off=self.is_off)

    def see(self) -> None:
        people = {
            id_: each if id_ in self.away else replace(each, seen_at=self.now) for id_, each in self.pool.people.items()
        }
        self.pool = replace(self.pool, people=people)

    def who(self, member: MemberId) -> Participant:
        return self.pool.people.get(member) or Participant(member=member)

    def wait(self, span: int) -> None:
        self.now = Millis(self.now + span)
        self.do(NOBODY, d.ApplyDue())

    def join(self, who: MemberId, **wish: object) -> Participant:
        return self.do(who, d.Join(name=who, wish=Wish(**wish)))  # type: ignore[arg-type]

    def refusal(self, who: MemberId, command: d.ExchangeAction) -> Reason:
        with pytest.raises(Refusal) as refused:
            self.do(who, command)
        return refused.value.reason

    def say_yes(self, *people: MemberId) -> MeetingId:
        found = MeetingId("")
        for each in people:
            offer = self.who(each).offer
            assert offer is not None
            found = offer.id
            self.do(each, d.AnswerOffer(id=found, yes=True))
        return found

    def begun(self, one: MemberId = WREN, other: MemberId = ROBIN) -> MeetingId:
        self.join(one)
        self.join(other)
        return self.say_yes(one, other)

    def end(self, meeting: MeetingId, gone: Gone | None = None) -> None:
        """End a meeting: by its script with both heard, or because somebody left."""
        found = self.meetings[meeting]
        had = frozenset(found.people) if gone is None else found.had
        self.meetings[meeting] = replace(
            found,
            stage=Stage.ENDED,
            ended_at=self.now,
            had=had,
            gone=gone,
            ending=Ending.SCRIPT if gone is None else Ending.LEFT,
        )
        self.do(NOBODY, d.ApplyDue())


def test_whoever_has_not_practised_is_not_paired() -> None:
    line = Line()
    assert line.refusal(WREN, d.Join(name="Wren", wish=Wish())) is Reason.NOT_PRACTISED
    assert practice.check([each.right for each in practice.SCENES]) == ()
    assert practice.check([]) == (0, 1, 2, 3)
    line.do(WREN, d.Practise())
    assert line.join(WREN).waiting is not None


def test_two_people_are_offered_each_other_and_the_shorter_wish_counts() -> None:
    line = Line(WREN, ROBIN)
    line.join(WREN, minutes=15, topics=("sleep", "grief"))
    line.join(ROBIN, minutes=8, topics=("grief",))
    mine, theirs = line.who(WREN).offer, line.who(ROBIN).offer
    assert mine is not None
    assert theirs is not None
    assert (mine.id, mine.minutes, mine.why) == (theirs.id, 8, ("grief",))
    line.say_yes(WREN)
    assert not line.opened, "one yes is none"
    line.say_yes(ROBIN)
    (opened,) = line.opened
    assert opened.names.keys() == {WREN, ROBIN}
    assert line.who(WREN).waiting is None
    assert line.who(WREN).offer is None


@pytest.mark.parametrize(
    ("mine", "theirs", "meet"),
    [
        ({}, {}, True),
        ({"language": "de"}, {}, False),
        ({"heavy": 3}, {"heavy": 3}, True),
        ({"heavy": 5}, {"heavy": 1}, True),
        ({"heavy": 4}, {"heavy": 2}, True),
        ({"heavy": 4}, {"heavy": 3}, False),
        ({"heavy": 5}, {}, False),
        ({"heavy": 5}, {"heavy": 5}, False),
    ],
)
def test_two_people_in_a_hard_place_or_without_a_language_are_not_paired(
    mine: dict[str, object], theirs: dict[str, object], meet: bool
) -> None:
    line = Line(WREN, ROBIN)
    line.join(WREN, **mine)
    line.join(ROBIN, **theirs)
    assert (line.who(WREN).offer is not None) is meet


def test_the_oldest_is_paired_first_and_a_shared_topic_is_preferred() -> None:
    line = Line(WREN, ROBIN, FINCH, TERN)
    line.apart = {FINCH: frozenset({TERN}), TERN: frozenset({FINCH})}
    line.join(WREN, heavy=5, topics=("sleep",))
    line.wait(1_000)
    line.join(ROBIN, heavy=5)
    line.away = {WREN, ROBIN}
    line.wait(MINUTE)
    line.join(FINCH, heavy=1)
    line.join(TERN, heavy=1, topics=("sleep",))
    line.away = set()
    line.wait(1_000)
    assert {(who, offer.other) for who in (WREN, ROBIN) if (offer := line.who(who).offer)} == {
        (WREN, TERN),
        (ROBIN, FINCH),
    }


def test_who_blocks_whom_is_never_paired_also_while_they_are_asked() -> None:
    line = Line(WREN, ROBIN)
    line.apart = {WREN: frozenset({ROBIN}), ROBIN: frozenset({WREN})}
    line.join(WREN)
    line.join(ROBIN)
    assert line.who(WREN).offer is None
    line = Line(WREN, ROBIN)
    line.join(WREN)
    line.join(ROBIN)
    line.apart = {WREN: frozenset({ROBIN}), ROBIN: frozenset({WREN})}
    offer = line.who(WREN).offer
    assert offer is not None
    assert line.refusal(WREN, d.AnswerOffer(id=offer.id, yes=True)) is Reason.OFFER_GONE


def test_a_record_names_only_those_it_avoids_who_wait_too() -> None:
    line = Line(WREN, ROBIN)
    line.apart = {WREN: frozenset({ROBIN}), ROBIN: frozenset({WREN})}
    assert (mine := line.join(WREN).waiting) is not None
    assert not mine.avoid
    line.join(ROBIN)
    assert (mine := line.who(WREN).waiting) is not None
    assert mine.avoid == {ROBIN}
    line.do(ROBIN, d.Leave())
    assert (mine := line.who(WREN).waiting) is not None
    assert not mine.avoid


def test_the_same_two_meet_again_within_a_day_only_if_both_want_it() -> None:
    for wanted in (False, True):
        line = Line(WREN, ROBIN)
        meeting = line.begun()
        line.end(meeting)
        line.do(WREN, d.SayAfterwards(meeting=meeting, again=True))
        line.do(ROBIN, d.SayAfterwards(meeting=meeting, again=wanted, heard=2))
        line.wait(PAUSE)
        line.join(WREN)
        line.join(ROBIN)
        assert (line.who(WREN).offer is not None) is wanted


def test_an_offer_lapses_after_a_minute_and_a_second_pass_leaves_the_line() -> None:
    line = Line(WREN, ROBIN, FINCH)
    line.join(WREN)
    line.wait(1_000)
    line.join(ROBIN)
    line.say_yes(WREN)
    line.wait(OFFER)
    assert line.who(WREN).offer is line.who(ROBIN).offer is None
    mine, theirs = line.who(WREN).waiting, line.who(ROBIN).waiting
    assert mine is not None
    assert theirs is not None
    assert (mine.passes, theirs.passes) == (0, 1)
    line.join(FINCH)
    offer = line.who(WREN).offer
    assert offer is not None
    assert offer.other == FINCH
    line.do(WREN, d.AnswerOffer(id=offer.id, yes=False))
    theirs_now = line.who(ROBIN).offer
    assert theirs_now is not None
    line.do(ROBIN, d.AnswerOffer(id=theirs_now.id, yes=False))
    assert line.who(ROBIN).waiting is None
    assert line.who(FINCH).waiting is not None


def test_whoever_is_gone_for_three_minutes_waits_no_more() -> None:
    line = Line(WREN)
    line.join(WREN)
    line.away = {WREN}
    line.wait(GRACE)
    assert line.who(WREN).waiting is None


def test_whoever_waits_for_a_listener_or_talks_with_one_is_in_no_exchange() -> None:
    line = Line(WREN, ROBIN)
    line.join(WREN)
    line.join(ROBIN)
    line.busy = frozenset({WREN})
    line.wait(1_000)
    assert line.who(WREN).waiting is None
    assert line.who(ROBIN).waiting is not None
    assert line.refusal(WREN, d.Join(name="Wren", wish=Wish())) is Reason.IN_SESSION


def test_where_it_was_turned_off_nobody_waits_and_what_goes_on_ends() -> None:
    line = Line(WREN, ROBIN, FINCH, TERN)
    meeting = line.begun()
    line.join(FINCH)
    line.join(TERN)
    line.is_off = True
    line.wait(1_000)
    for who in (FINCH, TERN):
        assert (line.who(who).waiting, line.who(who).offer) == (None, None)
    line.end(meeting)
    assert line.do(WREN, d.SayAfterwards(meeting=meeting, heard=1)).running is None


def test_two_a_day_and_a_quarter_of_an_hour_between() -> None:
    line = Line(WREN, ROBIN, FINCH)
    line.end(line.begun())
    assert line.refusal(WREN, d.Join(name="Wren", wish=Wish())) is Reason.EXCHANGES_USED
    line.wait(PAUSE)
    line.end(line.begun(WREN, FINCH))
    line.wait(HOUR)
    assert line.refusal(WREN, d.Join(name="Wren", wish=Wish())) is Reason.EXCHANGES_USED
    line.wait(DAY)
    assert line.join(WREN).waiting is not None


def test_whoever_leaves_after_their_own_turn_listens_first_next_time() -> None:
    line = Line(WREN, ROBIN, FINCH)
    meeting = line.begun()
    line.end(meeting, Gone(member=WREN, had_turn=True, other_had_turn=False))
    assert is_debtor(line.who(WREN), line.now)
    assert is_favoured(line.who(ROBIN), line.now)
    after = line.who(ROBIN).after
    assert after is not None
    assert after.how == "was_left"
    line.join(ROBIN)
    line.wait(PAUSE)
    line.begun(WREN, FINCH) if line.who(FINCH).waiting else line.join(FINCH)
    line.say_yes(*(who for who in (ROBIN, FINCH) if line.who(who).offer is not None))
    assert line.opened[-1].hears_first == FINCH, "who was left begins"
    line.wait(OWES)
    assert not is_debtor(line.who(WREN), line.now)


def test_the_debt_is_paid_by_listening_and_not_by_leaving_again() -> None:
    line = Line(WREN, ROBIN, FINCH, TERN)
    line.end(line.begun(), Gone(member=WREN, had_turn=True, other_had_turn=False))
    line.wait(PAUSE)
    second = line.begun(WREN, FINCH)
    assert line.opened[-1].hears_first == WREN
    line.end(second, Gone(member=WREN, had_turn=False, other_had_turn=False))
    assert is_debtor(line.who(WREN), line.now)
    line.wait(DAY)
    third = line.begun(WREN, TERN)
    line.end(third)
    assert not is_debtor(line.who(WREN), line.now)


def test_two_who_both_listen_first_are_not_paired() -> None:
    one, other = (Participant(member=who, hears_first_until=Millis(START + HOUR)) for who in (WREN, ROBIN))
    assert hears_first(one, replace(other, hears_first_until=None), START) == WREN
    line = Line()
    line.pool = Pool(people={each.member: replace(each, practised_at=START) for each in (one, other)})
    line.join(WREN)
    line.join(ROBIN)
    assert line.who(WREN).offer is None


def test_one_address_takes_only_three_places() -> None:
    line = Line(WREN, ROBIN, FINCH, TERN)
    for number, who in enumerate((WREN, ROBIN, FINCH)):
        line.do(who, d.Join(name=who, wish=Wish(language=str(number)), networks=("n",)))
    asked = d.Join(name="Tern", wish=Wish(language="9"), networks=("n",))
    assert line.refusal(TERN, asked) is Reason.PLACES_USED
    assert line.do(TERN, replace(asked, allowance=2)).waiting is not None


def test_the_line_has_an_end() -> None:
    people = [MemberId(f"m_{number}") for number in range(PLACES + 1)]
    line = Line(*people)
    waiting = Waiting(name="Wren", asked_at=START, wish=Wish(heavy=5))
    line.pool = Pool(
        people={id_: replace(each, waiting=waiting) for id_, each in [*line.pool.people.items()][:PLACES]}
        | {people[-1]: line.who(people[-1])}
    )
    assert line.refusal(people[-1], d.Join(name="Tern", wish=Wish(heavy=1))) is Reason.PLACES_USED
    line.do(people[0], d.Leave())
    assert line.join(people[-1], heavy=1).offer is not None, "whoever is in front is found somebody at the end"


def test_a_record_forgets_what_is_over_and_names_nobody_who_is_erased() -> None:
    line = Line(WREN, ROBIN, FINCH)
    line.end(line.begun())
    left = d.forget(line.pool.people, WREN)
    assert WREN not in left
    assert WREN not in repr(left)
    who = line.who(ROBIN)
    assert expires_at(who) is not None
    over = pruned(who, Millis(line.now + DAY))
    assert over == Participant(member=ROBIN, seen_at=who.seen_at, practised_at=START)
    assert expires_at(over) is None


@pytest.mark.parametrize("seed", range(20))
def test_no_evening_breaks_a_promise(seed: int) -> None:
    chance = random.Random(seed)
    people = [MemberId(f"m_{number}") for number in range(8)]
    line = Line(*people)
    for _ in range(150):
        who = chance.choice(people)
        act = chance.randrange(7)
        try:
            if act == 0:
                line.join(who, heavy=chance.choice([None, 1, 3, 4, 5]), minutes=chance.choice([8, 12, 15]))
            elif act == 1:
                line.do(who, d.Leave())
            elif act in (2, 3) and (offer := line.who(who).offer) is not None:
                line.do(who, d.AnswerOffer(id=offer.id, yes=act == 2 or chance.random() < 0.5))
            elif act == 4 and (running := line.who(who).running) is not None:
                had = chance.random() < 0.5
                line.end(
                    running.meeting,
                    chance.choice([None, Gone(member=who, had_turn=had, other_had_turn=not had)]),
                )
            elif act == 5:
                other = chance.choice(people)
                line.apart = {who: frozenset({other}), other: frozenset({who})}
            line.wait(chance.choice([1_000, MINUTE, PAUSE]))
        except Refusal:
            pass
    for each in line.opened:
        assert len(each.names) == 2
