"""How often moderators are rung."""

from __future__ import annotations

from chatserver.domain.moderation.paging import Bell
from chatserver.domain.moderation.report_queue import Ring

BOUND = 6


def test_words_that_come_at_once_are_one_ring() -> None:
    bell: Bell[int] = Bell(BOUND, 0.0)
    for n in range(72):
        bell.hold(Ring.WORDS, n)
    assert bell.due(0.0) == [(Ring.WORDS, 0, 71)]
    assert bell.due(0.0) == []


def test_calls_ring_one_by_one_and_the_last_stands_for_those_that_are_left() -> None:
    bell: Bell[int] = Bell(BOUND, 0.0)
    for n in range(20):
        bell.hold(Ring.CALL, n)
    assert [(rung.what, rung.more) for rung in bell.due(0.0)] == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 14)]


def test_no_kind_uses_up_the_rings_of_another() -> None:
    bell: Bell[str] = Bell(BOUND, 0.0)
    for n in range(100):
        bell.hold(Ring.WORDS, "words")
        bell.due(n / 100)
    bell.hold(Ring.CALL, "a call")
    bell.hold(Ring.DANGER, "danger")
    assert [(rung.kind, rung.what) for rung in bell.due(1.0)] == [(Ring.CALL, "a call"), (Ring.DANGER, "danger")]


def test_what_is_beyond_the_bound_rings_as_soon_as_it_may() -> None:
    bell: Bell[int] = Bell(BOUND, 0.0)
    rings = []
    for second in range(60):
        bell.hold(Ring.DANGER, second)
        rings += bell.due(float(second))
    assert len(rings) <= 2 * BOUND
    rings += bell.due(120.0)
    assert sum(1 + rung.more for rung in rings) == 60, "none is dropped"


def test_what_nobody_hears_is_not_kept() -> None:
    bell: Bell[int] = Bell(BOUND, 0.0)
    bell.hold(Ring.CALL, 1)
    bell.forget()
    assert bell.due(60.0) == []
