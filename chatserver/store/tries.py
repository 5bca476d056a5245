"""Counting tries of secrets. Sans-I/O, like `rooms_log`.

Every row is locked before it is changed, in the order of the keys. If another transaction inserts the same new row at
once, the driver runs the operation again.
"""

from __future__ import annotations

from collections.abc import Sequence

from chatserver.domain.history import Millis
from chatserver.domain.people.tries import CROWD, CROWD_FACTOR, MOST_KEYS, Backoff, Begun, Rate, TryCount, TryKind
from chatserver.store import tries_statements as sql
from chatserver.store.core.compiler import Call, Op

_SECOND = 1000.0


def count_tries(kind: TryKind, counted: Sequence[TryCount], window: int, now: Millis) -> Op[float]:
    wanted = {each.key: each.allowance for each in counted}
    known: dict[bytes, Millis] = {}
    for key in sorted(wanted):
        rows = yield Call(sql.LOCK_TRIES, [(kind, key)])
        if rows:
            known[key] = Millis(rows[0][0])
    new = [key for key in wanted if key not in known]
    if new and (yield from _is_crowded(kind)):
        most = max(wanted[key] for key in new)
        for key in new:
            del wanted[key]
        wanted[CROWD] = most * CROWD_FACTOR
        rows = yield Call(sql.LOCK_TRIES, [(kind, CROWD)])
        if rows:
            known[CROWD] = Millis(rows[0][0])
    rates = {key: Rate(allowance, window) for key, allowance in wanted.items()}
    wait = max(rate.wait(known.get(key, now), now) for key, rate in rates.items())
    if wait > 0:
        return wait / _SECOND
    after = {key: rate.after(known.get(key, now), now) for key, rate in rates.items()}
    if changed := [(kind, key, after[key], 0, 0) for key in sorted(after) if key in known]:
        yield Call(sql.SET_TRIES, changed)
    if added := [(kind, key, after[key], 0, 0) for key in sorted(after) if key not in known]:
        yield Call(sql.ADD_TRIES, added)
    return 0.0


def begin_try(kind: TryKind, key: bytes, backoff: Backoff, now: Millis) -> Op[Begun]:
    rows = yield Call(sql.LOCK_TRIES, [(kind, key)])
    failures, locked_until = _failures(rows[0], now) if rows else (0, 0)
    # A clock that was ahead once must not lock anybody out for longer than the longest lock.
    wait = min(locked_until - now, backoff.longest)
    if wait > 0:
        return Begun(wait / _SECOND, failures)
    after = (now + backoff.forgotten, failures + 1, now + backoff.wait_after(failures + 1))
    if rows:
        yield Call(sql.SET_TRIES, [(kind, key, *after)])
    else:
        yield Call(sql.ADD_TRIES, [(kind, key, *after)])
    return Begun(0.0, failures)


def end_tries(kind: TryKind, key: bytes) -> Op[int]:
    rows = yield Call(sql.DROP_TRIES, [(kind, key)])
    # The right answer was counted as wrong when the try began.
    return max(0, rows[0][0] - 1) if rows else 0


def has_old(now: Millis) -> Op[bool]:
    return bool((yield Call(sql.OLD_TRIES, [(now,)])))


def prune(now: Millis) -> Op[None]:
    yield Call(sql.DROP_OLD_TRIES, [(now,)])


def _failures(row: Sequence[int], now: Millis) -> tuple[int, int]:
    """Return the number of wrong answers in a row, and until when the key is locked; zeros if the row has expired."""
    forgotten_at, failures, locked_until = row
    return (0, 0) if forgotten_at <= now else (failures, locked_until)


def _is_crowded(kind: TryKind) -> Op[bool]:
    ((count,),) = yield Call(sql.HOW_MANY, [(kind,)])
    return bool(count >= MOST_KEYS)
