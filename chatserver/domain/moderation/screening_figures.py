"""What screening finds, at what cost: recall at a stated load, precision at a stated share of posts that need a human.

Pure. A share of posts that are found says little without the share of ordinary posts that are marked for it (the load),
and precision says little without how many posts need a human at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final

import msgspec

BASE_RATES: Final = (0.01, 0.02, 0.05, 0.10)
"""Shares of posts that need a human, at which precision is stated."""
_Z: Final = 1.96
"""Standard deviations of a confidence of 95 %."""


class Rate(msgspec.Struct, frozen=True):
    """How many of how many."""

    found: int
    of: int

    @property
    def value(self) -> float:
        return self.found / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Return the confidence interval of 95 % (Wilson 1927)."""
        if not self.of:
            return 0.0, 1.0
        share, n = self.value, self.of
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        reach = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n * n))
        return max(0.0, middle - reach), min(1.0, middle + reach)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.2f} ({low:.2f}-{high:.2f}, {self.found} of {self.of})"


class Heard(msgspec.Struct, frozen=True):
    """One text as both judge it: whether the lists mark it for a human, and the model's score."""

    by_lists: bool
    score: float


def score_at_load(ordinary: Sequence[Heard], load: float, *, with_lists: bool) -> float:
    """Return the score from which the model marks, so that at most this share of ordinary texts is marked: by it alone,
    or by it or the lists. It is infinite where the lists alone mark as much or more."""
    by_lists = sum(each.by_lists for each in ordinary) if with_lists else 0
    allowed = int(load * len(ordinary) + 1e-9) - by_lists
    if allowed < 0:
        return float("inf")
    scores = sorted((each.score for each in ordinary if not (with_lists and each.by_lists)), reverse=True)
    return scores[allowed] + 1e-6 if allowed < len(scores) else float("-inf")


def marked(texts: Sequence[Heard], score: float, *, with_lists: bool) -> Rate:
    """Return how many texts are marked, by the model from a score on, or by it or the lists."""
    return Rate(sum(each.score >= score or (with_lists and each.by_lists) for each in texts), len(texts))


def precision(recall: float, load: float, base_rate: float) -> float:
    """Return which share of what is marked needs a human, where `base_rate` of all posts do."""
    right, wrong = recall * base_rate, load * (1 - base_rate)
    return right / (right + wrong) if right + wrong else 0.0
