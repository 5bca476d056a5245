"""The statements of staff accounts, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, null, select, update
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.rooms_statements import KEYS_AT_ONCE
from chatserver.store.staff_tables import invitations, staff, staff_sign_ins
from chatserver.store.tables import members


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


_STAFF_COLUMNS: Final = (
    staff.c.member,
    staff.c.login,
    members.c.name,
    staff.c.roles,
    staff.c.created_at,
    staff.c.totp_secret.is_not(None),
    staff.c.revoked_at,
    staff.c.operator_from,
)
_SECRETS: Final = (staff.c.password_hash, staff.c.totp_secret, staff.c.totp_step)
_people: Final = staff.join(members, members.c.id == staff.c.member)

STAFF: Final = Statement(
    select(*_STAFF_COLUMNS, *_SECRETS).select_from(_people).where(staff.c.member == _p("member")), "member"
)
STAFF_BY_LOGIN: Final = Statement(
    select(*_STAFF_COLUMNS, *_SECRETS).select_from(_people).where(staff.c.login_key == _p("login_key")), "login_key"
)
ALL_STAFF: Final = Statement(select(*_STAFF_COLUMNS).select_from(_people).order_by(staff.c.created_at, staff.c.member))
_good: Final = [f"member_{number}" for number in range(KEYS_AT_ONCE)]
GOOD_STAFF: Final = Statement(
    select(*_STAFF_COLUMNS)
    .select_from(_people)
    .where(staff.c.member.in_([_p(name) for name in _good]), staff.c.revoked_at.is_(None)),
    *_good,
)
_tokens: Final = [f"token_hash_{number}" for number in range(KEYS_AT_ONCE)]
SIGN_INS: Final = Statement(
    select(*_STAFF_COLUMNS, *staff_sign_ins.c)
    .select_from(_people.join(staff_sign_ins, staff_sign_ins.c.member == staff.c.member))
    .where(
        staff_sign_ins.c.token_hash.in_([_p(name) for name in _tokens]),
        staff_sign_ins.c.expires_at > _p("now"),
        staff.c.revoked_at.is_(None),
    ),
    *_tokens,
    "now",
)
LOCK_ALL_STAFF: Final = Statement(
    # All accounts are locked in one order, because who is an operator afterwards depends on all of them.
    select(staff.c.member, staff.c.roles, staff.c.revoked_at, staff.c.operator_from, staff.c.operator_by)
    .order_by(staff.c.member)
    .with_for_update()
)
WAITING_OPERATORS: Final = Statement(
    select(staff.c.member, staff.c.operator_from, staff.c.operator_by)
    .where(staff.c.operator_from > _p("now"), staff.c.revoked_at.is_(None))
    .order_by(staff.c.operator_from, staff.c.member),
    "now",
)
LOCK_STAFF: Final = Statement(
    select(staff.c.revoked_at, staff.c.roles, staff.c.totp_secret, staff.c.operator_from, staff.c.password_hash)
    .where(staff.c.member == _p("member"))
    .with_for_update(),
    "member",
)
LOGIN_HOLDER: Final = Statement(select(staff.c.member).where(staff.c.login_key == _p("login_key")), "login_key")
_NEW: Final = (
    *("member", "login", "login_key", "password_hash", "totp_secret", "totp_step", "roles", "created_at"),
    *("operator_from", "operator_by"),
)
ADD_STAFF: Final = Statement(insert(staff).values({**{name: _p(name) for name in _NEW}, "revoked_at": null()}), *_NEW)
SET_ROLES: Final = Statement(
    update(staff)
    .where(staff.c.member == _p("whose"))
    .values(roles=_p("roles"), operator_from=_p("operator_from"), operator_by=_p("operator_by")),
    "roles",
    "operator_from",
    "operator_by",
    "whose",
)
END_WAITS: Final = Statement(
    update(staff).where(staff.c.operator_from <= _p("now")).values(operator_from=null(), operator_by=null()), "now"
)
DISOWN_OPERATORS: Final = Statement(
    update(staff).where(staff.c.operator_by == _p("who")).values(operator_by=null()), "who"
)
REVOKE: Final = Statement(
    update(staff).where(staff.c.member == _p("whose")).values(revoked_at=_p("revoked_at")), "revoked_at", "whose"
)
SET_PASSWORD: Final = Statement(
    update(staff).where(staff.c.member == _p("whose")).values(password_hash=_p("password_hash")),
    "password_hash",
    "whose",
)
SET_TOTP: Final = Statement(
    update(staff).where(staff.c.member == _p("whose")).values(totp_secret=_p("totp_secret")),
    "totp_secret",
    "whose",
)
USE_TOTP: Final = Statement(
    update(staff)
    .where(staff.c.member == _p("whose"), staff.c.totp_step < _p("step"))
    .values(totp_step=_p("step"))
    .returning(staff.c.member),
    "whose",
    "step",
    returns=True,
)
DROP_STAFF: Final = Statement(
    delete(staff).where(staff.c.member == _p("member")).returning(staff.c.member), "member", returns=True
)

_SIGN_IN: Final = tuple(c.name for c in staff_sign_ins.c)
SIGN_IN_OF: Final = Statement(
    select(staff_sign_ins.c.member).where(staff_sign_ins.c.token_hash == _p("token_hash")), "token_hash"
)
ADD_SIGN_IN: Final = Statement(insert(staff_sign_ins).values({name: _p(name) for name in _SIGN_IN}), *_SIGN_IN)
CONFIRM_SIGN_IN: Final = Statement(
    update(staff_sign_ins).where(staff_sign_ins.c.token_hash == _p("token")).values(confirmed_at=_p("confirmed_at")),
    "token",
    "confirmed_at",
)
DROP_SIGN_IN: Final = Statement(
    delete(staff_sign_ins).where(staff_sign_ins.c.token_hash == _p("token_hash")), "token_hash"
)
DROP_SIGN_INS_OF: Final = Statement(delete(staff_sign_ins).where(staff_sign_ins.c.member == _p("member")), "member")
DROP_SIGN_INS_BUT: Final = Statement(
    delete(staff_sign_ins).where(staff_sign_ins.c.member == _p("member"), staff_sign_ins.c.token_hash != _p("keep")),
    "member",
    "keep",
)

_INVITATION: Final = tuple(c.name for c in invitations.c)
ADD_INVITATION: Final = Statement(insert(invitations).values({name: _p(name) for name in _INVITATION}), *_INVITATION)
INVITATION: Final = Statement(
    select(*invitations.c).where(invitations.c.link_hash == _p("link_hash"), invitations.c.expires_at > _p("now")),
    "link_hash",
    "now",
)
LOCK_INVITATION: Final = Statement(
    select(*invitations.c)
    .where(invitations.c.link_hash == _p("link_hash"), invitations.c.expires_at > _p("now"))
    .with_for_update(),
    "link_hash",
    "now",
)
DROP_INVITATION: Final = Statement(delete(invitations).where(invitations.c.link_hash == _p("link_hash")), "link_hash")
DROP_INVITATIONS_BY: Final = Statement(delete(invitations).where(invitations.c.made_by == _p("who")), "who")
DISOWN_INVITATIONS: Final = Statement(
    update(invitations).where(invitations.c.made_by == _p("who")).values(made_by=null()), "who"
)
