"""The levels of the model's scores: how they follow what is written, in which steps, and how far."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest

from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.counted_authors import MOST, REMEMBERED, CountedAuthors
from chatserver.domain.moderation.score_counts import (
    BINS,
    LOWEST,
    STEP,
    WEEK,
    Counts,
    bin_of,
    counts_of,
    load_at,
    monday_of,
    score_at,
    score_of,
    summed,
)
from chatserver.domain.moderation.screening_levels import (
    AT_ONCE,
    DOWN,
    FEWEST,
    OF_ROOM,
    UP,
    Levels,
    Loads,
    Model,
    ScreeningLevels,
    in_room,
    levels_in_use,
    moved,
    require_levels,
    require_loads,
    since,
)

MONDAY = Millis(1_699_833_600_000)
MODEL = Model(name="one", levels=Levels(0.1, 0.3))


def _spread(middle: float, posts: int, width: float = 0.2) -> Counts:
    """Return the counts of scores that lie around one, always the same."""
    drawn = random.Random(7)
    return counts_of((bin_of(drawn.gauss(middle, width)), 1) for _ in range(posts))


def test_every_score_has_a_step_and_a_step_begins_at_its_score() -> None:
    assert [bin_of(score_of(place)) for place in range(BINS)] == [*range(BINS)]
    assert bin_of(0.3) == bin_of(0.3 + STEP / 2)
    assert (bin_of(-9.0), bin_of(9.0)) == (0, BINS - 1)


@pytest.mark.parametrize("load", [0, 5, 15, 50, 150])
def test_no_more_posts_than_asked_reach_the_score_and_one_step_lower_would_be_too_low(load: int) -> None:
    counts = _spread(-0.3, 5_000)
    score = score_at(counts, load)
    marked = load_at(counts, score)
    assert marked is not None
    assert marked <= load
    lower = load_at(counts, score - STEP)
    assert lower is not None
    assert lower > load


def test_without_posts_there_is_no_load() -> None:
    assert load_at([0] * BINS, 0.3) is None
    assert score_at([0] * BINS, 15) == LOWEST


def test_a_week_begins_on_monday_in_utc_and_four_of_them_count() -> None:
    assert monday_of(MONDAY) == monday_of(MONDAY + WEEK - 1) == MONDAY
    assert monday_of(MONDAY - 1) == MONDAY - WEEK
    assert since(Millis(MONDAY + 5)) == MONDAY - 4 * WEEK


def test_levels_move_towards_the_load_by_no_more_than_a_step_a_week() -> None:
    state, counts = ScreeningLevels(), {"sleep": _spread(0.0, 10_000)}
    seen = []
    for week in range(8):
        state = moved(state, MODEL, counts, Millis(MONDAY + week * WEEK)).after
        assert state.levels is not None
        seen.append(state.levels.second)
    assert seen[0] == pytest.approx(0.3 + AT_ONCE)
    assert all(abs(after - before) <= AT_ONCE + 1e-9 for before, after in itertools.pairwise(seen))
    assert seen[-1] == seen[-2]
    load = load_at(counts["sleep"], seen[-1])
    assert load is not None
    assert 12 <= load <= 15


def test_levels_never_leave_their_bounds_whatever_is_written() -> None:
    for middle, bound in ((1.3, 0.3 + UP), (-0.95, 0.3 - DOWN)):
        state, counts = ScreeningLevels(), {"sleep": _spread(middle, 10_000, 0.01)}
        for week in range(20):
            state = moved(state, MODEL, counts, Millis(MONDAY + week * WEEK)).after
        assert state.levels is not None
        assert state.levels.second == pytest.approx(bound)
        assert state.levels.first < state.levels.second


def test_a_person_who_sets_the_loads_does_not_wait_for_weeks() -> None:
    counts = {"sleep": _spread(0.0, 10_000)}
    after = moved(ScreeningLevels(loads=Loads(100, 30)), MODEL, counts, MONDAY, at_once=True).after
    assert after.levels is not None
    load = load_at(counts["sleep"], after.levels.second)
    assert load is not None
    assert 25 <= load <= 30


def test_few_posts_move_nothing_and_neither_does_a_small_difference() -> None:
    few = moved(ScreeningLevels(), MODEL, {"sleep": _spread(0.0, FEWEST - 1)}, MONDAY)
    assert few.said == ()
    assert levels_in_use(few.after, MODEL) == MODEL.levels
    assert few.after.week == MONDAY
    counts = {"sleep": _spread(-0.3, 10_000)}
    near = msgspec.structs.replace(
        MODEL, levels=Levels(score_at(counts["sleep"], 50) + 0.01, score_at(counts["sleep"], 15) - 0.01)
    )
    assert moved(ScreeningLevels(), near, counts, MONDAY).said == ()


def test_levels_set_by_hand_stay_also_with_another_model() -> None:
    state = ScreeningLevels(is_by_hand=True, levels=Levels(0.2, 0.5), model="one")
    after = moved(state, MODEL, {"sleep": _spread(0.0, 10_000)}, MONDAY)
    assert after.said == ()
    other = msgspec.structs.replace(MODEL, name="two")
    assert levels_in_use(after.after, other) == Levels(0.2, 0.5)
    assert in_room(after.after, other, "sleep") == Levels(0.2, 0.5)


def test_levels_that_followed_one_model_are_not_those_of_another() -> None:
    state = ScreeningLevels(levels=Levels(0.2, 0.5), rooms={"sleep": 0.04}, model="one")
    other = Model(name="two", levels=Levels(0.0, 0.2))
    assert in_room(state, MODEL, "sleep") == Levels(0.24, 0.54)
    assert in_room(state, other, "sleep") == Levels(0.0, 0.2)


def test_a_room_whose_talk_is_near_the_edge_has_higher_levels_and_another_lower_ones() -> None:
    counts = {"addiction": _spread(0.1, 4_000), "parents": _spread(-0.4, 4_000), "new": _spread(0.5, 10)}
    after = moved(ScreeningLevels(), MODEL, counts, MONDAY).after
    assert 0 < after.rooms["addiction"] <= OF_ROOM
    assert -OF_ROOM <= after.rooms["parents"] < 0
    assert "new" not in after.rooms, "a few posts say nothing of a room"


def test_every_change_is_said_and_the_revision_rises_only_with_one() -> None:
    counts = {"addiction": _spread(0.1, 4_000), "parents": _spread(-0.4, 4_000)}
    first = moved(ScreeningLevels(), MODEL, counts, MONDAY)
    assert [said.split(":")[0] for said in first.said] == ["level 1", "level 2", "in addiction", "in parents"]
    assert first.after.revision == 1
    state = first.after
    for week in range(1, 9):
        state = moved(state, MODEL, counts, Millis(MONDAY + week * WEEK)).after
    calm = moved(state, MODEL, counts, Millis(MONDAY + 9 * WEEK))
    assert calm.said == ()
    assert calm.after.revision == state.revision


def test_sums_are_the_same_in_any_order() -> None:
    one, other = _spread(0.1, 50), _spread(0.4, 70)
    assert summed([one, other]) == summed([other, one])
    assert sum(summed([one, other])) == 120


@pytest.mark.parametrize("loads", [Loads(4, 2), Loads(151, 15), Loads(50, 1), Loads(50, 51), Loads(10, 15)])
def test_loads_out_of_bounds_are_refused(loads: Loads) -> None:
    with pytest.raises(Refusal):
        require_loads(loads)


@pytest.mark.parametrize("levels", [Levels(0.3, 0.3), Levels(0.3, 0.2), Levels(-0.6, 0.2), Levels(0.2, 1.4)])
def test_levels_that_cannot_be_are_refused(levels: Levels) -> None:
    with pytest.raises(Refusal):
        require_levels(levels)
    require_levels(Levels(0.26, 0.3))
    require_loads(Loads(15, 15))


def test_one_person_counts_only_so_often_within_an_hour() -> None:
    authors, ada = CountedAuthors(), MemberId("m_ada")
    assert sum(authors.count(ada, 1_000 + at) for at in range(200)) == MOST
    assert authors.count(MemberId("m_bo"), 1_000)
    assert authors.count(ada, 1_000 + 3_600_000)
    authors.forget(ada)
    assert authors.count(ada, 1_000)


def test_no_more_people_are_remembered_than_there_is_room_for() -> None:
    authors = CountedAuthors()
    for at in range(REMEMBERED + 10):
        authors.count(MemberId(f"m_{at}"), at)
    assert len(authors._seen) == REMEMBERED
