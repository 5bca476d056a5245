"""The statements of second looks, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.moderation_tables import reports
from chatserver.store.rooms_statements import POSTED
from chatserver.store.second_looks_tables import second_looks
from chatserver.store.tables import channels, log


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


SET_UNTIL: Final = Statement(
    update(second_looks)
    .where(second_looks.c.worker == _p("whose"))
    .values(until=_p("to"))
    .returning(second_looks.c.worker),
    "to",
    "whose",
    returns=True,
)
ADD_LOOK: Final = Statement(
    insert(second_looks).values({c.name: _p(c.name) for c in second_looks.c}), *second_looks.c.keys()
)
LEFT: Final = Statement(
    select(second_looks.c.worker, second_looks.c.until)
    .where(second_looks.c.until < _p("before"))
    .order_by(second_looks.c.until),
    "before",
)
DROP_LOOK: Final = Statement(
    delete(second_looks).where(second_looks.c.worker == _p("whose"), second_looks.c.until <= _p("at_most")),
    "whose",
    "at_most",
)
CHANNELS_SINCE: Final = Statement(
    select(channels.c.channel).where(channels.c.last_at >= _p("since")).order_by(channels.c.channel), "since"
)
_post = log.alias("post")
TEXTS: Final = Statement(
    # What was written or changed before an offset, the newest first, each with the post's present text.
    select(
        log.c.offset,
        log.c.at,
        log.c.author,
        log.c.command_id,
        _post.c.offset,
        _post.c.text,
        _post.c.warning,
        _post.c.redacted,
    )
    .select_from(
        log.join(
            _post,
            and_(_post.c.channel == log.c.channel, _post.c.offset == func.coalesce(log.c.target, log.c.offset)),
        )
    )
    .where(
        log.c.channel == _p("channel"),
        log.c.offset < _p("before"),
        log.c.at >= _p("since"),
        or_(log.c.kind == POSTED, log.c.kind == "edited"),
    )
    .order_by(log.c.offset.desc())
    .limit(bindparam("count")),
    "channel",
    "before",
    "since",
    "count",
)
RAISED_BEFORE: Final = Statement(select(reports.c.id).where(reports.c.id == _p("id")), "id")
