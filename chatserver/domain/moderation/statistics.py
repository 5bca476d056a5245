"""Statistics for publication: counts by day and kind, week by week, with small numbers protected.

Pure. A table is one week, from Monday to Sunday, in UTC. It is published whole and only once nothing can change in it
any more, so that publishing it again, or the week after it, adds nothing to what is known of it: no two tables overlap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.moderation.disclosure import Disclosed, disclose
from chatserver.domain.moderation.measures import REASONS, counted_reason

DAY: Final = 24 * 3_600_000
WEEK: Final = 7 * DAY
_FIRST_MONDAY: Final = 4 * DAY
"""The epoch was a Thursday."""
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NOT_SAID: Final = "not_said"
HEARD: Final = ("no", "partly", "yes", NOT_SAID)
HEAVY: Final = ("lighter", "as_before", "heavier", NOT_SAID)
HEAD: Final = ("week", "table", "day", "kind", "count")


class Given(msgspec.Struct, frozen=True):
    """Stored feedback: whether somebody felt heard (0 no, 1 partly, 2 yes), and how heavy it was."""

    at: Millis
    heard: int | None
    heavy_before: int | None
    heavy_after: int | None


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted for a span of time: when a report was made and its reason, and feedback. Without identities."""

    reports: tuple[tuple[Millis, str], ...]
    feedback: tuple[Given, ...]


class WeekTable(msgspec.Struct, frozen=True, kw_only=True):
    """One table of one week, in the form in which it may be published. Its rows are days."""

    week: str
    name: str
    shown: Disclosed


def final_weeks(now: Millis, *, final_after: int, age: int, most: int) -> list[Millis]:
    """Return the beginnings of the newest weeks that can be published, oldest first: over for `final_after`
    milliseconds, after which nothing is added to them, and begun less than `age` ago, before which records are
    deleted."""
    newest = (now - final_after - _FIRST_MONDAY) // WEEK * WEEK + _FIRST_MONDAY - WEEK
    found = [Millis(newest - WEEK * back) for back in range(most)]
    return [start for start in reversed(found) if start >= 0 and start > now - age]


def tables(start: Millis, week: str, happened: Happened) -> list[WeekTable]:
    """Return all tables of the week that begins at `start`, and is called `week`."""
    told = (
        ("reports", REASONS, [(at, counted_reason(reason)) for at, reason in happened.reports]),
        ("heard", HEARD, [(each.at, _heard(each)) for each in happened.feedback]),
        ("heavy", HEAVY, [(each.at, _heavy(each)) for each in happened.feedback]),
    )
    return [_table(start, week, name, kinds, events) for name, kinds, events in told]


def lines(told: Iterable[WeekTable]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield tables as lines under HEAD: a count, or nothing if it is suppressed. `total` stands for all days or kinds
    that are published; what is `withheld` has no count and is in no total."""
    for table in told:
        shown, where = table.shown, (table.week, table.name)
        for day, cells, total in zip(shown.rows, shown.cells, shown.row_totals, strict=True):
            for kind, count in zip(shown.columns, cells, strict=True):
                yield *where, day, kind, "" if count is None else str(count)
            yield *where, day, "total", str(total)
        for kind, total in zip(shown.columns, shown.column_totals, strict=True):
            yield *where, "total", kind, str(total)
        if shown.rows:
            yield *where, "total", "total", str(shown.total)
        for line in shown.withheld:
            yield *where, line, "withheld", ""


def _table(
    start: Millis, week: str, name: str, kinds: tuple[str, ...], events: Iterable[tuple[Millis, str]]
) -> WeekTable:
    counts = Counter(((at - start) // DAY, kind) for at, kind in events)
    table = [[counts[day, kind] for kind in kinds] for day in range(len(DAYS))]
    return WeekTable(week=week, name=name, shown=disclose(DAYS, kinds, table))


def _heard(given: Given) -> str:
    return NOT_SAID if given.heard is None else HEARD[given.heard]


def _heavy(given: Given) -> str:
    if given.heavy_before is None or given.heavy_after is None:
        return NOT_SAID
    return HEAVY[(given.heavy_after > given.heavy_before) - (given.heavy_after < given.heavy_before) + 1]
