"""One spelling for characters that look alike: the form in which texts are searched for words and for contact details.

Pure. The table is made at its first use (about 0.2 s of CPU; `warm_up` does it ahead of time), so that folding a text
afterwards costs one look-up for each character that is not ASCII. It follows Unicode Technical Standard 39, section 4,
as for names (`domain/text/skeleton.py`), but case and punctuation stay.
"""
# ruff: noqa: RUF001  # Characters that look like others are what this is about.

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

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
_TEN: Final = "\U0001f51f"


def fold(text: str) -> str:
    """Return a text in which every character is replaced by its plainest look-alike: Latin letters without marks,
    the digits 0 to 9, ASCII punctuation. Invisible characters are removed; case stays. The result may be shorter or
    longer."""
    return text if text.isascii() else text.translate(_table())


def places_of(text: str) -> list[int]:
    """Return for each character of `fold(text)` the place in `text` that it comes from, and at the end its length."""
    return [*_places(text), len(text)]


def warm_up() -> None:
    """Make the table now, so that no later call waits for it."""
    _table()


def _places(text: str) -> Iterator[int]:
    table = _table()
    for at, char in enumerate(text):
        for _ in table.get(ord(char), char):
            yield at


@cache
def _table() -> dict[int, str]:
    table = {code: plain for code in (*_FOLDED, *_PICTURES) if (plain := _plain(chr(code))) != chr(code)}
    for first in _ALPHABETS:
        table.update({first + step: chr(ord("A") + step) for step in range(26)})
    table.update({ord(char): plain for char, plain in _OTHERS.items()})
    table[ord(_TEN)] = "10"
    return table


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
