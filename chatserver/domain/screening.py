"""Contact details in what somebody writes: phone numbers, e-mail, handles, links.

Pure. It errs on the side of silence: people here write of times, ages, money and helplines all the time.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    HANDLE = "handle"
    LINK = "link"


class Found(msgspec.Struct, frozen=True):
    """Contact details in a text, from `start` up to before `end` (code points)."""

    kind: Kind
    start: int
    end: int


def find_contacts(text: str) -> tuple[Found, ...]:
    """What in a text would lead to somebody outside of here, in order, not overlapping."""
    raise NotImplementedError
