"""Tasks with an owner: started here, ended here, and never failing unnoticed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

PATIENCE_SECONDS: Final = 5.0
"""Seconds that a cancelled task may take to end before it is cancelled once more."""

log = logging.getLogger("chatserver.tasks")


class Tasks:
    """The tasks of one owner. All end with `close`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    def start(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Run a coroutine in the background, for which nobody waits. After `close` nothing is started."""
        if self._is_closed:
            work.close()
            return
        self.watch(asyncio.create_task(work, name=name))

    def watch(self, task: asyncio.Task[Any]) -> None:
        """Own a task that nobody waits for: its failure is a bug, and is logged."""
        self.keep(task)
        task.add_done_callback(_report)

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Own a task whose result somebody else awaits, including its failure."""
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def close(self) -> None:
        """Cancel all running tasks, and wait for their end.

        A task that goes on is cancelled again: a cancellation can be lost on its way, and a draining worker must not
        wait for one task for ever.
        """
        self._is_closed = True
        left = set(self._tasks)
        while left:
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=PATIENCE_SECONDS)
            for task in left:
                log.error("task_not_ended", extra={"task": task.get_name()})

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # The tasks that waited may be gone; asyncio would warn that nobody retrieved the exception.
            task.exception()


def _report(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("task_failed", extra={"task": task.get_name()}, exc_info=problem)
