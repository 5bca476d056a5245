"""The proof of work that a newcomer's device does before it enters a protected room."""

from __future__ import annotations

import hashlib
import itertools


def solve(challenge: str, bits: int) -> str:
    """Return the text whose SHA-256 begins with `bits` zero bits, found by trying one number after another."""
    return next(
        text
        for number in itertools.count()
        if int.from_bytes(hashlib.sha256((text := f"{challenge}:{number}").encode()).digest(), "big") >> (256 - bits)
        == 0
    )
