"""What an operator was shown of a split is what is done, or it is said that things have changed."""

from __future__ import annotations

from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import RoomId
from chatserver.handlers.operating.split_plans import KEPT_SECONDS, MOST_PLANS, SplitPlans

ROOM = RoomId("sleep")
ANNA, BEN, CARO, DAN, ELI, FAY = (MemberId(name) for name in ("anna", "ben", "caro", "dan", "eli", "fay"))
GROUPS = ((ANNA, BEN), (CARO, DAN))
THERE = [ANNA, BEN, CARO, DAN]


def test_a_plan_is_done_as_it_was_shown() -> None:
    plans = SplitPlans()
    name = plans.keep(ROOM, GROUPS, 0.0)
    assert plans.groups(name, ROOM, THERE, 1.0) == GROUPS
    assert plans.groups(name, ROOM, reversed_(THERE), 2.0) == GROUPS


def test_those_who_have_left_are_led_nowhere_and_one_who_came_stays() -> None:
    plans = SplitPlans()
    name = plans.keep(ROOM, GROUPS, 0.0)
    assert plans.groups(name, ROOM, [ANNA, CARO, DAN], 1.0) == ((ANNA,), (CARO, DAN))
    assert plans.groups(name, ROOM, [*THERE, ELI], 1.0) == GROUPS


def test_another_room_than_was_shown_is_not_split() -> None:
    plans = SplitPlans()
    name = plans.keep(ROOM, GROUPS, 0.0)
    assert plans.groups(name, ROOM, [ANNA, BEN], 1.0) == ()
    assert plans.groups(name, ROOM, [*THERE, ELI, FAY], 1.0) == ()
    assert plans.groups(name, RoomId("grief"), THERE, 1.0) == ()
    assert plans.groups("another worker's", ROOM, THERE, 1.0) == ()
    assert plans.groups(name, ROOM, THERE, KEPT_SECONDS) == ()


def test_the_oldest_plan_goes_first() -> None:
    plans = SplitPlans()
    names = [plans.keep(ROOM, GROUPS, float(number)) for number in range(MOST_PLANS + 1)]
    assert plans.groups(names[0], ROOM, THERE, 100.0) == ()
    assert all(plans.groups(name, ROOM, THERE, 100.0) == GROUPS for name in names[1:])


def reversed_(people: list[MemberId]) -> list[MemberId]:
    return people[::-1]
