"""An event loop whose clock jumps to the next timer: no sleep, no threads, no sockets, the same order each time."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from heapq import heappop, heappush
from typing import Any, TypeVar

T = TypeVar("T")


class Stalled(Exception):
    """Nothing is left to run, but somebody still waits."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Starts at time 0.0. Callbacks that are due at the same moment run in the order in which they were scheduled.

    Keeps every task and future that it makes, so that no failure goes unnoticed.
    """

    _ready: deque[asyncio.Handle]

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._serials = itertools.count()
        self._tasks: list[asyncio.Task[Any]] = []
        self._futures: list[asyncio.Future[Any]] = []
        self.complaints: list[str] = []
        """Exceptions of callbacks, logged errors and, at the end, failures that nobody retrieved."""
        self.set_task_factory(self._make_task)
        self.set_exception_handler(self._complain)

    def time(self) -> float:
        return self._now

    def work(self, seconds: float) -> None:
        """Let the running callback take so many seconds."""
        self._now += seconds

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._serials), handle))
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.Future(loop=self)
        self._futures.append(future)
        return future

    def after_turns(self, turns: int, action: Callable[[], object]) -> None:
        """Call `action` after the loop has made so many turns, in the middle of other work."""
        if turns <= 0:
            action()
        else:
            self.call_soon(self.after_turns, turns - 1, action)

    def unfinished(self) -> list[str]:
        """Return the tasks that still wait."""
        return [task.get_name() for task in self._tasks if not task.done()]

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, and close the loop."""
        try:
            return self.run_until_complete(self.create_task(main, name="simulation"))
        finally:
            self.complaints += self._unheard()
            self.close()

    # What BaseEventLoop does in every turn, without sockets and other threads.

    def _run_once(self) -> None:
        ready, timers = self._ready, self._timers
        if not ready:
            while timers and timers[0][2].cancelled():
                heappop(timers)
            if not timers:
                raise Stalled
            self._now = max(self._now, timers[0][0])
        now = self._now
        while timers and timers[0][0] <= now:
            handle = heappop(timers)[2]
            if not handle.cancelled():
                ready.append(handle)
        for _ in range(len(ready)):
            due = ready.popleft()
            if not due.cancelled():
                due._run()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: a cancelled timer is skipped when it is due."""

    def _make_task(self, loop: asyncio.AbstractEventLoop, work: Any, **how: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **how)
        self._tasks.append(task)
        return task

    def _unheard(self) -> list[str]:
        """Return every failure of a task or future that nobody has retrieved. asyncio uses the same mark for its
        message that an exception was never retrieved."""
        silent = [each for each in (*self._tasks, *self._futures) if each.done() and each._log_traceback]
        return [f"never retrieved: {each.exception()!r} of {each.__class__.__name__}" for each in silent]

    def _complain(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")
