"""Credentials, sources, and the measures that apply to newcomers. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import Member, MemberId
from chatserver.domain.moderation import newcomers
from chatserver.domain.moderation.measures import Measure, MeasureKind, restriction_of
from chatserver.domain.moderation.newcomers import Bar
from chatserver.domain.people.names import ends_of, is_near
from chatserver.domain.rooms.hiding import Hiding
from chatserver.store import arrivals_statements as sql
from chatserver.store import hiding
from chatserver.store import people_statements as people_sql
from chatserver.store.arrivals_records import NameRules, SourceSeen
from chatserver.store.core.compiler import Call, Op, by_keys
from chatserver.store.core.decoding import member_of
from chatserver.store.moderation_records import Neighbours
from chatserver.store.rooms_statements import KEYS_AT_ONCE


def raise_credentials(who: MemberId, now: Millis, *, drops_code: bool) -> Op[int]:
    """Invalidate every token of a member and, with `drops_code`, their come-back code. Return the generation that
    tokens need from now on. Raises MEMBER_UNKNOWN."""
    rows = yield Call(sql.RAISE_CREDENTIALS, [(now, who)])
    if not rows:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    if drops_code:
        yield Call(sql.DROP_CODE, [(who,)])
    return int(rows[0][0])


def credentials_since(since: Millis) -> Op[dict[MemberId, int]]:
    """Return the credential generations that rose after `since`, by member."""
    return {MemberId(row[0]): row[1] for row in (yield Call(sql.CREDENTIALS_SINCE, [(since,)]))}


def note_sources(seen: Sequence[SourceSeen]) -> Op[None]:
    """Remember where members were seen. People who are no longer members are left out."""
    newest = {(each.member, each.key): each for each in sorted(seen, key=lambda each: each.at)}
    # Lock each member's row, so that nothing is noted about somebody who is being erased; in one order, so that two
    # workers wait for each other rather than deadlock.
    found = yield Call(people_sql.LOCK_MEMBER, [(who,) for who in sorted({who for who, _ in newest})])
    known = {row[0] for row in found}
    kept = [newest[place] for place in sorted(newest) if place[0] in known]
    if kept:
        yield Call(sql.DROP_SOURCE, [(each.member, each.key) for each in kept])
        yield Call(sql.ADD_SOURCE, [(each.member, each.key, each.width, each.at) for each in kept])


def bars(keys: Collection[bytes], now: Millis) -> Op[list[Bar]]:
    """Return the measures that apply to newcomers from networks with these keys."""
    if not keys:
        return []
    asked = [(*part, now) for part in by_keys(sorted(keys), KEYS_AT_ONCE)]
    rows = yield Call(sql.BARS, asked)
    return [Bar(key=bytes(row[0]), measure=row[1], at=row[2], until=row[3], room=row[4]) for row in rows]


def hiding_and_bars(who: MemberId, networks: Collection[bytes], now: Millis) -> Op[tuple[Hiding, list[Bar]]]:
    """Return whom a member hides and who hides them, and the measures that hold for newcomers from these networks."""
    found = yield from hiding.hiding(who)
    return found, (yield from bars(networks, now))


def follow(measure: Measure, now: Millis) -> Op[None]:
    """Apply a new measure to newcomers from every network where its member was seen in the last day."""
    if restriction_of(measure) is None:
        return
    rows = yield Call(sql.SOURCES_OF, [(measure.about, now - newcomers.BAN_HOLDS)])
    yield from bar(measure, {bytes(row[0]): Millis(row[2]) for row in rows}, now)


def bar(measure: Measure, seen: Mapping[bytes, Millis], now: Millis) -> Op[None]:
    """Apply a measure to newcomers from networks with these keys. `seen` says when its member was last there."""
    is_ban = measure.kind is MeasureKind.BAN
    for key in sorted(seen):
        holds = seen[key] + newcomers.BAN_HOLDS if is_ban else measure.at + newcomers.MEASURE_HOLDS
        until = Millis(min(holds, measure.expires_at))
        if until <= now:
            continue
        before = yield Call(sql.BARRED_BY, [(measure.id, key)])
        if not before:
            yield Call(sql.ADD_BAR, [(measure.id, key, until, measure.room, measure.at)])
        elif before[0][0] < until:
            yield Call(sql.EXTEND_BAR, [(until, measure.id, key)])


def neighbours(who: MemberId | None, now: Millis) -> Op[Neighbours | None]:
    """Return who else comes from a member's networks, for a moderator who is about to decide; None if nothing is
    known."""
    found = () if who is None else (yield Call(people_sql.MEMBER, [(who,)]))
    if not found or who is None:
        return None
    since = now - newcomers.BAN_HOLDS
    rows = yield Call(sql.SOURCES_OF, [(who, since)])
    if not rows:
        return None
    created_at = member_of(found[0]).created_at
    ((others,),) = yield Call(sql.OTHERS_FROM, [(bytes(rows[0][0]), since, who)])
    near = yield from bars({bytes(row[0]) for row in rows}, now)
    return Neighbours(others=others, is_newcomer=any(each.at < created_at for each in near))


def require_distinct(who: MemberId, name_key: str, rules: NameRules) -> Op[None]:
    """Raise NAME_TAKEN for a resting name, or one that may be mistaken for a name that is in use or rests."""
    if (yield Call(sql.IS_RESTING, [(name_key, who, rules.now)])):
        raise Refusal(Reason.NAME_TAKEN)
    ends = ends_of(name_key)
    if ends is None:
        return
    (first, *firsts), (last, *lasts) = map(sorted, ends)
    letters = (first, (firsts or [first])[0], last, (lasts or [last])[0])
    found = yield Call(sql.NEAR_NAMES, [(who, rules.since, *letters)])
    resting = yield Call(sql.NEAR_RESTING, [(who, rules.now, *letters)])
    if any(is_near(name_key, row[0]) for row in (*found, *resting)):
        raise Refusal(Reason.NAME_TAKEN)


def rest(before: Member, name_key: str, until: Millis) -> Op[None]:
    """Reserve the name that somebody gives up until `until`, if anything was written under it. The name they take no
    longer rests."""
    yield Call(sql.WAKE_NAME, [(name_key, before.id)])
    if name_key != before.name_key and (yield Call(sql.HAS_WRITTEN, [(before.id, before.generation)])):
        yield Call(sql.WAKE_NAME, [(before.name_key, before.id)])
        yield Call(sql.REST_NAME, [(before.name_key, before.id, until)])


def forget(who: MemberId) -> Op[None]:
    """Remove where somebody came from, and their resting names."""
    yield Call(sql.DROP_SOURCES_OF, [(who,)])
    yield Call(sql.WAKE_NAMES_OF, [(who,)])


def prune(now: Millis) -> Op[None]:
    """Remove sources older than a day, and names whose rest is over."""
    yield Call(sql.DROP_OLD_SOURCES, [(now - newcomers.BAN_HOLDS,)])
    yield Call(sql.DROP_RESTED, [(now,)])
