"""Evidence: what is kept of words that were taken away, and which words an erasure leaves to an open case.

Pure. The store seals all of it (`store/core/sealing.py`); `docs/decisions/0113` has the reasons.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.crisis_phrases import Category

ALIAS_PREFIX: Final = "e_"
"""The prefix of the id that an erased person has in a case."""


class Ended(StrEnum):
    """Why words are no longer in a post."""

    EDITED = "edited"
    REDACTED = "redacted"
    ERASED = "erased"


class EarlierVersion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A post as it stood from `at` until `until`, when it was changed, taken back or its author was erased."""

    offset: Offset
    author: MemberId
    name: str
    text: str
    at: Millis
    until: Millis
    ended: Ended
    warning: str | None = None


def is_alias(member: MemberId | None) -> bool:
    """Return whether an id is a case's alias of an erased person."""
    return member is not None and member.startswith(ALIAS_PREFIX)


def survives_erasure(*, level: int | None, reason: str) -> bool:
    """Return whether a case keeps the words of the person it is about when they erase themselves.

    A report by a person does (`level` None), and so does an escalation about what somebody does to others. One about
    the author's own danger (`Category.SELF_HARM`) was made for their sake alone: it loses the words.
    """
    return level is None or reason != Category.SELF_HARM
