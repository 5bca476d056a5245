"""Marks that set one run's texts apart. Digits are none of them: by chance they would be taken for a phone number."""

from __future__ import annotations

import secrets
import string


def new_mark(length: int = 8) -> str:
    """Small letters that no other run has."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(length))
