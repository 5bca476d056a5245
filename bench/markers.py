"""The first words of the posts that the load sends: each names a post, by its sender and its number.

They are all letters, like the words of ordinary posts. With digits in it every text would be looked at more closely,
as if a telephone number were hidden there.
"""

from __future__ import annotations

from typing import Final

_LETTERS: Final = ("bcdfghjklm", "npqrstvwxz")
"""Letters for digits, in turns, so that no letter stands beside itself: that would look like a drawn-out word."""
_SENDER_DIGITS: Final = 4
_NUMBER_DIGITS: Final = 8
LENGTH: Final = _SENDER_DIGITS + _NUMBER_DIGITS


def sender_of(number: int) -> str:
    """Return the first part of all markers of a sender."""
    return _spelled(number, _SENDER_DIGITS)


def marker_of(sender: str, number: int) -> str:
    """Return the marker of a sender's post."""
    return sender + _spelled(number, _NUMBER_DIGITS)


def read_marker(marker: str) -> tuple[str, int]:
    """Return the sender and the number of a post. Raises ValueError if this is no marker."""
    if len(marker) != LENGTH:
        raise ValueError(f"no marker: {marker!r}")
    digits = "".join(str(_LETTERS[place % 2].index(letter)) for place, letter in enumerate(marker))
    return marker[:_SENDER_DIGITS], int(digits[_SENDER_DIGITS:])


def _spelled(number: int, width: int) -> str:
    return "".join(_LETTERS[place % 2][int(digit)] for place, digit in enumerate(f"{number:0{width}}"))
