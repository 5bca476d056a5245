"""Changing moderation one transaction at a time: its one lock, its version, and the end of the audit log. Sans-I/O,
like `rooms_log`.

The lock is the last of a transaction: after those of the listening state, channels and members.
"""

from __future__ import annotations

from chatserver.domain.moderation import audit_log
from chatserver.domain.moderation.audit_log import Act, AuditHead
from chatserver.store import moderation_statements as sql
from chatserver.store.core.compiler import Call, Op


class ModerationLock:
    """The right to change moderation until the end of the transaction. `version` is the version of this change."""

    def __init__(self, version: int, head: AuditHead) -> None:
        self.version = version
        self._head = head

    def rise(self) -> Op[None]:
        """Raise the version, because something changed that workers show."""
        yield Call(sql.SET_VERSION, [(self.version,)])

    def enter(self, act: Act) -> Op[None]:
        """Append to the audit log."""
        entry = audit_log.after(self._head, act)
        self._head = audit_log.head_of(entry)
        row = (entry.seq, act.at, act.by, act.action, " ".join(act.about), act.subject, act.reason, entry.hash)
        yield Call(sql.ADD_ENTRY, [row])
        yield Call(sql.SET_HEAD, [(entry.seq, entry.hash)])


def hold_moderation() -> Op[ModerationLock]:
    """Lock moderation. Nothing is written yet, so that the caller may still refuse."""
    ((version, seq, hashed),) = yield Call(sql.LOCK, [()])
    return ModerationLock(version + 1, AuditHead(seq, bytes(hashed)))
