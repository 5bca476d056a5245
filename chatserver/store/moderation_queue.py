"""The moderators' queue, page by page, and which reports ring. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.measures import Report
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.moderation.report_queue import PAGE, QueuePlace, Rank, place_of, rank_in
from chatserver.store import moderation_queue_statements as sql
from chatserver.store import moderation_statements as moderation_sql
from chatserver.store.core.compiler import Call, Op, by_keys
from chatserver.store.moderation_records import Floods, QueuePage, RingDue
from chatserver.store.report_access import params_of
from chatserver.store.report_rows import report_of
from chatserver.store.rooms_statements import KEYS_AT_ONCE

START: Final = QueuePlace(-1, Millis(0), "")
"""Before every report."""
RINGS: Final = 500
DUE: Final = 1_000
"""The most rings and due times that are read at once."""


def page(asker: Asker, after: QueuePlace | None, within: str | None) -> Op[QueuePage]:
    """Return the page of the queue, or of what the card or fold `within` holds, that follows `after`. It contains only
    what `asker` may see."""
    where = (*params_of(asker), *(after or START), PAGE + 1)
    rows = yield Call(sql.PAGE, [where]) if within is None else Call(sql.WITHIN, [(within, *where)])
    found = [report_of(row) for row in rows]
    shown = tuple(found[:PAGE])
    return QueuePage(
        reports=shown,
        next=place_of(shown[-1]) if len(found) > PAGE else None,
        parts=(yield from parts(asker, [each.id for each in shown])),
        names=(yield from names(people_in(shown))),
    )


def people_in(reports: Collection[Report]) -> set[MemberId]:
    """Return everybody whose name appears in reports."""
    return {
        who for each in reports for who in (each.by, each.about, each.claimed_by, each.taken_from) if who is not None
    }


def ranks(asker: Asker) -> Op[dict[Rank, int]]:
    """Return how many open reports and cards of each rank `asker` may see, without those inside a card or fold."""
    found: Counter[Rank] = Counter()
    for band, count in (yield Call(sql.COUNT_BANDS, [params_of(asker)])):
        found[rank_in(band)] += count
    return dict(found)


def parts(asker: Asker, ids: Sequence[str]) -> Op[dict[str, int]]:
    """Return how many reports `asker` may see in each of these cards and folds."""
    if not ids:
        return {}
    rows = yield Call(sql.PARTS, [(*params_of(asker), *keys) for keys in by_keys([*ids], KEYS_AT_ONCE)])
    return {row[0]: row[1] for row in rows}


def rings(asker: Asker, since: Millis) -> Op[list[RingDue]]:
    """Return what `asker` may see that rings since `since` and that nobody has taken."""
    rows = yield Call(sql.RINGS, [(*params_of(asker), since, RINGS)])
    return [RingDue(report=report_of(row[:-1]), at=Millis(row[-1])) for row in rows]


def floods(asker: Asker) -> Op[Floods]:
    """Return how many open floods `asker` may see, and how many reports in them."""
    ((cards, folded),) = yield Call(sql.COUNT_FOLDS_FOR, [params_of(asker)])
    return Floods(cards, folded)


def escalations_due() -> Op[list[Millis]]:
    """Return when open escalations should be looked at or, if claimed, be closed, the earliest first."""
    return [Millis(row[0]) for row in (yield Call(sql.DUE, [(DUE,)]))]


def names(members: Collection[MemberId]) -> Op[dict[MemberId, str]]:
    """Return the present names of those who are members."""
    if not members:
        return {}
    rows = yield Call(moderation_sql.NAMES, by_keys(sorted(members), KEYS_AT_ONCE))
    return {MemberId(row[0]): row[1] for row in rows}
