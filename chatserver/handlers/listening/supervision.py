"""The commands of supervisors: the notes that listeners left after hard sessions, and who declines how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chatserver.domain.identity import Person
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening import views
from chatserver.handlers.listening.service import ListeningService
from chatserver.handlers.moderation import enforcement
from chatserver.handlers.moderation.askers import asker_of
from chatserver.handlers.node import Node
from chatserver.protocol.fields import Command, DoneOk
from chatserver.protocol.moderation.messages import AskDebriefs, ReadDebrief
from chatserver.protocol.moderation.views import DebriefsOk


@dataclass(frozen=True, slots=True)
class Supervision:
    """What the commands of supervisors work with."""

    node: Node
    listening: ListeningService


async def debriefs(supervision: Supervision, connection: Connection, person: Person, command: AskDebriefs) -> Answer:
    found = await supervision.node.store.debriefs(asker_of(connection, person), supervision.node.now())
    people = {each.listener for each in found} | {each.read_by for each in found if each.read_by is not None}
    names = await supervision.node.store.names(people)
    notes = tuple(enforcement.debrief_of(each, names) for each in found)
    return Answer(DebriefsOk(debriefs=notes, declines=views.declines(supervision.listening.picture)))


async def read_debrief(
    supervision: Supervision, connection: Connection, person: Person, command: ReadDebrief
) -> Answer:
    await supervision.node.store.read_debrief(command.debrief, asker_of(connection, person), supervision.node.now())
    return Answer(DoneOk())


COMMANDS: Final[Mapping[type[Command], Handler]] = {
    AskDebriefs: debriefs,
    ReadDebrief: read_debrief,
}
"""The commands of supervisors. Their context is a `Supervision`."""
