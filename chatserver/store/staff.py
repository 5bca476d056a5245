"""Staff accounts, their invitations, resets and sign-ins. Sans-I/O, like `rooms_log`.

What else opens an account is in `factors`; its entries in the audit log are in `accounts`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.account_acts import MACHINE, AccountAct
from chatserver.domain.people.staff import (
    Capability,
    Role,
    Staff,
    agree,
    counts_from,
    in_order,
    keep_an_operator,
    may,
    roles_at,
)
from chatserver.store import account_statements as account_sql
from chatserver.store import accounts, moderation, people, people_statements
from chatserver.store import staff_statements as sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op, Row, by_keys
from chatserver.store.moderation_lock import hold_moderation
from chatserver.store.rooms_statements import KEYS_AT_ONCE
from chatserver.store.staff_records import Device, Invitation, SignIn, StaffSecrets, Waiting

RESET_PASSWORD: Final = "reset"  # noqa: S105 - what no password hashes to


def add_staff(secrets: StaffSecrets, name_key: str, link: bytes | None) -> Op[None]:
    account = secrets.staff
    born = account.created_at
    invited_by: MemberId | None = None
    if link is not None:
        found = yield Call(sql.LOCK_INVITATION, [(link, born)])
        if not found:
            raise Refusal(Reason.INVITATION_UNKNOWN)
        invited_by = found[0][2]
    login_key = account.login.casefold()
    if (yield Call(sql.LOGIN_HOLDER, [(login_key,)])):
        raise Refusal(Reason.NAME_TAKEN)
    yield from people.require_free_name(name_key, account.member)
    operator_from = account.operator_from
    if operator_from is not None:
        others = yield Call(sql.LOCK_ALL_STAFF, [()])
        if counts_from(map(_standing_of, others), born) is None:
            operator_from = None
    yield Call(people_statements.ADD_MEMBER, [(account.member, account.name, name_key, born, born)])
    yield Call(
        sql.ADD_STAFF,
        [
            (
                account.member,
                account.login,
                login_key,
                secrets.password_hash,
                secrets.totp_secret,
                secrets.totp_step,
                _kept(account.roles),
                born,
                operator_from,
                None if operator_from is None else invited_by,
            )
        ],
    )
    if link is not None:
        yield Call(sql.DROP_INVITATION, [(link,)])
    action, by = (AccountAct.MADE, None) if link is None else (AccountAct.ACCEPTED, account.member)
    yield from accounts.enter(action, account.member, born, by=by, reason=_told(account.roles))


def staff(who: MemberId) -> Op[StaffSecrets | None]:
    rows = yield Call(sql.STAFF, [(who,)])
    return _secrets_of(rows[0]) if rows else None


def staff_by_login(login: str) -> Op[StaffSecrets | None]:
    rows = yield Call(sql.STAFF_BY_LOGIN, [(login.casefold(),)])
    return _secrets_of(rows[0]) if rows else None


def all_staff() -> Op[list[Staff]]:
    rows = yield Call(sql.ALL_STAFF, [()])
    return [decoding.staff_of(row) for row in rows]


def good_staff(members: Collection[MemberId]) -> Op[dict[MemberId, Staff]]:
    if not members:
        return {}
    rows = yield Call(sql.GOOD_STAFF, by_keys([*members], KEYS_AT_ONCE))
    return {account.member: account for account in map(decoding.staff_of, rows)}


def set_staff(who: MemberId, roles: frozenset[Role], by: MemberId | None, now: Millis) -> Op[None]:
    before, others = yield from _lock_all(who, roles, by, now)
    operator_from, operator_by = before.operator_from, before.operator_by
    if Role.OPERATOR not in roles:
        operator_from = operator_by = None
    elif Role.OPERATOR not in before.staff.roles:
        operator_from = counts_from(others, now)
        operator_by = None if operator_from is None else by
    yield Call(sql.SET_ROLES, [(_kept(roles), operator_from, operator_by, who)])
    if not may(roles, Capability.MANAGE_STAFF):
        yield Call(sql.DROP_INVITATIONS_BY, [(who,)])
    yield from accounts.enter(AccountAct.ROLES, who, now, by=by, reason=_told(roles))


def agree_operator(who: MemberId, by: MemberId, now: Millis) -> Op[None]:
    held, _ = yield from _lock_all(who, frozenset({Role.OPERATOR}), by, now)
    agree(held.staff, held.operator_by, by, now)
    yield Call(sql.SET_ROLES, [(_kept(held.staff.roles), None, None, who)])
    yield from accounts.enter(AccountAct.AGREED, who, now, by=by)


def waiting_operators(now: Millis) -> Op[list[Waiting]]:
    rows = yield Call(sql.WAITING_OPERATORS, [(now,)])
    return [Waiting(member=row[0], operator_from=row[1], granted_by=row[2]) for row in rows]


def revoke_staff(who: MemberId, now: Millis, by: MemberId | None) -> Op[None]:
    held, _ = yield from _lock_all(who, frozenset(), by, now)
    if held.staff.revoked_at is None:
        yield Call(sql.REVOKE, [(now, who)])
        # Otherwise they could come back by a link or a device that they still have.
        yield from accounts.take_everything(who)
        yield Call(sql.DROP_INVITATIONS_BY, [(who,)])
        yield from accounts.enter(AccountAct.REVOKED, who, now, by=by)
        # The reports that they had claimed go back to the others.
        yield from moderation.let_go((yield from hold_moderation()), who, now)


def add_invitation(made: Invitation, now: Millis) -> Op[None]:
    if made.made_by is not None:
        # Locked until the end: a transaction that ends this account meanwhile also ends the link.
        yield from _require_manager(made.made_by, now)
    yield Call(sql.ADD_INVITATION, [(made.link_hash, _kept(made.roles), made.made_by, made.expires_at)])
    yield from accounts.enter(
        AccountAct.INVITED, made.made_by or MACHINE, now, by=made.made_by, reason=_told(made.roles)
    )


def invitation(link_hash: bytes, now: Millis) -> Op[Invitation | None]:
    rows = yield Call(sql.INVITATION, [(link_hash, now)])
    if not rows:
        return None
    link, roles, made_by, expires_at = rows[0]
    return Invitation(link_hash=link, roles=decoding.roles_of(roles), made_by=made_by, expires_at=expires_at)


# ------------------------------------------------------------------------------------------------ resets


def make_reset(link: bytes, who: MemberId, now: Millis, expires_at: Millis, by: MemberId | None) -> Op[None]:
    held, others = yield from _lock_all(who, frozenset(), by, now, is_reset=True)
    if held.staff.revoked_at is not None:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    yield from accounts.take_everything(who)
    # No password has this hash, so no password opens the account until the link is used.
    yield Call(sql.SET_PASSWORD, [(RESET_PASSWORD, who)])
    if by is not None and Role.OPERATOR in held.staff.roles:
        # The person with the link may not be the owner, so the operator role waits for another operator, or for a day.
        yield Call(sql.SET_ROLES, [(_kept(held.staff.roles), counts_from(others, now), by, who)])
    yield Call(account_sql.ADD_RESET, [(link, who, expires_at)])
    yield from accounts.enter(AccountAct.RESET, who, now, by=by)
    # Until the link is used, nobody can handle the reports that they had claimed.
    yield from moderation.let_go((yield from hold_moderation()), who, now)


def reset(link: bytes, now: Millis) -> Op[StaffSecrets | None]:
    rows = yield Call(account_sql.RESET, [(link, now)])
    return (yield from staff(rows[0][0])) if rows else None


def use_reset(link: bytes, password_hash: str, now: Millis) -> Op[StaffSecrets]:
    found = yield from reset(link, now)
    if found is None or (yield from _lock(found.staff.member)) is not None:
        raise Refusal(Reason.INVITATION_UNKNOWN)
    who = found.staff.member
    # Look again now that the account is locked: of two who use the link at once, one succeeds.
    if not (yield Call(account_sql.RESET, [(link, now)])):
        raise Refusal(Reason.INVITATION_UNKNOWN)
    yield Call(account_sql.DROP_RESETS, [(who,)])
    yield Call(sql.SET_PASSWORD, [(password_hash, who)])
    yield from accounts.enter(AccountAct.RESET_USED, who, now, by=who)
    return msgspec.structs.replace(found, password_hash=password_hash)


# ------------------------------------------------------------------------------------------------ sign-ins


def sign_in(token_hash: bytes, who: MemberId, now: Millis, expires_at: Millis, device: Device | None) -> Op[None]:
    # Locked until the end, so that nobody signs in to an account that is being revoked or reset.
    rows = yield Call(sql.LOCK_STAFF, [(who,)])
    if not rows or rows[0][0] is not None or rows[0][4] == RESET_PASSWORD:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    mine = yield from hold_moderation()
    before = yield from accounts.take_tries(who)
    tried_at = before.last_at if before.count else None
    yield Call(sql.ADD_SIGN_IN, [(token_hash, who, now, expires_at, before.count, tried_at)])
    if device is not None:
        yield from accounts.remember_device(device, who)
    told = f"after {before.unlogged} more failed tries" if before.unlogged else ""
    yield from accounts.enter(AccountAct.SIGNED_IN, who, now, by=who, reason=told, mine=mine)


def sign_ins(token_hashes: Collection[bytes], now: Millis) -> Op[dict[bytes, SignIn]]:
    if not token_hashes:
        return {}
    asked = [(*keys, now) for keys in by_keys([*token_hashes], KEYS_AT_ONCE)]
    found = (_sign_in_of(row, now) for row in (yield Call(sql.SIGN_INS, asked)))
    return {each.token_hash: each for each in found}


def confirm_sign_in(token_hash: bytes, now: Millis) -> Op[None]:
    yield Call(sql.CONFIRM_SIGN_IN, [(token_hash, now)])


def sign_out(token_hash: bytes, now: Millis) -> Op[None]:
    rows = yield Call(sql.SIGN_IN_OF, [(token_hash,)])
    if rows:
        who = MemberId(rows[0][0])
        yield Call(sql.DROP_SIGN_IN, [(token_hash,)])
        yield from accounts.enter(AccountAct.SIGNED_OUT, who, now, by=who)


# ------------------------------------------------------------------------------------------------ forgetting


def require_another_operator(who: MemberId, now: Millis) -> Op[None]:
    """Lock every account, if this member has one, before they are erased. Raises NOT_ALLOWED if no operator whose role
    counts would be left."""
    if (yield Call(sql.STAFF, [(who,)])):
        yield from _lock_all(who, frozenset(), None, now)


def forget(who: MemberId) -> Op[bool]:
    """Remove an erased member's account, if there is one, and their id from what they made."""
    yield from accounts.forget(who)
    yield Call(sql.DISOWN_INVITATIONS, [(who,)])
    return bool((yield Call(sql.DROP_STAFF, [(who,)])))


