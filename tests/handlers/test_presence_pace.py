"""How often a room is told who came and went."""

from __future__ import annotations

import pytest

from chatserver.handlers.rooms.presence_pace import PresencePace
from tests.delivery.test_presence import OTHER_ROOM, ROOM


@pytest.mark.parametrize(("here", "pause"), [(100, 0.2), (500, 1.0), (5_000, 1.0)])
def test_a_large_room_is_told_again_after_a_pause(here: int, pause: float) -> None:
    pace = PresencePace()
    assert pace.take_turn(ROOM, here, 0.0)
    assert not pace.take_turn(ROOM, here, pause - 0.01)
    assert pace.take_turn(OTHER_ROOM, here, pause - 0.01)
    assert pace.take_turn(ROOM, here, pause)
    assert not pace.take_turn(ROOM, here, pause + 0.01)


def test_a_small_room_is_told_whenever_it_is_asked() -> None:
    pace = PresencePace()
    assert all(pace.take_turn(ROOM, here, 0.0) for here in (1, 50, 1, 0))
