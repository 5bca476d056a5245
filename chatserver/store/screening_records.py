"""What callers and the store pass each other about screening."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.moderation.score_counts import Counts
from chatserver.domain.moderation.screening_levels import Levels, Loads, ScreeningLevels


class Scored(msgspec.Struct, frozen=True):
    """So many more posts of a week and a place had a score of this step."""

    week: Millis
    place: str
    step: int
    posts: int


class LevelsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator wants: these loads, followed from now on; or, where `levels` are given, these and no others.
    `seen` is the revision that they have seen."""

    seen: int
    loads: Loads
    levels: Levels | None = None


class ScreeningSeen(msgspec.Struct, frozen=True):
    """What is set, and how the scores of the last weeks are spread, by place."""

    state: ScreeningLevels
    counts: dict[str, Counts]
