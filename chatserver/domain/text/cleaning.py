"""Cleans everything that people write, before it is stored and shown beside what others wrote.

Pure. Every text passes through `clean_text` before it is stored. It changes only what a reader cannot see, or what
would be drawn over the words of others: see `docs/decisions/0121`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from chatserver.domain.errors import Reason, Refusal

MOST_MARKS: Final = 4
"""Combining marks on one character. Pointed Hebrew, Vietnamese, Thai, Tibetan and the Indic scripts need no more."""
MOST_EMPTY_LINES: Final = 2
"""Empty lines in a row."""
MOST_LINES: Final = 60
"""Lines of one text. Later line breaks become spaces, so that no word is lost."""

IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""The Unicode property Default_Ignorable_Code_Point, as the inside of a regular expression's character class."""
FORMAT: Final = "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001345f"
"""The rest of the category Cf. Some of it is visible, but only around another character."""
BLANK: Final = "\u2800\ufffc\U00016fe4\U0001d159"
"""Characters that are signs by category, but invisible."""


def _class(chars: Iterable[str]) -> str:
    """Return the inside of a character class that matches these characters, which are in order."""
    found: list[list[str]] = []
    for char in chars:
        if found and ord(char) == ord(found[-1][1]) + 1:
            found[-1][1] = char
        else:
            found.append([char, char])
    return "".join(f"{first}-{last}" for first, last in found)


_MARK: Final = _class(
    char
    for char in map(chr, (*range(0x300, 0x3100), *range(0xA000, 0xFE30), *range(0x10000, 0x1F000)))
    if unicodedata.category(char)[0] == "M" and not re.match(f"[{IGNORABLE}]", char)
)
"""Every combining mark that is drawn."""
_CONDITIONAL: Final = "\u200c\u200d\u180b-\u180f\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef"
"""Ignorable characters that some scripts or emoji cannot do without."""
_UNWANTED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff]+"
)
"""Characters that are never stored: control characters other than tab and line feed, ignorable characters that nothing
needs, and with them all that change the direction of the text after them."""
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_BREAKS: Final = re.compile("\r\n?|[\u2028\u2029]")
_SEEN: Final = re.compile(rf"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff{IGNORABLE}{FORMAT}{BLANK}{_MARK}]")
"""Anything that a reader sees; a mark without a letter is not seen."""
_INK: Final = re.compile("[!-~]")
"""The same for ASCII, which is nearly always enough."""
_PLAIN: Final = re.compile(
    "[\t\n\x20-\x7e\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205f\u20a0-\u20cf"
    "\u2100-\u2bff\u3000-\u3029\u3031-\u3098\u309b-\u3163\u3165-\ua66e\uac00-\ud7a3\uff01-\uff9f"
    "\U0001f000-\U0001faff]*"
)
"""Texts that need no cleaning: no marks, no joiners."""
_SURPLUS: Final = re.compile(rf"((?:[{_MARK}][{_CONDITIONAL}]*){{{MOST_MARKS}}})(?:[{_MARK}][{_CONDITIONAL}]*)+")
_MAYBE_SURPLUS: Final = re.compile(
    rf"(?:[{_class(char for char in map(chr, range(0x300, 0xFE30)) if unicodedata.category(char)[0] == 'M')}"
    rf"\U00010a00-\U0001efff][{_CONDITIONAL}]*){{{MOST_MARKS + 1}}}"
)
"""The same, a little wider, and many times as quick to search."""

