"""The markers of the load's posts."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bench.markers import LENGTH, marker_of, read_marker, sender_of


@pytest.mark.parametrize(("sender", "number"), [(0, 0), (3, 12), (9_999, 99_999_999), (1_111, 22_222_222)])
def test_marker_names_a_post_and_looks_like_a_word(sender: int, number: int) -> None:
    marker = marker_of(sender_of(sender), number)
    assert read_marker(marker) == (sender_of(sender), number)
    assert len(marker) == LENGTH
    assert marker.isalpha()
    assert all(one != other for one, other in pairwise(marker))


def test_markers_differ() -> None:
    markers = {marker_of(sender_of(sender), number) for sender in range(120) for number in range(120)}
    assert len(markers) == 120 * 120


@pytest.mark.parametrize("text", ["", "words", "b" * LENGTH, "B" * LENGTH])
def test_other_words_are_no_markers(text: str) -> None:
    with pytest.raises(ValueError):
        read_marker(text)
