"""The statements of moderation, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    bindparam,
    case,
    delete,
    false,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    true,
    union,
    update,
)
from sqlalchemy.sql import ColumnElement

from chatserver.store.core.compiler import Statement
from chatserver.store.moderation_tables import audit, barred, measures, moderation, report_notes, reports
from chatserver.store.report_access_statements import ASKER, is_others_note, is_visible, report_of_measure
from chatserver.store.rooms_statements import KEYS_AT_ONCE, POSTED, post_columns
from chatserver.store.tables import channels, debriefs, feedback, log, members, rooms


def _p(name: str) -> ColumnElement[Any]:
    return bindparam(name)


# ------------------------------------------------------------------------------------------------ the one row

LOCK: Final = Statement(
    select(moderation.c.version, moderation.c.seq, moderation.c.hash).where(moderation.c.id == 1).with_for_update()
)
SET_VERSION: Final = Statement(update(moderation).where(moderation.c.id == 1).values(version=_p("raised")), "raised")
SET_HEAD: Final = Statement(
    update(moderation).where(moderation.c.id == 1).values(seq=_p("to_seq"), hash=_p("to_hash")),
    "to_seq",
    "to_hash",
)
VERSION: Final = Statement(select(moderation.c.version))
HEAD: Final = Statement(select(moderation.c.seq, moderation.c.hash))
_ENTRY: Final = tuple(c.name for c in audit.c)
ADD_ENTRY: Final = Statement(insert(audit).values({name: _p(name) for name in _ENTRY}), *_ENTRY)
ENTRIES: Final = Statement(
    select(*audit.c).where(audit.c.seq > _p("after")).order_by(audit.c.seq).limit(bindparam("count")), "after", "count"
)
ENTRIES_ABOUT: Final = Statement(
    select(audit.c.at, audit.c.about, audit.c.subject)
    .where(audit.c.about.like(_p("pattern")), audit.c.action == _p("action"))
    .order_by(audit.c.seq),
    "pattern",
    "action",
)

# ------------------------------------------------------------------------------------------------ reports

_epoch = (
    # The epoch of a report's offset, as long as the room exists.
    select(channels.c.epoch)
    .select_from(channels.join(rooms, rooms.c.channel == channels.c.channel))
    .where(rooms.c.id == reports.c.room)
    .correlate(reports)
    .scalar_subquery()
    .label("epoch")
)
REPORT_FIELDS: Final[tuple[ColumnElement[Any], ...]] = (
    *(
        reports.c[name]
        for name in (
            "id", "at", "due_at", "by", "about", "room", "offset", "reason",
            "is_call", "status", "claimed_by", "closed_at", "outcome", "reply", "level",
            "is_about_staff", "taken_from", "taken_reason",
            "band", "is_new", "card", "fold", "folds", "newest_at", "is_pressing",
        )
    ),
    _epoch,
)  # fmt: skip
REPORT_COLUMNS: Final = len(REPORT_FIELDS)
IS_ABOUT_STAFF: Final = [column.name for column in REPORT_FIELDS].index("is_about_staff")
"""The index of that column in a report's row."""
_closed: Final = "closed"
REPORT: Final = Statement(
    select(*REPORT_FIELDS, reports.c.note, reports.c.snapshot).where(reports.c.id == _p("id")), "id"
)
CLAIMED_IN: Final = Statement(
    # Reports of a session's room that a moderator has claimed.
    select(reports.c.id, reports.c.snapshot).where(
        is_visible, reports.c.room == _p("room"), reports.c.claimed_by == _p("by"), reports.c.status == "claimed"
    ),
    *ASKER,
    "room",
    "by",
)


def _raised(*more: ColumnElement[bool]) -> Statement:
    # Escalations of one person, in one room, of one kind: open ones, and recent ones in any status. A claimed one is
    # looked at by its moderator; an escalation long afterwards needs somebody again.
    return Statement(
        select(reports.c.id, reports.c.level, reports.c.status, reports.c.card)
        .where(
            reports.c.about == _p("about"),
            reports.c.room == _p("room"),
            reports.c.reason == _p("reason"),
            reports.c.level.is_not(None),
            (reports.c.status == "open") | (reports.c.at > _p("since")),
            *more,
        )
        # Of equal level, one that is not closed comes first.
        .order_by(reports.c.level.desc(), reports.c.status == _closed, reports.c.at.desc(), reports.c.id)
        .limit(literal_column("1")),
        "about",
        "room",
        "reason",
        "since",
    )


