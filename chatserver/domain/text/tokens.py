"""A text as sentences of words, with the forms that each word may stand for.

Pure. "k1ll", "kiiill", "k i l l", and letters of another script are read as the plain word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from chatserver.domain.text.folding import fold, has_wide_letters

WORD: Final = re.compile(r"[^\s.,;:!?()\[\]{}\"“”«»/|<>~–—…\-]+(?:[!](?=\w))?[^\s.,;:!?()\[\]{}\"“”«»/|<>~–—…\-]*")  # noqa: RUF001
"""Everything between spaces and punctuation; an exclamation mark within it may stand for a letter."""
_CLAUSE: Final = re.compile(r"[,;:()–—]|\s-\s")  # noqa: RUF001
_CLAUSES: Final = frozenset({"but", "because", "cause", "cuz", "cos", "coz", "although", "though", "yet", "and", "so"})
"""Words that begin a clause: a negation before them does not reach what follows."""
_ENDS: Final = re.compile(r"[.!?;]\s|\n|\.{3}|…|[.!?]$")
_QUOTES: Final = re.compile('["“”«»]')
_PLAIN: Final = re.compile(r"[a-z]+")
_LONG: Final = re.compile(r"([a-z])\1{2,}")
_SIGNS: Final = re.compile(r"[*013457@$!]")
_LEET: Final = str.maketrans("013457@$!", "oieastasi")
_LEET_L: Final = str.maketrans("013457@$!", "oleastasl")
_APOSTROPHES: Final = str.maketrans("", "", "'`")
_MOST_ALONE: Final = 3
"""The most single letters in a row that may make a word."""
_RUN: Final = re.compile("[a-z0-9]+")
_ROUGH: Final = bytes(ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128)) + bytes(128)
"""Letters and digits, for ASCII; everything else is a space."""
_SHAPE: Final = bytes(97 if chr(code).isalnum() else 32 for code in range(128)) + bytes(128)
_TWO_ALONE: Final = b" a a "
_ODD: Final = re.compile(r"\d|([a-z])\1\1")
_STARS: Final = re.compile(r"[@$!*]")
"""The signs that stand for letters and do not stand in words."""

_NO_WORD: Final = re.compile(r"[@$*]|[^\W_](?:[^\w\s.,;:?()\[\]{}\"“”«»/|<>~–—…\-'’‘‛ʼʹ`´′]|_)+[^\W_]")  # noqa: RUF001
"""A sign that may stand for a letter, or one that joins letters to what is no word: "tom&jerry"."""

_AT_ONCE: Final = 100
"""Words that are read before other work may run."""


class Token(msgspec.Struct, frozen=True):
    """A word; the forms that it may stand for, in small letters; and its place."""

    forms: tuple[str, ...]
    start: int
    end: int
    is_quoted: bool


class Glance(NamedTuple):
    """What a text may say, and perhaps more: its words in order, folded, and the forms of those that are disguised."""

    words: list[str]
    odd: set[str]


def glance(text: str, folded: str, ordinary: frozenset[str]) -> Glance | None:
    """Return the words that a text may hold, found many times as fast as by `Reader`.

    None if some are written letter by letter, so that only `Reader` can say what they are. `folded` is the folded text;
    `ordinary` are words that are known to have no other form.

    Every form that `Reader` would give is among these, or it has a character that is no letter or digit.
    """
    if not text.isascii() and has_wide_letters(text):
        return None
    if folded.isascii():
        words = folded.encode().translate(_ROUGH, b"'`").decode().split()
    else:
        words = _RUN.findall(folded.lower().replace("'", "").replace("`", ""))
    if _are_alone(words):
        return None
    odd: set[str] = set()
    others = set(words).difference(ordinary)
    if _ODD.search(" ".join(others)) is not None:
        for word in others:
            if _ODD.search(word) is not None:
                odd.update(forms_of(word))
    if "!" in folded or "*" in folded or "@" in folded or "$" in folded:
        for piece in set(text.split()):
            if _STARS.search(fold(piece)) is not None:
                for word in WORD.findall(piece):
                    odd.update(forms_of(word))
    return Glance(words, odd)


def is_plain(text: str) -> bool:
    """Return whether the words of a text's `Glance` are those that `Reader` would give, in the same order and with
    nothing between them that is a word of letters and digits."""
    return _NO_WORD.search(text) is None


def _are_alone(words: list[str]) -> bool:
    """Return whether as many single letters stand in a row as may make a word."""
    shape = f" {' '.join(words)} "
    if _TWO_ALONE not in (shape.encode().translate(_SHAPE) if shape.isascii() else b""):
        return False
    alone = 0
    for word in words:
        alone = alone + 1 if len(word) == 1 else 0
        if alone == _MOST_ALONE:
            return True
    return False


def forms_of(word: str) -> tuple[str, ...]:
    """Return what a word may stand for, sorted: as it is written, with digits and signs as the letters that they
    resemble, with drawn-out letters shortened, and with one omitted letter added. Empty if the word is invisible."""
    plain = word.lower()
    if _PLAIN.fullmatch(plain) and not _LONG.search(plain):
        return (plain,)
    plain = fold(word).lower().translate(_APOSTROPHES)
    forms = {plain}
    if _SIGNS.search(plain) is not None and any(char.isalpha() for char in plain):
        forms |= {plain.translate(_LEET), plain.translate(_LEET_L)}
        if plain.count("*") == 1 and len(plain) > 2:
            forms |= {plain.replace("*", vowel) for vowel in "aeiou"}
    for form in [*forms]:
        if _LONG.search(form):
            forms |= {_LONG.sub(_one, form), _LONG.sub(_two, form)}
    return tuple(sorted(form for form in forms if form))


# A template in place of a function is expanded by Python code in each match, which takes longer.
def _one(match: re.Match[str]) -> str:
    return match[1]


def _two(match: re.Match[str]) -> str:
    return match[1] * 2


def has_other_forms(word: str) -> bool:
    """Return whether a word of letters and digits may stand for another."""
    return _ODD.search(word) is not None


class Reader:
    """Reads one text. The forms of a word are found once, however often it occurs."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._forms: dict[str, tuple[str, ...]] = {}

    def sentences(self) -> Iterator[list[Token] | None]:
        """Yield the sentences that the author says themselves: lines that begin with ">" are somebody else's. Now and
        then it yields None, so that other work can run."""
        offset = 0
        for line in self._text.splitlines(keepends=True):
            if not line.lstrip().startswith(">"):
                yield from self._of_line(line, offset)
            offset += len(line)

    def _of_line(self, line: str, offset: int) -> Iterator[list[Token] | None]:
        marks = [match.start() for match in _QUOTES.finditer(line)]
        ends = [match.start() for match in _ENDS.finditer(line)]
        yield None
        sentence: list[Token] = []
        next_end = next_mark = 0
        letters: list[tuple[int, int]] = []
        for number, match in enumerate(WORD.finditer(line), start=1):
            start, end = match.span()
            while next_mark < len(marks) and marks[next_mark] < start:
                next_mark += 1
            is_quoted = next_mark % 2 == 1 and len(marks) > next_mark
            is_letter = end - start == 1 and line[start].isalnum()
            if letters and not (is_letter and start - letters[-1][1] <= 2):
                self._join(line, letters, sentence, offset, is_quoted=is_quoted)
                letters = []
            if not (is_letter and letters):
                has_ended = False
                while next_end < len(ends) and ends[next_end] < start:
                    next_end += 1
                    has_ended = True
                if has_ended and sentence:
                    yield sentence
                    sentence = []
            if is_letter:
                letters.append((start, end))
            elif forms := self._read(match.group()):
                sentence.append(Token(forms, offset + start, offset + end, is_quoted))
            if number % _AT_ONCE == 0:
                yield None
        if letters:
            self._join(line, letters, sentence, offset, is_quoted=False)
        if sentence:
            yield sentence

    def _join(
        self, line: str, letters: list[tuple[int, int]], into: list[Token], offset: int, *, is_quoted: bool
    ) -> None:
        """Join single letters: "d i e" is a word, "i a" are two; "i k m s" is either."""
        if len(letters) < _MOST_ALONE:
            for start, end in letters:
                into.append(Token(self._read(line[start:end]), offset + start, offset + end, is_quoted))
            return
        first, *others = letters
        if line[first[0]].lower() == "i":
            into.append(Token(("i",), offset + first[0], offset + first[1], is_quoted))
            letters = others
        word = "".join(line[start:end] for start, end in letters)
        into.append(Token(self._read(word), offset + letters[0][0], offset + letters[-1][1], is_quoted))

    def _read(self, word: str) -> tuple[str, ...]:
        forms = self._forms.get(word)
        if forms is None:
            forms = self._forms[word] = forms_of(word)
        return forms


def clauses(text: str, sentence: list[Token]) -> list[int]:
    """Return the number of the clause that each word of a sentence is in."""
    found = [0]
    for before, token in pairwise(sentence):
        is_new = not _CLAUSES.isdisjoint(token.forms) or _CLAUSE.search(text, before.end, token.start) is not None
        found.append(found[-1] + is_new)
    return found
