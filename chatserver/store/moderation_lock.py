"""Taking turns at moderation: its one lock, its version, and the audit log's end. Sans-I/O, like `log`.

The lock is the last that anybody takes: after the floor's, channels' and members'.
"""

from __future__ import annotations

from chatserver.domain.moderation import audit_log
from chatserver.domain.moderation.audit_log import Act, AuditHead
from chatserver.store import moderation_statements as sql
from chatserver.store.core.compiler import Call, Op


class ModerationLock:
    """The right to change moderation, until the end of the transaction. `version` is the one that a change has."""

    def __init__(self, version: int, head: AuditHead) -> None:
        self.version = version
        self._head = head

    def rise(self) -> Op[None]:
        """Something changed that workers show."""
        yield Call(sql.SET_VERSION, [(self.version,)])

    def enter(self, act: Act) -> Op[None]:
        """Append to the audit log."""
        entry = audit_log.after(self._head, act)
        self._head = audit_log.head_of(entry)
        row = (entry.seq, act.at, act.by, act.action, " ".join(act.about), act.subject, act.reason, entry.hash)
        yield Call(sql.ADD_ENTRY, [row])
        yield Call(sql.SET_HEAD, [(entry.seq, entry.hash)])


def hold_moderation() -> Op[ModerationLock]:
    """Hold moderation. Writes nothing yet, so that one may still refuse."""
    ((version, seq, hashed),) = yield Call(sql.LOCK, [()])
    return ModerationLock(version + 1, AuditHead(seq, bytes(hashed)))
