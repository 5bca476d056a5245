"""Noting which piece of work changed moderation, so that its worker can act on the change before it goes on.

A worker notes the changes of one command or one job between `begin_noting` and `end_noting`. Every write of the store
that is made meanwhile, by the same task, and that raised moderation's version is noted there once it is durable. What
shares a transaction with the work of others is not noted: posts (`Store.commit`) and one-to-one listening
(`Store.commit_listening`). Workers find their changes when they next ask for the version.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import TypeVar

from chatserver.store import moderation_statements as sql
from chatserver.store.core.compiler import MakeOp, Op

T = TypeVar("T")


@dataclass(slots=True)
class ChangeNote:
    """What is known of one piece of work: whether it has changed moderation since somebody last asked."""

    has_changed: bool = False

    def take(self) -> bool:
        """Return whether moderation was changed since the last call."""
        changed, self.has_changed = self.has_changed, False
        return changed


_note: ContextVar[ChangeNote | None] = ContextVar("moderation_changes", default=None)


def begin_noting() -> Token[ChangeNote | None]:
    """Note from now on what this task changes, and those that it starts. The caller gives what is returned to
    `end_noting`."""
    return _note.set(ChangeNote())


def end_noting(before: Token[ChangeNote | None]) -> None:
    """Go back to what was noted before."""
    _note.reset(before)


def current_note() -> ChangeNote | None:
    """Return the note of the work that is being done, or None where nobody asked for one."""
    return _note.get()


def watched(op: MakeOp[T]) -> Op[tuple[T, bool]]:
    """Run an operation. Returns its result, and whether it raised moderation's version."""
    work, has_changed = op(), False
    try:
        call = next(work)
        while True:
            has_changed = has_changed or call.statement is sql.SET_VERSION
            call = work.send((yield call))
    except StopIteration as stop:
        return stop.value, has_changed
