"""How many posts of one person count in the scores of an hour, so that nobody can shift them alone.

Pure: the clock arrives as an argument, in milliseconds. One `CountedAuthors` belongs to one worker.
"""

from __future__ import annotations

from typing import Final

from chatserver.domain.identity import MemberId

MOST: Final = 20
"""Posts of one person that count within an hour."""
REMEMBERED: Final = 5_000
"""People who are remembered; those who wrote longest ago are forgotten first."""
_HOUR: Final = 3_600_000


class CountedAuthors:
    """Who wrote how much in their hour. It is kept in memory and nowhere else."""

    def __init__(self) -> None:
        self._seen: dict[MemberId, tuple[int, int]] = {}

    def count(self, author: MemberId, now: int) -> bool:
        """Return whether one more post of somebody counts; if so it does."""
        began, posts = self._seen.pop(author, (now, 0))
        if now - began >= _HOUR:
            began, posts = now, 0
        self._seen[author] = (began, min(posts + 1, MOST + 1))
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return posts < MOST

    def forget(self, author: MemberId) -> None:
        """Forget somebody."""
        self._seen.pop(author, None)
