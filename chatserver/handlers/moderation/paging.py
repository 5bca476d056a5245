"""What moderators are rung for: each report once, and no more often than somebody can attend to.

A worker keeps for itself what it has rung for. What rings, and since when, stands in the store.
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
    """One worker's rings. Moderators who may see the same hear the same, so the bound of their group is the bound of
    each connection, and what is summed up tells nobody of a report that is their own case."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._rung: dict[str, Millis] = {}
        self._groups: Mapping[Asker, Sequence[Connection]] = {}
        self._bells: dict[Asker, Bell[RingDue]] = {}

    async def look(self, groups: Mapping[Asker, Sequence[Connection]]) -> None:
        """Ask the store what rings for whom, and ring for what is new. Raises StoreUnavailable."""
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
        """Ring for what was held back, as far as its bound allows now."""
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
