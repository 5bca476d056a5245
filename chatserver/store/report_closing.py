"""Closing a report only with what the decider has seen. Sans-I/O, like `rooms_log`.

If something was added to a report after a moderator looked at it, they cannot close it: they are asked to look again. A
client states with `seen` what it has shown. If it does not, the audit log says when this moderator last read or took
the report.
"""

from __future__ import annotations

from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.moderation import measures as rules
from chatserver.domain.moderation import report_steps as steps
from chatserver.domain.moderation.measures import Report
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.text.cleaning import optional
from chatserver.store import moderation_statements as sql
from chatserver.store.core.compiler import Call, Op
from chatserver.store.moderation_records import ShownReport

_LOOKED_AMONG: Final = 20_000
"""How many of the newest entries of the log are searched for a reading. An earlier reading counts as none."""
_PROPOSED: Final = "report_outcome_proposed"


def require_seen(report: Report, by: Asker, shown: ShownReport) -> Op[None]:
    """Raise REPORT_CHANGED if something was added to a report that `by` has not seen."""
    if report.newest_at is None:
        return
    seen = shown.seen
    if seen is None:
        looks, _ = yield from _looks(report.id, by)
        seen = max(looks, default=Millis(0))
    steps.require_seen(report, seen)


def require_reviewed(report: Report, by: Asker, shown: ShownReport, *, is_agreed: bool) -> Op[None]:
    """Raise REPORT_CHANGED if the proposed outcome, or the content of the report, is not what `by` has seen.

    If the client states neither, and the outcome replaced an earlier proposal, `by` must have looked at the report
    since.
    """
    looks: list[Millis] = []
    proposals: list[Millis] = []
    if shown.outcome is None or (shown.seen is None and report.newest_at is not None):
        looks, proposals = yield from _looks(report.id, by)
    if shown.outcome is not None:
        steps.require_proposal(report, shown.outcome, optional(shown.reply, rules.NOTE_LENGTH))
    elif len(proposals) > 1 and max(looks, default=0) < proposals[-1]:
        raise Refusal(Reason.REPORT_CHANGED)
    if is_agreed:
        seen = shown.seen if shown.seen is not None else max((*looks, *proposals), default=Millis(0))
        steps.require_seen(report, seen)


def _looks(which: str, by: Asker) -> Op[tuple[list[Millis], list[Millis]]]:
    """Return when `by` read or took a report, and when outcomes were proposed for it, in order."""
    ((seq, _),) = yield Call(sql.HEAD, [()])
    rows = yield Call(sql.LOOKED, [(seq - _LOOKED_AMONG, which)])
    looks = [Millis(row[0]) for row in rows if row[1] == by.member and row[2] != _PROPOSED]
    return looks, [Millis(row[0]) for row in rows if row[2] == _PROPOSED]
