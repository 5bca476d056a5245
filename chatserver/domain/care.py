"""What listeners are spared: pauses, cool-downs, debriefs and caps. Enforced here, not advised.

Pure.
"""

from __future__ import annotations

from enum import StrEnum

from chatserver.domain.floor import Floor, FloorRules, Listener, Pause
from chatserver.domain.history import Millis


class ListenerState(StrEnum):
    """How a listener stands, in one word."""

    PRACTICE = "practice"
    AWAY = "away"
    FREE = "free"
    BUSY = "busy"
    PAUSED = "paused"


def pause_of(listener: Listener, now: Millis, rules: FloorRules) -> tuple[Pause, Millis | None] | None:
    """Why a listener gets nobody now and until when; None where nothing stands in the way. A debrief has no end but its
    note. Views show this, not the record's own fields, which know nothing of caps and debriefs."""
    raise NotImplementedError


def taken_in_day(listener: Listener, now: Millis) -> int:
    """Sessions begun in the last 24 hours."""
    raise NotImplementedError


def taken_in_week(listener: Listener, now: Millis) -> int:
    """Sessions begun in the last seven days."""
    raise NotImplementedError


def cap_of(listener: Listener, rules: FloorRules) -> int:
    """How many sessions a listener has at most at once."""
    return max(1, min(listener.profile.cap, rules.most_cap))


def state_of(floor: Floor, listener: Listener, now: Millis, rules: FloorRules) -> ListenerState:
    raise NotImplementedError
