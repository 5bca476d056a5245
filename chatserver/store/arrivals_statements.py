"""The statements of credentials, sources, bars and resting names, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, delete, distinct, func, insert, literal_column, null, or_, select, update
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.moderation_tables import barred
from chatserver.store.rooms_statements import KEYS_AT_ONCE, POSTED
from chatserver.store.tables import log, member_sources, members, resting_names


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


RAISE_CREDENTIALS: Final = Statement(
    update(members)
    .where(members.c.id == _p("who"))
    .values(credentials=members.c.credentials + 1, credentials_at=_p("now"))
    .returning(members.c.credentials),
    "now",
    "who",
    returns=True,
)
DROP_CODE: Final = Statement(update(members).where(members.c.id == _p("who")).values(code_hash=null()), "who")
CREDENTIALS_SINCE: Final = Statement(
    select(members.c.id, members.c.credentials).where(members.c.credentials_at >= _p("since")), "since"
)

DROP_SOURCE: Final = Statement(
    delete(member_sources).where(member_sources.c.member == _p("who"), member_sources.c.key == _p("which")),
    "who",
    "which",
)
ADD_SOURCE: Final = Statement(
    insert(member_sources).values({c.name: _p(c.name) for c in member_sources.c}), *(c.name for c in member_sources.c)
)
SOURCES_OF: Final = Statement(
    select(member_sources.c.key, member_sources.c.width, member_sources.c.at)
    .where(member_sources.c.member == _p("who"), member_sources.c.at > _p("since"))
    .order_by(member_sources.c.at.desc(), member_sources.c.width),
    "who",
    "since",
)
DROP_SOURCES_OF: Final = Statement(delete(member_sources).where(member_sources.c.member == _p("who")), "who")
DROP_OLD_SOURCES: Final = Statement(delete(member_sources).where(member_sources.c.at <= _p("before")), "before")
OTHERS_FROM: Final = Statement(
    select(func.count(distinct(member_sources.c.member))).where(
        member_sources.c.key == _p("which"), member_sources.c.at > _p("since"), member_sources.c.member != _p("who")
    ),
    "which",
    "since",
    "who",
)

REST_NAME: Final = Statement(
    insert(resting_names).values({c.name: _p(c.name) for c in resting_names.c}), *(c.name for c in resting_names.c)
)
WAKE_NAME: Final = Statement(
    delete(resting_names).where(resting_names.c.name_key == _p("which"), resting_names.c.member == _p("who")),
    "which",
    "who",
)
WAKE_NAMES_OF: Final = Statement(delete(resting_names).where(resting_names.c.member == _p("who")), "who")
DROP_RESTED: Final = Statement(delete(resting_names).where(resting_names.c.until <= _p("now")), "now")
IS_RESTING: Final = Statement(
    select(resting_names.c.member).where(
        resting_names.c.name_key == _p("which"), resting_names.c.member != _p("who"), resting_names.c.until > _p("now")
    ),
    "which",
    "who",
    "now",
)
HAS_WRITTEN: Final = Statement(
    select(log.c.offset)
    .where(log.c.author == _p("who"), log.c.kind == POSTED, log.c.generation == _p("which"))
    .limit(literal_column("1")),
    "who",
    "which",
)


def _near(key: ColumnElement[Any]) -> ColumnElement[bool]:
    last = func.substr(key, func.length(key) - literal_column("2"), literal_column("3"))
    first = func.substr(key, literal_column("1"), literal_column("3"))
    return or_(first.in_([_p("first"), _p("first_plain")]), last.in_([_p("last"), _p("last_plain")]))


_NEAR: Final = ("who", "since", "first", "first_plain", "last", "last_plain")
NEAR_NAMES: Final = Statement(
    select(members.c.name_key).where(
        members.c.id != _p("who"), members.c.seen_at > _p("since"), _near(members.c.name_key)
    ),
    *_NEAR,
)
NEAR_RESTING: Final = Statement(
    select(resting_names.c.name_key).where(
        resting_names.c.member != _p("who"), resting_names.c.until > _p("since"), _near(resting_names.c.name_key)
    ),
    *_NEAR,
)

_keys: Final = [f"key_{number}" for number in range(KEYS_AT_ONCE)]
BARS: Final = Statement(
    select(barred.c.address_key, barred.c.measure, barred.c.at, barred.c.expires_at, barred.c.room).where(
        barred.c.address_key.in_([_p(name) for name in _keys]), barred.c.expires_at > _p("now")
    ),
    *_keys,
    "now",
)
BARRED_BY: Final = Statement(
    select(barred.c.expires_at).where(barred.c.measure == _p("measure"), barred.c.address_key == _p("which")),
    "measure",
    "which",
)
ADD_BAR: Final = Statement(insert(barred).values({c.name: _p(c.name) for c in barred.c}), *(c.name for c in barred.c))
EXTEND_BAR: Final = Statement(
    update(barred)
    .where(barred.c.measure == _p("which_measure"), barred.c.address_key == _p("which"))
    .values(expires_at=_p("until")),
    "until",
    "which_measure",
    "which",
)
