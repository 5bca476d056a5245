"""All commands of the server, from the features that answer them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatserver.handlers.commands import Handler, union
from chatserver.handlers.exchange.part import ExchangePart
from chatserver.handlers.listening.part import ListeningPart, SupervisionPart
from chatserver.handlers.meetings.part import MeetingsPart
from chatserver.handlers.moderation.part import ModerationPart
from chatserver.handlers.operating.part import LoadPart, OperatingPart
from chatserver.handlers.people.part import AccountsPart, PeoplePart
from chatserver.handlers.rooms.part import RoomsPart
from chatserver.protocol.fields import Command

COMMANDS: Final[Mapping[type[Command], Handler]] = union(
    PeoplePart.commands,
    AccountsPart.commands,
    ModerationPart.commands,
    ListeningPart.commands,
    SupervisionPart.commands,
    MeetingsPart.commands,
    ExchangePart.commands,
    RoomsPart.commands,
    LoadPart.commands,
    OperatingPart.commands,
)
"""The handler of every command but `hello`, which the dispatcher answers itself."""
