"""The cookie by which a browser is known in which a staff member signed in before.

Pure. It opens nothing: it only says that a password typed there is not a stranger's. Its value is 32 random bytes and a
signature over them, so that a made-up one is recognised without asking the store; its hash is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

_VALUE: Final = re.compile(r"([A-Za-z0-9_-]{43})\.([0-9a-f]{32})")
_SIGNATURE_BYTES: Final = 16


def sign_device(drawn: str, key: bytes) -> str:
    """Return the cookie's value for 43 random characters of base64url."""
    return f"{drawn}.{_signature(drawn, key)}"


def hash_device(value: str, key: bytes) -> bytes | None:
    """Return the 32 bytes under which a browser is stored; None for a value that was not made with this key."""
    match = _VALUE.fullmatch(value)
    if match is None or not hmac.compare_digest(match[2], _signature(match[1], key)):
        return None
    return hashlib.sha256(match[1].encode("ascii")).digest()


def _signature(drawn: str, key: bytes) -> str:
    return hashlib.blake2b(drawn.encode("ascii"), key=key[:64], digest_size=_SIGNATURE_BYTES).hexdigest()
