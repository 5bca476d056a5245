"""Measures the precision and recall of the shipped word lists, and their cost per post: `python -m bench.crisis`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter_ns
from typing import Final

import msgspec

from chatserver.domain.moderation.crisis_phrases import ESCALATED, Category, Signal, Words
from chatserver.wordlists import load

SENTENCES: Final = Path(__file__).parents[1] / "tests" / "domain" / "crisis_sentences"
SETS: Final = tuple(sorted(path.stem for path in SENTENCES.glob("*.txt")))
_ROUNDS: Final = 20


class Score(msgspec.Struct):
    """The results of one category, or of any: `hits` were found and meant, `missed` meant but not found. Of what was
    not meant, a human was told of the `wrong` ones, and the author alone of the `noted` ones."""

    hits: int = 0
    missed: int = 0
    wrong: int = 0
    noted: int = 0

    @property
    def precision(self) -> float:
        return self.hits / max(1, self.hits + self.wrong)

    @property
    def recall(self) -> float:
        return self.hits / max(1, self.hits + self.missed)


def sentences(name: str) -> Iterator[tuple[Category | None, str]]:
    """Yield a labelled set of sentences: for each, the category that is meant (or None) and the text."""
    for line in (SENTENCES / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            label, text = line.split(": ", 1)
            yield (None if label == "-" else Category(label)), text


def score(words: Words, name: str) -> dict[Category, Score]:
    """Return how well each category of a set is found."""
    scores = {category: Score() for category in Category}
    for meant, text in sentences(name):
        levels = {signal.category: signal.level for signal in words.screen(text)}
        for category, each in scores.items():
            _count(each, is_meant=category is meant, level=levels.get(category, 0))
    return scores


def score_of_any(words: Words, name: str) -> Score:
    """Return how well it is found that something in a set is meant, whatever its category."""
    any_score = Score()
    for meant, text in sentences(name):
        _count(any_score, is_meant=meant is not None, level=_highest(words.screen(text)))
    return any_score


def _count(score: Score, *, is_meant: bool, level: int) -> None:
    score.hits += is_meant and level > 0
    score.missed += is_meant and level == 0
    score.wrong += not is_meant and level >= ESCALATED
    score.noted += not is_meant and 0 < level < ESCALATED


def _highest(signals: tuple[Signal, ...]) -> int:
    return max((signal.level for signal in signals), default=0)


def mistakes(words: Words, name: str) -> Iterator[str]:
    for meant, text in sentences(name):
        found = words.screen(text)
        if {signal.category for signal in found} != ({meant} if meant else set()):
            fired = ", ".join(f"{signal.category} {signal.level} by {signal.phrase!r}" for signal in found) or "nothing"
            yield f"{meant or '-'}: {text}\n    {fired}"


def microseconds(words: Words) -> list[float]:
    """Return the time that every sentence of every set takes, each the median of some rounds."""
    texts = [text for name in SETS for _, text in sentences(name)]
    taken: list[float] = []
    for text in texts:
        rounds = []
        for _ in range(_ROUNDS):
            started = perf_counter_ns()
            words.screen(text)
            rounds.append((perf_counter_ns() - started) / 1000)
        taken.append(sorted(rounds)[_ROUNDS // 2])
    return sorted(taken)


def main() -> None:
    words = load()
    for name in SETS:
        print(f"{name}: {sum(1 for _ in sentences(name))} sentences")
        every = score_of_any(words, name)
        if not every.hits + every.missed:
            print(f"  all harmless: a human is told of {every.wrong}, the author of {every.noted}")
            continue
        for category, each in (*score(words, name).items(), ("anything", every)):
            print(
                f"  {category:<10} precision {each.precision:.2f}  recall {each.recall:.2f}  (found {each.hits},"
                f" missed {each.missed}; of the others a human is told of {each.wrong}, the author of {each.noted})"
            )
    taken = microseconds(words)
    print(f"microseconds a post: p50 {taken[len(taken) // 2]:.0f}, p99 {taken[len(taken) * 99 // 100]:.0f}")
    long = ("i want to be so very " * 200)[:4000]
    started = perf_counter_ns()
    words.screen(long)
    print(f"the longest post, of words that begin phrases: {(perf_counter_ns() - started) / 1e6:.1f} ms")
    for name in sys.argv[1:]:
        print(*mistakes(words, name), sep="\n")


if __name__ == "__main__":
    main()