RAISED: Final = _raised()
RAISED_URGENT: Final = _raised(reports.c.status != _closed)
"""The same for urgent escalations: a moderator who closed one a minute ago has not seen the present one."""
LOOKED: Final = Statement(
    # When somebody recently read or took a report, and when outcomes were proposed for it. The log is long.
    select(audit.c.at, audit.c.by, audit.c.action)
    .where(
        audit.c.seq > _p("after"),
        audit.c.subject == _p("subject"),
        or_(
            *(
                audit.c.action == action
                for action in ("report_viewed", "report_claimed", "report_taken_over", "report_outcome_proposed")
            )
        ),
    )
    .order_by(audit.c.seq),
    "after",
    "subject",
)
LATELY_CLOSED: Final = Statement(
    select(*REPORT_FIELDS)
    .where(reports.c.status == _closed, is_visible, reports.c.card.is_(None), reports.c.fold.is_(None))
    .order_by(reports.c.closed_at.desc(), reports.c.id)
    .limit(bindparam("count")),
    *ASKER,
    "count",
)
REPORTS_OF: Final = Statement(
    # One person's reports that are open or recent, for the hourly limit and for finding the same report again.
    select(
        *(reports.c[name] for name in ("id", "at", "status", "room", "about", "offset", "band", "is_call")),
    ).where(reports.c.by == _p("by"), (reports.c.at > _p("since")) | (reports.c.status != _closed)),
    "by",
    "since",
)
_CHANGED: Final = (
    "status", "claimed_by", "closed_at", "outcome", "reply", "taken_from", "taken_reason", "version",
)  # fmt: skip
SET_REPORT: Final = Statement(
    update(reports).where(reports.c.id == _p("which")).values({name: _p(name) for name in _CHANGED}),
    *_CHANGED,
    "which",
)
POSTS_AFTER: Final = Statement(
    select(*post_columns(log))
    .where(log.c.channel == _p("channel"), log.c.offset > _p("after"), log.c.kind == POSTED)
    .order_by(log.c.offset)
    .limit(bindparam("count")),
    "channel",
    "after",
    "count",
)
_NOTE: Final = tuple(c.name for c in report_notes.c)
ADD_NOTE: Final = Statement(insert(report_notes).values({name: _p(name) for name in _NOTE}), *_NOTE)
NOTE_IDS: Final = Statement(select(report_notes.c.id).where(report_notes.c.report == _p("report")), "report")
NOTES: Final = Statement(
    select(report_notes.c.by, report_notes.c.at, report_notes.c.note)
    .where(report_notes.c.report == _p("report"))
    .order_by(report_notes.c.at, report_notes.c.id),
    "report",
)
ANSWERED: Final = Statement(
    select(reports.c.id, reports.c.at, reports.c.closed_at, reports.c.outcome, reports.c.reply)
    .where(
        reports.c.by == _p("by"),
        reports.c.status == _closed,
        reports.c.is_seen == false(),
    )
    .order_by(reports.c.closed_at),
    "by",
)
SEE_REPORT: Final = Statement(
    update(reports).where(reports.c.id == _p("which"), reports.c.by == _p("whose")).values(is_seen=true()),
    "which",
    "whose",
)
_ids: Final = [f"id_{number}" for number in range(KEYS_AT_ONCE)]
NAMES: Final = Statement(select(members.c.id, members.c.name).where(members.c.id.in_([_p(n) for n in _ids])), *_ids)

# ------------------------------------------------------------------------------------------------ measures

