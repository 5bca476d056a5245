"""Moderation as a part of a worker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from chatserver.domain.identity import Member, NodeId, Person
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.moderation import commands
from chatserver.handlers.moderation.enforcement import Enforcement
from chatserver.handlers.moderation.monitor import ModerationMonitor
from chatserver.handlers.node import Node
from chatserver.handlers.part import Greeting, Job, Part, Service
from chatserver.handlers.people.arrivals import Arrivals
from chatserver.protocol.fields import Command
from chatserver.protocol.internode import ModerationChanged
from chatserver.store.records import StoreUnavailable

_VERSION_SECONDS = 0.5
_COUNT_SECONDS = 5.0


class ModerationPart(Part):
    """Reports and measures: the commands, what they forbid, and whether the audit log is whole."""

    commands: ClassVar[Mapping[type[Command], Handler]] = commands.COMMANDS

    def __init__(self, node: Node, arrivals: Arrivals) -> None:
        self.node = node
        self.context = self.enforcement = Enforcement(node, arrivals)
        self.monitor = ModerationMonitor(node)

    async def start(self) -> None:
        await self.enforcement.tick()

    def jobs(self) -> Sequence[Job]:
        return (Job(_VERSION_SECONDS, self.enforcement.tick), Job(_COUNT_SECONDS, self.monitor.count))

    def services(self) -> Sequence[Service]:
        return (Service("audit log", self.monitor.run),)

    def hears(self) -> Mapping[type[Struct], Callable[[NodeId, Any], None]]:
        return {ModerationChanged: self._changed}

    async def greet(self, connection: Connection, member: Member, *, is_new: bool) -> Greeting | None:
        if is_new or connection.sign_in is not None:
            # Nothing was decided about a guest who was just made, and staff are told where they work.
            return None
        decisions = await self.enforcement.greet(connection, member.id)
        return None if decisions is None else lambda: [decisions]

    def require_admission(self, member: Member) -> None:
        self.enforcement.require_entrance(member.id, None)

    async def moderation_changed(self) -> None:
        await self.enforcement.refresh_and_broadcast()

    def connection_closed(self, connection: Connection) -> None:
        self.enforcement.closed(connection)

    async def require_new_name(self, connection: Connection, person: Person) -> None:
        self.enforcement.require_unmuted(person.id)

    def _changed(self, sender: NodeId, message: ModerationChanged) -> None:
        self.node.tasks.start(self._look_now(), "look at moderation")

    async def _look_now(self) -> None:
        with contextlib.suppress(StoreUnavailable):
            await self.enforcement.tick()
