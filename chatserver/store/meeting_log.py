"""Committing to meetings: lock, load, decide and save, for commands that waited together. Sans-I/O, like `rooms_log`.

Meetings are locked by their ids, after the listening state; then come channels by name, then members by id. Each
command sees the meeting that the one before it left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.commands import Decided, MeetingEffect
from chatserver.domain.meetings.decide import decide
from chatserver.domain.meetings.forms import DEAD
from chatserver.domain.meetings.groups import length_of
from chatserver.domain.meetings.state import Attendee, Meeting, MeetingId
from chatserver.domain.meetings.timers import next_due
from chatserver.domain.rooms.rooms import Publication
from chatserver.store import meeting_statements as sql
from chatserver.store.core.compiler import Call, Op, Params, Row, by_keys
from chatserver.store.core.sealing import Sealer
from chatserver.store.meeting_effects import carry_out
from chatserver.store.meeting_records import KeptMeeting, MeetingChange, MeetingCommitted
from chatserver.store.rooms_statements import KEYS_AT_ONCE

MeetingOutcome = MeetingCommitted | Exception
"""The result of one command of a batch. An exception other than a Refusal is a bug in its `decide`."""

_encode: Final = msgspec.msgpack.Encoder().encode
_meeting: Final = msgspec.msgpack.Decoder(Meeting).decode
_attendee: Final = msgspec.msgpack.Decoder(Attendee).decode
_replace: Final = msgspec.structs.replace


def commit(changes: Sequence[MeetingChange], sealer: Sealer) -> Op[list[MeetingOutcome]]:
    """Decide and save commands in order. Return one outcome for each. A Refusal writes nothing and affects no other."""
    kept = yield from locked({change.meeting for change in changes})
    states: dict[MeetingId, Meeting | None] = {id_: each.meeting for id_, each in kept.items()}
    decisions: list[tuple[Decided, bool] | Exception] = []
    effects: list[tuple[int, MeetingEffect, Millis]] = []
    for number, change in enumerate(changes):
        before = states.get(change.meeting)
        if before is None:
            decisions.append(Refusal(Reason.MEETING_UNKNOWN))
            continue
        try:
            decided = change.decide(before)
        except Exception as error:  # noqa: BLE001
            # A Refusal, or a bug in one command that must not fail the others of its batch.
            decisions.append(error)
            continue
        after, is_changed = decided.meeting, decided.meeting != before
        if after is not None and is_changed:
            after = _replace(after, version=before.version + 1)
        states[change.meeting] = after
        decisions.append((_replace(decided, meeting=after), is_changed))
        effects += [(number, effect, change.now) for effect in decided.effects]
    for id_, each in kept.items():
        yield from _save(each, states[id_])
    published = yield from carry_out(effects, sealer)
    return [
        decision
        if isinstance(decision, Exception)
        else MeetingCommitted(
            meeting=states[change.meeting],
            publications=tuple(published.get(number, ())),
            is_changed=decision[1],
            misses=tuple(each for each in decision[0].effects if isinstance(each, c.CountMisses)),
            turns=tuple(each for each in decision[0].effects if isinstance(each, c.TurnOver)),
            sums=tuple(each for each in decision[0].effects if isinstance(each, c.MeetingOver)),
        )
        for number, (change, decision) in enumerate(zip(changes, decisions, strict=True))
    ]


class _Kept(msgspec.Struct, frozen=True):
    """A meeting as its rows have it."""

    meeting: Meeting
    due_at: Millis | None


def locked(ids: Collection[MeetingId]) -> Op[dict[MeetingId, _Kept]]:
    """Lock these meetings until the transaction ends, and return those that exist."""
    rows = (yield Call(sql.LOCK, [(id_,) for id_ in sorted(ids)])) if ids else []
    return (yield from _with_people(rows))


def _with_people(rows: Iterable[Row]) -> Op[dict[MeetingId, _Kept]]:
    found = {MeetingId(row[0]): tuple(row) for row in rows}
    people: dict[str, dict[MemberId, Attendee]] = {id_: {} for id_ in found}
    if found:
        for meeting, member, seen_at, body in (yield Call(sql.PEOPLE, [(id_,) for id_ in found])):
            people[meeting][MemberId(member)] = _replace(_attendee(body), seen_at=Millis(seen_at))
    return {
        id_: _Kept(
            _replace(_meeting(bytes(body)), version=version, seen_at=seen_at, stood=stood, people=people[id_]),
            due_at,
        )
        for id_, (_, version, due_at, seen_at, stood, body) in found.items()
    }


def _save(kept: _Kept, after: Meeting | None) -> Op[None]:
    before = kept.meeting
    if after is None:
        yield Call(sql.DROP_PEOPLE, [(before.id,)])
        yield Call(sql.DROP, [(before.id,)])
        return
    due_at = next_due(after)
    if after.version != before.version or due_at != kept.due_at:
        yield Call(sql.SET, [(*_values(after), after.id)])
    new: list[Params] = []
    changed: list[Params] = []
    for member, each in after.people.items():
        known = before.people.get(member)
        if known is None:
            new.append((*_values_of(each), after.id, member))
        elif known != each:
            changed.append((*_values_of(each), after.id, member))
    gone: list[Params] = [(after.id, member) for member in before.people if member not in after.people]
    for statement, rows in ((sql.DROP_PERSON, gone), (sql.SET_PERSON, changed), (sql.ADD_PERSON, new)):
        if rows:
            yield Call(statement, rows)


def _values(meeting: Meeting) -> Params:
    bare = _replace(meeting, people={}, version=0, seen_at=None, stood=0)
    ends_at = meeting.starts_at + length_of(meeting) if meeting.is_ahead else None
    stands = (meeting.version, next_due(meeting), meeting.seen_at, meeting.stood)
    return (*stands, meeting.form.value, meeting.stage.value, ends_at, _encode(bare))


def _values_of(attendee: Attendee) -> Params:
    return (attendee.is_here, attendee.seen_at, _encode(attendee))


def add(new: Iterable[Meeting]) -> Op[None]:
    """Add meetings that do not exist yet."""
    meetings = list(new)
    if meetings:
        yield Call(sql.ADD, [(*_values(each), each.id, each.group, each.starts_at) for each in meetings])
    people = [(*_values_of(who), each.id, who.member) for each in meetings for who in each.people.values()]
    if people:
        yield Call(sql.ADD_PERSON, people)


def save(before: dict[MeetingId, _Kept], after: Iterable[Meeting]) -> Op[None]:
    """Write those of the locked meetings that differ."""
    for each in after:
        if each != before[each.id].meeting:
            version = before[each.id].meeting.version + 1
            yield from _save(before[each.id], _replace(each, version=version))


# ------------------------------------------------------------------------------------------------ reading


def meeting(id_: MeetingId) -> Op[Meeting | None]:
    found = yield from _with_people((yield Call(sql.MEETING, [(id_,)])))
    return found[id_].meeting if id_ in found else None


def meetings(ids: Collection[MeetingId]) -> Op[dict[MeetingId, Meeting]]:
    rows = (yield Call(sql.MEETING, [(id_,) for id_ in ids])) if ids else []
    found = yield from _with_people(rows)
    return {id_: each.meeting for id_, each in found.items()}


def versions(ids: Collection[MeetingId]) -> Op[dict[MeetingId, int]]:
    rows = (yield Call(sql.VERSIONS, by_keys(sorted(ids), KEYS_AT_ONCE))) if ids else []
    return {MeetingId(row[0]): int(row[1]) for row in rows}


def counts() -> Op[dict[tuple[str, str], int]]:
    """Return how many meetings there are, by form and stage."""
    return {(form, stage): count for form, stage, count in (yield Call(sql.COUNTS, [()]))}


def at_once(start: Millis, end: Millis) -> Op[int]:
    """Return how many meetings are planned for a part of this time."""
    ((found,),) = yield Call(sql.AT_ONCE, [(end, start)])
    return int(found)


def due(now: Millis, limit: int) -> Op[list[MeetingId]]:
    rows = yield Call(sql.DUE, [(now, now - DEAD, limit)])
    return [MeetingId(row[0]) for row in rows]


def meetings_of(member: MemberId) -> Op[list[MeetingId]]:
    return [MeetingId(row[0]) for row in (yield Call(sql.MEETINGS_OF, [(member,)]))]


# ------------------------------------------------------------------------------------------------ who is seen


def see(members: Collection[MemberId], now: Millis) -> Op[None]:
    """Note that these people have a connection at `now`, in the meetings that they are in."""
    rows = yield Call(sql.WHERE_HERE, by_keys(sorted(members), KEYS_AT_ONCE))
    here = sorted({(row[0], row[1]) for row in rows})
    if here:
        yield Call(sql.SEE_MEETING, [(now, id_) for id_ in dict.fromkeys(id_ for id_, _ in here)])
        yield Call(sql.SEE_PERSON, [(now, *each) for each in here])


# ------------------------------------------------------------------------------------------------ one person


def take_out(who: MemberId, now: Millis, sealer: Sealer) -> Op[list[Publication]]:
    """Take somebody who is erased out of every meeting."""
    ids = yield from meetings_of(who)
    changes = [
        MeetingChange(meeting=id_, decide=lambda found: decide(found, c.Dismiss(), who, now), now=now) for id_ in ids
    ]
    outcomes = yield from commit(changes, sealer)
    published: list[Publication] = []
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
        published += outcome.publications
    return published


def kept_of(who: MemberId) -> Op[tuple[KeptMeeting, ...]]:
    """Return what is kept about somebody in meetings."""
    ids = yield from meetings_of(who)
    found = yield from meetings(ids)
    return tuple(_kept_meeting(each, each.people[who]) for each in found.values() if who in each.people)


def _kept_meeting(found: Meeting, who: Attendee) -> KeptMeeting:
    return KeptMeeting(
        name=found.name,
        starts_at=found.starts_at,
        place=who.place,
        at=who.at,
        is_here=who.is_here,
        ending=found.ending,
    )
