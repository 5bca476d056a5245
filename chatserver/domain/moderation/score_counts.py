"""How the model's scores are spread over what is written here: counts by score, without any text or id.

Pure. A `Counts` has one number for each of `BINS` steps of the score. Scores beyond both ends are counted in the first
and in the last step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor
from typing import Final

BINS: Final = 120
LOWEST: Final = -1.0
"""The score at which the first step begins."""
STEP: Final = 0.02
WEEK: Final = 7 * 24 * 3_600_000
_FIRST_MONDAY: Final = 4 * 24 * 3_600_000
"""The epoch was a Thursday."""
OF: Final = 1_000
"""Loads are stated of so many posts."""

Counts = list[int]


def bin_of(score: float) -> int:
    """Return the step in which a score is counted."""
    # Floats: 0.3 / 0.02 is a little less than 15.
    return min(BINS - 1, max(0, floor((score - LOWEST) / STEP + 1e-9)))


def score_of(place: int) -> float:
    """Return the score at which a step begins."""
    return round(LOWEST + STEP * place, 2)


def monday_of(now: int) -> int:
    """Return when the week of a time began, in UTC."""
    return (now - _FIRST_MONDAY) // WEEK * WEEK + _FIRST_MONDAY


def counts_of(found: Iterable[tuple[int, int]]) -> Counts:
    """Return the counts of steps that are given with a number each."""
    counts = [0] * BINS
    for place, count in found:
        counts[min(BINS - 1, max(0, place))] += count
    return counts


def summed(some: Iterable[Sequence[int]]) -> Counts:
    """Return the sum of counts."""
    total = [0] * BINS
    for counts in some:
        for place, count in enumerate(counts):
            total[place] += count
    return total


def score_at(counts: Sequence[int], load: float) -> float:
    """Return the lowest score, where a step begins, that at most `load` of 1,000 posts reach."""
    allowed, above = load / OF * sum(counts), 0
    for place in range(BINS - 1, -1, -1):
        above += counts[place]
        if above > allowed:
            return score_of(place + 1)
    return LOWEST


def load_at(counts: Sequence[int], score: float) -> float | None:
    """Return how many of 1,000 posts reach a score; None where nothing was counted. A step that the score lies within
    counts whole, so that it is never less than it is."""
    total = sum(counts)
    return OF * sum(counts[bin_of(score) :]) / total if total else None
