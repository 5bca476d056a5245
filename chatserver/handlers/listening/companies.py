"""Company while waiting on one worker: its commands, and its rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Offset
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening import company_commands as actions
from chatserver.domain.listening.company import CompanyId
from chatserver.domain.moderation.crisis_phrases import Signal
from chatserver.domain.rooms.rooms import ID_PREFIXES, RoomId, RoomKind
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening.service import ListeningService
from chatserver.protocol.fields import Command
from chatserver.protocol.listening.company import (
    AskHosting,
    HostCommand,
    SitCommand,
    StandCommand,
    WaitAloneCommand,
)


class CompanyRooms:
    """The rooms of companies, for the commands of rooms."""

    def __init__(self, listening: ListeningService) -> None:
        self._listening = listening

    @property
    def keep(self) -> int:
        """Return for how many milliseconds the posts are kept after the last seeker left."""
        return self._listening.rules.company.keep

    def may_stay(self, room: RoomId, member: MemberId) -> bool:
        """Return whether a member may be in a company's room, as far as is known here. One that was opened just now may
        not be known yet; then the answer is yes."""
        found = self._listening.state.companies.get(CompanyId(room))
        return found is None or member in found.people

    def is_live(self, room: RoomId) -> bool:
        found = self._listening.state.companies.get(CompanyId(room))
        return found is None or (found.is_live and found.quiet_at is None)

    def spoke(self, who: MemberId, room: RoomId) -> None:
        """Do nothing: silence ends no company."""

    def raised(self, who: MemberId, room: RoomId, post: Offset, signals: Sequence[Signal]) -> None:
        """Do nothing: moderators have an entry of it."""

    def typed(self, who: MemberId, room: RoomId) -> None:
        """Do nothing: silence ends no company."""


async def hosting(listening: ListeningService, connection: Connection, person: Person, command: AskHosting) -> Answer:
    """Answer with the host's view, and push it from now on whenever it changes."""
    await listening.arrived(person.id)
    return Answer(listening.watch(connection, "hosting"))


async def host(listening: ListeningService, connection: Connection, person: Person, command: HostCommand) -> Answer:
    """Keep company, or stop."""
    if not command.on:
        await listening.do(person.id, actions.LeaveCompany())
        return Answer(listening.watch(connection, "hosting"))
    language = listening.languages[0] if command.language is None else command.language.lower()
    if language not in listening.languages:
        details = {"field": "$.language", "problem": "not one that can be chosen here"}
        raise Refusal(Reason.INVALID, details=details)
    drawn = listening.identities.new_session_id().removeprefix(ID_PREFIXES[RoomKind.SESSION])
    wanted = actions.KeepCompany(
        company=CompanyId(ID_PREFIXES[RoomKind.COMPANY] + drawn),
        name=person.name,
        language=language,
        avoid=await listening.node.store.blocked_with(person.id),
    )
    await listening.do(person.id, wanted)
    return Answer(listening.watch(connection, "hosting"))


async def sit(listening: ListeningService, connection: Connection, person: Person, command: SitCommand) -> Answer:
    """Take a seat. Somebody whose words raised something urgent gets none: a moderator is to talk with them."""
    if await listening.node.store.urgent_among([person.id]):
        raise Refusal(Reason.NO_SEAT)
    avoid = await listening.node.store.blocked_with(person.id)
    await listening.do(person.id, actions.SitDown(company=command.company, avoid=avoid))
    return Answer(listening.watch(connection, "standing"))


async def stand(listening: ListeningService, connection: Connection, person: Person, command: StandCommand) -> Answer:
    await listening.do(person.id, actions.StandUp())
    return Answer(listening.watch(connection, "standing"))


async def wait_alone(
    listening: ListeningService, connection: Connection, person: Person, command: WaitAloneCommand
) -> Answer:
    await listening.do(person.id, actions.WaitAlone())
    return Answer(listening.watch(connection, "standing"))


COMMANDS: Final[Mapping[type[Command], Handler]] = {
    AskHosting: hosting,
    HostCommand: host,
    SitCommand: sit,
    StandCommand: stand,
    WaitAloneCommand: wait_alone,
}
"""The commands of company while waiting. Their context is a `ListeningService`."""
