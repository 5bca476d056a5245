"""Committing to the exchange: lock, load, decide and save, with the meetings that begin. Sans-I/O, like `rooms_log`.

The listening state is locked first, so that nobody is in an exchange and in the queue of listeners at once; then the
exchange; then channels by name, and members by id. The meetings of exchanges that go on are only read: an ended one
changes no more, and one that is still live is looked at again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from chatserver.domain.exchange import decide as rules
from chatserver.domain.exchange.state import HOUR, Participant, Pool, expires_at, pruned
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import KeepReport
from chatserver.domain.listening.state import ListeningState, SessionId
from chatserver.domain.meetings.commands import MeetingEffect
from chatserver.domain.meetings.pairs import open_pair
from chatserver.domain.meetings.state import Meeting, MeetingId
from chatserver.domain.rooms.rooms import Publication
from chatserver.store import exchange_statements as sql
from chatserver.store import listening_log, meeting_log
from chatserver.store.core.compiler import Call, Op, Params, Row, by_keys
from chatserver.store.core.sealing import Sealer
from chatserver.store.exchange_records import ExchangeChange, ExchangeCommitted, ExchangePicture, KeptOfExchange
from chatserver.store.listening_effects import keep_report
from chatserver.store.listening_rows import ListeningRows
from chatserver.store.meeting_effects import carry_out
from chatserver.store.rooms_statements import KEYS_AT_ONCE

_encode: Final = msgspec.msgpack.Encoder().encode
_participant: Final = msgspec.msgpack.Decoder(Participant).decode
_replace: Final = msgspec.structs.replace
NOBODY: Final = MemberId("")


def commit(change: ExchangeChange, sealer: Sealer) -> Op[ExchangeCommitted]:
    """Decide and save one command. Raises the Refusal of `decide`, which writes nothing."""
    floor = yield from listening_log.locked(ListeningRows())
    ((version,),) = yield Call(sql.LOCK, [()])
    before = yield from _load(change.members)
    facts = yield from _facts(before, floor, change.seed, change.members)
    decided = change.decide(Pool(version=version, people=before), facts)
    after = yield from _save(version, before, decided.pool.people, change.now)
    opened: list[Meeting] = []
    effects: list[tuple[int, MeetingEffect, Millis]] = []
    for each in decided.opened:
        begun = open_pair(each.id, each.names, each.minutes, each.seed, change.now, hears_first=each.hears_first)
        if begun.meeting is not None:
            opened.append(begun.meeting)
            effects += [(0, effect, change.now) for effect in begun.effects]
    yield from meeting_log.add(opened)
    published: dict[int, list[Publication]] = yield from carry_out(effects, sealer)
    return ExchangeCommitted(pool=after, opened=tuple(opened), publications=tuple(published.get(0, ())))


def _load(members: Collection[MemberId]) -> Op[dict[MemberId, Participant]]:
    found = _people((yield Call(sql.ACTIVE, [()])))
    others = sorted({*members} - found.keys())
    if others:
        found |= _people((yield Call(sql.PEOPLE, by_keys(others, KEYS_AT_ONCE))))
    return found


def _people(rows: Iterable[Row]) -> dict[MemberId, Participant]:
    return {
        MemberId(member): _replace(_participant(bytes(body)), seen_at=Millis(seen_at)) for member, seen_at, body in rows
    }


def _facts(
    people: dict[MemberId, Participant], floor: ListeningState, seed: str, members: Collection[MemberId] = ()
) -> Op[rules.Facts]:
    """Return what a decision goes by. `members` are those who may join with it."""
    ids = {each.running.meeting for each in people.values() if each.running is not None}
    meetings = yield from meeting_log.meetings(sorted(ids))
    apart = yield from _apart({each.member for each in people.values() if each.waiting is not None} | {*members})
    return rules.Facts(meetings=meetings, apart=apart, busy=_busy(floor), seed=seed)


def _apart(among: set[MemberId]) -> Op[dict[MemberId, frozenset[MemberId]]]:
    """Return whom each of these people must not meet among them, whoever of the two blocks the other."""
    rows = (yield Call(sql.APART, by_keys(sorted(among), KEYS_AT_ONCE))) if among else []
    found = dict[MemberId, set[MemberId]]()
    for one, other in rows:
        if other in among:
            found.setdefault(MemberId(one), set()).add(MemberId(other))
            found.setdefault(MemberId(other), set()).add(MemberId(one))
    return {who: frozenset(others) for who, others in found.items()}


def _busy(floor: ListeningState) -> frozenset[MemberId]:
    waiting = {each.member for each in floor.seekers.values() if each.lapsed_at is None}
    talking = {who for each in floor.sessions.values() if each.is_live for who in each.people}
    return frozenset(waiting | talking)


def _save(
    version: int, before: dict[MemberId, Participant], after: dict[MemberId, Participant], now: Millis
) -> Op[Pool]:
    """Write the records that differ, without what has expired. Return the state, with its new version."""
    new: list[Params] = []
    changed: list[Params] = []
    kept: dict[MemberId, Participant] = {}
    for member, each in after.items():
        known = before.get(member)
        if known == each:
            kept[member] = each
            continue
        kept[member] = person = pruned(each, now)
        (new if known is None else changed).append((*_values(person), member))
    gone = [(member,) for member in before if member not in after]
    for statement, rows in ((sql.ADD, new), (sql.SET, changed), (sql.DROP, gone)):
        if rows:
            yield Call(statement, rows)
    if new or changed or gone:
        version += 1
        yield Call(sql.SET_VERSION, [(version,)])
    return Pool(version=version, people=kept)


def _values(who: Participant) -> Params:
    return (who.is_active, who.seen_at, expires_at(who), _encode(_replace(who, seen_at=Millis(0))))


# ------------------------------------------------------------------------------------------------ reading


def version() -> Op[int]:
    ((found,),) = yield Call(sql.VERSION, [()])
    return int(found)


def picture(members: Collection[MemberId]) -> Op[ExchangePicture]:
    """Return the exchange as it is now, with these members' records."""
    floor = yield from listening_log.listening_state(ListeningRows())
    ((number,),) = yield Call(sql.VERSION, [()])
    people = yield from _load(members)
    facts = yield from _facts(people, floor, "")
    return ExchangePicture(
        pool=Pool(version=number, people=people),
        meetings=dict(facts.meetings),
        apart=dict(facts.apart),
        busy=facts.busy,
    )


