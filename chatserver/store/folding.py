"""Folding a flood: reports that come from many new people at once are put into one card. Sans-I/O, like `rooms_log`.

`domain/moderation/alert_floods.py` defines a flood. Folding loses nothing: folded reports can be opened, taken and
closed as usual.
"""

from __future__ import annotations

from typing import Any, Final

from chatserver.domain.history import Millis
from chatserver.domain.moderation.alert_floods import (
    LONG,
    MINUTE,
    STAYS,
    Origin,
    Seen,
    is_flood_of_address,
    is_flood_of_all,
    most_of_one_address,
)
from chatserver.domain.moderation.measures import DANGER, Report, due_at
from chatserver.domain.moderation.report_queue import Folds, Rank, band_of, rank_in, rings_again
from chatserver.store import listening_statements as floor_sql
from chatserver.store import moderation_queue_statements as sql
from chatserver.store import moderation_statements as moderation_sql
from chatserver.store import report_access
from chatserver.store.core.compiler import Call, Op, Row
from chatserver.store.moderation_lock import ModerationLock
from chatserver.store.report_rows import new_id, report_of, report_row

EVERYWHERE: Final = b""
"""The key of a flood that comes from many networks."""
REASON: Final = "flood"
DAY: Final = 24 * 3_600_000
"""Milliseconds after which the keys of addresses change."""

_SEEN: Final = {
    Folds.WORDS: (sql.SEEN_WORDS_HERE, sql.SEEN_WORDS),
    Folds.REPORTS: (sql.SEEN_REPORTS_HERE, sql.SEEN_REPORTS),
}
_FOLD: Final = {
    Folds.WORDS: (sql.FOLD_WORDS_HERE, sql.FOLD_WORDS),
    Folds.REPORTS: (sql.FOLD_REPORTS_HERE, sql.FOLD_REPORTS),
}
_SEEN_STAFF: Final = (sql.SEEN_STAFF_HERE, sql.SEEN_STAFF)
_FOLD_STAFF: Final = (sql.FOLD_STAFF_HERE, sql.FOLD_STAFF)


def fold(mine: ModerationLock, kind: Folds, which: Report, origin: Origin, now: Millis) -> Op[None]:
    """Put a newcomer's report, which is saved and not folded yet, into the flood that it belongs to, if there is one.

    The report that makes it a flood also folds earlier ones that nobody has taken. Reports about staff make floods of
    their own, one for each of those people, which only operators see, except the person concerned.
    """
    of_one = (which.about,) if which.is_about_staff else ()
    here, everywhere = _SEEN_STAFF if of_one else _SEEN[kind]
    find = sql.OPEN_STAFF_FOLD if of_one else sql.OPEN_FOLD
    for key in (*(key for key, _ in origin.places), EVERYWHERE):
        rows = yield Call(find, [(kind, key, now - STAYS, *of_one)])
        if rows:
            yield Call(sql.FOLD_ONE, [(rows[0][0], which.id)])
            yield from grow(mine, report_of(rows[0]), rank_in(which.band), now)
            return
    times = (now - MINUTE, now - LONG)
    for key, rules in origin.places:
        if is_flood_of_address(_seen((yield Call(here, [(*times, len(key), key)]))), rules):
            yield from _make(mine, kind, which, key, now)
            return
    if is_flood_of_all(_seen((yield Call(everywhere, [(*times, most_of_one_address(origin.rules))]))), origin.rules):
        yield from _make(mine, kind, which, EVERYWHERE, now)


def _seen(rows: list[Row]) -> Seen:
    ((alerts, people, alerts_long, people_long),) = rows
    return Seen(alerts=alerts, people=people, alerts_long=alerts_long, people_long=people_long)


def _make(mine: ModerationLock, kind: Folds, last: Report, key: bytes, now: Millis) -> Op[None]:
    id_ = new_id()
    of_one = (last.about,) if last.is_about_staff else ()
    here, everywhere = _FOLD_STAFF if of_one else _FOLD[kind]
    since = now - LONG
    if key == EVERYWHERE:
        held = yield Call(everywhere, [(id_, since, *of_one)])
    else:
        held = yield Call(here, [(id_, since, len(key), key, *of_one)])
    # A flood of words is always urgent; a flood of reports is if any of them is.
    is_now = kind is Folds.WORDS or any(rank_in(row[1]) is Rank.NOW for row in held)
    rank = Rank.NOW if is_now else Rank.REPORT
    about = last.about if of_one else None
    row = report_row(
        id_=id_, at=now, by=None, about=about, room=last.room, reason=REASON, note="", is_call=False, posts=[],
        offset=None, version=mine.version, is_about_staff=last.is_about_staff, is_new=True, address=key,
    )  # fmt: skip
    made: dict[str, Any] = dict(zip(sql.COLUMNS, row, strict=True))
    made |= {"folds": kind, "band": band_of(rank, is_fold=True), "rings_at": now if is_now else None}
    made["due_at"] = due_at(now, DANGER if is_now else REASON, False)
    yield Call(floor_sql.ADD_REPORT, [tuple(made.values())])
    yield from report_access.shut_out(id_, about, None, last.room)


def said_within(mine: ModerationLock, which: str, rank: Rank, now: Millis) -> Op[None]:
    """Update a flood after something was added to a report that it holds, which now has this rank."""
    rows = yield Call(moderation_sql.REPORT, [(which,)])
    if rows:
        yield from grow(mine, report_of(rows[0][: moderation_sql.REPORT_COLUMNS]), rank, now)


def grow(mine: ModerationLock, flood: Report, rank: Rank, now: Millis) -> Op[None]:
    """Update a flood after one more report has joined it. It rings again only if this makes it urgent, or if an urgent
    one comes long after somebody took the flood."""
    ((rings_at,),) = yield Call(sql.RINGS_AT, [(flood.id,)])
    band, due = flood.band, flood.due_at
    if rank is Rank.NOW and rank_in(band) is not Rank.NOW:
        band, rings_at = band_of(Rank.NOW, is_fold=True), now
        due = min(due, due_at(now, DANGER, False))
    elif rank is Rank.NOW and rings_again(flood.status, band, due, rings_at, now):
        rings_at = now
    yield Call(sql.SET_FOLD, [(now, band, due, rings_at, mine.version, flood.id)])


def forget_addresses(now: Millis) -> Op[None]:
    """Remove the address keys of reports of earlier days, because keys change daily."""
    yield Call(sql.FORGET_ADDRESSES, [(now // DAY * DAY,)])