# ------------------------------------------------------------------------------------------------ parts


class _Held(NamedTuple):
    """An account that is locked until the transaction ends: what decisions need of it, and who gave a waiting operator
    role."""

    staff: Staff
    operator_from: Millis | None
    operator_by: MemberId | None


def _lock(who: MemberId) -> Op[Millis | None]:
    """Lock an account. Return when it was revoked, or None. Raises MEMBER_UNKNOWN."""
    rows = yield Call(sql.LOCK_STAFF, [(who,)])
    if not rows:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    revoked_at: Millis | None = rows[0][0]
    return revoked_at


def _require_manager(who: MemberId, now: Millis) -> Op[None]:
    """Lock the account of somebody who must be able to manage staff at `now`. Raises NOT_ALLOWED."""
    rows = yield Call(sql.LOCK_STAFF, [(who,)])
    if not rows:
        raise Refusal(Reason.NOT_ALLOWED)
    revoked_at, roles, _, operator_from, _ = rows[0]
    held = _standing_of((who, roles, revoked_at, operator_from, None))
    if revoked_at is not None or not may(roles_at(held, now), Capability.MANAGE_STAFF):
        raise Refusal(Reason.NOT_ALLOWED)


def _lock_all(
    who: MemberId, roles: frozenset[Role], by: MemberId | None, now: Millis, *, is_reset: bool = False
) -> Op[tuple[_Held, list[Staff]]]:
    """Lock every account, before one is given these roles (or is reset). Return that account as it is, and the others.
    `by` must be able to manage staff now, and the last operator whose role counts must stay one. Raises Refusal."""
    rows = yield Call(sql.LOCK_ALL_STAFF, [()])
    held = {row[0]: _standing_of(row) for row in rows}
    if who not in held:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    manager = None if by is None else held.get(by)
    if by is not None and (
        manager is None or manager.revoked_at is not None or not may(roles_at(manager, now), Capability.MANAGE_STAFF)
    ):
        raise Refusal(Reason.NOT_ALLOWED)
    if not is_reset:
        keep_an_operator(held.values(), who, roles, now)
    (row,) = [row for row in rows if row[0] == who]
    others = [each for member, each in held.items() if member != who]
    return _Held(held[who], row[3], row[4]), others


