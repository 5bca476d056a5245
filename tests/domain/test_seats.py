"""Seats in rooms: whose count, how many newcomers of one place a room takes, and who gives one up."""

from __future__ import annotations

import pytest

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.limits import Limits
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.domain.rooms.seats import giving_up, newcomer, newcomers_allowed, seated_elsewhere

HOUR = 3_600_000
NOW = Millis(1_700_000_000_000)


def room(id_: str, split_of: str | None = None) -> Room:
    return Room(id=RoomId(id_), name=id_, about="", split_of=None if split_of is None else RoomId(split_of))


def test_seats_of_the_same_family_and_of_rooms_that_are_no_more_do_not_count() -> None:
    rooms = {each.id: each for each in (room("a"), room("a-2", "a"), room("b"), room("c"))}
    seated = frozenset(RoomId(each) for each in ("a", "b", "gone"))
    assert [each.id for each in seated_elsewhere(rooms[RoomId("a-2")], rooms, seated)] == ["b"]
    assert len(seated_elsewhere(rooms[RoomId("c")], rooms, seated)) == 2


@pytest.mark.parametrize(
    ("capacity", "allowance", "expected"), [(50, 1, 12), (60, 1, 15), (4, 1, 3), (2, 1, 3), (50, 10, 120)]
)
def test_one_place_has_a_quarter_of_a_room_for_its_newcomers_and_at_least_three_seats(
    capacity: int, allowance: int, expected: int
) -> None:
    assert newcomers_allowed(capacity, allowance, Limits()) == expected


def test_a_guest_is_new_for_an_hour_and_only_where_somebody_knows_from_where() -> None:
    address = [b"\x01" * 12]
    found = newcomer(NOW, address, NOW)
    assert found == ("01" * 6, NOW + HOUR, ())
    assert newcomer(NOW, address, Millis(NOW + HOUR)) is None
    assert newcomer(NOW, [b""], NOW) is None
    assert newcomer(Millis(0), address, NOW) is None


def test_as_many_give_up_their_seats_as_there_are_too_many_and_everywhere_the_same() -> None:
    idle = [MemberId(each) for each in ("m_c", "m_a", "m_b")]
    assert giving_up(idle, here=50, capacity=50) == []
    assert giving_up(idle, here=52, capacity=50) == ["m_a", "m_b"] == giving_up(idle[::-1], here=52, capacity=50)
    assert giving_up(idle, here=60, capacity=50) == ["m_a", "m_b", "m_c"]
