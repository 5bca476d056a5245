"""When listeners are here, by the clock on the wall of the configured place."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from chatserver.domain.history import Millis
from chatserver.domain.hours import WeekHours, is_open, opens_in_minutes

_MINUTE = 60_000


class Clock:
    """Opening hours in a time zone. Summer time moves them as it moves the clock."""

    def __init__(self, hours: WeekHours, timezone: str) -> None:
        self._hours = hours
        self._zone = ZoneInfo(timezone)

    def is_open(self, now: Millis) -> bool:
        return is_open(self._hours, *self._local(now))

    def opens_at(self, now: Millis) -> Millis | None:
        """When they are next; None while they are, or where they never are. In the two nights a year when the clock is
        moved this may be an hour off until it has been."""
        minutes = opens_in_minutes(self._hours, *self._local(now))
        return None if not minutes else Millis(now // _MINUTE * _MINUTE + minutes * _MINUTE)

    def _local(self, now: Millis) -> tuple[int, int]:
        """The weekday (0 is Monday) and the minute of the day."""
        there = datetime.fromtimestamp(now / 1000, UTC).astimezone(self._zone)
        return there.weekday(), there.hour * 60 + there.minute
