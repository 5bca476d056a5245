"""Committing to the listening state: lock, load, decide and save, for commands that waited together. Sans-I/O, like
`rooms_log`.

The listening state's row is the first lock of any transaction that takes several; then come channels by name, then
members by id. Each command sees the state that the one before it left, and the records that changed are written once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import Decided, NoteWait
from chatserver.domain.listening.decide import evolve_all
from chatserver.domain.listening.queue_history import Span, Wait, noted
from chatserver.domain.listening.state import ListeningRules, ListeningState
from chatserver.domain.moderation.crisis_phrases import URGENT
from chatserver.store import listening_statements as sql
from chatserver.store.core.compiler import Call, Op, by_keys
from chatserver.store.core.sealing import Sealer
from chatserver.store.listening_effects import SideEffects, carry_out
from chatserver.store.listening_rows import Key, ListeningRows, key_of, keys_of, record_of, values_of
from chatserver.store.records import ListeningChange, ListeningCommitted
from chatserver.store.rooms_statements import KEYS_AT_ONCE

_NOTHING: Final = SideEffects()

ListeningOutcome = ListeningCommitted | Exception
"""The result of one command of a batch. An exception other than a Refusal is a bug in its `decide`."""


def commit(changes: Sequence[ListeningChange], records: ListeningRows, sealer: Sealer) -> Op[list[ListeningOutcome]]:
    """Decide and save commands in order. Return one outcome for each. A Refusal writes nothing and affects no other."""
    before = floor = yield from locked(records)
    decisions: list[tuple[int, Decided] | Exception] = []
    timings: list[Wait | Span] = []
    for change in changes:
        try:
            decided = change.decide(floor)
            after = evolve_all(floor, decided.events)
        except Exception as error:  # noqa: BLE001
            # A Refusal, or a bug in one command that must not fail the others of its batch.
            decisions.append(error)
            continue
        if decided.events:
            timings.extend(noted(floor, decided.events, change.now))
            floor = msgspec.structs.replace(after, version=floor.version + 1)
        decisions.append((floor.version, decided))
    made = [decision for decision in decisions if not isinstance(decision, Exception)]
    yield from save(before, floor, {key_of(event): None for _, decided in made for event in decided.events})
    yield from _note(timings)
    carried = yield from carry_out(
        [
            (number, effect, change.now)
            for number, (change, decision) in enumerate(zip(changes, decisions, strict=True))
            if not isinstance(decision, Exception)
            for effect in decision[1].effects
        ],
        sealer,
    )
    handed_over = tuple(
        (each.asked_at, each.met_at) for _, decided in made for each in decided.effects if isinstance(each, NoteWait)
    )
    state = msgspec.structs.replace(floor, waits=handed_over)
    return [
        decision if isinstance(decision, Exception) else _committed(*decision, state, carried.get(number, _NOTHING))
        for number, decision in enumerate(decisions)
    ]


def _note(found: Iterable[Wait | Span]) -> Op[None]:
    asks: list[tuple[object, ...]] = []
    shifts: list[tuple[object, ...]] = []
    for each in found:
        if isinstance(each, Wait):
            asks.append((each.asked_at, each.ended_at, each.outcome.value, each.length))
        else:
            shifts.append((each.start, each.end, each.cap))
    if asks:
        yield Call(sql.ADD_ASKS, asks)
    if shifts:
        yield Call(sql.ADD_SHIFTS, shifts)


def _committed(version: int, decided: Decided, state: ListeningState, carried: SideEffects) -> ListeningCommitted:
    return ListeningCommitted(
        version=version,
        state=state,
        session=decided.session,
        publications=tuple(carried.publications),
        is_changed=bool(decided.events),
        has_content_gone=carried.has_content_gone,
    )


def locked(records: ListeningRows) -> Op[ListeningState]:
    """Lock the listening state until the transaction ends, and return it without hand-overs, on which nothing is
    decided."""
    ((version,),) = yield Call(sql.LOCK_FLOOR, [()])
    return records.state(version, (yield Call(sql.RECORDS, [()])))


def save(before: ListeningState, after: ListeningState, changed: Iterable[Key]) -> Op[None]:
    """Write the records that differ, and the version if it rose."""
    new: list[tuple[object, ...]] = []
    kept: list[tuple[object, ...]] = []
    gone: list[Key] = []
    for key in changed:
        old, record = record_of(before, key), record_of(after, key)
        if record is None:
            if old is not None:
                gone.append(key)
        elif old is None:
            new.append((*key, *values_of(record)))
        elif record is not old:
            kept.append((*values_of(record), *key))
    for statement, rows in ((sql.DROP_RECORDS, gone), (sql.SET_RECORDS, kept), (sql.ADD_RECORDS, new)):
        if rows:
            yield Call(statement, rows)
    if after.version != before.version:
        yield Call(sql.SET_VERSION, [(after.version,)])


def differences(before: ListeningState, after: ListeningState) -> list[Key]:
    """Return the keys of the records that differ."""
    keys = dict.fromkeys((*keys_of(before), *keys_of(after)))
    return [key for key in keys if record_of(before, key) is not record_of(after, key)]


def listening_state(records: ListeningRows) -> Op[ListeningState]:
    rows = yield Call(sql.FLOOR, [()])
    found = records.state(rows[0][0], (tuple(row)[1:] for row in rows))
    # Recent hand-overs are those shortly before the newest; callers know the time, and leave out older ones.
    since = found.waits[-1][1] - ListeningRules().waits_kept if found.waits else 0
    return msgspec.structs.replace(found, waits=tuple(wait for wait in found.waits if wait[1] >= since))


def version() -> Op[int]:
    ((found,),) = yield Call(sql.VERSION, [()])
    return int(found)


def clock() -> Op[Millis]:
    """Return PostgreSQL's own time."""
    ((seconds,),) = yield Call(sql.CLOCK, [()])
    return Millis(round(seconds * 1000))


def see(members: Collection[MemberId], now: Millis) -> Op[None]:
    # Under the lock, so that what a commit writes meanwhile cannot be older.
    yield Call(sql.LOCK_FLOOR, [()])
    yield Call(sql.SEE, [(now, *keys) for keys in by_keys([*members], KEYS_AT_ONCE)])


def listener_of_words(words_hash: bytes, now: Millis) -> Op[MemberId | None]:
    rows = yield Call(sql.LISTENER_OF_WORDS, [(words_hash, now)])
    return MemberId(rows[0][0]) if rows else None


def urgent_among(members: Collection[MemberId]) -> Op[frozenset[MemberId]]:
    keys = by_keys(sorted(members), KEYS_AT_ONCE)
    rows = (yield Call(sql.URGENT_ABOUT, [(*each, URGENT) for each in keys])) if members else []
    return frozenset(MemberId(row[0]) for row in rows)


def blocked_with(who: MemberId) -> Op[frozenset[MemberId]]:
    rows = yield Call(sql.BLOCKED_WITH, [(who,)])
    return frozenset(MemberId(row[0]) for row in rows)
