"""Staff accounts: their entries in the audit log, failed tries, and known browsers. Sans-I/O, like `rooms_log`.

An entry is made under moderation's lock, which is the last lock that any transaction takes.
"""

from __future__ import annotations

from typing import Final

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import Act, Entry
from chatserver.domain.people.account_acts import (
    FOLDED_FOR,
    MACHINE,
    NOBODYS,
    AccountAct,
    FoldedTries,
    is_owed,
    tried,
)
from chatserver.store import account_statements as sql
from chatserver.store import moderation_statements as moderation_sql
from chatserver.store import staff_statements as staff_sql
from chatserver.store.audit import entry_of
from chatserver.store.core.compiler import Call, Op
from chatserver.store.moderation_lock import ModerationLock, hold_moderation
from chatserver.store.staff_records import Device

ROUTINE_AMONG: Final = 5_000
"""Routine entries are looked for among this many of the newest entries of the log. Other acts on accounts are found
however old they are; otherwise reading many reports would push an act out of sight."""
_ALL: Final = -1
NO_HASH: Final = b""
"""The hash of no browser and no token, for when none is to be kept."""


def enter(
    action: AccountAct,
    whose: MemberId,
    now: Millis,
    *,
    by: MemberId | None,
    reason: str = "",
    mine: ModerationLock | None = None,
) -> Op[None]:
    """Append an act on an account to the audit log. `by` None means the command line on the machine."""
    taken = mine if mine is not None else (yield from hold_moderation())
    about = (whose,) if whose and whose != MACHINE else ()
    yield from taken.enter(
        Act(at=now, by=by if by is not None else MACHINE, action=action, about=about, subject=whose, reason=reason)
    )


def account_acts(limit: int) -> Op[list[Entry]]:
    ((seq, _),) = yield Call(moderation_sql.HEAD, [()])
    rows = yield Call(sql.ACCOUNT_ACTS, [(_ALL, limit)])
    routine = yield Call(sql.ROUTINE_ACTS, [(seq - ROUTINE_AMONG, limit // 3)])
    return [entry_of(row) for row in sorted((*rows, *routine), key=lambda row: -row[0])]


def was_reset(whose: MemberId, since: Millis) -> Op[bool]:
    return bool((yield Call(sql.WAS_RESET, [(whose, since)])))


# ------------------------------------------------------------------------------------------------ failed tries


def note_failed_try(whose: MemberId | None, now: Millis) -> Op[None]:
    # Under the lock, so that two tries at the same moment are both counted.
    mine = yield from hold_moderation()
    who = NOBODYS if whose is None else whose
    before = yield from _tries(who)
    if whose is not None and not (yield Call(staff_sql.STAFF, [(whose,)])):
        # The account was erased at this moment: nothing about it may be written.
        return
    after, due = tried(before, now)
    yield from _keep(who, after)
    if due:
        yield from _enter_tries(who, due, now, mine)


def take_tries(whose: MemberId) -> Op[FoldedTries]:
    """Return the failed tries since the last sign-in, and reset the count, because the owner has signed in. The caller
    holds the lock (`hold_moderation`), and enters the tries that no entry counts yet."""
    before = yield from _tries(whose)
    if before != FoldedTries():
        yield from _keep(whose, FoldedTries(logged_at=before.logged_at))
    return before


def prune(now: Millis) -> Op[None]:
    """End waits of new operators that are over, and enter failed tries whose hour is over."""
    yield Call(staff_sql.END_WAITS, [(now,)])
    yield from _enter_owed_tries(now)


def _enter_owed_tries(now: Millis) -> Op[None]:
    """Enter the tries whose hour is over and that no later entry or sign-in has counted."""
    owed = yield Call(sql.UNLOGGED_TRIES, [(now - FOLDED_FOR,)])
    if not owed:
        return
    mine = yield from hold_moderation()
    for who in [MemberId(row[0]) for row in owed]:
        before = yield from _tries(who)
        if is_owed(before, now):
            yield from _keep(who, FoldedTries(count=before.count, last_at=before.last_at, logged_at=now))
            yield from _enter_tries(who, before.unlogged, now, mine)


def _enter_tries(whose: MemberId, count: int, now: Millis, mine: ModerationLock) -> Op[None]:
    # Nobody knows who tried, so the entry names no actor.
    yield from enter(AccountAct.TRIED, whose, now, by=NOBODYS, reason=str(count), mine=mine)


def _tries(whose: MemberId) -> Op[FoldedTries]:
    rows = yield Call(sql.TRIES, [(whose,)])
    if not rows:
        return FoldedTries()
    count, last_at, unlogged, logged_at = rows[0]
    return FoldedTries(count=count, last_at=last_at, unlogged=unlogged, logged_at=logged_at)


def _keep(whose: MemberId, tries: FoldedTries) -> Op[None]:
    yield Call(sql.DROP_TRIES, [(whose,)])
    yield Call(sql.ADD_TRIES, [(whose, tries.count, tries.last_at, tries.unlogged, tries.logged_at)])


# ------------------------------------------------------------------------------------------------ known browsers


def knows_device(device_hash: bytes, whose: MemberId, now: Millis) -> Op[bool]:
    return bool((yield Call(sql.KNOWS_DEVICE, [(device_hash, whose, now)])))


def remember_device(device: Device, whose: MemberId) -> Op[None]:
    """Add a known browser, or extend the time for which it is known. The caller holds the account's lock."""
    yield Call(sql.DROP_DEVICE, [(device.device_hash, whose)])
    yield Call(sql.ADD_DEVICE, [(device.device_hash, whose, device.expires_at)])


def end_other_sign_ins(whose: MemberId, keep: bytes) -> Op[None]:
    """End every sign-in but the one with this token's hash, because something that opens the account has changed."""
    yield Call(staff_sql.DROP_SIGN_INS_BUT, [(whose, keep)])


def forget_devices(whose: MemberId, now: Millis, keep: bytes, device: bytes | None) -> Op[None]:
    yield Call(staff_sql.LOCK_STAFF, [(whose,)])
    yield from end_other_sign_ins(whose, keep)
    yield Call(sql.DROP_DEVICES_BUT, [(whose, device or NO_HASH)])
    yield from enter(AccountAct.SIGNED_OUT, whose, now, by=whose, reason="everywhere else")


# ------------------------------------------------------------------------------------------------ forgetting


def take_everything(whose: MemberId) -> Op[None]:
    """Remove everything that opens an account, except the password: factor, codes, passkeys, sign-ins, browsers,
    links."""
    yield Call(staff_sql.DROP_SIGN_INS_OF, [(whose,)])
    yield Call(staff_sql.SET_TOTP, [(None, whose)])
    yield Call(sql.DROP_DEVICES_BUT, [(whose, NO_HASH)])
    for statement in (sql.DROP_RECOVERY, sql.DROP_PASSKEYS, sql.DROP_RESETS):
        yield Call(statement, [(whose,)])


def forget(whose: MemberId) -> Op[None]:
    """Remove what belongs to the account of an erased member, before the account itself is removed."""
    yield from take_everything(whose)
    yield Call(sql.DROP_TRIES, [(whose,)])
    yield Call(staff_sql.DISOWN_OPERATORS, [(whose,)])
