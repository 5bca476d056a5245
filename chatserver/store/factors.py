"""Passwords, second factors, recovery codes and passkeys of staff accounts. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from collections.abc import Collection

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.account_acts import AccountAct
from chatserver.store import account_statements as sql
from chatserver.store import accounts
from chatserver.store import staff_statements as staff_sql
from chatserver.store.core.compiler import Call, Op, Row
from chatserver.store.moderation_lock import hold_moderation
from chatserver.store.staff_records import Passkey


def set_password(whose: MemberId, password_hash: str, now: Millis, device: bytes | None) -> Op[None]:
    yield from _hold(whose)
    yield Call(staff_sql.SET_PASSWORD, [(password_hash, whose)])
    yield Call(staff_sql.DROP_SIGN_INS_OF, [(whose,)])
    yield Call(sql.DROP_DEVICES_BUT, [(whose, device or accounts.NO_HASH)])
    yield from accounts.enter(AccountAct.PASSWORD, whose, now, by=whose)


def set_totp(whose: MemberId, secret: str | None, now: Millis, keep: bytes, codes: Collection[bytes]) -> Op[None]:
    before = yield from _hold(whose)
    if before is None and secret is None:
        return
    yield Call(staff_sql.SET_TOTP, [(secret, whose)])
    yield from _replace_codes(whose, codes)
    yield from accounts.end_other_sign_ins(whose, keep)
    if secret is None:
        action = AccountAct.FACTOR_OFF
    else:
        action = AccountAct.FACTOR_ON if before is None else AccountAct.FACTOR_REPLACED
    yield from accounts.enter(action, whose, now, by=whose)


def use_totp(whose: MemberId, step: int) -> Op[bool]:
    return bool((yield Call(staff_sql.USE_TOTP, [(whose, step)])))


# ------------------------------------------------------------------------------------------------ recovery codes


def set_recovery(whose: MemberId, codes: Collection[bytes], now: Millis) -> Op[None]:
    yield from _hold(whose)
    yield from _replace_codes(whose, codes)
    yield from accounts.enter(AccountAct.RECOVERY_MADE, whose, now, by=whose)


def recovery_left(whose: MemberId) -> Op[int]:
    ((count,),) = yield Call(sql.RECOVERY_LEFT, [(whose,)])
    return int(count)


def use_recovery(whose: MemberId, code_hash: bytes, now: Millis) -> Op[bool]:
    if not (yield Call(sql.USE_RECOVERY, [(code_hash, whose)])):
        return False
    left = yield from recovery_left(whose)
    yield from accounts.enter(AccountAct.RECOVERY_USED, whose, now, by=whose, reason=f"{left} left")
    return True


def _replace_codes(whose: MemberId, codes: Collection[bytes]) -> Op[None]:
    yield Call(sql.DROP_RECOVERY, [(whose,)])
    if codes:
        yield Call(sql.ADD_RECOVERY, [(code, whose) for code in sorted(codes)])


# ------------------------------------------------------------------------------------------------ passkeys


def passkeys(whose: MemberId) -> Op[list[Passkey]]:
    return [_passkey_of(row) for row in (yield Call(sql.PASSKEYS, [(whose,)]))]


def passkey(credential: bytes) -> Op[Passkey | None]:
    rows = yield Call(sql.PASSKEY, [(credential,)])
    return _passkey_of(rows[0]) if rows else None


def add_passkey(made: Passkey, most: int, keep: bytes) -> Op[None]:
    yield from _hold(made.member)
    # Under moderation's lock, so that of two members who add the same credential at once one is refused.
    mine = yield from hold_moderation()
    if (yield Call(sql.PASSKEY, [(made.credential,)])):
        raise Refusal(Reason.NAME_TAKEN, details={"field": "passkey"})
    if len((yield Call(sql.PASSKEYS, [(made.member,)]))) >= most:
        raise Refusal(Reason.BUSY, retry_after=60.0, details={"most": most})
    yield Call(
        sql.ADD_PASSKEY,
        [
            (
                made.credential,
                made.member,
                made.name,
                made.public_key,
                made.sign_count,
                made.place,
                made.created_at,
                made.used_at,
            )
        ],
    )
    yield from accounts.end_other_sign_ins(made.member, keep)
    yield from accounts.enter(AccountAct.PASSKEY_ADDED, made.member, made.created_at, by=made.member, mine=mine)


def remove_passkey(whose: MemberId, credential: bytes, now: Millis, keep: bytes) -> Op[bool]:
    yield from _hold(whose)
    found = yield from passkey(credential)
    if found is None or found.member != whose:
        return False
    yield Call(sql.DROP_PASSKEY, [(credential, whose)])
    yield from accounts.end_other_sign_ins(whose, keep)
    yield from accounts.enter(AccountAct.PASSKEY_REMOVED, whose, now, by=whose)
    return True


def use_passkey(credential: bytes, sign_count: int, now: Millis) -> Op[bool]:
    return bool((yield Call(sql.USE_PASSKEY, [(credential, sign_count, now)])))


def add_challenge(challenge: bytes, purpose: str, holder: bytes, expires_at: Millis) -> Op[None]:
    yield Call(sql.ADD_CHALLENGE, [(challenge, purpose, holder, expires_at)])


def take_challenge(challenge: bytes, purpose: str, holder: bytes, now: Millis) -> Op[bool]:
    return bool((yield Call(sql.TAKE_CHALLENGE, [(challenge, purpose, holder, now)])))


# ------------------------------------------------------------------------------------------------ parts


def _hold(whose: MemberId) -> Op[str | None]:
    """Lock an account until the transaction ends, and return its second factor's secret. Raises MEMBER_UNKNOWN."""
    rows = yield Call(staff_sql.LOCK_STAFF, [(whose,)])
    if not rows:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    secret: str | None = rows[0][2]
    return secret


def _passkey_of(row: Row) -> Passkey:
    credential, member, name, public_key, sign_count, place, created_at, used_at = row
    return Passkey(
        credential=bytes(credential),
        member=member,
        name=name,
        public_key=bytes(public_key),
        sign_count=sign_count,
        place=place,
        created_at=created_at,
        used_at=used_at,
    )
