"""The figures of screening: intervals, loads and precision, against values worked out by hand."""

from __future__ import annotations

import pytest

from chatserver.domain.moderation.screening_figures import Heard, Rate, marked, precision, score_at_load

CALM = [Heard(by_lists=number == 0, score=number / 100) for number in range(100)]


@pytest.mark.parametrize(
    ("found", "of", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (0, 0, 0, 1)]
)
def test_intervals_are_those_of_wilson(found: int, of: int, low: float, high: float) -> None:
    assert Rate(found, of).interval == pytest.approx((low, high), abs=0.0001)


@pytest.mark.parametrize("load", [0.0, 0.01, 0.024, 0.05, 1.0])
@pytest.mark.parametrize("with_lists", [False, True])
def test_no_more_ordinary_texts_are_marked_than_the_load_allows(load: float, *, with_lists: bool) -> None:
    score = score_at_load(CALM, load, with_lists=with_lists)
    found = marked(CALM, score, with_lists=with_lists).found
    # One of the texts is marked by the lists, whatever the load.
    assert found == max(int(load * 100), int(with_lists))


def test_precision_follows_from_how_rare_it_is() -> None:
    assert precision(0.72, 0.015, 0.01) == pytest.approx(0.3265, abs=0.0001)
    assert precision(0.72, 0.015, 0.10) == pytest.approx(0.8421, abs=0.0001)
    assert precision(0.0, 0.0, 0.01) == 0.0
