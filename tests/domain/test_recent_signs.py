"""Weak signs of one person that add up within minutes."""

from __future__ import annotations

import pytest

from chatserver.domain.history import Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.recent_signs import (
    ENOUGH,
    FRESH,
    HALF_LIFE,
    LEAST,
    MOST,
    REMEMBERED,
    RecentSigns,
    weight_of,
)
from chatserver.domain.moderation.screening_levels import Levels
from chatserver.domain.rooms.rooms import RoomId

ADA, BO = MemberId("m_ada"), MemberId("m_bo")
SLEEP, GRIEF = RoomId("sleep"), RoomId("grief")
MINUTE = 60_000


def test_a_sign_counts_more_the_nearer_it_is_to_level_2() -> None:
    levels = Levels(0.1, 0.3)
    assert weight_of(0.1, levels) == LEAST
    assert weight_of(0.2, levels) == pytest.approx((LEAST + MOST) / 2)
    assert weight_of(0.3, levels) == pytest.approx(MOST)
    assert MOST < ENOUGH, "one alone is never enough"


def test_signs_of_one_person_in_one_room_add_up_and_are_used_up() -> None:
    signs = RecentSigns()
    found = [signs.add(ADA, SLEEP, Offset(at), 0.4, at * MINUTE) for at in range(1, 7)]
    assert found == [False, False, True, False, False, True]


def test_signs_of_others_and_in_other_rooms_are_apart() -> None:
    signs = RecentSigns()
    assert not signs.add(ADA, SLEEP, Offset(1), 0.8, 0)
    assert not signs.add(BO, SLEEP, Offset(2), 0.8, 0)
    assert not signs.add(ADA, GRIEF, Offset(3), 0.8, 0)
    assert signs.add(ADA, SLEEP, Offset(4), 0.8, 0)


def test_an_old_sign_counts_less_and_at_last_not_at_all() -> None:
    for later, is_enough in ((0, True), (HALF_LIFE // 4, True), (HALF_LIFE, False), (FRESH, False)):
        signs = RecentSigns()
        signs.add(ADA, SLEEP, Offset(1), 0.6, 0)
        assert signs.add(ADA, SLEEP, Offset(2), 0.6, later) is is_enough


def test_the_same_post_counts_once_however_often_it_is_changed_or_sent() -> None:
    signs = RecentSigns()
    assert not any(signs.add(ADA, SLEEP, Offset(5), 0.8, at) for at in range(10))
    assert not signs.add(ADA, SLEEP, Offset(4), 0.8, 0), "an older post that is changed"


def test_a_clock_that_goes_back_lets_nothing_grow() -> None:
    signs = RecentSigns()
    signs.add(ADA, SLEEP, Offset(1), 0.4, 10 * MINUTE)
    assert not signs.add(ADA, SLEEP, Offset(2), 0.4, 0)


def test_what_is_remembered_is_bounded_and_forgotten() -> None:
    signs = RecentSigns()
    for at in range(REMEMBERED + 5):
        signs.add(MemberId(f"m_{at}"), SLEEP, Offset(at + 1), 0.3, at)
    assert len(signs) == REMEMBERED
    signs.forget(MemberId("m_100"))
    assert len(signs) == REMEMBERED - 1
    signs.tidy(REMEMBERED + 5 + FRESH)
    assert len(signs) == 0
