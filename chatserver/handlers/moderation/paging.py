"""What moderators are paged for: each report once, and no more often than somebody can attend to.

Each worker remembers what it has paged for. Which reports page, and since when, is in the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from chatserver.domain.history import Millis
from chatserver.domain.moderation.paging import Bell
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.moderation.report_queue import ring_of
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.protocol.moderation.views import RingPush
from chatserver.store.moderation_records import RingDue

RINGS_FOR: Final = 15 * 60_000
"""Milliseconds for which what nobody has taken can still ring."""


class Pager:
    """Pages the moderators of one worker. Moderators who may see the same are paged for the same, so the rate limit of
    a group is that of each of its connections, and a summary tells nobody of a report that is their own case."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._rung: dict[str, Millis] = {}
        self._groups: Mapping[Asker, Sequence[Connection]] = {}
        self._bells: dict[Asker, Bell[RingDue]] = {}

    async def look(self, groups: Mapping[Asker, Sequence[Connection]]) -> None:
        """Ask the store which reports page whom, and page for those that are new. Raises StoreUnavailable."""
        node, most = self._node, self._node.limits.rings_per_minute
        since = Millis(node.now() - RINGS_FOR)
        self._rung = {report: at for report, at in self._rung.items() if at > since}
        bells = {asker: self._bells.get(asker) or Bell[RingDue](most, node.monotonic()) for asker in groups}
        new: dict[str, Millis] = {}
        for asker, bell in bells.items():
            for due in await node.store.rings(asker, since):
                kind = ring_of(due.report)
                if kind is not None and self._rung.get(due.report.id, -1) < due.at:
                    new[due.report.id] = due.at
                    bell.hold(kind, due)
        self._rung |= new
        self._groups, self._bells = groups, bells
        self.catch_up()

    def catch_up(self) -> None:
        """Page for what was held back, as far as the rate limit allows now."""
        node = self._node
        for asker, bell in self._bells.items():
            here = [each for each in self._groups[asker] if each in node.staffed]
            if not here:
                bell.forget()
                continue
            for kind, due, more in bell.due(node.monotonic()):
                node.metrics.rings.labels(kind.value, "sent").inc()
                node.metrics.rings.labels(kind.value, "summed").inc(more)
                push = RingPush(report=due.report.id, at=due.at, room=due.report.room, kind=kind.value, more=more)
                for connection in here:
                    node.send_or_close(connection, push)
