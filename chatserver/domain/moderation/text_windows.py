"""The features of a text for the linear model, and the windows of words in which it is read.

Pure. A word has a feature for itself, for it with the word before and the two words before, and for each run of two to
five letters in it. A feature is a number below `BUCKETS`, the hash of its text: no list of words is kept. A long text
is not judged as a whole, because one sentence in it would count for too little, but by its windows of 18 words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final
from zlib import crc32

from chatserver.domain.text import folding

BUCKETS: Final = 1 << 18
WINDOW: Final = 18
"""Words of a window."""
STEP: Final = 4
"""Words from the beginning of a window to that of the next."""
MOST_WORDS: Final = 800
"""Words of a text that are read. A post of the longest permitted length that holds more of them is made for it."""
_TOKEN: Final = re.compile(r"[a-z0-9']{1,24}|[^\sa-z0-9']")
_MASK: Final = BUCKETS - 1
_PAIR: Final = 0x5BD1E995
_TRIPLE: Final = 0x2545F491
"""With these the hashes of pairs and of three words begin, and so differ from those of letters."""


class Token:
    """A word or a mark of a text, from `start` up to before `end` (code points of the folded text)."""

    __slots__ = ("end", "start", "text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.start = start
        self.end = end


def tokens_of(text: str) -> tuple[list[Token], bool]:
    """Return the first `MOST_WORDS` words and marks of a text in its plain spelling, and whether these are all."""
    found: list[Token] = []
    for match in _TOKEN.finditer(folding.fold(text).lower()):
        if len(found) == MOST_WORDS:
            return found, False
        found.append(Token(match[0], match.start(), match.end()))
    return found, True


def word_features(tokens: Sequence[Token], at: int) -> tuple[int, ...]:
    """Return the features of a word: itself, and together with the one and the two words before it."""
    word = tokens[at].text.encode()
    one = crc32(word, 1) & _MASK
    before = tokens[at - 1].text.encode() if at else b"^"
    two = crc32(before + b" " + word, _PAIR) & _MASK
    if not at:
        return one, two
    first = tokens[at - 2].text.encode() if at > 1 else b"^"
    return one, two, crc32(first + b" " + before + b" " + word, _TRIPLE) & _MASK


def letter_features(word: str) -> list[int]:
    """Return the features of the runs of two to five letters in a word, with a space before and after it."""
    letters = b" " + word.encode() + b" "
    return [
        crc32(letters[at : at + length]) & _MASK for length in (2, 3, 4, 5) for at in range(len(letters) - length + 1)
    ]


def windows(count: int) -> Iterator[tuple[int, int]]:
    """Give the windows of so many words: the first word of each, and the one after its last."""
    if count <= WINDOW:
        yield 0, count
        return
    for start in range(0, count - WINDOW, STEP):
        yield start, start + WINDOW
    yield count - WINDOW, count
