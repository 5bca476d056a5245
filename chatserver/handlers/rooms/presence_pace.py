"""How often the members of a room are told who came and went."""

from __future__ import annotations

from typing import Final

from chatserver.domain.history import ChannelName

SHORTEST_SECONDS: Final = 0.1
LONGEST_SECONDS: Final = 1.0
_SECONDS_PER_MEMBER: Final = 0.002
"""Each change is told to everybody in a room, so a large room is told less often: one of 500 once a second."""


class PresencePace:
    """Lets each channel be told at most every 0.1 seconds, and the more members it has the more rarely, at most once a
    second. The clock arrives as an argument, any monotonic one in seconds."""

    def __init__(self) -> None:
        self._again: dict[ChannelName, float] = {}
        """From when on each large channel may be told again."""

    def take_turn(self, channel: ChannelName, here: int, now: float) -> bool:
        """Return whether a channel with so many members is told now. If so, the next turn is a pause later."""
        if now < self._again.get(channel, now):
            return False
        pause = min(here * _SECONDS_PER_MEMBER, LONGEST_SECONDS)
        if pause > SHORTEST_SECONDS:
            self._again[channel] = now + pause
        else:
            self._again.pop(channel, None)
        return True
