"""What screening finds, at what cost: recall at a stated load, precision at a stated share of posts that need a human.

Pure. A share of posts that are found says little without the share of ordinary posts that are marked for it (the load),
and precision says little without how many posts need a human at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import Final

import msgspec

from chatserver.domain.moderation.crisis_phrases import ESCALATED, Words
from chatserver.domain.moderation.model_training import Example
from chatserver.domain.moderation.text_model import TextModel

BASE_RATES: Final = (0.01, 0.02, 0.05, 0.10)
"""Shares of posts that need a human, at which precision is stated."""
ANYTHING: Final = "anything"
URGENT: Final = "urgent"
NOTHING: Final = "- (must not ring)"
LISTS: Final = "lists"
MODEL: Final = "model"
BOTH: Final = "lists or model"
MARKED: Final = (50, 15)
"""Of 1,000 ordinary texts, how many reach level 1 and level 2 with the thresholds of a file."""
NEVER: Final = float("inf")
"""A score that no text has."""
LOADS: Final = (0.010, 0.015, 0.024, 0.050)
"""Shares of ordinary texts that may be marked, at which recall is stated."""
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


Found = dict[tuple[float, str, str], Rate]
"""What is found, by load, by what was meant, and by what finds it."""


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


def heard(words: Words, model: TextModel, text: str) -> Heard:
    """Return how a text is judged."""
    return Heard(is_marked(words, text), model.read(text).score)


def is_marked(words: Words, text: str) -> bool:
    """Return whether the lists mark a text for a human."""
    return any(signal.level >= ESCALATED for signal in words.screen(text))


def found_by(words: Words, model: TextModel, own: Sequence[Example], calm: Sequence[str]) -> Found:
    """Return what is found of sentences, by load, by what they mean, and by what finds it."""
    on_calm = [heard(words, model, text) for text in calm]
    groups: dict[str, list[Heard]] = {ANYTHING: [], URGENT: []}
    for example in own:
        each = heard(words, model, example.text)
        names = [NOTHING] if example.category is None else [ANYTHING, example.category.value]
        for name in [*names, *([URGENT] if example.is_urgent else [])]:
            groups.setdefault(name, []).append(each)
    found: Found = {}
    for load_ in LOADS:
        alone = score_at_load(on_calm, load_, with_lists=False)
        both = score_at_load(on_calm, load_, with_lists=True)
        for name, some in groups.items():
            found[(load_, name, LISTS)] = marked(some, NEVER, with_lists=True)
            found[(load_, name, MODEL)] = marked(some, alone, with_lists=False)
            found[(load_, name, BOTH)] = marked(some, both, with_lists=True)
    return found


def table(found: Found) -> Iterator[str]:
    """Say what was found, with its intervals, and the precision that follows."""
    for load_ in LOADS:
        yield f"at {load_:.1%} of ordinary talk ({LISTS} | {MODEL} | {BOTH}):"
        for name in dict.fromkeys(key[1] for key in found):
            yield f"  {name:<20}" + " | ".join(str(found[(load_, name, row)]) for row in (LISTS, MODEL, BOTH))
        recall = found[(load_, ANYTHING, BOTH)].value
        rates = ", ".join(f"{precision(recall, load_, base):.2f} at {base:.0%}" for base in BASE_RATES)
        yield f"  precision of both, by the share of posts that need a human: {rates}"
