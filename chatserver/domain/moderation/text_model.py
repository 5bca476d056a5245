"""A linear model that gives a second opinion on a text, beside the phrases of `crisis_phrases`.

Pure. It finds sentences that no list has, and cannot say why: so it shows the window of words that it goes by, never
says more than that somebody should look (level 2), and a phrase that fires counts instead of it. Its weights are in one
file, as `dump` writes it: a line that says what it is, a line of JSON with a `Head`, and the weights, compressed.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator, Mapping
from hashlib import sha256
from math import sqrt
from typing import Final

import msgspec

from chatserver.domain.moderation.crisis_phrases import Category, Signal
from chatserver.domain.moderation.text_windows import (
    BUCKETS,
    Token,
    letter_features,
    tokens_of,
    windows,
    word_features,
)
from chatserver.domain.text import folding

ANY: Final = "any"
"""The output that says whether a human should look at all."""
URGENCY: Final = "urgent"
"""The output that says whether it should be within minutes."""
OUTPUTS: Final = (ANY, *(category.value for category in Category), URGENCY)
FORMAT: Final = 1
"""The version of the file and of the features. A file of another one is not read."""
MODEL: Final = "[model]"
"""Stands in a signal instead of the line of a list: no phrase fired, the model did."""
SEVERAL: Final = f"{MODEL} several"
"""The same where no single post did, but several of one person together."""
MOST_LEVEL: Final = 2
_MAGIC: Final = b"chatserver text model\n"
_WORDS_AT_ONCE: Final = 24
"""Words whose features are made in one part: about 0.1 ms."""
_MOST_BYTES: Final = 64 * BUCKETS


class BadModel(Exception):
    """A file that is no model, is damaged, or is of another version. The message says which, in a few words."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What turns the sum of an output's weights into its score: `bias + scale * sum`."""

    bias: float
    scale: float


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of its weights. `letters` is how much letters count against words; `thresholds` are the scores
    from which a text is of level 1 and of level 2, until a server knows its own; `inputs` is the hash of what it was
    trained with, `checksum` that of the weights (both SHA-256). A model that a server made for itself has as `base` the
    `inputs` of the shipped one over which it was made."""

    format: int
    language: str
    letters: float
    outputs: dict[str, Output]
    thresholds: tuple[float, float]
    inputs: str
    checksum: str
    base: str = ""


class Opinion(msgspec.Struct, frozen=True):
    """What the model makes of a text: the score of its most telling window, which is the text from `start` up to before
    `end` (code points), and whether all of the text was read."""

    score: float
    start: int
    end: int
    is_whole: bool = True


NONE: Final = Opinion(float("-inf"), 0, 0)
"""The opinion on a text without words."""


class TextModel:
    """The weights, ready to be asked. Safe to be used by several threads: nothing changes after it was made."""

    def __init__(self, head: Head, weights: Mapping[str, array[int]]) -> None:
        """`weights` has `BUCKETS` whole numbers from -127 to 127 for each output."""
        self.head = head
        self.name = head.checksum[:12]
        """Tells the scores of one model from those of another."""
        self._weights = dict(weights)

    def read(self, text: str) -> Opinion:
        """Return the opinion on a text."""
        reading = Reading(self, text)
        for _ in reading.parts():
            pass
        return reading.result

    def signal(self, text: str, opinion: Opinion, thresholds: tuple[float, float] | None = None) -> Signal | None:
        """Return what is said of a text with this opinion, if anything is. `thresholds` are those of the file unless
        they are given."""
        first, second = self.head.thresholds if thresholds is None else thresholds
        if opinion.score < min(first, second):
            return None
        words = text[opinion.start : opinion.end]
        scores = self._scores(words)
        category = max(Category, key=lambda each: scores[each.value])
        return Signal(
            category=category,
            level=MOST_LEVEL if opinion.score >= second else 1,
            phrase=MODEL,
            words=" ".join(words.split()),
            start=opinion.start,
            end=opinion.end,
            score=opinion.score,
            is_pressing=scores[URGENCY] > 0,
        )

    def urgency(self, text: str, opinion: Opinion) -> float:
        """Return how urgent the window of an opinion is: above 0 where a human should look within minutes."""
        return self._scores(text[opinion.start : opinion.end])[URGENCY]

    def _scores(self, window: str) -> dict[str, float]:
        """Return the score of each output for the words of a window."""
        tokens, _ = tokens_of(window)
        by_words = [feature for at in range(len(tokens)) for feature in word_features(tokens, at)]
        by_letters = [feature for token in tokens for feature in letter_features(token.text)]
        return {
            name: self._score(
                name,
                sum(map(weights.__getitem__, by_words)),
                len(by_words),
                sum(map(weights.__getitem__, by_letters)),
                len(by_letters),
            )
            for name, weights in self._weights.items()
        }

    def _score(self, name: str, words: int, word_count: int, letters: int, letter_count: int) -> float:
        output = self.head.outputs[name]
        found = words / sqrt(word_count or 1) + self.head.letters * letters / sqrt(letter_count or 1)
        return output.bias + output.scale * found

    @property
    def size(self) -> int:
        """Return the bytes of memory that the weights take."""
        return sum(len(weights) * weights.itemsize for weights in self._weights.values())

    def dump(self) -> bytes:
        """Return the file of these weights."""
        body = zlib.compress(b"".join(self._weights[name].tobytes() for name in OUTPUTS), 9)
        return _MAGIC + msgspec.json.encode(self.head) + b"\n" + body


class Reading:
    """One text that is being read. `result` is complete when `parts` has ended."""

    def __init__(self, model: TextModel, text: str) -> None:
        self._model = model
        self._text = text
        self.result = NONE

    def parts(self) -> Iterator[None]:
        """Read the text; yield after each of many small parts."""
        model, weight = self._model, self._model._weights[ANY].__getitem__
        tokens, is_whole = tokens_of(self._text)
        if not tokens:
            self.result = Opinion(NONE.score, 0, 0, is_whole)
            return
        # Sums up to each word, so that a window is a difference: of the weights of words and of letters, and of how
        # many features these are.
        words, letters, word_counts, letter_counts = [0], [0], [0], [0]
        known: dict[str, tuple[int, int]] = {}
        for at, token in enumerate(tokens):
            if at % _WORDS_AT_ONCE == 0:
                yield
            by_words = word_features(tokens, at)
            words.append(words[-1] + sum(map(weight, by_words)))
            word_counts.append(word_counts[-1] + len(by_words))
            found = known.get(token.text)
            if found is None:
                by_letters = letter_features(token.text)
                found = known[token.text] = (sum(map(weight, by_letters)), len(by_letters))
            letters.append(letters[-1] + found[0])
            letter_counts.append(letter_counts[-1] + found[1])
        best, place = NONE.score, (0, len(tokens))
        for start, end in windows(len(tokens)):
            score = model._score(
                ANY,
                words[end] - words[start],
                word_counts[end] - word_counts[start],
                letters[end] - letters[start],
                letter_counts[end] - letter_counts[start],
            )
            if score > best:
                best, place = score, (start, end)
        self.result = Opinion(best, *self._place(tokens, *place), is_whole)

    def _place(self, tokens: list[Token], start: int, end: int) -> tuple[int, int]:
        """Return where words are in the text itself, whose plain spelling may be shorter or longer."""
        places = folding.places_of(self._text)
        last = len(places) - 1
        return places[min(tokens[start].start, last)], places[min(tokens[end - 1].end, last)]


def load(data: bytes) -> TextModel:
    """Return the model of a file. Raises BadModel."""
    if not data.startswith(_MAGIC):
        raise BadModel("it is no model")
    written, _, body = data[len(_MAGIC) :].partition(b"\n")
    try:
        if msgspec.json.decode(written, type=_Version).format != FORMAT:
            raise BadModel("it is of another version")
        head = msgspec.json.decode(written, type=Head)
        unpacking = zlib.decompressobj()
        plain = unpacking.decompress(body, _MOST_BYTES)
    except (ValueError, zlib.error) as error:
        # What is no UTF-8 is no MsgspecError.
        raise BadModel("it is damaged") from error
    if len(plain) != BUCKETS * len(OUTPUTS) or checksum(plain) != head.checksum or set(head.outputs) != set(OUTPUTS):
        raise BadModel("it is damaged")
    return TextModel(
        head, {name: array("b", plain[at * BUCKETS : (at + 1) * BUCKETS]) for at, name in enumerate(OUTPUTS)}
    )


def checksum(plain: bytes) -> str:
    """Return the checksum of weights, before they are compressed."""
    return sha256(plain).hexdigest()


class _Version(msgspec.Struct):
    format: int
