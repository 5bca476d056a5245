"""One-to-one listening as a part of a worker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from chatserver.domain.errors import Refusal
from chatserver.domain.identity import MemberId, NodeId, Person
from chatserver.domain.listening.commands import EndSession, GiveUpPlace
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening import commands, companies, supervision
from chatserver.handlers.listening.service import ListeningService
from chatserver.handlers.listening.supervision import Supervision
from chatserver.handlers.part import Part, Service
from chatserver.protocol.fields import Command
from chatserver.protocol.internode import ListeningChanged


class ListeningPart(Part):
    """The queue, the listeners and their sessions, and the companies of those who wait."""

    commands: ClassVar[Mapping[type[Command], Handler]] = {**commands.COMMANDS, **companies.COMMANDS}

    def __init__(self, service: ListeningService) -> None:
        self.context = self.service = service

    async def start(self) -> None:
        await self.service.start()

    async def close(self) -> None:
        await self.service.close()

    def services(self) -> Sequence[Service]:
        return (Service("listening", self.service.run),)

    def hears(self) -> Mapping[type[Struct], Callable[[NodeId, Any], None]]:
        return {ListeningChanged: self._changed}

    def connection_closed(self, connection: Connection) -> None:
        self.service.closed(connection)

    async def member_renamed(self, person: Person) -> None:
        await self.service.renamed(person)

    async def member_hidden(self, who: MemberId, other: MemberId) -> None:
        await self.service.hidden(who, other)

    async def member_banned(self, member: MemberId) -> None:
        """Take a banned member out of the queue and out of their sessions."""
        with contextlib.suppress(Refusal):
            await self.service.do(member, GiveUpPlace())
        for session in [*self.service.state.sessions.values()]:
            if session.is_live and session.seeker == member:
                with contextlib.suppress(Refusal):
                    await self.service.do(member, EndSession(session=session.id))

    async def before_erasure(self, member: MemberId) -> None:
        """Take a member who is about to be erased out of the queue and out of their sessions."""
        await self.service.dismiss(member, is_erased=True)

    def staff_changed(self) -> None:
        self.service.look_at_staff()

    async def account_reset(self, member: MemberId) -> None:
        """End the sessions of an account before anybody has the link to it: the link must not open what was said one to
        one."""
        await self.service.step_out(member)

    def _changed(self, sender: NodeId, message: ListeningChanged) -> None:
        self.service.changed(message.version)


class SupervisionPart(Part):
    """What supervisors are shown of listeners: their debriefs, and who declines how often."""

    commands: ClassVar[Mapping[type[Command], Handler]] = supervision.COMMANDS

    def __init__(self, service: ListeningService) -> None:
        self.context = Supervision(service.node, service)
