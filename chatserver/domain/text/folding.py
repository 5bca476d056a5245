"""One spelling for characters that look alike: the form in which texts are searched for words and for contact details.

Pure. The table is made at its first use (about 0.2 s of CPU; `warm_up` does it ahead of time), so that folding a text
afterwards costs one look-up for each character that is not ASCII. It follows Unicode Technical Standard 39, section 4,
as for names (`domain/text/skeleton.py`), but case and punctuation stay.
"""
# ruff: noqa: RUF001  # Characters that look like others are what this is about.

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final, NamedTuple

from chatserver.domain.text.cleaning import FORMAT, IGNORABLE
from chatserver.domain.text.skeleton import look_alike

_NOTHING: Final = re.compile(f"[{IGNORABLE}{FORMAT}]")
_FOLDED: Final = (*range(0x80, 0x3400), *range(0xA000, 0xAC00), *range(0xF900, 0x12000), *range(0x16A00, 0x17000))
_PICTURES: Final = (*range(0x1B000, 0x20000), *range(0xE0000, 0xE1000))
"""Everything assigned except ideographs and Hangul syllables, which fold to themselves."""
_OTHERS: Final = {
    **dict.fromkeys("’‘‛ʼʹ`´′", "'"),
    **dict.fromkeys("•·∙⋅‧・。｡●", "."),
    **dict.fromkeys("‐‑‒–—―−➖", "-"),
    **dict.fromkeys("∶ː։꞉ː", ":"),
    "к": "k",
    "\u20e3": "",
}
"""Punctuation that looks alike, and the frame of a keycap."""
_ALPHABETS: Final = (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)
"""Where squared, circled and flag letters begin, which Unicode does not decompose."""
_LETTERS: Final = bytes(code if chr(code).islower() else 32 for code in range(128)) + b" " * 128
"""Small letters stay; everything else is a space."""
_SHAPE: Final = bytes(10 if chr(code).isspace() and code != 32 else 32 if code == 32 else 97 for code in range(256))
_ALONE: Final = re.compile(r" \S \S ")
_TEN: Final = "\U0001f51f"


def fold(text: str) -> str:
    """Return a text in which every character is replaced by its plainest look-alike: Latin letters without marks,
    the digits 0 to 9, ASCII punctuation. Invisible characters are removed; case stays. The result may be shorter or
    longer."""
    if text.isascii():
        return text
    # Twice as fast as `str.translate`, which raises and catches an error for each character that stays.
    return "".join(map(_by_char().get, text, text))


def has_wide_letters(text: str) -> bool:
    """Return whether a letter or digit of a text is folded to several characters, or to none."""
    return not _wide().isdisjoint(text)


class Seen(NamedTuple):
    """What is seen at a glance in a text that is folded and in small letters: the runs of the letters a to z, how many
    ASCII digits there are, whether there is an opening bracket, and whether single characters may stand in a row."""

    words: frozenset[str]
    digits: int
    has_bracket: bool
    has_alone: bool


def seen_in(text: str) -> Seen:
    """Return what is seen in a text at a glance."""
    written = text.encode("utf-8", "surrogatepass")
    # Every byte of another character is above those of ASCII.
    words = frozenset(written.translate(_LETTERS).decode().split())
    digits = len(written) - len(written.translate(None, b"0123456789"))
    has_alone = b" a a " in written.translate(_SHAPE) if text.isascii() else _ALONE.search(text) is not None
    return Seen(words, digits, "(" in text or "[" in text or "{" in text, has_alone)


def places_of(text: str) -> list[int]:
    """Return for each character of `fold(text)` the place in `text` that it comes from, and at the end its length."""
    if text.isascii():
        return [*range(len(text) + 1)]
    plain = map(_by_char().get, text, text)
    return [*(at for at, chars in enumerate(plain) for _ in chars), len(text)]


def warm_up() -> None:
    """Make the table now, so that no later call waits for it."""
    _by_char()
    _wide()


@cache
def _table() -> dict[int, str]:
    table = {code: plain for code in (*_FOLDED, *_PICTURES) if (plain := _plain(chr(code))) != chr(code)}
    for first in _ALPHABETS:
        table.update({first + step: chr(ord("A") + step) for step in range(26)})
    table.update({ord(char): plain for char, plain in _OTHERS.items()})
    table[ord(_TEN)] = "10"
    return table


@cache
def _by_char() -> dict[str, str]:
    return {chr(code): plain for code, plain in _table().items()}


@cache
def _wide() -> frozenset[str]:
    return frozenset(char for char, plain in _by_char().items() if len(plain) != 1 and char.isalnum())


def _plain(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Mn", "Me") or _NOTHING.match(char):
        return ""
    if category[0] not in "LNPSZ":
        return char
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    decomposed = unicodedata.normalize("NFKD", char)
    if decomposed != char:
        bare = "".join(each for each in decomposed if unicodedata.category(each) != "Mn")
        if bare.isascii():
            return bare.strip("()") or bare
        char = bare if len(bare) == 1 else char
    if category[0] == "L" and unicodedata.bidirectional(char) == "L":
        alike = look_alike(char)
        return alike if alike.isascii() else char
    return char
