"""Who hides whom in a split: they are kept apart, whatever ties they have."""

from __future__ import annotations

import itertools
from random import Random

import pytest

from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.splitting import Tie, plan
from tests.domain.costly import crowd_with_haters
from tests.kit.work import lines_run

Pair = tuple[MemberId, MemberId]


def member(number: int) -> MemberId:
    return MemberId(f"m_{number:04}")


PEOPLE = [member(number) for number in range(24)]


def meeting(groups: tuple[tuple[MemberId, ...], ...], apart: list[Pair]) -> list[Pair]:
    """Those pairs that are in one group all the same."""
    return [(one, other) for one, other in apart if any(one in group and other in group for group in groups)]


@pytest.mark.parametrize("swapped", [False, True])
def test_forty_reactions_of_one_side_keep_nobody_with_who_hides_them(swapped: bool) -> None:
    victim, stalker = member(3), member(4)
    ties = [Tie(stalker, victim)] * 40
    assert any(victim in group and stalker in group for group in plan(PEOPLE, ties, [], 2)), (
        "the ties hold them together"
    )
    pair = (stalker, victim) if swapped else (victim, stalker)
    groups = plan(PEOPLE, ties, [], 2, [pair])
    assert meeting(groups, [pair]) == []
    assert sorted(map(len, groups)) == [12, 12]


def test_friends_stay_with_the_one_who_hides() -> None:
    victim, stalker, friend = member(3), member(4), member(5)
    ties = [Tie(stalker, victim)] * 40 + [Tie(victim, friend)] * 3 + [Tie(stalker, friend)]
    groups = plan(PEOPLE, ties, [], 2, [(victim, stalker)])
    assert meeting(groups, [(victim, stalker)]) == []
    assert any(victim in group and friend in group for group in groups)


def test_newcomers_who_hide_each_other_are_apart_too() -> None:
    pair = (member(0), member(1))
    for parts in (2, 3, 4):
        assert meeting(plan(PEOPLE, [], PEOPLE, parts, [pair]), [pair]) == []


@pytest.mark.parametrize("seed", range(60))
def test_nobody_meets_whom_they_hide_where_groups_allow_it(seed: int) -> None:
    """Pairs of two colours can always be told apart into two groups; the rest is anybody's."""
    chance = Random(seed)
    left, right = PEOPLE[:10], PEOPLE[10:20]
    apart = [(chance.choice(left), chance.choice(right)) for _ in range(chance.randint(1, 5))]
    ties = [Tie(chance.choice(PEOPLE), chance.choice(PEOPLE)) for _ in range(chance.randint(0, 60))]
    groups = plan(PEOPLE, ties, chance.sample(PEOPLE, chance.randint(0, 12)), chance.choice([2, 3, 4]), apart)
    assert meeting(groups, apart) == []
    assert sorted(itertools.chain.from_iterable(groups)) == PEOPLE
    sizes = [len(group) for group in groups]
    assert max(sizes) - min(sizes) <= 1
    assert plan(reversed(PEOPLE), reversed(ties), [], len(groups), apart) == plan(
        PEOPLE, ties, [], len(groups), reversed(apart)
    ), "in whatever order it is told"


def test_whoever_hides_everybody_makes_no_split_slow() -> None:
    """1.5 million lines of code, 30 ms."""
    crowd, apart = crowd_with_haters()
    groups: list[tuple[MemberId, ...]] = []
    assert lines_run(lambda: groups.extend(plan(crowd, [], [], None, apart))) < 4_000_000
    assert sum(map(len, groups)) == len(crowd)
