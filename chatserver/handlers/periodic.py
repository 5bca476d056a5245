"""Work that is repeated: each job of each part, in its own rhythm, and the forgetting of what has expired.

There is no leader: every worker does all of it, and the store's transactions let each thing happen once.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Final

from chatserver.domain.errors import Refusal
from chatserver.handlers.changes import acting_on_changes
from chatserver.handlers.node import Node
from chatserver.handlers.part import Job
from chatserver.store.records import StoreUnavailable

EXPIRE_SECONDS: Final = 60.0
REWRITE_SECONDS: Final = 5.0

log = logging.getLogger("chatserver.handlers")


class PeriodicJobs:
    """Repeats jobs. `run` never ends by itself; its owner cancels it."""

    def __init__(self, node: Node, jobs: Sequence[Job]) -> None:
        self._node = node
        self._jobs = (*jobs, Job(EXPIRE_SECONDS, self._expire), Job(REWRITE_SECONDS, self._rewrite))

    async def run(self) -> None:
        """Do every job in its own rhythm until cancelled."""
        async with asyncio.TaskGroup() as group:
            for job in self._jobs:
                group.create_task(self._repeat(job), name=_name(job))

    async def _repeat(self, job: Job) -> None:
        while True:
            # Workers that started together should not all work in the same moment for ever.
            await asyncio.sleep(job.seconds * random.uniform(0.9, 1.1))
            try:
                await acting_on_changes(self._node, job.work())
            except (StoreUnavailable, Refusal) as trouble:
                self._node.metrics.store_failures.inc()
                log.warning("job_postponed", extra={"work": _name(job), "cause": str(trouble)})
            except Exception:
                # A bug in one job must not stop the others.
                log.exception("job_failed", extra={"work": _name(job)})

    async def _expire(self) -> None:
        node = self._node
        while heads := await node.store.expire(node.now(), node.retention):
            node.hub.expire(heads)
            node.metrics.expired.inc(len(heads))

    async def _rewrite(self) -> None:
        """Rewrite the database's files where erasures need it. The store does so at most once an hour."""
        if await self._node.store.rewrite(self._node.now()):
            log.info("database_rewritten")


def _name(job: Job) -> str:
    return getattr(job.work, "__qualname__", "job")
