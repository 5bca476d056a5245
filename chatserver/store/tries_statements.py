"""The statements of counted tries, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from chatserver.domain.people.tries import MOST_KEYS
from chatserver.store.core.compiler import Statement
from chatserver.store.tables import tries


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


_COLUMNS: Final = ("kind", "key", "full_at", "failures", "locked_until")

LOCK_TRIES: Final = Statement(
    select(tries.c.full_at, tries.c.failures, tries.c.locked_until)
    .where(tries.c.kind == _p("kind"), tries.c.key == _p("key"))
    .with_for_update(),
    "kind",
    "key",
)
_some: Final = select(tries.c.key).where(tries.c.kind == _p("kind")).limit(MOST_KEYS).subquery()
HOW_MANY: Final = Statement(select(func.count()).select_from(_some), "kind")
ADD_TRIES: Final = Statement(insert(tries).values({name: _p(name) for name in _COLUMNS}), *_COLUMNS)
SET_TRIES: Final = Statement(
    update(tries)
    .where(tries.c.kind == _p("which"), tries.c.key == _p("whose"))
    .values(full_at=_p("full_at"), failures=_p("failures"), locked_until=_p("locked_until")),
    "which",
    "whose",
    "full_at",
    "failures",
    "locked_until",
)
DROP_TRIES: Final = Statement(
    delete(tries).where(tries.c.kind == _p("kind"), tries.c.key == _p("key")).returning(tries.c.failures),
    "kind",
    "key",
    returns=True,
)
OLD_TRIES: Final = Statement(select(tries.c.kind).where(tries.c.full_at <= _p("now")).limit(1), "now")
DROP_OLD_TRIES: Final = Statement(delete(tries).where(tries.c.full_at <= _p("now")), "now")
