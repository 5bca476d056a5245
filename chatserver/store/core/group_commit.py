"""Group commit: while one transaction runs, arriving commands are gathered for the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from chatserver.domain.errors import Refusal
from chatserver.store.core.backlog import Backlog, Job, answer_jobs
from chatserver.store.records import StoreUnavailable

W = TypeVar("W")
R = TypeVar("R")

_BATCH: Final = 128
"""The most commands in one transaction, which bounds how long one of them can wait for the others."""


class GroupCommit(Generic[W, R]):
    """Runs `together` on batches of work, one batch after another. Belongs to one event loop.

    `together` returns one outcome for each piece of work, in order. If a batch breaks its transaction, each piece runs
    once more, alone, so that a bad command harms no other.
    """

    def __init__(
        self, together: Callable[[Sequence[W]], Awaitable[Sequence[R | Exception]]], timeout: float, bound: int
    ) -> None:
        self._together = together
        self._timeout = timeout
        self._backlog: Backlog[W] = Backlog(timeout, bound)
        self._waiting: deque[Job[W]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def run(self, work: W) -> R:
        """Return the outcome of `work`. Raises Refusal BUSY when too many wait, and StoreUnavailable after the
        timeout."""
        job = self._backlog.accept(work)
        self._waiting.append(job)
        if self._running is None:
            self._running = asyncio.create_task(self._work(), name="store-gathering")
        result: R = await job.future
        return result

    async def finish(self) -> None:
        """Return once nothing waits, or when everything that waits must have timed out."""
        if self._running is not None:
            await asyncio.wait([self._running], timeout=2 * self._timeout)

    async def _work(self) -> None:
        try:
            while jobs := self._take():
                answer_jobs(jobs, await self._outcomes(jobs))
        finally:
            self._running = None

    def _take(self) -> list[Job[W]]:
        jobs: list[Job[W]] = []
        while self._waiting and len(jobs) < _BATCH:
            job = self._waiting.popleft()
            if job.is_wanted:
                jobs.append(job)
        return jobs

    async def _outcomes(self, jobs: Sequence[Job[W]]) -> Sequence[R | Exception]:
        try:
            return await self._together([job.work for job in jobs])
        except StoreUnavailable as error:
            return [StoreUnavailable(str(error)) for _ in jobs]
        except Refusal as error:
            return [Refusal(error.reason, retry_after=error.retry_after) for _ in jobs]
        except Exception as error:  # noqa: BLE001 (whose fault it is shows when each is alone)
            if len(jobs) == 1:
                return [error]
        return [(await self._outcomes([job]))[0] for job in jobs]
