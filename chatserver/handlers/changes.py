"""Acting on what a command or a job has changed in moderation, before its answer goes out.

The dispatcher and the periodic jobs do this for everything that they run, so no handler has to think of it. A handler
calls `act_on_changes` itself only where the rest of its own work needs the change to hold on this worker.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

from chatserver.handlers.node import Node
from chatserver.store.moderation_changes import begin_noting, current_note, end_noting
from chatserver.store.records import StoreUnavailable

T = TypeVar("T")


async def acting_on_changes(node: Node, work: Awaitable[T]) -> T:
    """Do some work, act at its end on what it changed, and return its result. Raises what the work raises, or
    StoreUnavailable where acting fails."""
    before = begin_noting()
    try:
        try:
            result = await work
        except Exception:
            # A refusal, too, may come after something was changed.
            with suppress(StoreUnavailable):
                await act_on_changes(node)
            raise
        await act_on_changes(node)
        return result
    finally:
        end_noting(before)


async def act_on_changes(node: Node) -> None:
    """Let every part act on what the command or job that is being run has changed in moderation since the last call.
    Does nothing where it has changed nothing. Raises StoreUnavailable: then the parts find the change by themselves,
    within half a second of the store answering again."""
    note = current_note()
    if note is not None and note.take():
        for part in node.parts:
            await part.moderation_changed()
