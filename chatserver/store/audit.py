"""Reading the audit log. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import Act, AuditHead, Entry
from chatserver.store import moderation_statements as sql
from chatserver.store.core.compiler import Call, Op, Row


def entries(after: int, limit: int) -> Op[list[Entry]]:
    return [entry_of(row) for row in (yield Call(sql.ENTRIES, [(after, limit)]))]


def entry_of(row: Row) -> Entry:
    """Return an entry from its columns."""
    return Entry(
        seq=row[0],
        act=Act(
            at=row[1],
            by=row[2],
            action=row[3],
            about=tuple(MemberId(who) for who in row[4].split()),
            subject=row[5],
            reason=row[6],
        ),
        hash=bytes(row[7]),
    )


def head() -> Op[AuditHead]:
    ((seq, hashed),) = yield Call(sql.HEAD, [()])
    return AuditHead(seq, bytes(hashed))