def see(members: Collection[MemberId], now: Millis) -> Op[None]:
    yield Call(sql.LOCK, [()])
    yield Call(sql.SEE, [(member, now) for member in sorted(members)])


def kept_of(who: MemberId) -> Op[KeptOfExchange | None]:
    """Return what is kept about somebody in the exchange."""
    found = _people((yield Call(sql.PEOPLE, by_keys([who], KEYS_AT_ONCE)))).get(who)
    if found is None:
        return None
    waiting, after = found.waiting, found.after
    return KeptOfExchange(
        practised_at=found.practised_at,
        waits_since=None if waiting is None else waiting.asked_at,
        minutes=None if waiting is None else waiting.wish.minutes,
        heavy=None if waiting is None else waiting.wish.heavy,
        topics=() if waiting is None else waiting.wish.topics,
        begun=found.begun,
        rests_until=found.rests_until,
        hears_first_until=found.hears_first_until,
        with_others=len(found.met),
        heard=None if after is None else after.heard,
        again=after is not None and after.again,
    )


def needs_somebody(who: MemberId, now: Millis) -> Op[bool]:
    return bool((yield Call(sql.NEEDS_SOMEBODY, [(who, now - HOUR)])))


def report(
    meeting: MeetingId, by: MemberId, about: MemberId | None, reason: str, note: str, at: Millis, sealer: Sealer
) -> Op[None]:
    """Keep a report of an exchange, with its last posts."""
    # A closed room is told by its id, whatever it is for.
    session = SessionId(meeting)
    kept = KeepReport(session=session, by=by, about=about, reason=reason, note=note, is_call=False, at=at)
    yield from keep_report(kept, sealer)


# ------------------------------------------------------------------------------------------------ forgetting


def hold() -> Op[None]:
    """Lock the exchange, in the order in which every transaction locks."""
    yield Call(sql.LOCK, [()])


def forget(who: MemberId, now: Millis) -> Op[None]:
    """Remove somebody who is erased, also from the records of others. The exchange is locked."""
    ((number,),) = yield Call(sql.VERSION, [()])
    before = _people((yield Call(sql.THAT_MAY_NAME_OTHERS, [()])))
    before |= _people((yield Call(sql.PEOPLE, by_keys([who], KEYS_AT_ONCE))))
    if who not in before:
        return
    after = rules.forget(before, who)
    yield from _save(number, before, after, now)


def prune(now: Millis) -> Op[None]:
    """Remove what has expired from every record, and records of which nothing is left."""
    ((number,),) = yield Call(sql.LOCK, [()])
    before = _people((yield Call(sql.EXPIRED, [(now,)])))
    after = {member: pruned(each, now) for member, each in before.items()}
    empty = {member for member, each in after.items() if each == Participant(member=member, seen_at=each.seen_at)}
    yield from _save(number, before, {member: each for member, each in after.items() if member not in empty}, now)
