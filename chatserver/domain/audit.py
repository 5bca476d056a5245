"""Whether a floor keeps its promises, counted. Metrics and tests read it.

Pure.
"""

from __future__ import annotations

import msgspec

from chatserver.domain.floor import Floor, FloorRules
from chatserver.domain.history import Millis


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """How many times each promise is broken on a floor. All of them are 0 on a floor that was settled just now."""

    shared_sessions: int = 0
    """Live sessions to which more or fewer than one seeker belongs."""
    double_seekers: int = 0
    """Seekers who are in more than one live session."""
    over_cap: int = 0
    """Listeners with more sessions and proposals at once than they may have."""
    over_day_cap: int = 0
    over_week_cap: int = 0
    in_pause: int = 0
    """Listeners who are asked during a pause."""
    double_proposals: int = 0
    """Listeners who are asked about more than one seeker at a time."""
    orphans: int = 0
    """Places and sessions whose people are away far beyond the grace, and sessions without anybody."""
    late_proposals: int = 0
    """Proposals that stand past their deadline."""
    stale: int = 0
    """Ended sessions that should have been forgotten."""
    idle: int = 0
    """Eligible listeners who are not asked although somebody waits whom they could take."""
    idle_ms: int = 0
    """For how long the longest of them, as far as the floor can tell."""

    @property
    def broken(self) -> int:
        """All of it together, but for `idle`, which a moment may explain."""
        return sum(getattr(self, name) for name in PROMISES)


PROMISES = tuple(name for name in Audit.__struct_fields__ if not name.startswith("idle"))


def audit(floor: Floor, now: Millis, rules: FloorRules) -> Audit:
    raise NotImplementedError
