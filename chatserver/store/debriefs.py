"""Listeners' notes to a supervisor. Sans-I/O, like `rooms_log`.

A supervisor reads neither their own notes nor those written after a session that they were in.
"""

from __future__ import annotations

from typing import Final

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.people.account_acts import AccountAct
from chatserver.store import moderation_statements as sql
from chatserver.store.core.compiler import Call, Op
from chatserver.store.moderation_lock import hold_moderation
from chatserver.store.moderation_records import DebriefRecord

DEBRIEFS: Final = 200
"""The most notes that a supervisor is shown."""


def debriefs(asker: Asker, now: Millis) -> Op[list[DebriefRecord]]:
    """Return the notes, and enter in the audit log that the asker was shown them, because the list contains their
    text."""
    mine = yield from hold_moderation()
    rows = yield Call(sql.DEBRIEFS, [(asker.member, DEBRIEFS)])
    if rows:
        whose = tuple(sorted({MemberId(row[2]) for row in rows}))
        act = Act(at=now, by=asker.member, action=AccountAct.NOTES_READ, about=whose, subject="", reason="")
        yield from mine.enter(act)
    return [
        DebriefRecord(id=row[0], at=row[1], listener=row[2], note=row[3], read_by=row[4], read_at=row[5])
        for row in rows
    ]


def read_debrief(which: str, asker: Asker, now: Millis) -> Op[None]:
    mine = yield from hold_moderation()
    rows = yield Call(sql.READ_DEBRIEF, [(asker.member, now, which)])
    if rows:
        yield from mine.rise()
        about = (MemberId(rows[0][0]),)
        act = Act(at=now, by=asker.member, action=AccountAct.NOTE_READ, about=about, subject=which, reason="")
        yield from mine.enter(act)
