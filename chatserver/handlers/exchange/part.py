"""The exchange as a part of a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from chatserver.domain.exchange.decide import Dismiss, Renamed
from chatserver.domain.identity import MemberId, Person
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.exchange import commands
from chatserver.handlers.exchange.service import ExchangeService
from chatserver.handlers.part import Part, Service
from chatserver.protocol.fields import Command


class ExchangePart(Part):
    """Two people, and an equal time for each."""

    commands: ClassVar[Mapping[type[Command], Handler]] = commands.COMMANDS

    def __init__(self, service: ExchangeService) -> None:
        self.context = self.service = service

    def services(self) -> Sequence[Service]:
        return (Service("exchange", self.service.run),)

    def connection_closed(self, connection: Connection) -> None:
        self.service.closed(connection)

    async def member_renamed(self, person: Person) -> None:
        if self.service.is_enabled:
            await self.service.do(person.id, Renamed(name=person.name))

    async def member_banned(self, member: MemberId) -> None:
        """Take a banned member out of the line. Meetings take them out of an exchange."""
        if self.service.is_enabled:
            await self.service.do(member, Dismiss())
