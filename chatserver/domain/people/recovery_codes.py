"""Recovery codes: what staff type if the device with their second factor is lost.

Pure. Each code has 80 random bits, so that its plain hash cannot be searched, and is accepted once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Final

from chatserver.domain.identity import MemberId

CODES: Final = 10
"""How many are made at a time."""
_ALPHABET: Final = "abcdefghjkmnpqrstvwxyz0123456789"
"""32 characters. Left out are i, l, o and u, which are mistaken for others (Crockford's base32 in small letters)."""
_SIGNS: Final = 16
_GROUP: Final = 4
_READ_AS: Final = str.maketrans({"i": "1", "l": "1", "o": "0", "u": "v"})
_CODE: Final = re.compile(rf"[{_ALPHABET}]{{{_SIGNS}}}")
_LONGEST: Final = 64


def make_recovery_code(draw: Callable[[int], int]) -> str:
    """Return a new code as it is shown: four groups of four characters. `draw(n)` gives a random number below n."""
    number = draw(len(_ALPHABET) ** _SIGNS)
    signs = []
    for _ in range(_SIGNS):
        number, sign = divmod(number, len(_ALPHABET))
        signs.append(_ALPHABET[sign])
    code = "".join(signs)
    return "-".join(code[at : at + _GROUP] for at in range(0, _SIGNS, _GROUP))


def hash_recovery_code(member: MemberId, typed: str) -> bytes | None:
    """Return the 32 bytes under which this member's code is stored; None for input that cannot be a code.

    Capitals, spaces and hyphens do not matter, and characters that look alike are one. The member is part of what is
    hashed: a code opens one account.
    """
    code = "".join(typed[:_LONGEST].lower().split()).replace("-", "").translate(_READ_AS)
    if _CODE.fullmatch(code) is None:
        return None
    return hashlib.sha256(f"recovery code {member} {code}".encode()).digest()
