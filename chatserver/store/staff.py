"""Staff accounts, their invitations and their sign-ins. Sans-I/O, like `log`."""

from __future__ import annotations

from collections.abc import Collection

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.staff import Capability, Role, Staff, may
from chatserver.store import people, people_statements, render
from chatserver.store import staff_statements as sql
from chatserver.store.compiler import Call, Op, Row, by_keys
from chatserver.store.contract import Invitation, SignIn, StaffSecrets
from chatserver.store.statements import KEYS_AT_ONCE


def add_staff(secrets: StaffSecrets, name_key: str, link: bytes | None) -> Op[None]:
    account = secrets.staff
    if link is not None and not (yield Call(sql.LOCK_INVITATION, [(link, account.created_at)])):
        raise Refusal(Reason.INVITATION_UNKNOWN)
    login_key = account.login.casefold()
    if (yield Call(sql.LOGIN_HOLDER, [(login_key,)])):
        raise Refusal(Reason.NAME_TAKEN)
    yield from people.require_free_name(name_key, account.member)
    born = account.created_at
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
            )
        ],
    )
    if link is not None:
        yield Call(sql.DROP_INVITATION, [(link,)])


def staff(who: MemberId) -> Op[StaffSecrets | None]:
    rows = yield Call(sql.STAFF, [(who,)])
    return _secrets_of(rows[0]) if rows else None


def staff_by_login(login: str) -> Op[StaffSecrets | None]:
    rows = yield Call(sql.STAFF_BY_LOGIN, [(login.casefold(),)])
    return _secrets_of(rows[0]) if rows else None


def all_staff() -> Op[list[Staff]]:
    rows = yield Call(sql.ALL_STAFF, [()])
    return [render.staff_of(row) for row in rows]


def good_staff(members: Collection[MemberId]) -> Op[dict[MemberId, Staff]]:
    if not members:
        return {}
    rows = yield Call(sql.GOOD_STAFF, by_keys([*members], KEYS_AT_ONCE))
    return {account.member: account for account in map(render.staff_of, rows)}


def set_staff(who: MemberId, roles: frozenset[Role], by: MemberId | None) -> Op[None]:
    yield from _lock_all(who, roles, by)
    yield Call(sql.SET_ROLES, [(_kept(roles), who)])
    if not may(roles, Capability.MANAGE_STAFF):
        yield Call(sql.DROP_INVITATIONS_BY, [(who,)])


def revoke_staff(who: MemberId, now: Millis, by: MemberId | None) -> Op[None]:
    revoked_at = yield from _lock_all(who, frozenset(), by)
    if revoked_at is None:
        yield Call(sql.REVOKE, [(now, who)])
        yield Call(sql.DROP_SIGN_INS_OF, [(who,)])
        # Or they would come back by a link that they made in time.
        yield Call(sql.DROP_INVITATIONS_BY, [(who,)])


def set_password(who: MemberId, password_hash: str) -> Op[None]:
    yield from _lock(who)
    yield Call(sql.SET_PASSWORD, [(password_hash, who)])
    yield Call(sql.DROP_SIGN_INS_OF, [(who,)])


def set_totp(who: MemberId, secret: str | None) -> Op[None]:
    if not (yield Call(sql.SET_TOTP, [(secret, who)])):
        raise Refusal(Reason.MEMBER_UNKNOWN)


def use_totp(who: MemberId, step: int) -> Op[bool]:
    return bool((yield Call(sql.USE_TOTP, [(who, step)])))


def add_invitation(made: Invitation) -> Op[None]:
    if made.made_by is not None:
        # Held until the end: whoever ends their account meanwhile ends this link, too.
        rows = yield Call(sql.LOCK_STAFF, [(made.made_by,)])
        if not rows or rows[0][0] is not None or not may(render.roles_of(rows[0][1]), Capability.MANAGE_STAFF):
            raise Refusal(Reason.NOT_ALLOWED)
    yield Call(sql.ADD_INVITATION, [(made.link_hash, _kept(made.roles), made.made_by, made.expires_at)])


