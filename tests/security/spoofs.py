"""Names made to be taken for another's: the ways in which one writing of a name is turned into one that looks like it.

Every way is a plain rewriting, so that the same five hundred are tried each time, and a failure can be read.
"""
# ruff: noqa: RUF001  # Characters that look like others are what this is about.

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

Rewriting = Callable[[str], str]


class Spoof(NamedTuple):
    """`written` is to be taken for `meant`; `way` says how it was made."""

    way: str
    meant: str
    written: str


_CYRILLIC: Final = str.maketrans(
    {
        "a": "а", "c": "с", "e": "е", "i": "і", "j": "ј", "o": "о", "p": "р", "s": "ѕ", "x": "х", "y": "у",
        "A": "А", "B": "В", "C": "С", "E": "Е", "H": "Н", "I": "І", "K": "К", "M": "М", "O": "О", "P": "Р",
        "S": "Ѕ", "T": "Т", "X": "Х", "h": "һ", "d": "ԁ", "l": "ӏ", "w": "ԝ", "q": "ԛ",
    }
)  # fmt: skip
_GREEK: Final = str.maketrans(
    {
        "o": "ο", "v": "ν", "A": "Α", "B": "Β", "E": "Ε", "H": "Η", "I": "Ι", "K": "Κ", "M": "Μ", "N": "Ν",
        "O": "Ο", "P": "Ρ", "T": "Τ", "X": "Χ", "Y": "Υ", "Z": "Ζ", "a": "α", "i": "ι", "p": "ρ", "u": "υ",
    }
)  # fmt: skip
_CHEROKEE: Final = str.maketrans(
    {
        "A": "Ꭺ", "B": "Ᏼ", "C": "Ꮯ", "D": "Ꭰ", "E": "Ꭼ", "G": "Ꮐ", "H": "Ꮋ", "J": "Ꭻ", "K": "Ꮶ", "L": "Ꮮ",
        "M": "Ꮇ", "P": "Ꮲ", "R": "Ꭱ", "S": "Ꮪ", "T": "Ꭲ", "V": "Ꮩ", "W": "Ꮃ", "Y": "Ꮍ", "Z": "Ꮓ",
    }
)  # fmt: skip
_LISU: Final = str.maketrans(
    {
        "A": "ꓮ", "B": "ꓐ", "C": "ꓚ", "D": "ꓓ", "E": "ꓰ", "F": "ꓝ", "G": "ꓖ", "H": "ꓧ", "I": "ꓲ", "J": "ꓙ",
        "K": "ꓗ", "L": "ꓡ", "M": "ꓟ", "N": "ꓠ", "O": "ꓳ", "P": "ꓑ", "R": "ꓣ", "S": "ꓢ", "T": "ꓔ", "U": "ꓴ",
        "V": "ꓦ", "W": "ꓪ", "X": "ꓫ", "Y": "ꓬ", "Z": "ꓜ",
    }
)  # fmt: skip
_SMALL_CAPITALS: Final = str.maketrans("abcdefghijklmnoprstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ")
_HOOKS: Final = str.maketrans(
    {
        "a": "ɑ", "b": "ɓ", "c": "ƈ", "d": "ɗ", "e": "ɇ", "g": "ɡ", "h": "ɦ", "i": "ɨ", "k": "ƙ", "l": "ɭ",
        "m": "ɱ", "n": "ɲ", "o": "ɵ", "p": "ƥ", "q": "ʠ", "r": "ɼ", "s": "ʂ", "t": "ƭ", "u": "ʊ", "v": "ʋ",
        "w": "ⱳ", "y": "ƴ", "z": "ʐ",
    }
)  # fmt: skip
_NEIGHBOURS: Final = str.maketrans(
    {"a": "ɐ", "b": "ƅ", "d": "ð", "e": "ɛ", "i": "ɩ", "k": "ĸ", "n": "ŋ", "o": "ɔ", "p": "þ", "r": "ɾ", "s": "ƨ"}
)  # fmt: skip
_INSULAR: Final = str.maketrans({"d": "ꝺ", "f": "ꝼ", "g": "ᵹ", "r": "ꞃ", "s": "ꞅ", "t": "ꞇ", "e": "ǝ", "l": "ǀ"})
_SCHWA: Final = str.maketrans({"e": "ə", "n": "ŋ", "u": "ʊ"})
_STROKES: Final = str.maketrans({"a": "ⱥ", "b": "ƀ", "d": "đ", "h": "ħ", "i": "ɨ", "l": "ł", "o": "ø", "t": "ŧ"})
_LEET: Final = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7", "l": "1", "g": "9"})
_ZERO_ONE: Final = str.maketrans({"o": "0", "i": "1", "l": "1"})


