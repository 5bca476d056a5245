"""Operating as a part of a worker: its load, its health, and what operators do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from chatserver.domain.identity import NodeId
from chatserver.domain.moderation.screening_curve import Curve
from chatserver.domain.operating.alerts import Thresholds
from chatserver.handlers.commands import Handler, union
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening.service import ListeningService
from chatserver.handlers.moderation.part import ModerationPart
from chatserver.handlers.node import Node
from chatserver.handlers.operating import commands, load, screening
from chatserver.handlers.operating.autoscaler import RoomAutoscaler
from chatserver.handlers.operating.context import Operations
from chatserver.handlers.operating.health import Health
from chatserver.handlers.operating.load import LoadMonitor
from chatserver.handlers.part import Job, Part, Service
from chatserver.handlers.rooms.part import RoomsPart
from chatserver.protocol.fields import Command
from chatserver.protocol.internode import Canary, DrainWanted, LoadTold, NodeLeft

_AUTOSCALER_SECONDS = 2.0
_SECOND = 1.0


class HealthPart(Part):
    """Whether this worker takes people in, and whether all that it works with is there."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.health = Health(node)

    def jobs(self) -> Sequence[Job]:
        return (Job(_SECOND, self.measure),)

    def hears(self) -> Mapping[type[Struct], Callable[[NodeId, Any], None]]:
        return {Canary: lambda sender, canary: self.health.heard(canary)}

    async def measure(self) -> None:
        """Send the canary, and set the gauges of what this worker works with."""
        node = self.node
        self.health.send_canary()
        node.hub.measure()
        node.metrics.bus_attached.set(int(node.bus.is_attached))
        node.metrics.bus_dropped.set(node.bus.dropped)
        node.metrics.store_silent.set(int(node.store.is_silent))


class LoadPart(Part):
    """The load of rooms and workers, as staff are shown it."""

    commands: ClassVar[Mapping[type[Command], Handler]] = load.COMMANDS

    def __init__(
        self,
        node: Node,
        health: Health,
        moderation: ModerationPart,
        listening: ListeningService,
        rooms: RoomsPart,
        thresholds: Thresholds,
        *,
        name: str,
        version: str,
    ) -> None:
        self.context = self.monitor = LoadMonitor(
            node, moderation.enforcement, moderation.monitor, listening, health, thresholds, name=name, version=version
        )
        rooms.rooms.moderated = self.monitor.moderated

    async def close(self) -> None:
        await self.monitor.close()

    def services(self) -> Sequence[Service]:
        return (Service("load", self.monitor.run),)

    def hears(self) -> Mapping[type[Struct], Callable[[NodeId, Any], None]]:
        return {LoadTold: self._told, NodeLeft: lambda sender, message: self.monitor.left(sender)}

    def connection_closed(self, connection: Connection) -> None:
        self.monitor.watching.pop(connection, None)

    def _told(self, sender: NodeId, message: LoadTold) -> None:
        self.monitor.take(sender, message.sample)


class OperatingPart(Part):
    """What operators do with rooms and workers, and what happens to rooms by itself."""

    commands: ClassVar[Mapping[type[Command], Handler]] = union(commands.COMMANDS, screening.COMMANDS)

    def __init__(
        self, node: Node, rooms: RoomsPart, load: LoadMonitor, curve: Curve | None, *, is_second_look_wanted: bool
    ) -> None:
        self.node = node
        self.context = Operations(
            node,
            rooms.admission,
            load,
            levels=rooms.second_looks.levels,
            curve=curve,
            is_second_look_wanted=is_second_look_wanted,
        )
        self._autoscaler = RoomAutoscaler(self.context)

    def jobs(self) -> Sequence[Job]:
        return (Job(_AUTOSCALER_SECONDS, self._autoscaler.tick),)

    def hears(self) -> Mapping[type[Struct], Callable[[NodeId, Any], None]]:
        return {DrainWanted: self._drain_wanted}

    def _drain_wanted(self, sender: NodeId, message: DrainWanted) -> None:
        if not self.node.is_draining:
            self.node.stop()
