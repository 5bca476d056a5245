"""The statements of what belongs to a staff account: failed tries, known browsers, recovery codes, passkeys, resets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, func, insert, literal_column, or_, select, update
from sqlalchemy.sql import ColumnElement

from chatserver.domain.people.account_acts import MACHINE, ROUTINE, AccountAct
from chatserver.store.core.compiler import Statement
from chatserver.store.moderation_tables import audit
from chatserver.store.staff_tables import (
    resets,
    staff_challenges,
    staff_devices,
    staff_passkeys,
    staff_recovery,
    staff_tries,
)


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


# ------------------------------------------------------------------------------------------------ failed tries

_TRIES: Final = (staff_tries.c.count, staff_tries.c.last_at, staff_tries.c.unlogged, staff_tries.c.logged_at)
TRIES: Final = Statement(select(*_TRIES).where(staff_tries.c.member == _p("member")), "member")
_TRIED: Final = ("member", *(c.name for c in _TRIES))
ADD_TRIES: Final = Statement(insert(staff_tries).values({name: _p(name) for name in _TRIED}), *_TRIED)
DROP_TRIES: Final = Statement(delete(staff_tries).where(staff_tries.c.member == _p("member")), "member")
UNLOGGED_TRIES: Final = Statement(
    select(staff_tries.c.member, *_TRIES)
    .where(staff_tries.c.unlogged > 0, staff_tries.c.logged_at <= _p("before"))
    .order_by(staff_tries.c.member),
    "before",
)

# ------------------------------------------------------------------------------------------------ known browsers

KNOWS_DEVICE: Final = Statement(
    select(staff_devices.c.member).where(
        staff_devices.c.device_hash == _p("device_hash"),
        staff_devices.c.member == _p("member"),
        staff_devices.c.expires_at > _p("now"),
    ),
    "device_hash",
    "member",
    "now",
)
ADD_DEVICE: Final = Statement(
    insert(staff_devices).values({c.name: _p(c.name) for c in staff_devices.c}), *(c.name for c in staff_devices.c)
)
DROP_DEVICE: Final = Statement(
    delete(staff_devices).where(
        staff_devices.c.device_hash == _p("device_hash"), staff_devices.c.member == _p("whose")
    ),
    "device_hash",
    "whose",
)
DROP_DEVICES_BUT: Final = Statement(
    delete(staff_devices).where(staff_devices.c.member == _p("whose"), staff_devices.c.device_hash != _p("keep")),
    "whose",
    "keep",
)

# ------------------------------------------------------------------------------------------------ recovery codes

RECOVERY_LEFT: Final = Statement(
    select(func.count()).select_from(staff_recovery).where(staff_recovery.c.member == _p("member")), "member"
)
IS_RECOVERY: Final = Statement(
    select(staff_recovery.c.member).where(
        staff_recovery.c.code_hash == _p("code_hash"), staff_recovery.c.member == _p("whose")
    ),
    "code_hash",
    "whose",
)
USE_RECOVERY: Final = Statement(
    delete(staff_recovery)
    .where(staff_recovery.c.code_hash == _p("code_hash"), staff_recovery.c.member == _p("whose"))
    .returning(staff_recovery.c.member),
    "code_hash",
    "whose",
    returns=True,
)
ADD_RECOVERY: Final = Statement(
    insert(staff_recovery).values(code_hash=_p("code_hash"), member=_p("member")), "code_hash", "member"
)
DROP_RECOVERY: Final = Statement(delete(staff_recovery).where(staff_recovery.c.member == _p("whose")), "whose")

# ------------------------------------------------------------------------------------------------ passkeys

PASSKEYS: Final = Statement(
    select(*staff_passkeys.c)
    .where(staff_passkeys.c.member == _p("member"))
    .order_by(staff_passkeys.c.created_at, staff_passkeys.c.credential),
    "member",
)
PASSKEY: Final = Statement(
    select(*staff_passkeys.c).where(staff_passkeys.c.credential == _p("credential")), "credential"
)
ADD_PASSKEY: Final = Statement(
    insert(staff_passkeys).values({c.name: _p(c.name) for c in staff_passkeys.c}), *(c.name for c in staff_passkeys.c)
)
DROP_PASSKEY: Final = Statement(
    delete(staff_passkeys).where(
        staff_passkeys.c.credential == _p("credential"), staff_passkeys.c.member == _p("whose")
    ),
    "credential",
    "whose",
)
DROP_PASSKEYS: Final = Statement(delete(staff_passkeys).where(staff_passkeys.c.member == _p("whose")), "whose")
USE_PASSKEY: Final = Statement(
    update(staff_passkeys)
    .where(
        staff_passkeys.c.credential == _p("which"),
        or_(staff_passkeys.c.sign_count < _p("count"), and_(staff_passkeys.c.sign_count == 0, _p("count") == 0)),
    )
    .values(sign_count=_p("count"), used_at=_p("now"))
    .returning(staff_passkeys.c.member),
    "which",
    "count",
    "now",
    returns=True,
)

ADD_CHALLENGE: Final = Statement(
    insert(staff_challenges).values({c.name: _p(c.name) for c in staff_challenges.c}),
    *(c.name for c in staff_challenges.c),
)
TAKE_CHALLENGE: Final = Statement(
    delete(staff_challenges)
    .where(
        staff_challenges.c.challenge == _p("challenge"),
        staff_challenges.c.purpose == _p("purpose"),
        staff_challenges.c.holder == _p("holder"),
        staff_challenges.c.expires_at > _p("now"),
    )
    .returning(staff_challenges.c.purpose),
    "challenge",
    "purpose",
    "holder",
    "now",
    returns=True,
)

# ------------------------------------------------------------------------------------------------ resets

RESET: Final = Statement(
    select(resets.c.member).where(resets.c.link_hash == _p("link_hash"), resets.c.expires_at > _p("now")),
    "link_hash",
    "now",
)
ADD_RESET: Final = Statement(insert(resets).values({c.name: _p(c.name) for c in resets.c}), *(c.name for c in resets.c))
DROP_RESETS: Final = Statement(delete(resets).where(resets.c.member == _p("whose")), "whose")

# ------------------------------------------------------------------------------------------------ what was done


def _acts(actions: Iterable[AccountAct]) -> Statement:
    return Statement(
        select(*audit.c)
        .where(audit.c.seq > _p("after"), or_(*(audit.c.action == action.value for action in actions)))
        .order_by(audit.c.seq.desc())
        .limit(bindparam("count")),
        "after",
        "count",
    )


ACCOUNT_ACTS: Final = _acts(act for act in AccountAct if act not in ROUTINE)
ROUTINE_ACTS: Final = _acts(sorted(ROUTINE))
WAS_RESET: Final = Statement(
    # Whether one of the staff, rather than the machine's command line, made a reset link for an account.
    select(audit.c.seq)
    .where(
        audit.c.action == literal_column(f"'{AccountAct.RESET.value}'"),
        audit.c.subject == _p("whose"),
        audit.c.by != literal_column(f"'{MACHINE}'"),
        audit.c.at > _p("since"),
    )
    .limit(literal_column("1")),
    "whose",
    "since",
)
