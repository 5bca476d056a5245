"""A room that needs a moderator, and its state while none is there.

Pure: time arrives as an argument. Every worker with a moderator in the room says so in the store again and again; a
presence that is no longer renewed is over, whichever worker died. So every worker comes to the same answer from the
same row, without a leader.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from chatserver.domain.history import Millis

LEAST_PACE: Final = 30
"""The least number of seconds between two posts of one person in a room that has slowed."""
RENEWED_EVERY: Final = 5_000
"""The most milliseconds after which a moderator's presence is renewed."""
CLOCKS_DIFFER: Final = 60_000
"""Milliseconds by which a worker's clock may be ahead; one that is further ahead is wrong."""


class Attendance(StrEnum):
    """The state of a room for its members. A room that needs no moderator is always attended."""

    ATTENDED = "attended"
    SLOWED = "slowed"
    """No moderator has been there for a while, and a standby is paged."""
    READ_ONLY = "read_only"
    """No moderator came."""


class CoverageRules(msgspec.Struct, frozen=True, kw_only=True):
    """In milliseconds: the grace after a moderator left, and how long a slowed room waits for a standby."""

    grace: int = 60_000
    patience: int = 5 * 60_000


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """A room's attendance, since when it holds, and when a moderator was last known to be there."""

    state: Attendance
    since: Millis
    attended_at: Millis


_NEXT: Final = {Attendance.ATTENDED: Attendance.SLOWED, Attendance.SLOWED: Attendance.READ_ONLY}
"""The next state while no moderator comes, one step at a time: also after an hour in which nothing ran, a standby is
paged first."""


def advance(coverage: Coverage | None, *, is_attended: bool, now: Millis, rules: CoverageRules) -> Coverage:
    """Return the coverage as it is now. `duty` is None if the room begins to need a moderator: its grace begins, too.

    `is_attended` says that a moderator is in the room at this moment.
    """
    if coverage is None:
        return Coverage(state=Attendance.ATTENDED, since=now, attended_at=now)
    coverage = _by_this_clock(coverage, now)
    if is_attended:
        since = coverage.since if coverage.state is Attendance.ATTENDED else now
        return Coverage(state=Attendance.ATTENDED, since=since, attended_at=Millis(max(now, coverage.attended_at)))
    ends = ends_at(coverage, rules)
    if ends is None or now < ends:
        return coverage
    return msgspec.structs.replace(coverage, state=_NEXT[coverage.state], since=now)


def ends_at(coverage: Coverage, rules: CoverageRules) -> Millis | None:
    """Return when the next step follows if no moderator comes; None after the last one."""
    match coverage.state:
        case Attendance.ATTENDED:
            return Millis(coverage.attended_at + rules.grace)
        case Attendance.SLOWED:
            return Millis(coverage.since + rules.patience)
        case Attendance.READ_ONLY:
            return None


def is_worth_keeping(before: Coverage | None, after: Coverage, rules: CoverageRules) -> bool:
    """Return whether the store has to be updated. A moderator's presence is renewed well within the grace."""
    if before is None or before.state is not after.state or after.attended_at < before.attended_at:
        return True
    return after.attended_at - before.attended_at >= min(RENEWED_EVERY, rules.grace // 4)


def _by_this_clock(coverage: Coverage, now: Millis) -> Coverage:
    """Limit times in the future: one that lies far ahead would keep a room open, or waiting, for ever."""
    most = now + CLOCKS_DIFFER
    if coverage.since <= most and coverage.attended_at <= most:
        return coverage
    return msgspec.structs.replace(
        coverage, since=Millis(min(coverage.since, now)), attended_at=Millis(min(coverage.attended_at, now))
    )
