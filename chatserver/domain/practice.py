"""What a new listener does before the first real session: a scripted seeker, and a readiness check.

Pure: words only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a learner may say, what the scripted seeker says then, and a word of advice. `next` is the number of the
    scene that follows, None at the end."""

    text: str
    reply: tuple[str, ...]
    advice: str
    is_good: bool
    next: int | None


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of the practice conversation."""

    says: tuple[str, ...]
    answers: tuple[Answer, ...]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question of the readiness check. `right` is the number of the right answer, `why` what is told to those who
    chose another."""

    text: str
    answers: tuple[str, ...]
    right: int
    why: str


SCENES: Final[tuple[Scene, ...]] = ()
QUESTIONS: Final[tuple[Question, ...]] = ()


def check(answers: Sequence[int]) -> dict[int, str]:
    """The questions (numbers from 0) to think about again, each with why. It is passed where there are none. An answer
    that is missing is to be thought about too."""
    raise NotImplementedError
