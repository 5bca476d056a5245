"""The come-back code: six words that give a member their name back on another device.

Pure: the caller draws the numbers and holds the pepper. Six of 1,024 words are 60 bits.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.people.comeback_words import WORDS

CODE_WORDS: Final = 6
WORDS_OF_A_MEETING: Final = 4
"""Come-back words that lead to a listener: 40 bits, valid for some weeks, and limited like codes."""
PEPPER_BYTES: Final = 16
"""The least length of a pepper."""

_LONGEST: Final = 512
"""The most characters of input that are read."""
_KNOWN_BY: Final = 4
_WORDS: Final = frozenset(WORDS)
_BY_START: Final = {word[:_KNOWN_BY]: word for word in WORDS}
_LETTERS: Final = re.compile("[a-z]+")


def make_code(draw: Callable[[int], int], words: int = CODE_WORDS) -> str:
    """Return a new code in the one form that is hashed: that many words, one space between them.

    `draw(n)` returns a number from 0 to n - 1. It MUST come from a source fit for secrets.
    """
    return " ".join(WORDS[draw(len(WORDS))] for _ in range(words))


def parse_code(text: str, words: int = CODE_WORDS) -> str:
    """Return the code that somebody typed, in the form of `make_code`.

    Capitals, hyphens, commas, numbering and line breaks do not matter, nor does how a word ends once its first four
    letters are there. Words before and after the code that cannot belong to one ("my code is ...") are ignored. Raises
    Refusal(CODE_UNKNOWN) for anything that cannot be a code.
    """
    typed = _LETTERS.findall(unicodedata.normalize("NFKC", text[:_LONGEST]).lower())
    # Whole words first: the "please" around a code should not be taken for a "pleasant" in it.
    code = _run_of([word if word in _WORDS else None for word in typed], words) or _run_of(
        [_BY_START.get(word[:_KNOWN_BY]) for word in typed], words
    )
    if code is None:
        raise Refusal(Reason.CODE_UNKNOWN)
    return code


def _run_of(typed: list[str | None], count: int) -> str | None:
    """Return the words of a code with nothing known before or after them, or None."""
    known = [place for place, word in enumerate(typed) if word is not None]
    if len(known) != count or known[-1] - known[0] != count - 1:
        return None
    return " ".join(word for word in typed if word is not None)


def hash_code(code: str, pepper: bytes) -> bytes:
    """Return the 32 bytes under which a code is stored and looked up. `code` is what `make_code` or `parse_code`
    returned.

    The same code always gives the same hash, because it is looked up by it: a salt per code would mean trying every
    row. The server's `pepper`, kept apart from the database, is used as the salt, so a stolen database alone cannot be
    searched. If the pepper is stolen as well, scrypt with n = 2**14, r = 8 (16 MiB and some 50 ms for each guess) on
    top of 60 bits keeps a search out of reach, and delays a return by a moment that nobody notices. It blocks for that
    long: call it in a thread, and few at a time.

    Raises ValueError for a pepper that is too short to be a secret.
    """
    if len(pepper) < PEPPER_BYTES:
        raise ValueError(f"a pepper has at least {PEPPER_BYTES} bytes")
    return hashlib.scrypt(code.encode(), salt=pepper, n=2**14, r=8, p=1, dklen=32)
