"""A room that needs a moderator: what becomes of it while none is there.

Pure: time arrives as an argument. Every worker with a moderator in the room says so in the store again and again; what
nobody says any more is over, whoever died. So every worker comes to the same answer from the same row, with no leader.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from chatserver.domain.history import Millis

LEAST_PACE: Final = 30
"""Seconds between two posts of one person, at least, in a room that has slowed."""
RENEWED_EVERY: Final = 5_000
"""Milliseconds after which it is said anew, at most, that a moderator is there."""
CLOCKS_DIFFER: Final = 60_000
"""Milliseconds by which a worker's clock may be ahead; one that is further ahead is wrong."""


class Attendance(StrEnum):
    """How a room is for those in it. One that needs no moderator is always as if attended."""

    ATTENDED = "attended"
    SLOWED = "slowed"
    """Nobody has been there for a while, and a standby is paged."""
    READ_ONLY = "read_only"
    """Nobody came."""


class CoverageRules(msgspec.Struct, frozen=True, kw_only=True):
    """In milliseconds: how long nobody is missed, and how long a room that has slowed waits for a standby."""

    grace: int = 60_000
    patience: int = 5 * 60_000


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """A room's attendance, since when it is so, and when a moderator was last known to be there."""

    state: Attendance
    since: Millis
    attended_at: Millis


_NEXT: Final = {Attendance.ATTENDED: Attendance.SLOWED, Attendance.SLOWED: Attendance.READ_ONLY}
"""What follows while nobody comes, one step at a time: also where nothing ran for an hour, a standby is paged first."""


def advance(duty: Coverage | None, *, is_attended: bool, now: Millis, rules: CoverageRules) -> Coverage:
    """The duty as it is now. `duty` is None where the room begins to need somebody: its grace begins, too.

    `is_attended` says that a moderator is in the room at this moment."""
    if duty is None:
        return Coverage(state=Attendance.ATTENDED, since=now, attended_at=now)
    duty = _by_this_clock(duty, now)
    if is_attended:
        since = duty.since if duty.state is Attendance.ATTENDED else now
        return Coverage(state=Attendance.ATTENDED, since=since, attended_at=Millis(max(now, duty.attended_at)))
    ends = ends_at(duty, rules)
    if ends is None or now < ends:
        return duty
    return msgspec.structs.replace(duty, state=_NEXT[duty.state], since=now)


def ends_at(duty: Coverage, rules: CoverageRules) -> Millis | None:
    """When the next step follows if nobody comes; None after the last one."""
    match duty.state:
        case Attendance.ATTENDED:
            return Millis(duty.attended_at + rules.grace)
        case Attendance.SLOWED:
            return Millis(duty.since + rules.patience)
        case Attendance.READ_ONLY:
            return None


def is_worth_keeping(before: Coverage | None, after: Coverage, rules: CoverageRules) -> bool:
    """Whether the store has to hear of it. That somebody is still there is said anew well within the grace."""
    if before is None or before.state is not after.state or after.attended_at < before.attended_at:
        return True
    return after.attended_at - before.attended_at >= min(RENEWED_EVERY, rules.grace // 4)


def _by_this_clock(duty: Coverage, now: Millis) -> Coverage:
    """A time that lies far ahead would keep a room open for ever, or waiting."""
    most = now + CLOCKS_DIFFER
    if duty.since <= most and duty.attended_at <= most:
        return duty
    return msgspec.structs.replace(
        duty, since=Millis(min(duty.since, now)), attended_at=Millis(min(duty.attended_at, now))
    )