_VIRAMA: Final = _class(
    char for char in map(chr, (*range(0x900, 0x1C00), *range(0xA800, 0xAC00))) if unicodedata.combining(char) == 9
)
"""The marks that join consonants."""
_JOINING: Final = (
    _class(char for char in map(chr, range(0x600, 0x900)) if unicodedata.bidirectional(char) in ("AL", "NSM"))
    + "\u07ca-\u07f3\u1820-\u18aa\U0001e900-\U0001e94a"
)
"""Letters of the scripts whose letters join, and the marks on them."""
_PICTURE: Final = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_HAN: Final = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_JOINERS: Final = (
    # RFC 5892, appendix A: after a virama; and a non-joiner between letters that would join. Every letter of such a
    # writing counts as one that joins: where it does not, nothing is drawn. Persian shortens words by a joiner.
    # Before a virama too, where Bengali and Kannada write another form of their ra (Unicode 16, sections 12.2, 12.8).
    rf"(?<=[{_VIRAMA}])[\u200c\u200d]|(?<=[{_JOINING}])(?:\u200d|\u200c(?=[{_JOINING}]))"
    r"|(?<=\u09b0)\u200d(?=\u09cd)|(?<=\u0cb0)\u200d(?=\u0ccd)"
)
_NEEDED: Final = re.compile(
    rf"({_JOINERS}"
    rf"|(?:(?<=[{_PICTURE}])|(?<=[{_PICTURE}]\ufe0f))\u200d(?=[{_PICTURE}])"
    rf"|(?<=[{_PICTURE}#*0-9])[\ufe0e\ufe0f]"
    r"|(?<=[\u1820-\u18aa])[\u180b-\u180f]"
    rf"|(?<=[{_HAN}])[\ufe00-\ufe0d\U000e0100-\U000e01ef]"
    r"|(?<=[\u1000-\u109f\u2200-\u22ff\u2a00-\u2aff\ua840-\ua87f])\ufe00"
    r"|(?<=\U0001f3f4)[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f"
    rf")|[{_CONDITIONAL}]+"
)
"""A conditional character, and as the first group those that are needed: joiners, emoji that are made of several, their
colour, the variants of Mongolian, Chinese and Burmese, and the flags of parts of a country."""
_JOINER: Final = re.compile(_JOINERS)


def has_visible(text: str) -> bool:
    """Return whether a reader would see anything except marks without a letter."""
    return _INK.search(text) is not None or _SEEN.search(text) is not None


def clean_text(text: str) -> str:
    """Return a text in the form in which it may be stored, never longer than it was; cleaning that again changes
    nothing.

    It has no white space around it, no control characters other than tab and line feed, no invisible characters, except
    joiners and selectors where the script or an emoji needs them, at most `MOST_MARKS` marks on a character,
    `MOST_EMPTY_LINES` empty lines in a row and `MOST_LINES` lines. Half a character (an unpaired surrogate, which no
    database keeps) becomes the replacement character.
    """
    text = _BREAKS.sub("\n", text)
    if _PLAIN.fullmatch(text) is None:
        text = _without_excess(_UNWANTED.sub("", _SURROGATES.sub("\ufffd", text)))
    text = text.strip()
    return _in_few_lines(text).strip() if text.count("\n") > MOST_EMPTY_LINES else text


def is_joiner_needed(text: str, at: int) -> bool:
    """Return whether a zero-width joiner or non-joiner at this place in a text changes how it is written."""
    return _JOINER.match(text, at) is not None


def _without_excess(text: str) -> str:
    """Return a text without surplus marks, and without joiners and selectors that nothing needs."""
    if _MAYBE_SURPLUS.search(text):
        text = _SURPLUS.sub(r"\1", text)
    return _NEEDED.sub(lambda match: match[1] or "", text)


# ------------------------------------------------------------------------------------------------ lines


def _in_few_lines(text: str) -> str:
    kept: list[str] = []
    empty = 0
    for line in text.split("\n"):
        is_empty = not has_visible(line)
        empty = empty + 1 if is_empty else 0
        if empty <= MOST_EMPTY_LINES:
            kept.append("" if is_empty else line)
    if len(kept) <= MOST_LINES:
        return "\n".join(kept)
    rest = " ".join(line.strip() for line in kept[MOST_LINES - 1 :] if line)
    return "\n".join((*kept[: MOST_LINES - 1], rest))


def optional(text: str, limit: int) -> str:
    """Return a cleaned text by or for staff, which may be empty. Raises TEXT_TOO_LONG."""
    text = clean_text(text)
    if len(text) > limit:
        raise Refusal(Reason.TEXT_TOO_LONG, details={"limit": limit})
    return text


def required(text: str, limit: int) -> str:
    """Return a cleaned text, which must not be empty. Raises TEXT_EMPTY or TEXT_TOO_LONG."""
    text = optional(text, limit)
    if not has_visible(text):
        raise Refusal(Reason.TEXT_EMPTY)
    return text