def _standing_of(row: Row) -> Staff:
    """Return the part of an account that decides which roles count, without its names."""
    member, roles, revoked_at, operator_from, _ = row
    return Staff(
        member=member,
        login="",
        name="",
        roles=decoding.roles_of(roles),
        created_at=Millis(0),
        revoked_at=revoked_at,
        operator_from=operator_from,
    )


def _kept(roles: frozenset[Role]) -> str:
    return " ".join(sorted(roles))


def _told(roles: frozenset[Role]) -> str:
    """Return roles as an entry of the audit log names them."""
    return ", ".join(in_order(roles))


def _sign_in_of(row: Row, now: Millis) -> SignIn:
    token_hash, _, confirmed_at, expires_at, tries, tried_at = row[decoding.STAFF_COLUMNS :]
    found = decoding.staff_of(row[: decoding.STAFF_COLUMNS])
    return SignIn(
        token_hash=bytes(token_hash),
        staff=msgspec.structs.replace(found, roles=roles_at(found, now)),
        confirmed_at=confirmed_at,
        expires_at=expires_at,
        tries=tries,
        tried_at=tried_at,
    )


def _secrets_of(row: Row) -> StaffSecrets:
    password_hash, totp_secret, totp_step = row[decoding.STAFF_COLUMNS :]
    return StaffSecrets(
        staff=decoding.staff_of(row[: decoding.STAFF_COLUMNS]),
        password_hash=password_hash,
        totp_secret=totp_secret,
        totp_step=totp_step,
    )
