"""Opening hours: when listeners are here.

Pure, and without a calendar: the caller says what weekday and minute it is where the hours are kept, or gives the
zone's offset from UTC as a function of time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from chatserver.domain.history import Millis

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY: Final = 24 * 60
WEEK: Final = 7 * DAY
_MINUTE: Final = 60_000
_EPOCH_WEEKDAY: Final = 3
"""1970-01-01 was a Thursday."""
_CHANGE: Final = 180
"""The most minutes by which a clock is put forward at once."""
_SPAN: Final = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


class WeekHours(msgspec.Struct, frozen=True):
    """The open spans of a week, as minutes from Monday 00:00 local time, in order, not touching; the last may reach
    beyond the week's end. No spans: never open."""

    spans: tuple[tuple[int, int], ...] = ()


def parse_hours(text: str) -> WeekHours:
    """Parse opening hours such as `mon-fri 18:00-23:00, sat,sun 10:00-02:00`, or `always` (the same as no hours), or
    `never`.

    Days stand before the times that apply to them; times without days apply every day; several times may follow each
    other (`mon 9:00-12:00 14:00-17:00`). A span that ends before it begins, or when it begins, ends on the next day.

    Raises ValueError with a message for the author of the configuration.
    """
    words = text.lower().replace(",", " ").split()
    if words in ([], ["always"]):
        return WeekHours(((0, WEEK),))
    if words == ["never"]:
        return WeekHours()
    spans: list[tuple[int, int]] = []
    days: set[int] = set()
    had_times = False
    for word in words:
        if (times := _SPAN.fullmatch(word)) is not None:
            start, length = _parse_span(times)
            spans.extend((day * DAY + start, day * DAY + start + length) for day in days or range(7))
            had_times = True
            continue
        if had_times:
            days, had_times = set(), False
        days |= _parse_days(word)
    if not had_times:
        raise ValueError(f"opening hours {text!r} end with days that have no times")
    return WeekHours(_joined(spans))


def is_open(hours: WeekHours, weekday: int, minute: int) -> bool:
    """Return whether it is open. `weekday` counts from Monday, 0; `minute` from local midnight."""
    return _opens_in(hours, weekday * DAY + minute) == 0


def opens_in_minutes(hours: WeekHours, weekday: int, minute: int) -> int | None:
    """Return the minutes until it is open, if the clocks are not changed meanwhile: 0 while it is open, None if it
    never is."""
    return _opens_in(hours, weekday * DAY + minute)


def local_minute(now: Millis, offset_minutes: int) -> tuple[int, int]:
    """Return the weekday and minute of the day at `now` in a zone that is `offset_minutes` east of UTC then."""
    days, minute = divmod(now // _MINUTE + offset_minutes, DAY)
    return (days + _EPOCH_WEEKDAY) % 7, minute


def opens_at(hours: WeekHours, now: Millis, offset_at: Callable[[Millis], int]) -> Millis | None:
    """Return when it opens next; None while it is open, or if it never is.

    `offset_at` returns the zone's offset from UTC in minutes at a moment, so that a change of clocks in between counts.
    """
    at = Millis(now - now % _MINUTE)
    wait = _opens_in_at(hours, at, offset_at)
    if not wait:
        return None
    while wait:
        # Jump to shortly before, and check every minute from there: the clocks may be changed in between.
        at = Millis(at + max(1, wait - _CHANGE) * _MINUTE)
        wait = _opens_in_at(hours, at, offset_at)
    return at


def _opens_in_at(hours: WeekHours, at: Millis, offset_at: Callable[[Millis], int]) -> int | None:
    return opens_in_minutes(hours, *local_minute(at, offset_at(at)))


def _opens_in(hours: WeekHours, minute: int) -> int | None:
    least: int | None = None
    for start, end in hours.spans:
        if (minute - start) % WEEK < end - start:
            return 0
        wait = (start - minute) % WEEK
        if least is None or wait < least:
            least = wait
    return least


def _parse_days(word: str) -> set[int]:
    first, dash, last = word.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise ValueError(f"{word!r} is neither days ({', '.join(DAYS)}) nor times such as 18:00-23:00")
    start = DAYS.index(first)
    end = DAYS.index(last) if dash else start
    return {(start + step) % 7 for step in range((end - start) % 7 + 1)}


def _parse_span(times: re.Match[str]) -> tuple[int, int]:
    from_hour, from_minute, to_hour, to_minute = map(int, times.groups())
    start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if from_minute > 59 or to_minute > 59 or start >= DAY or end > DAY:
        raise ValueError(f"{times.group()!r} is no span of a day: hours go from 00:00 to 24:00")
    return start, (end - start) % DAY or DAY


def _joined(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the spans in order, with touching ones joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple((start, min(end, start + WEEK)) for start, end in joined)
