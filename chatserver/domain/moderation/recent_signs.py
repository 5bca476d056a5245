"""Weak signs of one person in one room that add up within minutes.

Pure: the clock arrives as an argument, in milliseconds. One `RecentSigns` belongs to one worker. It holds a number for
each person and room, no text, and only while it is fresh. The reasons are in `docs/decisions/0214`.
"""

from __future__ import annotations

from typing import Final

from chatserver.domain.history import Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.screening_levels import Levels
from chatserver.domain.rooms.rooms import RoomId

HALF_LIFE: Final = 10 * 60_000
"""Milliseconds after which a sign counts half."""
FRESH: Final = 60 * 60_000
"""Milliseconds after which it counts no more, and is forgotten."""
ENOUGH: Final = 1.0
LEAST: Final = 0.2
MOST: Final = 0.8
"""What a sign counts that just reaches level 1, and one that nearly reaches level 2: two strong ones are enough, or
three or four of the usual ones."""
REMEMBERED: Final = 2_000
"""People and rooms that are remembered; the oldest signs are forgotten first."""


class _Sum:
    """What somebody's signs in a room amount to, when the last one came, and with which post."""

    __slots__ = ("amount", "at", "post")

    def __init__(self, amount: float, at: int, post: Offset) -> None:
        self.amount = amount
        self.at = at
        self.post = post


def weight_of(score: float, levels: Levels) -> float:
    """Return what a score of level 1 counts."""
    part = (score - levels.first) / max(levels.second - levels.first, 1e-6)
    return LEAST + (MOST - LEAST) * min(max(part, 0.0), 1.0)


class RecentSigns:
    """The weak signs of the last minutes, in memory and nowhere else."""

    def __init__(self) -> None:
        self._sums: dict[tuple[MemberId, RoomId], _Sum] = {}

    def add(self, author: MemberId, room: RoomId, post: Offset, weight: float, now: int) -> bool:
        """Add the sign that a post gives. Return whether it is enough together with those before; then they are used
        up. A post counts once, and so does one that is changed."""
        key = (author, room)
        before = self._sums.pop(key, None)
        if before is not None and post <= before.post:
            self._sums[key] = before
            return False
        amount = weight + (0.0 if before is None else _left(before, now))
        is_enough = amount >= ENOUGH
        self._sums[key] = _Sum(0.0 if is_enough else amount, now, post)
        if len(self._sums) > REMEMBERED:
            del self._sums[next(iter(self._sums))]
        return is_enough

    def tidy(self, now: int) -> None:
        """Forget what is no longer fresh."""
        self._sums = {key: each for key, each in self._sums.items() if now - each.at < FRESH}

    def forget(self, author: MemberId) -> None:
        """Forget somebody."""
        self._sums = {key: each for key, each in self._sums.items() if key[0] != author}

    def __len__(self) -> int:
        return len(self._sums)


def _left(before: _Sum, now: int) -> float:
    """Return what a sum counts now."""
    age = max(0, now - before.at)
    return before.amount * 0.5 ** (age / HALF_LIFE) if age < FRESH else 0.0