def invitation(link_hash: bytes, now: Millis) -> Op[Invitation | None]:
    rows = yield Call(sql.INVITATION, [(link_hash, now)])
    if not rows:
        return None
    link, roles, made_by, expires_at = rows[0]
    return Invitation(link_hash=link, roles=render.roles_of(roles), made_by=made_by, expires_at=expires_at)


def sign_in(token_hash: bytes, who: MemberId, now: Millis, expires_at: Millis) -> Op[None]:
    # Held until the end, so that nobody signs in to an account that is being revoked.
    if (yield from _lock(who)) is not None:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    yield Call(sql.ADD_SIGN_IN, [(token_hash, who, now, expires_at)])


def sign_ins(token_hashes: Collection[bytes], now: Millis) -> Op[dict[bytes, SignIn]]:
    if not token_hashes:
        return {}
    asked = [(*keys, now) for keys in by_keys([*token_hashes], KEYS_AT_ONCE)]
    found = map(_sign_in_of, (yield Call(sql.SIGN_INS, asked)))
    return {each.token_hash: each for each in found}


def confirm_sign_in(token_hash: bytes, now: Millis) -> Op[None]:
    yield Call(sql.CONFIRM_SIGN_IN, [(token_hash, now)])


def sign_out(token_hash: bytes) -> Op[None]:
    yield Call(sql.DROP_SIGN_IN, [(token_hash,)])


def require_another_operator(who: MemberId) -> Op[None]:
    """Before somebody goes: hold every account, if they have one. Raises NOT_ALLOWED where none would be operator."""
    if (yield Call(sql.STAFF, [(who,)])):
        yield from _lock_all(who, frozenset(), None)


def forget(who: MemberId) -> Op[bool]:
    """Remove the account of somebody who is erased, if they have one, and their name from what they made."""
    yield Call(sql.DROP_SIGN_INS_OF, [(who,)])
    yield Call(sql.DISOWN_INVITATIONS, [(who,)])
    return bool((yield Call(sql.DROP_STAFF, [(who,)])))


def _lock(who: MemberId) -> Op[Millis | None]:
    """Hold an account; when it was revoked."""
    rows = yield Call(sql.LOCK_STAFF, [(who,)])
    if not rows:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    revoked_at: Millis | None = rows[0][0]
    return revoked_at


def _lock_all(who: MemberId, roles: frozenset[Role], by: MemberId | None) -> Op[Millis | None]:
    """Hold every account, to change one to these roles; when that one was revoked. `by` must be able to do that now."""
    rows = yield Call(sql.LOCK_ALL_STAFF, [()])
    found = {row[0]: row[2] for row in rows}
    if who not in found:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    good = {row[0]: render.roles_of(row[1]) for row in rows if row[2] is None}
    if by is not None and not may(good.get(by, frozenset()), Capability.MANAGE_STAFF):
        raise Refusal(Reason.NOT_ALLOWED)
    if who in good:
        good[who] = roles
        if not any(Role.OPERATOR in held for held in good.values()):
            raise Refusal(Reason.NOT_ALLOWED)
    revoked_at: Millis | None = found[who]
    return revoked_at


def _kept(roles: frozenset[Role]) -> str:
    return " ".join(sorted(roles))


def _sign_in_of(row: Row) -> SignIn:
    token_hash, confirmed_at, expires_at = row[render.STAFF_COLUMNS :]
    return SignIn(
        token_hash=token_hash,
        staff=render.staff_of(row[: render.STAFF_COLUMNS]),
        confirmed_at=confirmed_at,
        expires_at=expires_at,
    )


def _secrets_of(row: Row) -> StaffSecrets:
    password_hash, totp_secret, totp_step = row[render.STAFF_COLUMNS :]
    return StaffSecrets(
        staff=render.staff_of(row[: render.STAFF_COLUMNS]),
        password_hash=password_hash,
        totp_secret=totp_secret,
        totp_step=totp_step,
    )
