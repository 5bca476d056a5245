"""A name's key: the form in which names that look alike are the same name.

Pure, except for the library's tables of confusable characters, which it reads from its own package when first imported
(about 0.1 s): that happens at the first key, or when `warm_up` is called. It follows Unicode Technical Standard 39,
section 4, made blind to case as well, because readers are.
"""
# ruff: noqa: RUF001  # Characters that look like others are what this is about.

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_LIKE_ONE: Final = str.maketrans({"i": "l", "1": "l", "|": "l", "0": "o"})
"""Capital i, small L and the digit one share a shape in most typefaces; with case ignored, so does small i."""
_JOINED: Final = (("rn", "m"), ("vv", "w"))
_WRITING_CLASSES: Final = frozenset({0, 7, 8, 9})
"""Combining classes of marks that are part of the script: vowel signs, nukta, kana voicing, virama. Every other mark
stacks on a letter and is easily overlooked."""
_SPACING_MODIFIERS: Final = re.compile("[\u02b0-\u02ff\u0640]")
"""Letters by category that look like apostrophes or stretching."""
_OTHER_LATIN: Final = {
    # The rest of Latin, which Unicode's tables leave alone: it was made from these letters, and is read as them at a
    # glance. Who writes Akan, Azerbaijani or Icelandic keeps the letters; only the keys are alike.
    letter: plain
    for plain, letters in {
        "a": "ɐɑɒꬰ", "b": "ƅ", "c": "ↄ", "d": "ðꝺ", "e": "ǝəɘɛɜꬲ", "f": "ꝼꬵ", "g": "ɡᵹꬶ", "h": "ⱶ", "i": "ɩı",
        "k": "ĸʞ", "l": "ǀꞁꭍ", "m": "ɯꟺ", "n": "ŋꬻ", "o": "ɵɔꝋ", "p": "þƿꝥ", "r": "ɹɾɿꞃꭇ", "s": "ƨꞅʃ", "t": "ʇꞇ",
        "u": "ʊɥꭎ", "v": "ʌ", "w": "ʍꟽ", "y": "ʎ", "z": "ʒƹ",
    }.items()
    for letter in letters
}  # fmt: skip
_LATIN_NAME: Final = re.compile(r"LATIN (?:SMALL LETTER|CAPITAL LETTER|LETTER SMALL CAPITAL) ([A-Z])(?: WITH .*)?")
"""The Unicode names of small capitals and of letters with hooks and strokes, which do not decompose."""


def skeleton(text: str) -> str:
    """Return the shape of `text`, without case, marks, spaces or punctuation. Empty if it held nothing else."""
    if text.isascii():
        return _joined(text.lower())
    plain = bare(text)
    # A name that looks like Latin throughout is folded as what it looks like: three Greek capitals are read as NAN.
    shape = _finish(_look(plain))
    if shape.isascii():
        return shape
    # Any other name is read in its own script, where a capital is the same letter as the small one.
    return _finish("".join(map(_either_case, bare(plain.casefold()))))


def warm_up() -> None:
    """Load the tables now, so that no later call waits for it."""
    _prototype("a")
    script("a")


def look_alike(char: str) -> str:
    """Return the character, or few characters, that stand for all that look like `char`."""
    return _prototype(char)


@lru_cache(maxsize=8192)
def script(char: str) -> str:
    """Return the Unicode script of a character, in capitals: LATIN, COMMON, INHERITED, ... or UNKNOWN."""
    from confusable_homoglyphs import categories  # noqa: PLC0415

    return str(categories.alias(char)).upper()


def bare(text: str) -> str:
    """Return `text` without the marks that stack on letters, in its own case and script."""
    decomposed = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize(
        "NFC",
        "".join(
            char for char in _SPACING_MODIFIERS.sub("", decomposed) if unicodedata.combining(char) in _WRITING_CLASSES
        ),
    )


def _look(text: str) -> str:
    return "".join(map(_prototype, text))


def _finish(text: str) -> str:
    return _joined(bare(_look(bare(text.casefold())).casefold()))


def _joined(text: str) -> str:
    # Before spaces go: "r n" is not read as m.
    for pair, one in _JOINED:
        text = text.replace(pair, one)
    return "".join(char for char in text if unicodedata.category(char)[0] in "LMN").translate(_LIKE_ONE)


@lru_cache(maxsize=8192)
def _either_case(char: str) -> str:
    look = _prototype(char)
    if look.isascii():
        return look
    capital = char.upper()
    capital_look = _prototype(capital) if len(capital) == 1 else capital
    return capital_look.casefold() if capital_look.isascii() else look


@lru_cache(maxsize=8192)
def _prototype(char: str) -> str:
    """Return the character, or few characters, that stand for all that look like `char`."""
    if char.isascii() and not char.isupper():
        return char
    latin = _LATIN_NAME.fullmatch(unicodedata.name(char, ""))
    if latin is not None:
        return latin[1].lower()
    if (plain := _OTHER_LATIN.get(char.lower())) is not None:
        return plain
    shape = _homoglyphs(char)
    # The library lists for a prototype everything that looks like it, for everything else its prototype alone.
    if len(shape) != 1:
        return char
    other = shape[0]
    if not any(c.isalnum() for c in other):
        return char
    if len(other) == 1 and len(_homoglyphs(other)) == 1:
        # A pair: which one is the prototype is not told, and either will do.
        return min(char, other, key=lambda c: (not c.isascii(), c))
    return other


def _homoglyphs(char: str) -> list[str]:
    # At first use: it costs 0.1 s, and most of the command line needs none of it.
    from confusable_homoglyphs import confusables  # noqa: PLC0415

    found = confusables.is_confusable(char, greedy=True)
    # Right-to-left characters are wrapped in marks of direction in the library's data.
    return [str(glyph["c"]).strip("\u200e") for glyph in found[0]["homoglyphs"]] if found else []
