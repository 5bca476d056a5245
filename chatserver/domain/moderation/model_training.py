"""Makes the weights of the linear model from sentences that people have labelled.

Pure, and the same to the last bit for the same sentences in the same order: it adds, multiplies and takes square roots
in one order, and draws nothing by lot. Each output is a linear support vector machine with a squared loss, solved one
sentence at a time (dual coordinate descent: Hsieh and others, ICML 2008, algorithm 1).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from math import sqrt
from typing import Final
from zlib import crc32

import msgspec

from chatserver.domain.moderation.crisis_phrases import Category
from chatserver.domain.moderation.text_model import ANY, FORMAT, OUTPUTS, URGENCY, Head, Output, TextModel, checksum
from chatserver.domain.moderation.text_windows import (
    BUCKETS,
    WINDOW,
    letter_features,
    tokens_of,
    windows,
    word_features,
)

LETTERS: Final = 1.6
"""How much letters count against words."""
EPOCHS: Final = 6
ROUNDS: Final = 2
"""How often the window is chosen anew for which a long text was labelled; the first round goes by short texts."""
LOSS: Final = 0.8
"""What a sentence on the wrong side costs, against the size of the weights."""
FEWEST_TEXTS: Final = 2
"""Texts in which a feature must occur to have a weight: what only one text holds says more of its author than of what
it is about."""
LEAST_WEIGHT: Final = 2
"""Whole weights below this one are dropped. They are most of the file, and change next to nothing."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A text and what it was said to be. `weight` says how much it counts; that of a sentence is 1."""

    text: str
    category: Category | None
    is_urgent: bool = False
    weight: float = 1.0


class BadLine(Exception):
    """A line of a file of sentences that cannot be read. The message says which."""


class _Window(msgspec.Struct):
    """The features of one window: those of its words, each of the value `word`, and of its letters, of `letter`."""

    words: array[int]
    letters: array[int]
    word: float
    letter: float
    square: float
    """The square of its length as a vector, with the 1 for the bias."""


