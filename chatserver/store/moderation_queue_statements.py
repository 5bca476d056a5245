"""The statements of the moderators' queue: its order and pages, cards, folds and rings. Built once for both dialects.

`domain/moderation/report_queue.py` defines the order. Reports with the same band and time are ordered by their ids as
the database compares texts, which is all that paging needs.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    bindparam,
    case,
    cast,
    distinct,
    exists,
    false,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)

from chatserver.store.core.compiler import Statement
from chatserver.store.moderation_statements import REPORT_FIELDS as _FIELDS
from chatserver.store.moderation_tables import reports
from chatserver.store.report_access_statements import ASKER, is_visible
from chatserver.store.rooms_statements import KEYS_AT_ONCE
from chatserver.store.tables import members

_SESSIONS: Final = "s-%"


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


_before: Final = func.coalesce(reports.c.newest_at, reports.c.at)
_newest: Final = case((_before < _p("newest_at"), _p("newest_at")), else_=_before + 1)
"""When something was last added: later than any earlier addition, even in the same millisecond or by another clock.
Moderators who decide a report state by it what they have seen."""
# ------------------------------------------------------------------------------------------------ pages

is_open: Final = reports.c.status != "closed"
stands_alone: Final = is_open & reports.c.card.is_(None) & reports.c.fold.is_(None)
_place: Final = (reports.c.band, reports.c.due_at, reports.c.id)
_after: Final = tuple_(*_place) > tuple_(_p("band"), _p("due_at"), _p("id"))
PAGE: Final = Statement(
    select(*_FIELDS).where(stands_alone, is_visible, _after).order_by(*_place).limit(bindparam("count")),
    *ASKER, "band", "due_at", "id", "count",
)  # fmt: skip
WITHIN: Final = Statement(
    # Everything that a card or a fold holds, open or not.
    select(*_FIELDS)
    .where(or_(reports.c.card == _p("holder"), reports.c.fold == _p("holder")), is_visible, _after)
    .order_by(*_place)
    .limit(bindparam("count")),
    "holder", *ASKER, "band", "due_at", "id", "count",
)  # fmt: skip
COUNT_BANDS: Final = Statement(
    select(reports.c.band, func.count()).where(stands_alone, is_visible).group_by(reports.c.band), *ASKER
)
_holders: Final = [f"holder_{number}" for number in range(KEYS_AT_ONCE)]
PARTS: Final = Statement(
    union_all(
        *(
            select(holder, func.count()).where(holder.in_([_p(name) for name in _holders]), is_visible).group_by(holder)
            for holder in (reports.c.card, reports.c.fold)
        )
    ),
    *ASKER,
    *_holders,
    returns=True,
)
RINGS: Final = Statement(
    select(*_FIELDS, reports.c.rings_at)
    .where(stands_alone, is_visible, reports.c.rings_at > _p("since"))
    .order_by(*_place)
    .limit(bindparam("count")),
    *ASKER,
    "since",
    "count",
)
DUE: Final = Statement(
    # Escalations and floods, including claimed ones, which their moderator may have forgotten.
    select(reports.c.due_at)
    .where(stands_alone, or_(reports.c.level.is_not(None), reports.c.folds == "words"))
    .order_by(reports.c.due_at)
    .limit(bindparam("count")),
    "count",
)

# ------------------------------------------------------------------------------------------------ cards

SINCE: Final = Statement(select(members.c.created_at).where(members.c.id == _p("who")), "who")
_of_one: Final = (
    reports.c.about == _p("who"),
    reports.c.at > _p("since"),
    reports.c.level.is_not(None),
    reports.c.card.is_(None),
)
CARD_OF_ROOMS: Final = Statement(
    select(*_FIELDS)
    .where(*_of_one, reports.c.room.not_like(_SESSIONS))
    .order_by(reports.c.at.desc(), reports.c.id)
    .limit(1),
    "who",
    "since",
)
CARD_OF_SESSION: Final = Statement(
    # Each session has cards of its own, because who may read what was said there depends on who was in it.
    select(*_FIELDS).where(*_of_one, reports.c.room == _p("room")).order_by(reports.c.at.desc(), reports.c.id).limit(1),
    "who",
    "since",
    "room",
)
RINGS_AT: Final = Statement(select(reports.c.rings_at).where(reports.c.id == _p("id")), "id")
WHOLE: Final = Statement(select(*reports.c).where(reports.c.id == _p("id")), "id")
REPORT_FIELDS: Final = _FIELDS
COLUMNS: Final = tuple(c.name for c in reports.c)
_OF_THE_CASE: Final = frozenset(
    {
        "id", "at", "by", "about", "is_call", "status", "claimed_by", "closed_at", "outcome", "reply", "is_seen",
        "card", "folds", "is_about_staff", "taken_from", "taken_reason",
    }
)  # fmt: skip
CONTENT: Final = tuple(name for name in COLUMNS if name not in _OF_THE_CASE)
"""The columns that a card takes from the most serious of its reports; those of the case itself stay."""
SET_CONTENT: Final = Statement(
    update(reports)
    .where(reports.c.id == _p("which"))
    .values({name: _newest if name == "newest_at" else _p(name) for name in CONTENT}),
    *CONTENT,
    "which",
)
HURRY: Final = Statement(
    # What is added to them sounds urgent: a report and its card, unless somebody has taken them.
    update(reports)
    .where(
        or_(reports.c.id == _p("which"), reports.c.id == _p("its_card")),
        reports.c.status == "open",
        reports.c.due_at > _p("due"),
    )
    .values(is_pressing=true(), due_at=_p("due_then"), version=_p("version")),
    "due_then",
    "version",
    "which",
    "its_card",
    "due",
)
SET_NEWEST: Final = Statement(
    update(reports)
    .where(reports.c.id == _p("which"))
    .values({name: _p(name) for name in ("fold", "due_at", "rings_at", "version")} | {"newest_at": _newest}),
    "newest_at", "fold", "due_at", "rings_at", "version", "which",
)  # fmt: skip
SET_TURN: Final = Statement(
    # Somebody took it, gave it back or closed it: it leaves its flood and no longer rings.
    update(reports).where(reports.c.id == _p("which")).values(due_at=_p("due_at"), rings_at=null(), fold=null()),
    "due_at",
    "which",
)
_CASE: Final = ("status", "claimed_by", "closed_at", "outcome", "reply", "version")
FOLLOW_CARD: Final = Statement(
    update(reports).where(reports.c.card == _p("which")).values({name: _p(name) for name in _CASE}), *_CASE, "which"
)
UNFOLD_OTHERS: Final = Statement(
    # What the moderator who closes a flood may not see stays open, outside the flood.
    update(reports).where(reports.c.fold == _p("which"), is_open, ~is_visible).values(fold=null()),
    *ASKER,
    "which",
)
FOLDED: Final = Statement(
    select(reports.c.id, reports.c.by, reports.c.about).where(reports.c.fold == _p("which"), is_open), "which"
)
FOLLOW_FOLD: Final = Statement(
    update(reports).where(reports.c.fold == _p("which"), is_open).values({name: _p(name) for name in _CASE}),
    *_CASE,
    "which",
)

# ------------------------------------------------------------------------------------------------ saying it again

SAID: Final = Statement(
    select(
        reports.c.note, reports.c.reason, reports.c.is_call, reports.c.due_at, reports.c.band, reports.c.is_new,
        reports.c.rings_at, reports.c.status, reports.c.fold,
    ).where(reports.c.id == _p("id")),
    "id",
)  # fmt: skip
SET_SAID: Final = Statement(
    update(reports)
    .where(reports.c.id == _p("which"))
    .values(
        {n: _p(n) for n in ("note", "reason", "due_at", "band", "rings_at", "version")} | {"newest_at": _newest}
    ),
    "note", "reason", "due_at", "band", "rings_at", "newest_at", "version", "which",
)  # fmt: skip
OPEN_CALL: Final = Statement(
    select(reports.c.id).where(reports.c.room == _p("room"), reports.c.is_call, is_open, reports.c.at > _p("since")),
    "room",
    "since",
)
OPEN_LIKE: Final = Statement(
    # One person's open reports of one session for one reason. `about` says whom each is about, or NULL.
    select(reports.c.id, reports.c.about).where(
        reports.c.by == _p("by"),
        reports.c.room == _p("room"),
        reports.c.reason == _p("reason"),
        ~reports.c.is_call,
        is_open,
        reports.c.at > _p("since"),
    ),
    "by",
    "room",
    "reason",
    "since",
)

# ------------------------------------------------------------------------------------------------ floods

_WHO: Final = {
    "words": (reports.c.level.is_not(None), func.coalesce(reports.c.about, reports.c.id)),
    "reports": (reports.c.level.is_(None), func.coalesce(reports.c.by, reports.c.id)),
}
"""For each kind of fold: which reports it consists of, and the column that tells their people apart. Reports of erased
people count as one person each."""
_is_of_address: Final = func.substr(reports.c.address_key, literal_column("1"), _p("width")) == _p("key")
_is_lately_new: Final = reports.c.address_key.is_not(None) & (reports.c.at > _p("since")) & reports.c.folds.is_(None)
_is_this_minute: Final = reports.c.at > _p("minute")


def _seen(kind: str, *more: ColumnElement[bool]) -> Any:
    of_kind, who = _WHO[kind]
    return select(
        func.count().filter(_is_this_minute).label("alerts"),
        func.count(distinct(who)).filter(_is_this_minute).label("people"),
        func.count().label("alerts_long"),
        func.count(distinct(who)).label("people_long"),
    ).where(_is_lately_new, of_kind, *more)


_floods: Final = reports.alias("floods")


def _is_elsewhere(kind: str) -> ColumnElement[bool]:
    """Return whether a report comes from no network with a flood of its own, so that a crowd in one place does not
    count as a flood from everywhere."""
    latest = func.coalesce(_floods.c.newest_at, _floods.c.at)
    # A report's key is a path from the widest network to the narrowest; a flood's key is a beginning of such a path
    # (empty for a flood from everywhere).
    width = func.length(_floods.c.address_key)
    of_its_address = (
        (_floods.c.folds == kind)
        & (width > literal_column("0"))
        & (_floods.c.address_key == func.substr(reports.c.address_key, literal_column("1"), width))
    )
    return ~exists().where(of_its_address, latest > _p("since"))


def _seen_everywhere(kind: str, *more: ColumnElement[bool]) -> Any:
    """Count what comes from all networks that have no flood of their own. No network counts for more than `most`
    people."""
    each = _seen(kind, _is_elsewhere(kind), *more).group_by(reports.c.address_key).subquery()
    alerts, people, alerts_long, people_long = each.c

    def total(of: ColumnElement[int]) -> ColumnElement[int]:
        return func.coalesce(cast(func.sum(of), BigInteger), 0)

    def capped(of: ColumnElement[int]) -> ColumnElement[int]:
        return case((of > _p("most"), cast(_p("most"), BigInteger)), else_=of)

    return select(total(alerts), total(capped(people)), total(alerts_long), total(capped(people_long)))


def _fold_in(kind: str, *more: ColumnElement[bool]) -> Any:
    return (
        update(reports)
        .where(
            _is_lately_new,
            _WHO[kind][0],
            reports.c.status == "open",
            reports.c.card.is_(None),
            reports.c.fold.is_(None),
            *more,
        )
        .values(fold=_p("to"), rings_at=null())
        .returning(reports.c.id, reports.c.band)
    )


_is_of_all: Final = reports.c.is_about_staff == false()
_is_of_staff: Final = reports.c.is_about_staff
_is_about_one: Final = _is_of_staff & (reports.c.about == _p("about"))
SEEN_WORDS_HERE: Final = Statement(_seen("words", _is_of_all, _is_of_address), "minute", "since", "width", "key")
SEEN_WORDS: Final = Statement(_seen_everywhere("words", _is_of_all), "minute", "since", "most")
SEEN_REPORTS_HERE: Final = Statement(_seen("reports", _is_of_all, _is_of_address), "minute", "since", "width", "key")
SEEN_REPORTS: Final = Statement(_seen_everywhere("reports", _is_of_all), "minute", "since", "most")
SEEN_STAFF_HERE: Final = Statement(_seen("reports", _is_of_staff, _is_of_address), "minute", "since", "width", "key")
SEEN_STAFF: Final = Statement(_seen_everywhere("reports", _is_of_staff), "minute", "since", "most")
FOLD_WORDS_HERE: Final = Statement(
    _fold_in("words", _is_of_all, _is_of_address), "to", "since", "width", "key", returns=True
)
FOLD_WORDS: Final = Statement(_fold_in("words", _is_of_all), "to", "since", returns=True)
FOLD_REPORTS_HERE: Final = Statement(
    _fold_in("reports", _is_of_all, _is_of_address), "to", "since", "width", "key", returns=True
)
FOLD_REPORTS: Final = Statement(_fold_in("reports", _is_of_all), "to", "since", returns=True)
# Each of the staff has a fold of their own, which they do not see.
FOLD_STAFF_HERE: Final = Statement(
    _fold_in("reports", _is_about_one, _is_of_address), "to", "since", "width", "key", "about", returns=True
)
FOLD_STAFF: Final = Statement(_fold_in("reports", _is_about_one), "to", "since", "about", returns=True)


def _open_fold(*more: ColumnElement[bool]) -> Any:
    return (
        select(*_FIELDS)
        .where(
            reports.c.folds == _p("folds"),
            reports.c.address_key == _p("key"),
            is_open,
            func.coalesce(reports.c.newest_at, reports.c.at) > _p("since"),
            *more,
        )
        .order_by(reports.c.at.desc(), reports.c.id)
        .limit(1)
    )


OPEN_FOLD: Final = Statement(_open_fold(_is_of_all), "folds", "key", "since")
OPEN_STAFF_FOLD: Final = Statement(_open_fold(_is_about_one), "folds", "key", "since", "about")
FOLD_ONE: Final = Statement(
    update(reports).where(reports.c.id == _p("which")).values(fold=_p("to"), rings_at=null()), "to", "which"
)
SET_FOLD: Final = Statement(
    update(reports)
    .where(reports.c.id == _p("which"))
    .values({name: _p(name) for name in ("band", "due_at", "rings_at", "version")} | {"newest_at": _newest}),
    "newest_at", "band", "due_at", "rings_at", "version", "which",
)  # fmt: skip
TOUCH_FOLD: Final = Statement(
    update(reports).where(reports.c.id == _p("which")).values(newest_at=_newest, version=_p("version")),
    "newest_at",
    "version",
    "which",
)
_holder: Final = reports.alias("holder")
TOUCH_HOLDERS: Final = Statement(
    # A report, the card that it is on, and the flood that the card is in.
    update(reports)
    .where(
        or_(
            reports.c.id == _p("which"),
            reports.c.id == _p("card"),
            reports.c.id == select(_holder.c.fold).where(_holder.c.id == _p("card")).scalar_subquery(),
        )
    )
    .values(newest_at=_newest, version=_p("version")),
    "newest_at",
    "version",
    "which",
    "card",
)
FORGET_ADDRESSES: Final = Statement(
    update(reports).where(reports.c.address_key.is_not(None), reports.c.at < _p("before")).values(address_key=null()),
    "before",
)
_folds: Final = (func.count().filter(reports.c.folds.is_not(None)), func.count().filter(reports.c.fold.is_not(None)))
COUNT_FOLDS: Final = Statement(select(*_folds).where(is_open))
COUNT_FOLDS_FOR: Final = Statement(select(*_folds).where(is_open, is_visible), *ASKER)
