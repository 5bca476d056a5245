"""The statements of the exchange, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, or_, select, true, update
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.exchange_tables import exchange_people, exchange_pool
from chatserver.store.moderation_tables import reports
from chatserver.store.rooms_statements import KEYS_AT_ONCE
from chatserver.store.tables import mutes


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


_KEYS: Final = [f"key_{number}" for number in range(KEYS_AT_ONCE)]
_among: Final = [_p(name) for name in _KEYS]
_PERSON: Final = (exchange_people.c.member, exchange_people.c.seen_at, exchange_people.c.body)

VERSION: Final = Statement(select(exchange_pool.c.version))
LOCK: Final = Statement(select(exchange_pool.c.version).with_for_update())
SET_VERSION: Final = Statement(update(exchange_pool).values(version=_p("version")), "version")
ACTIVE: Final = Statement(
    select(*_PERSON).where(exchange_people.c.is_active == true()).order_by(exchange_people.c.member)
)
PEOPLE: Final = Statement(select(*_PERSON).where(exchange_people.c.member.in_(_among)), *_KEYS)
THAT_MAY_NAME_OTHERS: Final = Statement(
    # What names others expires, or is in use.
    select(*_PERSON).where(or_(exchange_people.c.is_active == true(), exchange_people.c.expires_at.is_not(None)))
)
EXPIRED: Final = Statement(select(*_PERSON).where(exchange_people.c.expires_at <= _p("now")), "now")
_VALUES: Final = ("is_active", "seen_at", "expires_at", "body")
ADD: Final = Statement(
    insert(exchange_people).values({name: _p(name) for name in (*_VALUES, "member")}), *_VALUES, "member"
)
SET: Final = Statement(
    update(exchange_people).where(exchange_people.c.member == _p("whose")).values({name: _p(name) for name in _VALUES}),
    *_VALUES,
    "whose",
)
DROP: Final = Statement(delete(exchange_people).where(exchange_people.c.member == _p("member")), "member")
SEE: Final = Statement(
    update(exchange_people)
    .where(exchange_people.c.member == _p("whose"), exchange_people.c.seen_at < _p("now"))
    .values(seen_at=_p("now")),
    "whose",
    "now",
)
NEEDS_SOMEBODY: Final = Statement(
    # An escalation that nobody has closed yet.
    select(reports.c.id)
    .where(
        reports.c.about == _p("who"),
        reports.c.level.is_not(None),
        reports.c.closed_at.is_(None),
        reports.c.at > _p("since"),
    )
    .limit(1),
    "who",
    "since",
)
APART: Final = Statement(select(mutes.c.member, mutes.c.other).where(mutes.c.member.in_(_among)), *_KEYS)
"""Whom these people hide or block."""
