"""The statements of sealed copies and of what cases keep of erased people, built once for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, case, delete, func, insert, literal_column, null, or_, select, update
from sqlalchemy.sql import ColumnElement

from chatserver.domain.moderation.evidence import ALIAS_PREFIX
from chatserver.store.core.compiler import Statement
from chatserver.store.moderation_tables import measures, reports, sealed_copies
from chatserver.store.rooms_statements import POSTED
from chatserver.store.tables import log, rooms


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


_ONE: Final[ColumnElement[int]] = literal_column("1")

# ------------------------------------------------------------------------------------------------ sealed copies

_COPY: Final = tuple(c.name for c in sealed_copies.c)
ADD_COPIES: Final = Statement(insert(sealed_copies).values({name: _p(name) for name in _COPY}), *_COPY)
COPIES_OF_POST: Final = Statement(
    select(sealed_copies.c.offset, sealed_copies.c.part, sealed_copies.c.who, sealed_copies.c.body)
    .where(sealed_copies.c.channel == _p("channel"), sealed_copies.c.offset == _p("offset"))
    .order_by(sealed_copies.c.part),
    "channel",
    "offset",
)
_is_among: Final = (
    (sealed_copies.c.channel == _p("channel"))
    & (sealed_copies.c.offset >= _p("first"))
    & (sealed_copies.c.offset <= _p("last"))
)
AUTHORS_AMONG: Final = Statement(
    # The authors of sealed copies, by post. A post has one author, so there are at most as many rows as posts.
    select(sealed_copies.c.offset, sealed_copies.c.who).where(_is_among).distinct(),
    "channel",
    "first",
    "last",
)


def _copies(whose: ColumnElement[bool]) -> Statement:
    """Select each post's first `half` and last `half` copies, so that a post that was edited all day does not fill the
    result."""
    place = sealed_copies.c.part
    each = (
        select(
            sealed_copies.c.offset,
            place,
            sealed_copies.c.who,
            sealed_copies.c.body,
            func.row_number().over(partition_by=sealed_copies.c.offset, order_by=place).label("from_first"),
            func.row_number().over(partition_by=sealed_copies.c.offset, order_by=place.desc()).label("from_last"),
        )
        .where(_is_among, whose)
        .subquery("each_copy")
    )
    return Statement(
        select(each.c.offset, each.c.part, each.c.who, each.c.body)
        .where(or_(each.c.from_first <= bindparam("half"), each.c.from_last <= bindparam("half")))
        .order_by(each.c.offset, each.c.part),
        "channel",
        "first",
        "last",
        "who",
        "half",
    )


COPIES_OF_PERSON: Final = _copies(sealed_copies.c.who == _p("who"))
COPIES_OF_OTHERS: Final = _copies(sealed_copies.c.who != _p("who"))
"""Copies of everybody but one person; of everybody if that is the empty id."""
WHO_WROTE: Final = Statement(
    # Whether somebody has sealed words in a channel.
    select(_ONE).where(sealed_copies.c.who == _p("who"), sealed_copies.c.channel == _p("channel")).limit(_ONE),
    "who",
    "channel",
)
COPIES_BY: Final = Statement(
    select(rooms.c.id, rooms.c.kind, sealed_copies.c.channel, sealed_copies.c.offset, sealed_copies.c.part, log.c.at,
           sealed_copies.c.body)
    .select_from(
        sealed_copies.join(rooms, rooms.c.channel == sealed_copies.c.channel).join(
            log, (log.c.channel == sealed_copies.c.channel) & (log.c.offset == sealed_copies.c.offset)
        )
    )
    .where(sealed_copies.c.who == _p("who"))
    .order_by(sealed_copies.c.channel, sealed_copies.c.offset, sealed_copies.c.part),
    "who",
)  # fmt: skip
DROP_COPIES: Final = Statement(
    delete(sealed_copies).where(sealed_copies.c.channel == _p("channel"), sealed_copies.c.offset <= _p("upto")),
    "channel",
    "upto",
)
OWN_WORDS: Final = Statement(
    # Every post that somebody wrote: its channel and offset, whether it is redacted, and its content.
    select(
        log.c.channel,
        log.c.offset,
        log.c.redacted,
        log.c.name,
        log.c.text,
        log.c.warning,
        log.c.at,
        log.c.edited_at,
    ).where(log.c.author == _p("who"), log.c.kind == POSTED),
    "who",
)

# ------------------------------------------------------------------------------------------------ cases

CASES_WITH: Final = Statement(
    # Cases about somebody, and cases with posts of theirs. The pattern may match a few more.
    select(
        reports.c.id,
        reports.c.by,
        reports.c.about,
        reports.c.reason,
        reports.c.level,
        reports.c.note,
        reports.c.snapshot,
        reports.c.sealed,
        reports.c.erased_at,
    ).where(or_(reports.c.about == _p("who"), reports.c.snapshot.like(_p("pattern")))),
    "who",
    "pattern",
)
SET_CASE: Final = Statement(
    update(reports)
    .where(reports.c.id == _p("which"))
    .values({name: _p(name) for name in ("about", "note", "snapshot", "sealed", "erased_at")}),
    "about",
    "note",
    "snapshot",
    "sealed",
    "erased_at",
    "which",
)
HELD: Final = Statement(
    select(reports.c.snapshot, reports.c.sealed, reports.c.erased_at).where(reports.c.id == _p("id")), "id"
)
SET_HELD: Final = Statement(
    update(reports)
    .where(reports.c.id == _p("which"))
    .values({name: _p(name) for name in ("snapshot", "sealed", "erased_at")}),
    "snapshot",
    "sealed",
    "erased_at",
    "which",
)
SEALED: Final = Statement(select(reports.c.sealed).where(reports.c.id == _p("id")), "id")
_is_alias: Final = func.substr(reports.c.about, 1, len(ALIAS_PREFIX)) == ALIAS_PREFIX
DROP_EVIDENCE: Final = Statement(
    # The sealed content of erased people in cases that were closed long enough ago.
    update(reports)
    .where(reports.c.erased_at.is_not(None), reports.c.closed_at < _p("before"))
    .values(
        sealed=null(),
        erased_at=null(),
        about=case((_is_alias, null()), else_=reports.c.about),
    )
    .returning(_ONE),
    "before",
    returns=True,
)

# ------------------------------------------------------------------------------------------------ measures

_holds: Final = or_(*(measures.c.kind == kind for kind in ("mute", "remove", "ban")))
DROP_MILD_MEASURES: Final = Statement(
    delete(measures).where(measures.c.about == _p("who"), ~_holds).returning(_ONE), "who", returns=True
)
ALIAS_MEASURES: Final = Statement(
    # The text of the answer is erased; that there was one stays.
    update(measures)
    .where(measures.c.about == _p("who"))
    .values(about=_p("alias"), appeal=case((measures.c.appeal.is_(None), null()), else_=literal_column("''"))),
    "alias",
    "who",
)
