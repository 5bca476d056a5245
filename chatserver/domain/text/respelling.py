"""A text with its disguises undone: folded, unspaced, with letters for digits where they stand for letters.

Pure. Every step keeps the place in the text that each character comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import Final

from chatserver.domain.text.folding import Seen, fold, places_of
from chatserver.domain.text.handles import APPS

_ALONE: Final = re.compile(r"(?<!\S)\S(?: \S){3,}(?!\S)")
_APART: Final = re.compile(r"(?<!\w)[a-z]([.\-*~|])[a-z](?:\1[a-z]){2,}(?!\w)")
_LEET: Final = re.compile(r"(?<![\w@$!])(?=[\w@$!]*[0134578@$!])(?=[\w@$!]*[a-z])[\w@$!]{3,12}(?![\w@$!])")
_AS_I: Final = str.maketrans("0134578@$!", "oieastbasi")
_AS_L: Final = str.maketrans("0134578@$!", "oleastbasl")
_AS_DIGITS: Final = re.compile(r"(?<![a-z\d])(?=[a-z]*\d)[\dolz]{3,16}(?![a-z\d])")
_DIGITS_FOR: Final = str.maketrans("olz", "012")
_AT_ONCE: Final = 32
"""Words that are respelled before other work may run."""
_MOST: Final = 32
"""Places of one text that are respelled, of each kind."""
_DISGUISED: Final = re.compile(r"[.\-*~|][a-z][.\-*~|]")
_MIXED: Final = re.compile(r"[a-z][\d@$!]|[\d@$!][a-z]")
"""Stands in every word in which signs or digits stand for letters, or letters for digits."""
_DIGIT: Final = re.compile(r"\d")
_PICTURES: Final = re.compile("[\U0001f47b\U0001f4f7\U0001f4f8]")
_APP_OF: Final = {"\U0001f47b": "snap ", "\U0001f4f7": "insta ", "\U0001f4f8": "insta "}
"""Emoji that stand for services."""


class Spelling:
    """A text in small letters, and for each character and the end the place in the original text."""

    __slots__ = ("_places", "_written", "text")

    def __init__(self, written: str) -> None:
        folded = fold(written)
        lower = folded.lower()
        # A letter whose small form is longer is none of those that are looked for.
        self.text = lower if len(lower) == len(folded) else folded
        self._written = written
        self._places: list[int] | None = None

    def place(self, at: int) -> int:
        """Return the place in the original text that a character comes from."""
        if self._places is None and self._written.isascii():
            return at
        return self._known_places()[at]

    def respell(self, seen: Seen) -> Generator[None, None, bool]:
        """Undo the disguises of a hidden name or number; yield now and then. Return whether that changes the text, in
        which this is seen."""
        before = self.text
        if not _may_be_disguised(before, seen):
            return False
        if not before.isascii():
            yield from self._replace(_PICTURES, lambda match: _APP_OF[match.group()])
        if seen.has_alone or self.text is not before:
            yield from self._replace(_ALONE, _unspaced)
        if self.text is not before or _DISGUISED.search(before) is not None:
            yield from self._replace(_APART, lambda match: match.group().replace(match[1], ""))
        if _MIXED.search(self.text) is not None:
            # As long as they were: no place moves.
            for pattern, meant in ((_LEET, _as_app), (_AS_DIGITS, _as_digits)):
                yield
                self.text = yield from _with_meant(pattern, meant, self.text)
        return self.text != before

    def _known_places(self) -> list[int]:
        if self._places is None:
            self._places = places_of(self._written)
        return self._places

    def _replace(self, pattern: re.Pattern[str], spelled: Callable[[re.Match[str]], str]) -> Iterator[None]:
        matches = [(match, spelled(match)) for match in islice(pattern.finditer(self.text), _MOST)]
        matches = [(match, new) for match, new in matches if new != match.group()]
        yield
        if not matches:
            return
        known = self._known_places()
        yield
        parts: list[str] = []
        places: list[int] = []
        done = 0
        for match, new in matches:
            start, end = match.span()
            parts += (self.text[done:start], new)
            places += known[done:start]
            # Evenly over what it replaces.
            places += [known[start + step * (end - start) // max(1, len(new))] for step in range(len(new))]
            done = end
            yield
        parts.append(self.text[done:])
        self._places = places + known[done:]
        self.text = "".join(parts)


def _may_be_disguised(text: str, seen: Seen) -> bool:
    """Return whether there is anything in a text that `respell` changes."""
    return (
        seen.digits > 0
        or seen.has_alone
        or "@" in text
        or "$" in text
        or "!" in text
        or _DISGUISED.search(text) is not None
        or (not text.isascii() and (_PICTURES.search(text) or _DIGIT.search(text)) is not None)
    )


def _unspaced(match: re.Match[str]) -> str:
    """Join single letters into a word. Digits stay apart, because counting is written that way."""
    spelled = match.group()
    return spelled.replace(" ", "") if sum(map(str.isalpha, spelled)) >= 3 else spelled


def _with_meant(pattern: re.Pattern[str], meant: Callable[[str], str], text: str) -> Generator[None, None, str]:
    """Return a text with what is meant for each match, which is as long; yield after every few."""
    known: dict[str, str] = {}
    parts: list[str] = []
    done = 0
    for number, match in enumerate(pattern.finditer(text), start=1):
        word = match.group()
        new = known.get(word)
        if new is None:
            new = known[word] = meant(word)
        if new != word:
            parts += (text[done : match.start()], new)
            done = match.end()
        if number % _AT_ONCE == 0:
            yield
    return "".join((*parts, text[done:])) if parts else text


def _as_app(word: str) -> str:
    return next((meant for meant in (word.translate(_AS_I), word.translate(_AS_L)) if meant in APPS), word)


def _as_digits(word: str) -> str:
    return word.translate(_DIGITS_FOR) if sum(map(str.isdigit, word)) > 1 else word
