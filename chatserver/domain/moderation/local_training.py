"""What the second look learns from the cases that moderators of this server have closed.

Pure. Their words are added to the sentences that the shipped model is made from, and everything is trained anew. The
result counts only if it finds about as much as the shipped model does, and marks about as little, in sentences by
authors of whom neither has seen anything. Decision 0216 has the reasons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.crisis_categories import Category
from chatserver.domain.moderation.crisis_phrases import Words
from chatserver.domain.moderation.model_training import Example
from chatserver.domain.moderation.screening_figures import (
    ANYTHING,
    MODEL,
    NOTHING,
    URGENT,
    Found,
    Rate,
    found_by,
)
from chatserver.domain.moderation.text_model import TextModel

MOST_CASES: Final = 5_000
FEWEST_CASES: Final = 20
"""With fewer, what is learnt would be one or two people's way of writing."""
MOST_OF_ONE: Final = 10
"""Cases of one person that are learnt from, so that nobody can teach the model by writing much."""
NOTHING_WEIGHT: Final = 3.0
"""How much a case that was closed as nothing counts against a shipped sentence, as ordinary talk does: it is what the
model is wrong about here."""
LOAD: Final = 0.015
"""The share of ordinary talk that is marked where models are compared."""
MAY_LOSE: Final = 0.02
"""How much less a new model may find than the shipped one, and how much more of what must not ring it may mark."""
_KEPT_OUT: Final = 5
"""One person of so many is learnt nothing from: what is found of theirs says what was learnt of people unseen."""


class ClosedCase(NamedTuple):
    """The words that raised an alert, what a moderator made of it (None: nothing), and whose they are."""

    text: str
    category: Category | None
    about: MemberId


class Sentences(msgspec.Struct, frozen=True):
    """What a model is made from and measured on: the examples, ordinary talk for its thresholds, and sentences by
    authors who are never trained on."""

    examples: tuple[Example, ...]
    ordinary: tuple[str, ...]
    checked: tuple[Example, ...]


class Lesson(NamedTuple):
    """What closed cases teach: what is trained on, and what is kept out to measure on."""

    examples: list[Example]
    kept_out: list[ClosedCase]
    people: int


def lesson_of(cases: Sequence[ClosedCase]) -> Lesson:
    """Return what these cases teach, the newest of each person first."""
    counts: Counter[MemberId] = Counter()
    seen: set[str] = set()
    examples: list[Example] = []
    kept_out: list[ClosedCase] = []
    for case in cases:
        key = " ".join(case.text.lower().split())
        if counts[case.about] == MOST_OF_ONE or key in seen:
            continue
        seen.add(key)
        counts[case.about] += 1
        if crc32(case.about.encode()) % _KEPT_OUT == 0:
            kept_out.append(case)
            continue
        weight = NOTHING_WEIGHT if case.category is None else 1.0
        examples.append(Example(text=case.text, category=case.category, weight=weight))
    return Lesson(examples, kept_out, len(counts))


class Figures(NamedTuple):
    """What a model finds of the sentences that are never trained on."""

    anything: Rate
    urgent: Rate
    must_not_ring: Rate


def figures(words: Words, model: TextModel, sentences: Sentences) -> Figures:
    """Return what a model alone finds when it marks `LOAD` of ordinary talk."""
    found: Found = found_by(words, model, sentences.checked, sentences.ordinary)
    none = Rate(0, 0)
    return Figures(*(found.get((LOAD, name, MODEL), none) for name in (ANYTHING, URGENT, NOTHING)))


def faults(shipped: Figures, new: Figures) -> list[str]:
    """Return why a new model is not good enough, in plain words; nothing if it is."""
    found = []
    for what, before, after in (
        ("of what needs a human", shipped.anything, new.anything),
        ("of what is urgent", shipped.urgent, new.urgent),
    ):
        if after.value < before.value - MAY_LOSE:
            found.append(f"it finds {after.value:.0%} {what}, and the shipped one {before.value:.0%}")
    before, after = shipped.must_not_ring, new.must_not_ring
    if after.value > before.value + MAY_LOSE:
        found.append(f"it marks {after.value:.0%} of what must not ring, and the shipped one {before.value:.0%}")
    return found


def said_of(lesson: Lesson) -> Iterator[str]:
    """Say what was learnt from."""
    wrong = sum(each.category is None for each in lesson.examples)
    yield (
        f"Learnt from {len(lesson.examples)} closed cases: {wrong} that moderators closed as nothing, "
        f"{len(lesson.examples) - wrong} that they acted on."
    )
    yield f"They and {len(lesson.kept_out)} cases that are kept out to measure on are of {lesson.people} people."


def changes(shipped: Figures, new: Figures) -> Iterator[str]:
    """Say what has changed in sentences that neither model was trained on."""
    yield f"In sentences by authors whom no model has seen, with {LOAD:.1%} of ordinary talk marked:"
    for what, before, after in (
        ("needs a human, and is found", shipped.anything, new.anything),
        ("urgent, and is found", shipped.urgent, new.urgent),
        ("must not ring, and is marked", shipped.must_not_ring, new.must_not_ring),
    ):
        yield f"  {what}: {after.value:.0%} (shipped: {before.value:.0%}, of {after.of})"


def changes_here(lesson: Lesson, shipped: TextModel, new: TextModel) -> Iterator[str]:
    """Say what has changed in this server's own cases that were kept out."""
    if not lesson.kept_out:
        yield "None of your own cases was kept out to measure on: there are too few."
        return
    yield "In your own closed cases of people from whom nothing was learnt:"
    for what, is_meant in (("closed as nothing, and would be marked", False), ("acted on, and would be marked", True)):
        some = [case for case in lesson.kept_out if (case.category is not None) is is_meant]
        before, after = (_marked(model, some) for model in (shipped, new))
        yield f"  {what}: {after.found} of {after.of} (shipped: {before.found})"


def _marked(model: TextModel, cases: Sequence[ClosedCase]) -> Rate:
    least = model.head.thresholds[1]
    return Rate(sum(model.read(case.text).score >= least for case in cases), len(cases))
