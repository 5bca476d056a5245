"""Support groups and their meetings as a part of a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from chatserver.domain.identity import MemberId, NodeId, Person
from chatserver.domain.meetings.commands import Dismiss
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.meetings import commands
from chatserver.handlers.meetings.service import MeetingService
from chatserver.handlers.part import Job, Part, Service
from chatserver.protocol.fields import Command
from chatserver.protocol.internode import MeetingChanged

_COUNTS_SECONDS = 10.0


class MeetingsPart(Part):
    """Groups, and their meetings."""

    commands: ClassVar[Mapping[type[Command], Handler]] = commands.COMMANDS

    def __init__(self, service: MeetingService) -> None:
        self.context = self.service = service

    async def close(self) -> None:
        await self.service.close()

    def services(self) -> Sequence[Service]:
        return (Service("meetings", self.service.run),)

    def hears(self) -> Mapping[type[Struct], Callable[[NodeId, Any], None]]:
        return {MeetingChanged: self._changed}

    def connection_closed(self, connection: Connection) -> None:
        self.service.closed(connection)

    def staff_changed(self) -> None:
        self.service.look_at_staff()

    def jobs(self) -> Sequence[Job]:
        return (Job(_COUNTS_SECONDS, self.service.count),)

    async def member_renamed(self, person: Person) -> None:
        await self.service.renamed(person)

    async def member_banned(self, member: MemberId) -> None:
        """Take a banned member out of every meeting."""
        await self.service.take_everywhere(member, Dismiss())

    async def before_erasure(self, member: MemberId) -> None:
        """Take a member who is about to be erased out of every meeting, so that it goes on for the others."""
        await self.service.take_everywhere(member, Dismiss())

    def _changed(self, sender: NodeId, message: MeetingChanged) -> None:
        self.service.changed(message.meeting)
