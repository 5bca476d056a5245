"""Opening hours: when listeners are here.

Pure, and without a calendar: the caller says what weekday and minute it is where the hours are kept, or gives the
zone's offset from UTC as a function of time.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chatserver.domain.history import Millis


class Hours(msgspec.Struct, frozen=True):
    """The open spans of a week, as minutes from Monday 00:00 local time, in order, not touching; the last may reach
    beyond the week's end. No spans: never open."""

    spans: tuple[tuple[int, int], ...] = ()


def parse_hours(text: str) -> Hours:
    """The hours behind words such as `mon-fri 18:00-23:00, sat,sun 10:00-02:00`, or `always`, or `never`.

    Raises ValueError that says what is wrong, for the one who wrote the configuration."""
    raise NotImplementedError


def is_open(hours: Hours, weekday: int, minute: int) -> bool:
    """`weekday` counts from Monday, 0; `minute` from local midnight."""
    raise NotImplementedError


def opens_in_minutes(hours: Hours, weekday: int, minute: int) -> int | None:
    """Minutes until it is open: 0 while it is, None where it never is."""
    raise NotImplementedError


def local_minute(now: Millis, offset_minutes: int) -> tuple[int, int]:
    """The weekday and minute of the day at `now` in a zone that is `offset_minutes` east of UTC then."""
    raise NotImplementedError


def opens_at(hours: Hours, now: Millis, offset_at: Callable[[Millis], int]) -> Millis | None:
    """When it opens next; `now` or earlier never, None while it is open or where it never is.

    `offset_at` gives the zone's offset from UTC in minutes at a moment, so that a change of clocks in between counts."""
    raise NotImplementedError
