"""The categories of the word lists, and what follows from a category and a level."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Category(StrEnum):
    """The categories of the lists."""

    SELF_HARM = "self_harm"
    DANGER = "danger"
    ABUSE = "abuse"
    GROOMING = "grooming"
    HOSTILE = "hostile"
    METHOD = "method"


class Concern(StrEnum):
    """The reasons besides the lists' categories for which a human is told."""

    CONTACT = "contact"
    """A listener sent contact details, although the server had asked them not to."""
    UNREAD = "unread"
    """A text was made so that it could not be read to its end."""


CARED_FOR: Final = frozenset({Category.SELF_HARM, Category.DANGER, Category.ABUSE, Category.METHOD})
"""The categories whose author is offered help. A person who hurts others is not."""
ESCALATED: Final = 2
"""The level from which a human is told. Below it, only the author sees anything."""
URGENT: Final = 3
