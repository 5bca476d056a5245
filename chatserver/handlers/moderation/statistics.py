"""The statistics that may be published, as lines of CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Final

from chatserver.domain.history import Millis
from chatserver.domain.moderation.statistics import DAY, HEAD, WEEK, final_weeks, lines, tables
from chatserver.store.records import Retention
from chatserver.store.store import Store

MOST_WEEKS: Final = 53


async def statistics(store: Store, now: Millis, retention: Retention, *, keep: int) -> str:
    """Return all final weeks that are kept, as CSV. `keep` is for how many milliseconds a session is kept after its
    end: the last feedback comes by then."""
    age = min(retention.report_age, retention.feedback_age)
    weeks = final_weeks(now, final_after=keep + DAY, age=age, most=MOST_WEEKS)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEAD)
    for start in weeks:
        monday = dt.datetime.fromtimestamp(start / 1000, dt.UTC).date().isoformat()
        writer.writerows(lines(tables(start, monday, await store.happened(start, Millis(start + WEEK)))))
    return file.getvalue()
