"""Who meets whom, in which order, and what those who wait are told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chatserver.domain.history import Millis
from chatserver.domain.listening import commands as on_floor
from chatserver.domain.listening.matching import WHY, estimate, may_meet, next_proposals, place, queue, rank, why
from chatserver.domain.listening.state import Listener, ListeningState, Need, Profile, Seeker, Trait, Wish
from tests.domain.listening_kit import ANNA, BEN, CARA, LEO, LIV, LOU, MINUTE, RULES, SECOND, START, Stage


def seeker(**wish: Any) -> Seeker:
    return Seeker(member=ANNA, name="Anna", asked_at=START, wish=Wish(**wish), seen_at=START)


def listener(**profile: Any) -> Listener:
    return Listener(member=LEO, name="Leo", profile=Profile(**profile))


@pytest.mark.parametrize(
    ("wish", "profile", "expected"),
    [
        ({}, {}, True),
        ({"language": "pt"}, {}, False),
        ({"language": "pt-BR"}, {"languages": ("en", "pt")}, True),
        ({"language": "EN"}, {"languages": ("en-gb",)}, True),
        ({"not_with": ("grief",)}, {"lived": ("grief",)}, False),
        ({"not_with": ("over_60",)}, {"traits": (Trait.OVER_60,)}, False),
        ({"not_with": ("over_60",)}, {"traits": (Trait.UNDER_25,)}, True),
        ({"topics": ("grief", "sleep")}, {"not_topics": ("sleep",)}, False),
        ({"topics": ("grief",)}, {"not_topics": ("sleep",)}, True),
        ({"need": Need.THINK}, {"needs": (Need.LISTEN,)}, False),
        ({}, {"needs": (Need.LISTEN,)}, True),
        ({"minutes": 60}, {"most_minutes": 30}, False),
        ({"minutes": 30}, {"most_minutes": 30}, True),
        ({}, {"most_minutes": 30}, True),
        ({"member": LIV, "only": True}, {}, False),
        ({"member": LEO, "only": True}, {}, True),
        ({"member": LIV}, {}, True),
    ],
)
def test_both_sides_may_rule_somebody_out(wish: dict[str, Any], profile: dict[str, Any], expected: bool) -> None:
    assert may_meet(seeker(**wish), listener(**profile)) is expected


def test_those_who_blocked_each_other_never_meet() -> None:
    assert not may_meet(msgspec.structs.replace(seeker(), avoid=frozenset({LEO})), listener())


def test_nobody_meets_themselves() -> None:
    assert not may_meet(msgspec.structs.replace(seeker(), member=LEO), listener())


def test_come_back_words_go_before_wishes_before_topics_before_who_has_been_free_longest() -> None:
    anna = seeker(member=LEO, rather_with=("25_to_40",), topics=("sleep",))
    wanted = listener()
    rather = msgspec.structs.replace(listener(traits=(Trait.FROM_25_TO_40,)), member=LIV)
    knows = msgspec.structs.replace(listener(lived=("sleep",)), member=LOU)
    longest = msgspec.structs.replace(listener(), member=CARA, since=Millis(1))
    latest = msgspec.structs.replace(listener(), member=BEN, since=Millis(2))
    expected = [wanted, rather, knows, longest, latest]
    assert sorted([latest, knows, longest, wanted, rather], key=lambda each: rank(anna, each)) == expected


def test_every_pairing_explains_itself() -> None:
    anna = seeker(member=LEO, rather_with=("grief",), topics=("sleep",))
    reasons = why(anna, listener(lived=("grief", "sleep")))
    assert reasons == ("waited_longest", "came_back", "rather_with", "lived")
    assert why(msgspec.structs.replace(seeker(), is_first=True), listener()) == ("lost_listener", "free_longest")
    assert set(reasons) <= WHY.keys()


def test_who_lost_a_listener_goes_first_then_who_asked_first() -> None:
    people = [
        Seeker(member=member, name="", asked_at=Millis(asked), wish=Wish(), seen_at=START, is_first=first)
        for member, asked, first in [(ANNA, 5, False), (BEN, 9, True), (CARA, 5, False)]
    ]
    state = ListeningState(seekers={each.member: each for each in people})
    assert [each.member for each in queue(state)] == [BEN, ANNA, CARA]
    assert [place(state, member) for member in (BEN, ANNA, CARA, LEO)] == [1, 2, 3, None]


def test_the_oldest_eligible_is_served_first_when_a_listener_is_free() -> None:
    stage = Stage()
    stage.ask(ANNA, language="pt")
    stage.wait(SECOND)
    stage.ask(BEN)
    stage.wait(SECOND)
    stage.ask(CARA)
    stage.hire(LEO)
    assert [stage.asked_about(member) for member in (ANNA, BEN, CARA)] == [None, LEO, None]


def test_one_listener_is_asked_at_a_time_and_then_the_next() -> None:
    stage = Stage(LEO, LIV)
    stage.ask(ANNA)
    first = stage.asked_about(ANNA)
    stage.wait(RULES.proposal - SECOND)
    assert stage.asked_about(ANNA) == first
    stage.wait(SECOND)
    assert {first, stage.asked_about(ANNA)} == {LEO, LIV}


def test_the_only_listener_is_not_asked_again_at_once() -> None:
    stage = Stage(LEO)
    stage.ask(ANNA)
    stage.do(LEO, on_floor.Decline(seeker=ANNA))
    assert stage.asked_about(ANNA) is None
    stage.wait(RULES.ask_again - SECOND)
    assert stage.asked_about(ANNA) is None
    stage.wait(SECOND)
    assert stage.asked_about(ANNA) == LEO


def test_who_declined_is_asked_about_the_next_in_the_queue_at_once() -> None:
    stage = Stage(LEO)
    stage.ask(ANNA)
    stage.ask(BEN)
    stage.do(LEO, on_floor.Decline(seeker=ANNA))
    assert stage.asked_about(BEN) == LEO


def test_who_is_not_connected_keeps_the_place_and_is_passed_over() -> None:
    stage = Stage()
    stage.ask(ANNA)
    stage.wait(SECOND)
    stage.ask(BEN)
    stage.away.add(ANNA)
    stage.wait(RULES.reachable)
    stage.hire(LEO)
    assert (stage.asked_about(ANNA), stage.asked_about(BEN), place(stage.state, ANNA)) == (None, LEO, 1)


def test_the_same_queue_gives_the_same_proposals_in_whatever_order_it_was_loaded() -> None:
    stage = Stage()
    for member in (ANNA, BEN, CARA):
        stage.ask(member)
    state = stage.state
    for member in (LEO, LIV):
        stage.hire(member)
    people = {**state.seekers}
    listeners = {**stage.state.listeners}
    one = ListeningState(seekers=people, listeners=listeners)
    other = ListeningState(seekers=dict(reversed(people.items())), listeners=dict(reversed(listeners.items())))
    assert next_proposals(one, stage.now, RULES) == next_proposals(other, stage.now, RULES)
    assert len(next_proposals(one, stage.now, RULES)) == 2


def with_waits(stage: Stage, *waits: tuple[int, int]) -> ListeningState:
    pairs = tuple((Millis(stage.now - asked), Millis(stage.now - met)) for asked, met in waits)
    return msgspec.structs.replace(stage.state, waits=pairs)


def test_nobody_can_tell_from_two_hand_overs_or_when_nobody_listens() -> None:
    stage = Stage(LEO)
    stage.meet(BEN)
    stage.ask(ANNA)
    few = with_waits(stage, (9 * MINUTE, 6 * MINUTE), (5 * MINUTE, 3 * MINUTE))
    assert estimate(few, ANNA, stage.now, RULES) == (None, 2)
    enough = with_waits(stage, (9 * MINUTE, 6 * MINUTE), (5 * MINUTE, 3 * MINUTE), (2 * MINUTE, 0))
    assert estimate(enough, ANNA, stage.now, RULES)[0] is not None
    nobody = msgspec.structs.replace(enough, listeners={})
    assert estimate(nobody, ANNA, stage.now, RULES) == (None, 3)


def test_the_estimate_counts_those_ahead_and_grows_when_hand_overs_stop() -> None:
    stage = Stage(LEO, cap=1)
    stage.meet(BEN)
    stage.ask(ANNA)
    stage.wait(SECOND)
    stage.ask(CARA)
    state = with_waits(stage, (20 * MINUTE, 10 * MINUTE), (15 * MINUTE, 5 * MINUTE), (9 * MINUTE, 0))
    assert estimate(state, ANNA, stage.now, RULES) == (300, 3)
    assert estimate(state, CARA, stage.now, RULES) == (600, 3)
    later = Millis(stage.now + 10 * SECOND)
    assert estimate(state, ANNA, later, RULES) == (305, 3)
    assert estimate(state, ANNA, Millis(stage.now - 20 * MINUTE), RULES)[0] == 0


@pytest.mark.parametrize(
    ("wish", "profile"),
    [
        ({"member": LEO, "only": True}, {}),
        ({"language": "tlh"}, {}),
        ({"topics": ("grief",)}, {"not_topics": ("grief",)}),
        ({"not_with": ("over_60",)}, {"traits": (Trait.OVER_60,)}),
    ],
)
def test_nobody_can_tell_those_whom_the_pace_of_others_says_nothing_about(
    wish: dict[str, Any], profile: dict[str, Any]
) -> None:
    stage = Stage(LEO, **profile)
    stage.ask(ANNA, **wish)
    stage.ask(BEN)
    state = with_waits(stage, (9 * MINUTE, 6 * MINUTE), (5 * MINUTE, 3 * MINUTE), (2 * MINUTE, 0))
    assert estimate(state, ANNA, stage.now, RULES) == (None, 3)
    assert estimate(state, BEN, stage.now, RULES)[0] is not None


def test_nobody_can_tell_who_is_kept_apart_from_everybody_here() -> None:
    stage = Stage(LEO)
    stage.hire(LIV, languages=("pt",))
    stage.ask(ANNA, avoid=frozenset({LEO}))
    waits = ((9 * MINUTE, 6 * MINUTE), (5 * MINUTE, 3 * MINUTE), (2 * MINUTE, 0))
    assert estimate(with_waits(stage, *waits), ANNA, stage.now, RULES) == (None, 3)
    stage.hire(LOU)
    assert estimate(with_waits(stage, *waits), ANNA, stage.now, RULES)[0] is not None
    stage.away.add(LOU)
    stage.wait(RULES.reachable)
    assert estimate(with_waits(stage, *waits), ANNA, stage.now, RULES) == (None, 3)


def test_old_hand_overs_tell_nothing() -> None:
    stage = Stage(LEO)
    stage.ask(ANNA)
    state = with_waits(stage, *[(RULES.waits_kept + MINUTE, RULES.waits_kept)] * 5)
    assert estimate(state, ANNA, stage.now, RULES) == (None, 0)