_MEASURE: Final = tuple(c for c in measures.c if c.name != "version")
MEASURE_COLUMNS: Final = len(_MEASURE)
ADD_MEASURE: Final = Statement(
    insert(measures).values({c.name: _p(c.name) for c in measures.c}), *(c.name for c in measures.c)
)
MEASURE: Final = Statement(select(*_MEASURE).where(measures.c.id == _p("id")), "id")
SET_MEASURE: Final = Statement(
    update(measures)
    .where(measures.c.id == _p("which"))
    .values({name: _p(name) for name in ("lifted_at", "appeal", "appealed_at", "version")}),
    "lifted_at",
    "appeal",
    "appealed_at",
    "version",
    "which",
)
SEE_MEASURE: Final = Statement(
    update(measures)
    .where(measures.c.id == _p("which"), measures.c.about == _p("whose"))
    .values(seen_at=func.coalesce(measures.c.seen_at, _p("now"))),
    "now",
    "which",
    "whose",
)
_is_active: Final = measures.c.lifted_at.is_(None) & (measures.c.expires_at > _p("now"))
MEASURES_ABOUT: Final = Statement(
    select(*_MEASURE).where(measures.c.about == _p("about")).order_by(measures.c.at, measures.c.id), "about"
)
_shown: Final = tuple(report_of_measure.label("report") if c.name == "report" else c for c in _MEASURE)
MEASURES_ABOUT_FOR: Final = Statement(
    # The same, as far as an asker may see them.
    select(*_shown).where(measures.c.about == _p("about")).order_by(measures.c.at, measures.c.id),
    *ASKER,
    "about",
)
_authors: Final = [f"author_{number}" for number in range(KEYS_AT_ONCE)]
ACTIVE_OF: Final = Statement(
    select(*_MEASURE).where(measures.c.about.in_([_p(name) for name in _authors]), _is_active), *_authors, "now"
)
ACTIVE_OF_ONE: Final = Statement(
    # Most posts are committed alone, and fifty keys cost three times as much as one.
    select(*_MEASURE).where(measures.c.about == _p("author"), _is_active),
    "author",
    "now",
)
RESTRICTING: Final = Statement(
    select(*_MEASURE).where(or_(*(measures.c.kind == kind for kind in ("mute", "remove", "ban"))), _is_active), "now"
)
MEASURES: Final = Statement(
    select(*_shown)
    .where(_is_active, measures.c.about != _p("asker"))
    # Measures with an answer first.
    .order_by(measures.c.appealed_at.is_(None), measures.c.at.desc(), measures.c.id)
    .limit(bindparam("count")),
    *ASKER,
    "now",
    "count",
)
CONCERNED: Final = Statement(
    union(
        select(measures.c.about).where(measures.c.version > _p("since")),
        # The reporter of an open report only if they may have to be told that nobody here can handle it.
        select(reports.c.by).where(
            reports.c.version > _p("since"), (reports.c.status == _closed) | reports.c.is_about_staff
        ),
    ),
    "since",
    returns=True,
)
DISOWN_MEASURES: Final = Statement(
    update(measures).where(measures.c.by == _p("who")).values(by=_p("nobody")), "nobody", "who"
)
DISOWN_NOTES: Final = Statement(
    update(report_notes).where(report_notes.c.by == _p("who")).values(by=_p("nobody")), "nobody", "who"
)
LET_GO: Final = Statement(
    update(reports)
    .where(reports.c.claimed_by == _p("who"), reports.c.status != _closed)
    # A proposed outcome is dropped with the person who proposed it. The report counts as waiting since it was made.
    .values(
        claimed_by=null(),
        status="open",
        outcome=null(),
        reply="",
        due_at=reports.c.at,
        version=_p("version"),
        # Urgent reports ring for the others. Bands below ten are those of `report_queue.Rank.NOW`.
        rings_at=case((reports.c.band < literal_column("10"), _p("now")), else_=reports.c.rings_at),
    )
    .returning(reports.c.id),
    "version",
    "now",
    "who",
    returns=True,
)
DISOWN_CLOSED: Final = Statement(
    update(reports).where(reports.c.claimed_by == _p("who")).values(claimed_by=_p("nobody")), "nobody", "who"
)
DISOWN_READING: Final = Statement(
    update(debriefs).where(debriefs.c.read_by == _p("who")).values(read_by=_p("nobody")), "nobody", "who"
)
DROP_OLD_NOTES: Final = Statement(
    delete(report_notes).where(report_notes.c.report.in_(select(reports.c.id).where(reports.c.at < _p("before")))),
    "before",
)
DROP_OLD_MEASURES: Final = Statement(delete(measures).where(measures.c.expires_at < _p("before")), "before")

DROP_BARRED_BY: Final = Statement(delete(barred).where(barred.c.measure == _p("measure")), "measure")

# ------------------------------------------------------------------------------------------------ numbers

_is_late: Final = reports.c.due_at < _p("now")
COUNT_REPORTS: Final = Statement(
    select(
        reports.c.reason,
        func.count(),
        func.count().filter(_is_late),
        func.min(reports.c.due_at).filter(_is_late),
    )
    .where(reports.c.status != _closed, reports.c.card.is_(None), reports.c.fold.is_(None))
    .group_by(reports.c.reason),
    "now",
)
COUNT_MEASURES: Final = Statement(
    select(measures.c.kind, func.count(), func.count().filter(measures.c.appealed_at.is_not(None)))
    .where(_is_active)
    .group_by(measures.c.kind),
    "now",
)

REPORTS_BETWEEN: Final = Statement(
    select(reports.c.at, reports.c.reason).where(
        reports.c.at >= _p("start"), reports.c.at < _p("end"), reports.c.folds.is_(None)
    ),
    "start",
    "end",
)
FEEDBACK_BETWEEN: Final = Statement(
    select(feedback.c.at, feedback.c.heard, feedback.c.heavy_before, feedback.c.heavy_after).where(
        feedback.c.at >= _p("start"), feedback.c.at < _p("end")
    ),
    "start",
    "end",
)

# ------------------------------------------------------------------------------------------------ debriefs

DEBRIEFS: Final = Statement(
    select(debriefs.c.id, debriefs.c.at, debriefs.c.listener, debriefs.c.note, debriefs.c.read_by, debriefs.c.read_at)
    .where(is_others_note)
    .order_by(debriefs.c.read_at.is_not(None), debriefs.c.at.desc(), debriefs.c.id)
    .limit(bindparam("count")),
    "asker",
    "count",
)
UNREAD_DEBRIEFS: Final = Statement(select(func.count()).select_from(debriefs).where(debriefs.c.read_at.is_(None)))
UNREAD_DEBRIEFS_FOR: Final = Statement(
    select(func.count()).select_from(debriefs).where(debriefs.c.read_at.is_(None), is_others_note), "asker"
)
READ_DEBRIEF: Final = Statement(
    update(debriefs)
    .where(debriefs.c.id == _p("which"), debriefs.c.read_at.is_(None), is_others_note)
    .values(read_by=_p("asker"), read_at=_p("now"))
    .returning(debriefs.c.listener),
    "asker",
    "now",
    "which",
    returns=True,
)
