"""What a model finds of test sentences, by the score from which it marks: so that a threshold can be put into words.

Pure. The sentences are by authors of whom the model had seen nothing when it scored them.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chatserver.domain.moderation.score_counts import Counts, bin_of, counts_of


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of test sentences, counted by step: those that need a human, of these the urgent ones, and those near them
    that need none. `inputs` is the hash of what the model was made from that they belong to."""

    inputs: str
    needed: tuple[int, ...]
    urgent: tuple[int, ...]
    near: tuple[int, ...]

    def found(self, score: float) -> int:
        """Return how many of 100 sentences that need a human reach a score."""
        return _of_100(self.needed, score)

    def urgent_found(self, score: float) -> int:
        """Return how many of 100 urgent ones do."""
        return _of_100(self.urgent, score)

    def near_marked(self, score: float) -> int:
        """Return how many of 100 do that are near, and need nobody."""
        return _of_100(self.near, score)


def curve_of(inputs: str, needed: Sequence[float], urgent: Sequence[float], near: Sequence[float]) -> Curve:
    """Return the curve of scores."""
    return Curve(inputs=inputs, needed=_counted(needed), urgent=_counted(urgent), near=_counted(near))


def _counted(scores: Sequence[float]) -> tuple[int, ...]:
    counts: Counts = counts_of((bin_of(score), 1) for score in scores)
    return tuple(counts)


def _of_100(counts: Sequence[int], score: float) -> int:
    """Return how many of 100 reach a score. A step that it lies within does not count, so that no more is promised than
    is found."""
    total, first = sum(counts), bin_of(score - 1e-9) + 1
    return round(100 * sum(counts[first:]) / total) if total else 0
