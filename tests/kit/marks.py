"""Marks that tell one run's texts apart. They contain no digits, which might look like a phone number."""

from __future__ import annotations

import secrets
import string


def new_mark(length: int = 8) -> str:
    """Return small letters that no other run has."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(length))
