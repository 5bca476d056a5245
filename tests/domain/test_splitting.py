"""Splitting a room: companions together, everything else even, and always the same."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.splitting import HUMAN_SIZE, Tie, parts_for, plan

PEOPLE = [MemberId(f"m_{n:02}") for n in range(40)]


def ties(*pairs: tuple[int, int]) -> list[Tie]:
    return [Tie(PEOPLE[one], PEOPLE[other]) for one, other in pairs]


def test_companions_stay_together() -> None:
    circles = [(0, 5, 9), (1, 6, 11), (2, 7, 8), (3, 4, 10)]
    known = ties(*(pair for a, b, c in circles for pair in ((a, b), (b, c))))
    groups = plan(PEOPLE[:12], known, (), 2)
    assert [len(group) for group in groups] == [6, 6]
    for circle in circles:
        assert any({PEOPLE[n] for n in circle} <= set(group) for group in groups)


def test_a_circle_too_large_for_one_room_is_cut_where_it_hangs_together_least() -> None:
    within = [(a, b) for half in (range(6), range(6, 12)) for a in half for b in half if a < b]
    groups = plan(PEOPLE[:12], ties(*within, (0, 6)), (), 2)
    assert {frozenset(group) for group in groups} == {frozenset(PEOPLE[:6]), frozenset(PEOPLE[6:12])}


def test_newcomers_are_spread_evenly() -> None:
    new = PEOPLE[10:20]
    groups = plan(PEOPLE[:20], ties(*((0, n) for n in range(1, 10))), new, 2)
    counts = [sum(who in new for who in group) for group in groups]
    assert sum(counts) == 10
    assert [len(group) for group in groups] == [10, 10]
    groups = plan(PEOPLE[:24], (), PEOPLE[12:24], 3)
    assert [sum(who in PEOPLE[12:24] for who in group) for group in groups] == [4, 4, 4]


def test_the_group_with_most_in_common_stays() -> None:
    groups = plan(PEOPLE[:8], ties((4, 5), (5, 6), (6, 7)), (), 2)
    assert set(groups[0]) == set(PEOPLE[4:8])


@pytest.mark.parametrize(("people", "parts"), [(4, 2), (HUMAN_SIZE + 1, 2), (HUMAN_SIZE * 2 + 1, 3)])
def test_rooms_are_of_human_size(people: int, parts: int) -> None:
    assert parts_for(people, None) == parts


@pytest.mark.parametrize(("people", "parts"), [(0, None), (3, None), (5, 3)])
def test_too_few_are_not_split(people: int, parts: int | None) -> None:
    with pytest.raises(Refusal) as refusal:
        plan(PEOPLE[:people], (), (), parts)
    assert refusal.value.reason is Reason.TOO_FEW


pairs = st.tuples(st.integers(0, 39), st.integers(0, 39))


@given(
    count=st.integers(4, 40),
    known=st.lists(pairs, max_size=80),
    new=st.sets(st.integers(0, 39)),
    parts=st.none() | st.integers(2, 20),
    seed=st.integers(),
)
def test_everybody_has_one_place_and_order_does_not_matter(
    count: int, known: list[tuple[int, int]], new: set[int], parts: int | None, seed: int
) -> None:
    if parts is not None and count < parts * 2:
        parts = None
    people, newcomers, met = PEOPLE[:count], [PEOPLE[n] for n in new], ties(*known)
    groups = plan(people, met, newcomers, parts)
    assert Counter(who for group in groups for who in group) == Counter(people)
    sizes = [len(group) for group in groups]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 2
    chance = random.Random(seed)
    shuffled, turned = [*people], [Tie(tie.other, tie.one) for tie in met]
    chance.shuffle(shuffled)
    chance.shuffle(turned)
    assert plan(shuffled, turned, reversed(newcomers), parts) == groups
