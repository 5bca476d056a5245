"""When listeners are here, by the local time of the configured time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from chatserver.domain.history import Millis
from chatserver.domain.listening import opening_hours


class Clock:
    """Opening hours in a time zone. They follow the change to summer time and back."""

    def __init__(self, kept: opening_hours.WeekHours, timezone: str) -> None:
        self._hours = kept
        self._zone = ZoneInfo(timezone)

    def is_open(self, now: Millis) -> bool:
        return opening_hours.is_open(self._hours, *opening_hours.local_minute(now, self._offset(now)))

    def opens_at(self, now: Millis) -> Millis | None:
        """Return when listeners are here next; None while they are here, or where they never are."""
        return opening_hours.opens_at(self._hours, now, self._offset)

    def _offset(self, at: Millis) -> int:
        """Return how many minutes the zone is east of UTC at that moment."""
        offset = datetime.fromtimestamp(at / 1000, UTC).astimezone(self._zone).utcoffset() or timedelta()
        return round(offset.total_seconds() / 60)
