"""Rooms as a part of a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from chatserver.delivery.outbox import Outbox
from chatserver.delivery.presence_records import PresenceChange
from chatserver.domain.history import ChannelName
from chatserver.domain.identity import Member, MemberId, NodeId, Person
from chatserver.domain.moderation.screening_levels import Loads
from chatserver.domain.moderation.text_model import TextModel
from chatserver.domain.rooms.coverage import CoverageRules
from chatserver.domain.rooms.rooms import ROOM_CHANNEL_PREFIX, RoomKind, is_closed_room, room_of
from chatserver.domain.rooms.settings import Hours
from chatserver.handlers import membership
from chatserver.handlers.closed_rooms import ClosedRooms
from chatserver.handlers.commands import Handler, union
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening.service import ListeningService
from chatserver.handlers.moderation.enforcement import Enforcement
from chatserver.handlers.node import Node
from chatserver.handlers.part import Greeting, Job, Part, Service
from chatserver.handlers.people import hiding
from chatserver.handlers.rooms import commands, healing, history, model_levels, seats
from chatserver.handlers.rooms.admission import RoomAdmission
from chatserver.handlers.rooms.context import Rooms
from chatserver.handlers.rooms.coverage import RoomCoverage
from chatserver.handlers.rooms.lobby import Lobby
from chatserver.handlers.rooms.presence_pace import SHORTEST_SECONDS, PresencePace
from chatserver.handlers.rooms.rosters import Rosters
from chatserver.handlers.rooms.second_looks import SecondLooks
from chatserver.handlers.rooms.voice import require_voice_in
from chatserver.protocol.fields import Command
from chatserver.protocol.internode import MemberEnded, RoomLeft, RoomRead, SeatGivenUp, encode

_COUNTS_SECONDS = 1.0
_COVERAGE_SECONDS = 1.0
_SEATS_SECONDS = 1.0
_ROOMS_SECONDS = 5.0
_SECOND_LOOKS_SECONDS = 20.0


class RoomsPart(Part):
    """Themed rooms: who is there, who may enter and write, and what is told about it."""

    commands: ClassVar[Mapping[type[Command], Handler]] = union(commands.COMMANDS, history.COMMANDS)

    def __init__(
        self,
        node: Node,
        enforcement: Enforcement,
        listening: ListeningService,
        hours: Hours,
        challenge_key: bytes,
        coverage: CoverageRules,
        closed: Mapping[RoomKind, ClosedRooms],
        model: TextModel | None,
        loads: Loads,
    ) -> None:
        """`closed` are the features that open closed rooms; `loads` is how much the `model` may mark unless operators
        say otherwise."""
        self.node = node
        self.admission = RoomAdmission(node, listening, hours, challenge_key)
        self.coverage = RoomCoverage(node, coverage)
        self.second_looks = SecondLooks(node, model, loads, closed)
        self.context = self.rooms = Rooms(
            node,
            enforcement,
            listening,
            self.admission,
            self.coverage,
            Rosters(node),
            closed,
            self.second_looks,
        )
        self._lobby = Lobby(self.rooms)
        self._pace = PresencePace()
        enforcement.on_changed += [self.admission.load, self.coverage.show]
        node.hub.on_caught_up = self.restate_presence

    async def start(self) -> None:
        await self.load_rooms()
        await self.second_looks.start()

    def jobs(self) -> Sequence[Job]:
        return (
            Job(SHORTEST_SECONDS, self.tell_presence),
            Job(_COUNTS_SECONDS, self._lobby.tell_counts),
            Job(_SEATS_SECONDS, self.look_round),
            Job(_COVERAGE_SECONDS, self.coverage.tick),
            Job(_ROOMS_SECONDS, self.load_rooms),
            Job(_SECOND_LOOKS_SECONDS, self.second_looks.tidy),
            Job(model_levels.SECONDS, self.second_looks.follow),
        )

    def services(self) -> Sequence[Service]:
        return (Service("second looks", self.second_looks.run),)

    async def close(self) -> None:
        await self.second_looks.close()

    def hears(self) -> Mapping[type[Struct], Callable[[NodeId, Any], None]]:
        return {
            SeatGivenUp: self._seat_given_up,
            RoomLeft: self._room_left,
            RoomRead: self._room_read,
            MemberEnded: self._member_ended,
        }

    async def greet(self, connection: Connection, member: Member, *, is_new: bool) -> Greeting | None:
        led = await self.admission.look_up(member.id)
        return lambda: [*self.admission.greeting(member.id, led), *self.coverage.greeting(connection)]

    def connection_closed(self, connection: Connection) -> None:
        for room in [*connection.rooms]:
            membership.depart(self.node, connection, room)
        self.rooms.watching.discard(connection)

    async def require_new_name(self, connection: Connection, person: Person) -> None:
        inside = {room for each in self.node.connections_of(person.id) for room in each.rooms}
        for room in sorted(inside):
            await require_voice_in(self.rooms, connection, person, room)

    async def before_erasure(self, member: MemberId) -> None:
        self.second_looks.forget(member)

    async def heal(self, members: Sequence[MemberId]) -> None:
        await healing.leave_what_was_left(self.rooms, members)

    async def load_rooms(self) -> None:
        """Bring the room directory up to date. Raises StoreUnavailable."""
        node = self.node
        seen, found = node.rooms, await node.store.rooms()
        if node.rooms is seen:
            # Otherwise they were read anew meanwhile, and these may be older.
            node.rooms = {room.id: room for room in found}

    async def tell_presence(self) -> None:
        """Tell other workers who is here, and the members of each room who came and went."""
        node = self.node
        messages = node.presence.tick(node.monotonic())
        if messages:
            node.bus.publish([(topic, encode(node.id, message)) for topic, message in messages])
        now, here = node.monotonic(), node.presence.here
        turns = node.presence.drain_changes(lambda channel: self._pace.take_turn(channel, here(channel), now))
        for channel, change in turns.items():
            if not channel.startswith(ROOM_CHANNEL_PREFIX):
                continue
            if change.is_count_changed and not is_closed_room(room_of(channel)):
                # How many are in a closed room is nobody's to know but theirs.
                self._lobby.changed(room_of(channel))
            hiding.tell_presence(node, channel, change)

    def restate_presence(self, outbox: Outbox, channel: ChannelName) -> None:
        """Tell a connection that had fallen behind who is there now."""
        node = self.node
        people = hiding.people(node, room_of(channel), hiding.seen_through(node, outbox))
        change = PresenceChange(node.presence.here(channel), [], [], False)
        node.hub.tell_one(outbox, channel, hiding.presence_push(node, channel, change, people))

    async def look_round(self) -> None:
        """See who is idle in the rooms that are full."""
        seats.look_round(self.node)

    def _member_ended(self, sender: NodeId, message: MemberEnded) -> None:
        self.second_looks.forget(message.member)

    def _seat_given_up(self, sender: NodeId, message: SeatGivenUp) -> None:
        seats.give_up(self.node, message.member, room_of(message.channel))

    def _room_left(self, sender: NodeId, message: RoomLeft) -> None:
        membership.left(self.node, message.member, room_of(message.channel))

    def _room_read(self, sender: NodeId, message: RoomRead) -> None:
        membership.read(self.node, message.member, room_of(message.channel), message.offset)
