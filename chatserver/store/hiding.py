"""Who hides whom (decision 0131). Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.hiding import Hiding, Unseen
from chatserver.domain.rooms.rooms import RoomId
from chatserver.store import hiding_statements as sql
from chatserver.store import people_statements as people_sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op, Row, by_keys
from chatserver.store.rooms_statements import KEYS_AT_ONCE

_EVERYWHERE = ""


def hiding(who: MemberId) -> Op[Hiding]:
    """Return whom a member hides, and who hides them."""
    rows = yield Call(sql.HIDDEN_BY, [(who,)])
    by = yield Call(sql.HIDDEN_FROM, [(who,)])
    return _hiding(rows, by)


def standings(whom: Collection[MemberId]) -> Op[dict[MemberId, tuple[Persona, Hiding]]]:
    """Return the name of each of these people who is still a member, whom they hide, and who hides them."""
    if not whom:
        return {}
    keys = by_keys(sorted(whom), KEYS_AT_ONCE)
    found = [decoding.member_of(row) for row in (yield Call(people_sql.THESE_MEMBERS, keys))]
    hidden: dict[str, list[Row]] = {}
    hidden_from: dict[str, list[Row]] = {}
    for rows, statement in ((hidden, sql.HIDDEN_BY_THESE), (hidden_from, sql.HIDDEN_FROM_THESE)):
        for row in (yield Call(statement, keys)):
            rows.setdefault(row[0], []).append(tuple(row)[1:])
    return {each.id: (each.persona, _hiding(hidden.get(each.id, ()), hidden_from.get(each.id, ()))) for each in found}


def _hiding(rows: Sequence[Row], by: Sequence[Row]) -> Hiding:
    return Hiding(
        hidden=tuple(Persona(MemberId(row[0]), row[3], row[1]) for row in rows if row[2] == _EVERYWHERE),
        unseen=frozenset(Unseen(MemberId(row[0]), row[1], RoomId(row[2]) if row[2] else None) for row in rows),
        hidden_from=frozenset(Unseen(MemberId(row[0]), row[1], None) for row in by),
    )


def set_mute(who: MemberId, other: MemberId, on: bool, limit: int, generation: int) -> Op[None]:
    """Hide somebody under one of their names, or stop hiding them. Raises MEMBER_UNKNOWN or TOO_MANY_MUTES."""
    # The lock keeps the count true until the transaction ends, also against the same member on another worker.
    if not (yield Call(people_sql.LOCK_MEMBER, [(who,)])):
        raise Refusal(Reason.MEMBER_UNKNOWN)
    already = (yield from hiding(who)).hidden
    if on == any((each.id, each.generation) == (other, generation) for each in already):
        return
    if not on:
        yield Call(sql.DROP_MUTE, [(who, other, generation)])
        return
    if len(already) >= limit:
        raise Refusal(Reason.TOO_MANY_MUTES, details={"limit": limit})
    name = yield from _name_then(other, generation)
    (own,) = yield Call(people_sql.MEMBER, [(who,)])
    yield Call(sql.ADD_MUTE, [(who, other, generation, _EVERYWHERE, name, decoding.member_of(own).generation)])


def follow(who: MemberId, old: int, new: int, rooms: Collection[RoomId]) -> Op[None]:
    """Keep somebody hidden in these rooms after they took a new name while they were there."""
    if rooms:
        yield Call(sql.FOLLOW, [(new, room, who, old, room) for room in sorted(rooms)])


def apart(people: Collection[MemberId]) -> Op[tuple[tuple[MemberId, MemberId], ...]]:
    """Return the pairs among these people of which one hides the other."""
    if not people:
        return ()
    among = set(people)
    rows = yield Call(sql.HIDDEN_BY_ANY, by_keys(sorted(among), KEYS_AT_ONCE))
    return tuple(sorted({(MemberId(row[0]), MemberId(row[1])) for row in rows if row[1] in among}))


def _name_then(who: MemberId, generation: int) -> Op[str]:
    """Return the name that somebody had in a generation, or an empty text if it is not known."""
    rows = yield Call(people_sql.MEMBER, [(who,)])
    if rows and (member := decoding.member_of(rows[0])).generation == generation:
        return member.name
    written = yield Call(sql.NAME_THEN, [(who, generation)])
    return str(written[0][0]) if written else ""