def _styled(first_small: int, first_capital: int) -> Rewriting:
    def style(name: str) -> str:
        return "".join(
            chr(first_small + ord(char) - 97)
            if "a" <= char <= "z"
            else chr(first_capital + ord(char) - 65)
            if "A" <= char <= "Z"
            else char
            for char in name
        )

    return style


def _between(what: str) -> Rewriting:
    return what.join


def _after_first(what: str) -> Rewriting:
    return lambda name: name[0] + what + name[1:]


def _all_letters(mark: str) -> Rewriting:
    return lambda name: unicodedata.normalize("NFC", "".join(c + mark if c.isalpha() else c for c in name))


def _doubled(name: str) -> str:
    at = len(name) // 2
    return name[:at] + name[at] + name[at:]


def _without_double(name: str) -> str:
    return "".join(char for at, char in enumerate(name) if at == 0 or char != name[at - 1])


def _swapped_il(name: str) -> str:
    return name.translate(str.maketrans("lI", "Il"))


def _every_other_capital(name: str) -> str:
    return "".join(char.upper() if at % 2 else char.lower() for at, char in enumerate(name))


SAME: Final[dict[str, Rewriting]] = {
    # Whoever is not looked at twice is the same: in every writing of this table, for staff and members alike.
    "as it is": lambda name: name,
    "upper case": str.upper,
    "lower case": str.lower,
    "every other capital": _every_other_capital,
    "swapped case": str.swapcase,
    "space before": lambda name: f"  {name}",
    "space after": lambda name: f"{name}\t",
    "no-break space after": lambda name: f"{name}\u00a0",
    "ideographic space after": lambda name: f"{name}\u3000",
    "en quad between": _between("\u2000"),
    "spaced out": _between(" "),
    "dotted": _between("."),
    "hyphenated": _between("-"),
    "underscored": _between("_"),
    "middle dots": _between("·"),
    "apostrophes": _between("'"),
    "full stop after": lambda name: f"{name}.",
    "hyphen before": lambda name: f"-{name}",
    "underscores around": lambda name: f"_{name}_",
    "apostrophe after": lambda name: f"{name}’",
    "modifier apostrophe after": lambda name: f"{name}ʼ",
    "full width": _styled(0xFF41, 0xFF21),
    "bold": _styled(0x1D41A, 0x1D400),
    "bold italic": _styled(0x1D482, 0x1D468),
    "bold script": _styled(0x1D4EA, 0x1D4D0),
    "bold fraktur": _styled(0x1D586, 0x1D56C),
    "sans": _styled(0x1D5BA, 0x1D5A0),
    "monospace": _styled(0x1D68A, 0x1D670),
    "circled": _styled(0x24D0, 0x24B6),
    "squared": lambda name: _styled(0x1F130, 0x1F130)(name.upper()),
    "negative circled": lambda name: _styled(0x1F150, 0x1F150)(name.upper()),
    "regional indicators": lambda name: _styled(0x1F1E6, 0x1F1E6)(name.upper()),
    "small capitals": lambda name: name.lower().translate(_SMALL_CAPITALS),
    "superscript": lambda name: name.lower().translate(str.maketrans("aeiot", "ᵃᵉⁱᵒᵗ")),
    "acute": _all_letters("\u0301"),
    "grave": _all_letters("\u0300"),
    "diaeresis": _all_letters("\u0308"),
    "dot below": _all_letters("\u0323"),
    "macron": _all_letters("\u0304"),
    "cedilla": _all_letters("\u0327"),
    "ogonek": _all_letters("\u0328"),
    "hook above": _all_letters("\u0309"),
    "two marks": _all_letters("\u0301\u0316"),
    "tower of marks": _all_letters("\u0301\u0302\u0303\u0304"),
    "stroke through": _all_letters("\u0336"),
    "slash through": _all_letters("\u0338"),
    "enclosing circle": _all_letters("\u20dd"),
    "zero-width space": _after_first("\u200b"),
    "zero-width joiner": _after_first("\u200d"),
    "zero-width non-joiner": _after_first("\u200c"),
    "word joiner": _after_first("\u2060"),
    "byte order mark": lambda name: f"\ufeff{name}",
    "soft hyphen": _after_first("\u00ad"),
    "grapheme joiner": _after_first("\u034f"),
    "variation selector": _after_first("\ufe0f"),
    "supplementary selector": _after_first("\U000e0100"),
    "tag letters": lambda name: name + "".join(chr(0xE0000 + ord(char)) for char in "ok"),
    "Hangul filler": lambda name: f"{name}\u3164",
    "half-width filler": lambda name: f"{name}\uffa0",
    "braille blank": lambda name: f"{name}\u2800",
    "vowel separator": _after_first("\u180e"),
    "invisible times": _after_first("\u2062"),
    "right-to-left override": lambda name: f"\u202e{name[::-1]}",
    "left-to-right mark": lambda name: f"{name}\u200e",
    "isolate": lambda name: f"\u2066{name}\u2069",
    "Arabic letter mark": lambda name: f"\u061c{name}",
    "null": lambda name: f"{name}\x00",
    "line separator": lambda name: f"{name}\u2028",
    "backspace": lambda name: f"{name}x\x08",
    "Cyrillic": lambda name: name.translate(_CYRILLIC),
    "Cyrillic capitals": lambda name: name.upper().translate(_CYRILLIC),
    "one Cyrillic letter": lambda name: name.lower().replace("o", "о", 1).replace("a", "а", 1).replace("e", "е", 1),
    "Greek": lambda name: name.translate(_GREEK),
    "Greek capitals": lambda name: name.upper().translate(_GREEK),
    "Cherokee": lambda name: name.upper().translate(_CHEROKEE),
    "Lisu": lambda name: name.upper().translate(_LISU),
    "hooks": lambda name: name.lower().translate(_HOOKS),
    "letters of other languages": lambda name: name.lower().translate(_NEIGHBOURS),
    "insular letters": lambda name: name.lower().translate(_INSULAR),
    "schwa and eng": lambda name: name.lower().translate(_SCHWA),
    "strokes": lambda name: name.lower().translate(_STROKES),
    "zero and one": lambda name: name.lower().translate(_ZERO_ONE),
    "l for I": _swapped_il,
    "dotless i": lambda name: name.lower().replace("i", "ı"),
    "dotted capital I": lambda name: name.upper().replace("I", "İ"),
    "long s": lambda name: name.lower().replace("s", "ſ"),
    "rn for m": lambda name: name.lower().replace("m", "rn"),
    "vv for w": lambda name: name.lower().replace("w", "vv"),
    "ligatures": lambda name: name.replace("fi", "ﬁ").replace("ff", "ﬀ").replace("st", "ﬆ"),
    "star after": lambda name: f"{name}★",
    "tick after": lambda name: f"{name}✓",
    "in brackets": lambda name: f"[{name}]",
    "at sign": lambda name: f"@{name}",
}
"""By the name of the way. Each must be refused as a name, or be the same name as the one meant."""