def examples_of(text: str) -> Iterator[Example]:
    """Read sentences, one on each line: `category: text`, `category!: text` where a human should look within minutes,
    `-: text` where nothing must be raised. Lines that begin with # are passed over. Raises BadLine."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        label, colon, words = line.partition(": ")
        name = label.removesuffix("!")
        if not colon or (name != "-" and name not in set(Category)) or label == "-!":
            raise BadLine(f"line {number}: it should begin with a category or -, a colon and a space")
        category = None if name == "-" else Category(name)
        yield Example(text=words, category=category, is_urgent=label.endswith("!"))


def hash_of(examples: Sequence[Example]) -> str:
    """Return what identifies the input of a training: sentences, settings and format."""
    settings = (FORMAT, WINDOW, LETTERS, EPOCHS, ROUNDS, LOSS, FEWEST_TEXTS, LEAST_WEIGHT)
    return sha256(msgspec.json.encode((settings, examples))).hexdigest()


def train(
    examples: Sequence[Example], ordinary: Sequence[str], marked: tuple[int, int], language: str, *, base: str = ""
) -> TextModel:
    """Return the model of these examples. Its thresholds are the scores that at most `marked` of 1,000 `ordinary` texts
    reach, at level 1 and at level 2; none of those may be among the examples. `base` says over which model it was
    made."""
    bags = [_windows_of(example.text) for example in examples]
    frequent = _frequent(bags)
    found: dict[str, _Weights] = {}
    found[ANY] = any_ = _train_any(examples, bags)
    # The other outputs are only asked about the window that the first one chose.
    meant = [number for number, example in enumerate(examples) if example.category is not None and bags[number]]
    telling = [max(bags[number], key=any_.score) for number in meant]
    losses = [LOSS * examples[number].weight for number in meant]

    def train_on_meant(is_so: Callable[[Example], bool]) -> _Weights:
        weights = _Weights()
        weights.fit(telling, [1 if is_so(examples[number]) else -1 for number in meant], losses)
        return weights

    for category in Category:
        found[category.value] = train_on_meant(lambda each, category=category: each.category is category)  # type: ignore[misc]
    found[URGENCY] = train_on_meant(lambda each: each.is_urgent)
    whole = {name: found[name].rounded(frequent) for name in OUTPUTS}
    plain = b"".join(whole[name][1].tobytes() for name in OUTPUTS)
    head = Head(
        format=FORMAT,
        language=language,
        letters=LETTERS,
        outputs={name: whole[name][0] for name in OUTPUTS},
        thresholds=(0.0, 0.0),
        inputs=hash_of(examples),
        checksum=checksum(plain),
        base=base,
    )
    weights = {name: whole[name][1] for name in OUTPUTS}
    scores = [TextModel(head, weights).read(text).score for text in ordinary]
    thresholds = (threshold(scores, marked[0]), threshold(scores, marked[1]))
    return TextModel(msgspec.structs.replace(head, thresholds=thresholds), weights)


def threshold(scores: Sequence[float], marked: int) -> float:
    """Return the lowest score that at most `marked` of 1,000 texts reach, a little above the next one."""
    ordered = sorted(scores, reverse=True)
    allowed = len(ordered) * marked // 1000
    return ordered[allowed] + 1e-6 if allowed < len(ordered) else float("-inf")


def _train_any(examples: Sequence[Example], bags: Sequence[Sequence[_Window]]) -> _Weights:
    weights = _Weights()
    for number in range(ROUNDS):
        some: list[_Window] = []
        signs: list[int] = []
        losses: list[float] = []
        for example, bag in zip(examples, bags, strict=True):
            if example.category is None:
                # No window of it is meant; together they count as much as a few.
                some += bag
                signs += [-1] * len(bag)
                losses += [LOSS * example.weight / sqrt(len(bag))] * len(bag)
            elif bag and (number or len(bag) == 1):
                some.append(max(bag, key=weights.score))
                signs.append(1)
                losses.append(LOSS * example.weight)
        weights = _Weights()
        weights.fit(some, signs, losses)
    return weights


class _Weights:
    """The weights of one output while it is trained, and its bias."""

    def __init__(self) -> None:
        self._weights = [0.0] * BUCKETS
        self._bias = 0.0

    def score(self, window: _Window) -> float:
        """Return the score of a window."""
        get = self._weights.__getitem__
        words, letters = sum(map(get, window.words)), sum(map(get, window.letters))
        return self._bias + window.word * words + window.letter * letters

    def fit(self, some: Sequence[_Window], signs: Sequence[int], losses: Sequence[float]) -> None:
        """Find the weights that tell windows of sign 1 from those of sign -1."""
        duals = [0.0] * len(some)
        weights = self._weights
        for epoch in range(EPOCHS):
            for number in sorted(range(len(some)), key=lambda each: crc32(b"%d %d" % (epoch, each))):
                window, sign = some[number], signs[number]
                softness = 1 / (2 * losses[number])
                before = duals[number]
                slope = sign * self.score(window) - 1 + softness * before
                after = max(0.0, before - slope / (window.square + softness))
                if after == before:
                    continue
                duals[number] = after
                step = (after - before) * sign
                self._bias += step
                change = step * window.word
                for feature in window.words:
                    weights[feature] += change
                change = step * window.letter
                for feature in window.letters:
                    weights[feature] += change

    def rounded(self, frequent: bytearray) -> tuple[Output, array[int]]:
        """Return the weights of frequent features as whole numbers from -127 to 127."""
        kept = [weight if frequent[at] else 0.0 for at, weight in enumerate(self._weights)]
        scale = max(max(map(abs, kept)) / 127, 1e-9)
        whole = array("b", (round(weight / scale) for weight in kept))
        for at, weight in enumerate(whole):
            if abs(weight) < LEAST_WEIGHT:
                whole[at] = 0
        return Output(bias=self._bias, scale=scale), whole


def _windows_of(text: str) -> list[_Window]:
    tokens, _ = tokens_of(text)
    by_word = [word_features(tokens, at) for at in range(len(tokens))]
    by_letters = [letter_features(token.text) for token in tokens]
    found = []
    for start, end in windows(len(tokens)) if tokens else ():
        words = array("l", (each for some in by_word[start:end] for each in some))
        letters = array("l", (each for some in by_letters[start:end] for each in some))
        word, letter = 1 / sqrt(len(words)), LETTERS / sqrt(len(letters))
        square = 1 + word**2 * _repeated(words) + letter**2 * _repeated(letters)
        found.append(_Window(words, letters, word, letter, square))
    return found


def _repeated(features: array[int]) -> int:
    return sum(count * count for count in Counter(features).values())


def _frequent(bags: Sequence[Sequence[_Window]]) -> bytearray:
    """Return for each feature how many texts hold it: 0 where these are fewer than `FEWEST_TEXTS`."""
    counts = bytearray(BUCKETS)
    for bag in bags:
        for feature in {each for window in bag for some in (window.words, window.letters) for each in some}:
            if counts[feature] < FEWEST_TEXTS:
                counts[feature] += 1
    return bytearray(count == FEWEST_TEXTS for count in counts)
