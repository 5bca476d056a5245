"""The state of moderation: its numbers for operators and for Prometheus, and whether the audit log is whole.

These are only numbers, by reason or kind. They name nobody who reported or was reported, and no room.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable
from typing import Final

from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis
from chatserver.domain.moderation.audit_log import AuditHead, Tampered, Verifier
from chatserver.domain.moderation.measures import REASONS, MeasureKind
from chatserver.domain.operating.alerts import ModerationLoad
from chatserver.handlers.node import Node
from chatserver.store.moderation_records import Counts
from chatserver.store.records import StoreUnavailable
from chatserver.store.store import Store

CHECK_SECONDS: Final = 24 * 3_600.0
"""How long lies between two checks of the audit log on one worker."""
FIRST_CHECK_SECONDS: Final = 60.0
AGAIN_SECONDS: Final = 60.0
"""How long after a start, and after a check that the store did not allow, comes the next."""
ENTRIES: Final = 500
"""Entries that are read at once: the others on this worker wait that long."""

log = logging.getLogger("chatserver.handlers")


class ModerationMonitor:
    """Counts what moderation has to do, and checks the audit log. `count` is a periodic job, and `run` a service of its
    part."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._counts: Counts | None = None
        self._is_whole = True
        self._head: AuditHead | None = None
        self._stranded: set[str] = set()
        # Until a check says otherwise.
        node.metrics.audit_whole.set(1)

    @property
    def is_log_whole(self) -> bool:
        """Return what the last check of the audit log found."""
        return self._is_whole

    def load(self, now: Millis) -> ModerationLoad:
        """Return the last count, which is over all reports: for metrics, and not for what staff are shown
        (`askers.py`)."""
        counts = self._counts
        if counts is None:
            return ModerationLoad(is_log_whole=self._is_whole)
        late = 0 if counts.overdue_since is None else max(0, now - counts.overdue_since)
        return ModerationLoad(
            overdue=counts.overdue, overdue_ms=late, is_log_whole=self._is_whole, floods=counts.floods,
            folded=counts.folded,
        )  # fmt: skip

    async def count(self) -> None:
        """Count again. Raises StoreUnavailable."""
        metrics = self._node.metrics
        counts = self._counts = await self._node.store.counts(self._node.now())
        for reason in REASONS:
            metrics.reports_open.labels(reason).set(counts.reports.get(reason, 0))
        metrics.reports_overdue.set(counts.overdue)
        metrics.report_floods.set(counts.floods)
        metrics.reports_folded.set(counts.folded)
        for kind in MeasureKind:
            metrics.measures_active.labels(kind.value).set(counts.measures.get(kind, 0))
        metrics.appeals.set(counts.appeals)
        metrics.unread_debriefs.set(counts.unread_debriefs)
        metrics.audit_entries.set(counts.entries)
        await self._look_for_stranded()

    async def _look_for_stranded(self) -> None:
        """Log, once for each, that a report waits which nobody who works here may handle."""
        found = await self._node.store.stranded()
        self._node.metrics.reports_stranded.set(len(found))
        for report in sorted(found - self._stranded):
            log.warning("report_nobody_may_handle", extra={"report": report})
        self._stranded = found

    async def run(self) -> None:
        """Check the audit log once a day, each worker at another time."""
        wait = FIRST_CHECK_SECONDS
        while True:
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
            try:
                await self.check()
                wait = CHECK_SECONDS
            except (StoreUnavailable, Refusal):
                wait = AGAIN_SECONDS
            except Exception:
                # What has to go on whatever one check ran into.
                log.exception("audit_check_failed")
                wait = AGAIN_SECONDS

    async def check(self) -> None:
        """Read the whole audit log. What this worker saw as its head before must still be in it."""
        try:
            self._head = await verify(self._node.store, [] if self._head is None else [self._head])
            self._is_whole = True
        except Tampered as tampered:
            self._is_whole = False
            log.error("audit_log_broken", extra={"cause": str(tampered)})  # noqa: TRY400 - the cause is all there is
        self._node.metrics.audit_whole.set(int(self._is_whole))
        self._node.metrics.audit_checked_at.set(self._node.now() / 1000)


async def verify(store: Store, exported: Iterable[AuditHead]) -> AuditHead:
    """Read the audit log to its end, in parts, and return its head. Raises Tampered."""
    verifier = Verifier(exported)
    # Read before the entries: one that comes meanwhile is no harm.
    kept = await store.audit_head()
    while entries := await store.audit_entries(verifier.head.seq, min(ENTRIES, kept.seq - verifier.head.seq)):
        verifier.read(entries)
        await asyncio.sleep(0)
    return verifier.finish(kept)