ROLES_TOO: Final[dict[str, Rewriting]] = {
    # Claims that only staff make: beside somebody else's name these are honest.
    "digits after": lambda name: f"{name}7",
    "digits before": lambda name: f"1{name}",
    "leet": lambda name: name.lower().translate(_LEET),
    "first word": lambda name: f"{name} Sam",
    "last word": lambda name: f"Sam {name}",
    "between words": lambda name: f"Sam_{name}_Lee",
    "The": lambda name: f"The {name}",
}
LONG_ROLES_TOO: Final[dict[str, Rewriting]] = {
    "doubled letter": _doubled,
    "single letters": _without_double,
    "letter left out": lambda name: name[:3] + name[4:],
    "last letter left out": lambda name: name[:-1],
    "neighbours swapped": lambda name: name[:2] + name[3] + name[2] + name[4:],
    "plural": lambda name: f"{name}s",
    "glued to a name": lambda name: f"Sam{name}",
    "glued before a name": lambda name: f"{name}Sam",
}
"""Also for words long enough that no honest name is one slip away."""

ROLES: Final = ("Moderator", "Listener", "Administrator", "Facilitator")
SHORT_ROLES: Final = ("Admin", "Staff", "Support", "Mod")
MEMBERS: Final = ("Quiet Heron", "Lilo Morris", "Steffi Wood", "Oscar")


def _made(ways: dict[str, Rewriting], names: tuple[str, ...]) -> Iterator[Spoof]:
    for name in names:
        for way, rewrite in ways.items():
            yield Spoof(way, name, rewrite(name))


def staff_spoofs() -> list[Spoof]:
    """Of words that claim a role."""
    return [
        *_made(SAME, ROLES[:2] + SHORT_ROLES[:2]),
        *_made(ROLES_TOO, ROLES + SHORT_ROLES),
        *_made(LONG_ROLES_TOO, ROLES),
    ]


def member_spoofs() -> list[Spoof]:
    """Of people who are here."""
    return [*_made(SAME, MEMBERS)]
