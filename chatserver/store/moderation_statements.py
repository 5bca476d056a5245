"""The statements of moderation, built once from the tables for both dialects."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, delete, false, func, insert, null, or_, select, true, union, update
from sqlalchemy.sql import ColumnElement

from chatserver.store.compiler import Statement
from chatserver.store.statements import KEYS_AT_ONCE, POSTED, post_columns
from chatserver.store.tables import (
    audit,
    barred,
    debriefs,
    feedback,
    log,
    measures,
    members,
    moderation,
    report_notes,
    reports,
)


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
    select(audit.c.at, audit.c.action, audit.c.about, audit.c.reason)
    .where(audit.c.about.like(_p("pattern")), audit.c.action == _p("action"))
    .order_by(audit.c.seq),
    "pattern",
    "action",
)

# ------------------------------------------------------------------------------------------------ reports

_REPORT_COLUMNS: Final = tuple(
    reports.c[name]
    for name in (
        "id", "at", "due_at", "by", "about", "room", "offset", "reason",
        "is_call", "status", "claimed_by", "closed_at", "outcome", "reply", "level",
    )
)  # fmt: skip
REPORT_COLUMNS: Final = len(_REPORT_COLUMNS)
_closed: Final = "closed"
REPORT: Final = Statement(
    select(*_REPORT_COLUMNS, reports.c.note, reports.c.snapshot).where(reports.c.id == _p("id")), "id"
)
QUEUE: Final = Statement(
    select(*_REPORT_COLUMNS)
    .where(reports.c.status != _closed)
    .order_by(reports.c.is_call.desc(), func.coalesce(reports.c.level, 0).desc(), reports.c.due_at, reports.c.id)
    .limit(bindparam("count")),
    "count",
)
COUNT_OPEN: Final = Statement(select(func.count()).select_from(reports).where(reports.c.status != _closed))
ESCALATIONS_DUE: Final = Statement(
    select(reports.c.due_at)
    .where(reports.c.status == "open", reports.c.level.is_not(None))
    .order_by(reports.c.due_at)
    .limit(bindparam("count")),
    "count",
)
RAISED: Final = Statement(
    # Of one person, in one room, of one kind: those that still wait, and those of this moment.
    select(func.max(reports.c.level)).where(
        reports.c.about == _p("about"),
        reports.c.room == _p("room"),
        reports.c.reason == _p("reason"),
        reports.c.level.is_not(None),
        # Who has taken one looks at it; what comes long afterwards is for somebody anew.
        (reports.c.status == "open") | (reports.c.at > _p("since")),
    ),
    "about",
    "room",
    "reason",
    "since",
)
LATELY_CLOSED: Final = Statement(
    select(*_REPORT_COLUMNS)
    .where(reports.c.status == _closed)
    .order_by(reports.c.closed_at.desc(), reports.c.id)
    .limit(bindparam("count")),
    "count",
)
REPORTS_OF: Final = Statement(
    # By one person, those that are open or new: what bounds them, and finds the same one again.
    select(reports.c.id, reports.c.at, reports.c.status, reports.c.room, reports.c.about, reports.c.offset).where(
        reports.c.by == _p("by"), (reports.c.at > _p("since")) | (reports.c.status != _closed)
    ),
    "by",
    "since",
)
SET_REPORT: Final = Statement(
    update(reports)
    .where(reports.c.id == _p("which"))
    .values({name: _p(name) for name in ("status", "claimed_by", "closed_at", "outcome", "reply", "version")}),
    "status",
    "claimed_by",
    "closed_at",
    "outcome",
    "reply",
    "version",
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
_authors: Final = [f"author_{number}" for number in range(KEYS_AT_ONCE)]
ACTIVE_OF: Final = Statement(
    select(*_MEASURE).where(measures.c.about.in_([_p(name) for name in _authors]), _is_active), *_authors, "now"
)
RESTRICTING: Final = Statement(
    select(*_MEASURE).where(or_(*(measures.c.kind == kind for kind in ("mute", "remove", "ban"))), _is_active), "now"
)
MEASURES: Final = Statement(
    select(*_MEASURE)
    .where(_is_active)
    # Those that somebody has answered first.
    .order_by(measures.c.appealed_at.is_(None), measures.c.at.desc(), measures.c.id)
    .limit(bindparam("count")),
    "now",
    "count",
)
CONCERNED: Final = Statement(
    union(
        select(measures.c.about).where(measures.c.version > _p("since")),
        select(reports.c.by).where(reports.c.version > _p("since"), reports.c.status == _closed),
    ),
    "since",
    returns=True,
)
DROP_MEASURES_ABOUT: Final = Statement(
    delete(measures).where(measures.c.about == _p("who")).returning(measures.c.id), "who", returns=True
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
    .values(claimed_by=null(), status="open"),
    "who",
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

FIND_BARRED: Final = Statement(
    select(func.max(barred.c.expires_at)).where(barred.c.address_key == _p("key"), barred.c.expires_at > _p("now")),
    "key",
    "now",
)
IS_BARRED_BY: Final = Statement(
    select(barred.c.measure).where(barred.c.measure == _p("measure"), barred.c.address_key == _p("key")),
    "measure",
    "key",
)
ADD_BARRED: Final = Statement(
    insert(barred).values({c.name: _p(c.name) for c in barred.c}), *(c.name for c in barred.c)
)
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
    .where(reports.c.status != _closed)
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
    select(reports.c.at, reports.c.reason).where(reports.c.at >= _p("start"), reports.c.at < _p("end")), "start", "end"
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
    .order_by(debriefs.c.read_at.is_not(None), debriefs.c.at.desc(), debriefs.c.id)
    .limit(bindparam("count")),
    "count",
)
UNREAD_DEBRIEFS: Final = Statement(select(func.count()).select_from(debriefs).where(debriefs.c.read_at.is_(None)))
READ_DEBRIEF: Final = Statement(
    update(debriefs)
    .where(debriefs.c.id == _p("which"), debriefs.c.read_at.is_(None))
    .values(read_by=_p("by"), read_at=_p("now"))
    .returning(debriefs.c.listener),
    "by",
    "now",
    "which",
    returns=True,
)
