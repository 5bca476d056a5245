"""Measures: reading them, lifting them, and appeals. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation import measures as rules
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.moderation.measures import (
    Measure,
    MeasureKind,
    TakeMeasure,
)
from chatserver.domain.moderation.report_access import Asker, needs_another
from chatserver.domain.text.cleaning import required
from chatserver.store import moderation_statements as sql
from chatserver.store import report_access
from chatserver.store.core.compiler import Call, Op, Params, Row, by_keys
from chatserver.store.moderation_lock import ModerationLock, hold_moderation
from chatserver.store.report_rows import decode_posts
from chatserver.store.rooms_statements import KEYS_AT_ONCE


def active_of(members: Collection[MemberId], now: Millis) -> Op[list[Measure]]:
    """Return the measures about these members that are in force."""
    if not members:
        return []
    if len(members) == 1:
        return [measure_of(row) for row in (yield Call(sql.ACTIVE_OF_ONE, [(*members, now)]))]
    asked = [(*keys, now) for keys in by_keys(sorted(members), KEYS_AT_ONCE)]
    found = {row[0]: measure_of(row) for row in (yield Call(sql.ACTIVE_OF, asked))}
    return [*found.values()]


def restricting(now: Millis) -> Op[list[Measure]]:
    """Return all measures that forbid somebody something now."""
    return [measure_of(row) for row in (yield Call(sql.RESTRICTING, [(now,)]))]


def require_reach(asked: TakeMeasure) -> Op[None]:
    """Check that a measure in a one-to-one session is based on a report about the session that its moderator has
    claimed.

    Raises ROOM_UNKNOWN, as for a room that does not exist, unless the measure names a post that was kept with such a
    report; nothing else reveals whether there is a post at that place. Raises INVALID for a measure that would apply in
    the session's room itself: nobody is muted towards their listener, or removed from their own conversation.
    """
    asker = Asker(member=asked.by, is_operator=asked.is_operator)
    for id_, snapshot in (yield Call(sql.CLAIMED_IN, [(*report_access.params_of(asker), asked.room, asked.by)])):
        is_named = asked.report in (None, id_)
        if is_named and asked.offset in {post.offset for post in decode_posts(snapshot)}:
            break
    else:
        raise Refusal(Reason.ROOM_UNKNOWN)
    if asked.kind in (MeasureKind.MUTE, MeasureKind.REMOVE):
        problem = "a conversation is no room: name the person, and no room"
        raise Refusal(Reason.INVALID, details={"field": "$.room", "problem": problem})


def measure_of(row: Row) -> Measure:
    """Return a measure from its columns."""
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
    """Return the columns of a new measure."""
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


def lift(which: str, by: MemberId, reason: str, now: Millis) -> Op[None]:
    why = required(reason, rules.REASON_LENGTH)
    mine = yield from hold_moderation()
    found = yield from _find_measure(which)
    if found.about == by:
        raise Refusal(Reason.NOT_ALLOWED, details={"why": "self"})
    if found.lifted_at is not None:
        return
    is_own = found.by == by and found.appealed_at is not None
    if is_own and needs_another(by, found.about, (yield from report_access.everybody())):
        raise Refusal(Reason.NOT_ALLOWED, details={"why": "own_measure"})
    yield from _set_measure(mine, msgspec.structs.replace(found, lifted_at=now))
    yield Call(sql.DROP_BARRED_BY, [(which,)])
    act = Act(at=now, by=by, action="measure_lifted", about=(found.about,), subject=which, reason=why)
    yield from mine.enter(act)


def appeal(who: MemberId, which: str, text: str, now: Millis) -> Op[None]:
    mine = yield from hold_moderation()
    found = yield from _find_measure(which)
    if found.about != who:
        raise Refusal(Reason.MEASURE_UNKNOWN)
    yield from _set_measure(mine, rules.appeal(found, text, now))
    yield from mine.enter(Act(at=now, by=who, action="measure_appealed", about=(who,), subject=which, reason=""))


def _find_measure(which: str) -> Op[Measure]:
    rows = yield Call(sql.MEASURE, [(which,)])
    if not rows:
        raise Refusal(Reason.MEASURE_UNKNOWN)
    return measure_of(rows[0])


def _set_measure(mine: ModerationLock, measure: Measure) -> Op[None]:
    row = (measure.lifted_at, measure.appeal, measure.appealed_at, mine.version, measure.id)
    yield Call(sql.SET_MEASURE, [row])
    yield from mine.rise()
