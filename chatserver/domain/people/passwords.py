"""Rules for staff passwords. Pure; how they are hashed is in `handlers/people/staff.py`.

Length is what counts, as in NIST SP 800-63B, section 5.1.1.2: no rule asks for signs or capitals. Only passwords that
are tried first are refused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from chatserver.domain.errors import Reason, Refusal

SHORTEST: Final = 12
"""Characters. Four words have them."""
LONGEST: Final = 256
_FEWEST_SIGNS: Final = 5
"""The least number of different characters."""
_BESIDE_LOGIN: Final = 8
"""The least number of characters that are left once the login is taken out."""

_COMMON_WORDS: Final = """
abc admin administrator changeme chatserver computer default dragon facilitator football freedom guest iloveyou
letmein listener login master moderator monkey operator passphrase password passwort peersupport pleaseletmein
princess qazwsx qwerty qwertyuiop qwertzuiop root secret sunshine superman supporter test trustno welcome zaqwsx
correcthorsebatterystaple thisismypassword
"""
_COMMON: Final = frozenset(_COMMON_WORDS.split())
"""Letters of the first entries of every list of stolen passwords, and of words that a place like this suggests."""
_ROWS: Final = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjkl",
)
_NOT_LETTERS: Final = re.compile(r"[^a-z]+")
_LEET: Final = str.maketrans("013457@$", "oleastas")
_REPEATED: Final = re.compile(r"(.+?)\1+")


def clean_password(typed: str) -> str:
    """Return the form that is hashed: the same characters, however a keyboard composed them."""
    return unicodedata.normalize("NFKC", typed)


def check_password(password: str, login: str) -> None:
    """Check a cleaned password. Raises PASSWORD_WEAK with `details["why"]` one of: short, long, repeated, login,
    common."""
    folded = password.casefold()
    if len(password.strip()) < SHORTEST:
        raise _weak("short", shortest=SHORTEST)
    if len(password) > LONGEST:
        raise _weak("long", longest=LONGEST)
    if len(set(folded)) < _FEWEST_SIGNS or _is_row(folded):
        raise _weak("repeated")
    if login in folded and len(folded.replace(login, "")) < _BESIDE_LOGIN:
        raise _weak("login")
    if not _COMMON.isdisjoint((_letters(folded), _letters(folded.translate(_LEET)))):
        raise _weak("common")


def _letters(text: str) -> str:
    """Return a password's letters only, and a repeated sequence once."""
    letters = _NOT_LETTERS.sub("", text)
    return letters if (repeated := _REPEATED.fullmatch(letters)) is None else repeated[1]


def _is_row(folded: str) -> bool:
    """Return whether it only follows the keyboard or the alphabet, in either direction."""
    return any(folded in row or folded in row[::-1] for row in _ROWS)


def _weak(why: str, **details: object) -> Refusal:
    return Refusal(Reason.PASSWORD_WEAK, details={"why": why, **details})
