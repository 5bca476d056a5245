"""What became of the escalations that screening made: how often a phrase, or a score of the model, was right.

Pure. It is told to operators in sums over weeks that are over, and only where the escalations of several people are in
a sum: one case must not be read from it. The reasons are in `docs/decisions/0213`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.measures import Outcome
from chatserver.domain.moderation.score_counts import WEEK, monday_of
from chatserver.domain.moderation.text_model import MODEL

FEWEST_PEOPLE: Final = 5
"""Different people whose words are in a sum that is told."""
WEEKS: Final = 12
MOST: Final = 5_000
"""Escalations that are counted, the newest ones first."""
BAND: Final = 20
"""Width of a band of scores, in hundredths."""


class ClosedEscalation(msgspec.Struct, frozen=True, kw_only=True):
    """An escalation that was closed: its note (the words, and on a second line the phrase), the model's score in
    hundredths, what came of it, and whose words they were."""

    note: str
    score: int | None
    outcome: Outcome
    about: MemberId | None


class OutcomeSum(msgspec.Struct, frozen=True, kw_only=True):
    """Of so many escalations, so many were closed as nothing. `phrase` is a line of a list; or the escalations are the
    model's, with scores from `low` up to before `high`; or, without either, they are those of other phrases."""

    nothing: int
    of: int
    phrase: str = ""
    low: float | None = None
    high: float | None = None


class ScreeningOutcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What is told: phrases, the ones first that were closed as nothing most; bands of scores, the lowest first; and
    all other phrases together, where enough people's words are in them."""

    phrases: tuple[OutcomeSum, ...]
    bands: tuple[OutcomeSum, ...]
    others: OutcomeSum | None = None


def span(now: Millis) -> tuple[Millis, Millis]:
    """Return from which Monday up to before which one outcomes are told at a time."""
    monday = monday_of(now)
    return Millis(monday - WEEKS * WEEK), Millis(monday)


class _Sum:
    def __init__(self) -> None:
        self.nothing = 0
        self.of = 0
        self.people: set[MemberId | None] = set()

    def add(self, each: ClosedEscalation) -> None:
        self.nothing += each.outcome is Outcome.NOTHING
        self.of += 1
        self.people.add(each.about)

    @property
    def is_told(self) -> bool:
        return len(self.people) >= FEWEST_PEOPLE


def outcomes(closed: Iterable[ClosedEscalation]) -> ScreeningOutcomes:
    """Return what is told of closed escalations."""
    phrases: dict[str, _Sum] = {}
    bands: dict[int, _Sum] = {}
    kept = [each for each in closed if _phrase(each.note)]
    for each in kept:
        phrase = _phrase(each.note)
        if not phrase.startswith(MODEL):
            phrases.setdefault(phrase, _Sum()).add(each)
        elif each.score is not None:
            bands.setdefault(each.score // BAND, _Sum()).add(each)
    others = _Sum()
    for each in kept:
        found = phrases.get(_phrase(each.note))
        if found is not None and not found.is_told:
            others.add(each)
    told = [
        OutcomeSum(phrase=phrase, nothing=found.nothing, of=found.of)
        for phrase, found in phrases.items()
        if found.is_told
    ]
    return ScreeningOutcomes(
        phrases=tuple(sorted(told, key=lambda each: (-each.nothing / each.of, -each.of, each.phrase))),
        bands=tuple(
            OutcomeSum(low=band * BAND / 100, high=(band + 1) * BAND / 100, nothing=found.nothing, of=found.of)
            for band, found in sorted(bands.items())
            if found.is_told
        ),
        others=OutcomeSum(nothing=others.nothing, of=others.of) if others.is_told else None,
    )


def _phrase(note: str) -> str:
    """Return the phrase of a note; nothing where the words are erased, or no phrase fired."""
    _, _, phrase = note.partition("\n")
    return phrase.split("\n")[0]
