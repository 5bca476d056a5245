"""Reading measures, for moderation and for the commit road. Sans-I/O, like `log`."""

from __future__ import annotations

from collections.abc import Collection

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation import Measure, MeasureKind
from chatserver.store import moderation_statements as sql
from chatserver.store.compiler import Call, Op, Params, Row, by_keys
from chatserver.store.statements import KEYS_AT_ONCE


def active_of(members: Collection[MemberId], now: Millis) -> Op[list[Measure]]:
    """Those about these members that count."""
    if not members:
        return []
    asked = [(*keys, now) for keys in by_keys(sorted(members), KEYS_AT_ONCE)]
    found = {row[0]: measure_of(row) for row in (yield Call(sql.ACTIVE_OF, asked))}
    return [*found.values()]


def restricting(now: Millis) -> Op[list[Measure]]:
    """Everybody's that forbid something."""
    return [measure_of(row) for row in (yield Call(sql.RESTRICTING, [(now,)]))]


def measure_of(row: Row) -> Measure:
    """A measure from its columns."""
    id_, at, by, about, kind, room, offset, reason, expires_at, report_, lifted_at, text, appealed_at, seen_at = row
    return Measure(
        id=id_,
        at=at,
        by=by,
        about=about,
        kind=MeasureKind(kind),
        room=room,
        offset=offset,
        reason=reason,
        expires_at=expires_at,
        report=report_,
        lifted_at=lifted_at,
        appeal=text,
        appealed_at=appealed_at,
        seen_at=seen_at,
    )


def measure_row(measure: Measure, at_version: int) -> Params:
    """The columns of a new one."""
    return (
        measure.id,
        measure.at,
        measure.by,
        measure.about,
        measure.kind,
        measure.room,
        measure.offset,
        measure.reason,
        measure.expires_at,
        measure.report,
        measure.lifted_at,
        measure.appeal,
        measure.appealed_at,
        measure.seen_at,
        at_version,
    )
