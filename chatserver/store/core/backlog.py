"""Accepted work without an answer yet: bounded in number and in time, whatever the database does."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

from chatserver.domain.errors import Reason, Refusal
from chatserver.store.records import StoreUnavailable

T = TypeVar("T")

_TICKS_PER_TIMEOUT: Final = 20


class Job(Generic[T]):
    """One piece of work and the future that its caller awaits. Once the future is done, nobody waits for the work."""

    __slots__ = ("deadline", "future", "work")

    def __init__(self, work: T, future: asyncio.Future[Any], deadline: float) -> None:
        self.work = work
        self.future = future
        self.deadline = deadline

    @property
    def is_wanted(self) -> bool:
        return not self.future.done()


class Backlog(Generic[T]):
    """Hands out Jobs and fails those whose time is up with StoreUnavailable. Belongs to one event loop.

    One timer watches the oldest job, because a timer for each would cost more than the work.
    """

    def __init__(self, timeout: float, bound: int) -> None:
        self._timeout = timeout
        self._bound = bound
        self._jobs: deque[Job[T]] = deque()
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None

    def accept(self, work: T) -> Job[T]:
        """Return a Job for `work`. Raises Refusal BUSY when the allowed number is waiting."""
        jobs = self._jobs
        while jobs and jobs[0].future.done():
            jobs.popleft()
        # Count jobs without an answer rather than jobs in the queue: behind a slow job many may have been answered
        # already.
        if self._waiting >= self._bound:
            raise Refusal(Reason.BUSY, retry_after=1.0)
        loop = asyncio.get_running_loop()
        job: Job[T] = Job(work, loop.create_future(), loop.time() + self._timeout)
        jobs.append(job)
        self._waiting += 1
        job.future.add_done_callback(self._answered)
        if self._timer is None:
            self._watch(loop)
        return job

    def _answered(self, future: asyncio.Future[Any]) -> None:
        self._waiting -= 1

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self._timeout / _TICKS_PER_TIMEOUT, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs = self._jobs
        # A job may be half a tick late and still be in time for its caller.
        due = loop.time() + self._timeout / _TICKS_PER_TIMEOUT
        while jobs and (jobs[0].future.done() or jobs[0].deadline <= due):
            job = jobs.popleft()
            if not job.future.done():
                job.future.set_exception(StoreUnavailable(f"no answer within {self._timeout:g} s"))
        self._timer = None
        if jobs:
            self._watch(loop)


def answer_jobs(jobs: Sequence[Job[Any]], outcomes: Sequence[object]) -> None:
    """Answer each job with its outcome; an exception is raised at its caller. Runs on the jobs' event loop."""
    for job, outcome in zip(jobs, outcomes, strict=True):
        future = job.future
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
