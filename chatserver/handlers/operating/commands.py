"""What operators and moderators do with rooms, announcements, hours, raids and workers: the commands."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import MemberId, NodeId, Person, Persona
from chatserver.domain.listening.opening_hours import parse_hours
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.people.staff import Capability, require
from chatserver.domain.rooms import settings as rules
from chatserver.domain.rooms import splitting
from chatserver.domain.rooms.rooms import Room, RoomId, RoomStatus, room_channel
from chatserver.domain.rooms.settings import Hours, RoomEdit
from chatserver.handlers import membership
from chatserver.handlers.answer import Answer
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.protocol.fields import Command
from chatserver.protocol.internode import DrainWanted, encode, node_topic
from chatserver.protocol.messages import DoneOk
from chatserver.protocol.operating.messages import (
    Announce,
    AnnounceAll,
    AskHouse,
    ChangeRoom,
    CloseRoom,
    DeclareRaid,
    DeclareRaidOnAll,
    DrainWorker,
    EndRaid,
    HouseOk,
    NoticeOk,
    OpenRoom,
    PlanOk,
    PlanSplit,
    RaidOk,
    ReopenRoom,
    RoomOk,
    SetHours,
    SettleMove,
    SlowRoom,
    SplitOk,
    SplitRoom,
    Withdraw,
)
from chatserver.store.room_settings_contract import Deed, Steered

NEW_FOR: Final = 30 * 60_000
"""Milliseconds for which a guest is a newcomer, who knows nobody yet."""
EMPTY_SECONDS: Final = 15 * 60.0
"""How long a room that was opened beside another one stands empty before it is closed again."""
SETTLING_SECONDS: Final = 120.0
"""How long nothing beside a room is split by itself again: people are led, and need a while to go."""
_LEAVING_SECONDS: Final = 60.0
"""For how long a worker that was asked to go, and did not, is asked again."""
_encoder = msgspec.msgpack.Encoder(order="deterministic")


# ------------------------------------------------------------------------------------------------ members


async def settle(node: Node, connection: Connection, person: Person, command: SettleMove) -> Answer:
    """They know where their place is. On every connection here they leave the room that they moved out of."""
    await node.store.settle(person.id, command.room, command.to)
    if command.to != command.room:
        await node.store.leave(person.id, command.room)
        for each in node.connections_of(person.id):
            if command.to in each.rooms:
                membership.depart(node, each, command.room)
    return Answer(DoneOk())


# ------------------------------------------------------------------------------------------------ rooms


async def ask(node: Node, connection: Connection, person: Person, command: AskHouse) -> Answer:
    house = node.house
    room = None if command.room is None else _room(node, command.room)
    return Answer(
        HouseOk(
            notices=house.notices,
            raids=house.raids,
            hours=house.hours.hours,
            timezone=house.hours.timezone,
            hours_revision=house.hours.revision,
            rooms=[] if room is None else [room, *(each for each in house.family(room) if each.id != room.id)],
        )
    )


async def open_room(node: Node, connection: Connection, person: Person, command: OpenRoom) -> Answer:
    edit = RoomEdit(
        about=command.about,
        topic=command.topic,
        welcome=command.welcome,
        agreement=command.agreement,
        capacity=command.capacity,
        slow_mode=command.slow_mode,
        needs_moderator=command.needs_moderator,
        split_at=command.split_at,
    )
    return await _steered(node, await node.store.open_room(command.name, edit, _deed(node, person, command)))


async def change(node: Node, connection: Connection, person: Person, command: ChangeRoom) -> Answer:
    edit = RoomEdit(
        name=command.name,
        about=command.about,
        topic=command.topic,
        welcome=command.welcome,
        agreement=command.agreement,
        capacity=command.capacity,
        slow_mode=command.slow_mode,
        needs_moderator=command.needs_moderator,
        split_at=command.split_at,
    )
    return await _change(node, person, command, edit)


async def slow(node: Node, connection: Connection, person: Person, command: SlowRoom) -> Answer:
    return await _change(node, person, command, RoomEdit(slow_mode=command.seconds))


async def close(node: Node, connection: Connection, person: Person, command: CloseRoom) -> Answer:
    return await _change(node, person, command, RoomEdit(status=RoomStatus.CLOSED))


async def reopen(node: Node, connection: Connection, person: Person, command: ReopenRoom) -> Answer:
    return await _change(node, person, command, RoomEdit(status=RoomStatus.OPEN))


async def _change(
    node: Node, person: Person, command: ChangeRoom | SlowRoom | CloseRoom | ReopenRoom, edit: RoomEdit
) -> Answer:
    steered = await node.store.change_room(command.room, command.seen, edit, _deed(node, person, command))
    return await _steered(node, steered)


async def _steered(node: Node, steered: Steered) -> Answer:
    node.hub.announce(steered.publications)
    await node.watch.heed()
    return Answer(RoomOk(room=steered.rooms[0]))


# ------------------------------------------------------------------------------------------------ splitting


async def plan(node: Node, connection: Connection, person: Person, command: PlanSplit) -> Answer:
    room = _room(node, command.room)
    names = {each.id: each.name for each in _people(node, room)}
    groups = await _groups(node, room, command.parts)
    return Answer(
        PlanOk(revision=room.revision, groups=[[Person(who, names.get(who, "")) for who in group] for group in groups])
    )


async def split(node: Node, connection: Connection, person: Person, command: SplitRoom) -> Answer:
    room = _room(node, command.room)
    groups = await _groups(node, room, command.parts)
    steered = await node.store.split_room(room.id, command.seen, groups, _deed(node, person, command))
    node.hub.announce(steered.publications)
    await node.watch.heed()
    return Answer(SplitOk(rooms=[*steered.rooms]))


async def _groups(node: Node, room: Room, parts: int | None) -> tuple[tuple[MemberId, ...], ...]:
    people = [each.id for each in _people(node, room)]
    circle = await node.store.circle(room.id, people)
    now = node.now()
    # Who is no member any more has no place to be led to.
    here = [who for who in people if who in circle.created_at]
    new = [who for who in here if now - circle.created_at[who] < NEW_FOR]
    return splitting.plan(here, circle.ties, new, parts, circle.apart)


def _people(node: Node, room: Room) -> list[Persona]:
    return node.presence.people(room_channel(room.id), rules.MOST_PEOPLE)


class Stewards:
    """What happens by itself: rooms that are too full are split where an operator wished it, those beside them that
    stay empty are closed, and a worker that should go is told again. Every worker tries; a room's revision lets one."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._empty_since: dict[RoomId, float] = {}
        self._grown: dict[RoomId, tuple[int, float]] = {}
        """For each room that others stand beside: how many are open, and since when it is so many."""

    async def tick(self) -> None:
        node = self._node
        if not node.bus.is_attached:
            # Who is on other workers is not known now: a room may be anything but empty.
            self._empty_since.clear()
        serving = node.load.serving() if node.house.leaving else set()
        for worker, since in [*node.house.leaving.items()]:
            if worker in serving and node.monotonic() - since < _LEAVING_SECONDS:
                _ask_to_leave(node, worker)
            else:
                del node.house.leaving[worker]
        for room in [*node.rooms.values()]:
            if room.status is not RoomStatus.OPEN:
                self._empty_since.pop(room.id, None)
                continue
            here = node.presence.here(room_channel(room.id))
            root = node.rooms.get(rules.root_of(room), room)
            if 0 < root.split_at <= here:
                if self._has_settled(root):
                    await self._split(room)
            elif room.split_of is not None and here == 0 and node.bus.is_attached:
                since = self._empty_since.setdefault(room.id, node.monotonic())
                if node.monotonic() - since >= EMPTY_SECONDS:
                    await self._close(room)
            else:
                self._empty_since.pop(room.id, None)

    def _has_settled(self, root: Room) -> bool:
        open_ = sum(room.status is RoomStatus.OPEN for room in self._node.house.family(root))
        known = self._grown.get(root.id)
        if known is None or known[0] != open_:
            # One that was never split has nobody who is on their way.
            since = float("-inf") if known is None and open_ == 1 else self._node.monotonic()
            known = self._grown[root.id] = open_, since
        return self._node.monotonic() - known[1] >= SETTLING_SECONDS

    async def _split(self, room: Room) -> None:
        node = self._node
        try:
            groups = await _groups(node, room, None)
            deed = self._deed("split", room, "It was as full as an operator set.")
            steered = await node.store.split_room(room.id, room.revision, groups, deed)
        except Refusal:
            # Another worker was first, or too few are left.
            return
        node.hub.announce(steered.publications)
        await node.watch.heed()

    async def _close(self, room: Room) -> None:
        node = self._node
        deed = self._deed("merge", room, "It stood empty beside the room that it was split from.")
        try:
            steered = await node.store.change_room(room.id, room.revision, RoomEdit(status=RoomStatus.CLOSED), deed)
        except Refusal:
            return
        node.hub.announce(steered.publications)
        await node.watch.heed()

    def _deed(self, what: str, room: Room, reason: str) -> Deed:
        command_id = CommandId(f"{what}-{room.id}-{room.revision}")
        digest = blake2b(command_id.encode(), digest_size=16).digest()
        return Deed(by=rules.SERVICE, command_id=command_id, digest=digest, reason=reason, now=self._node.now())


# ------------------------------------------------------------------------------------------------ announcements


async def announce(node: Node, connection: Connection, person: Person, command: Announce | AnnounceAll) -> Answer:
    room = None if isinstance(command, AnnounceAll) else command.room
    notice = rules.announce(_id_of(person, command.id), room, command.text, command.minutes, node.now())
    made = await node.store.announce(notice, _deed(node, person, command))
    await node.watch.heed()
    return Answer(NoticeOk(notice=made))


async def withdraw(node: Node, connection: Connection, person: Person, command: Withdraw) -> Answer:
    if any(each.id == command.notice and each.room is None for each in node.house.notices):
        require(connection.roles, Capability.OPERATE)
    await node.store.withdraw(command.notice, _deed(node, person, command))
    await node.watch.heed()
    return Answer(DoneOk())


# ------------------------------------------------------------------------------------------------ hours, raids


async def set_hours(node: Node, connection: Connection, person: Person, command: SetHours) -> Answer:
    try:
        parse_hours(command.hours)
    except ValueError as problem:
        raise Refusal(Reason.INVALID, details={"field": "$.hours", "problem": str(problem)}) from None
    try:
        ZoneInfo(command.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refusal(Reason.INVALID, details={"field": "$.timezone", "problem": "no such time zone"}) from None
    wanted = Hours(hours=command.hours.strip(), timezone=command.timezone, revision=command.seen)
    await node.store.set_hours(wanted, _deed(node, person, command))
    await node.watch.heed()
    return Answer(DoneOk())


async def raid(node: Node, connection: Connection, person: Person, command: DeclareRaid | DeclareRaidOnAll) -> Answer:
    room = None if isinstance(command, DeclareRaidOnAll) else command.room
    wanted = rules.declare(_id_of(person, command.id), room, command.minutes, command.quiet_minutes, node.now())
    made = await node.store.declare(wanted, _deed(node, person, command))
    await node.watch.heed()
    return Answer(RaidOk(raid=made))


async def end_raid(node: Node, connection: Connection, person: Person, command: EndRaid) -> Answer:
    await node.store.end_raid(command.raid, _deed(node, person, command))
    await node.watch.heed()
    return Answer(DoneOk())


# ------------------------------------------------------------------------------------------------ workers


async def drain(node: Node, connection: Connection, person: Person, command: DrainWorker) -> Answer:
    """Told to the worker itself, which goes as one that is stopped goes. Refused where nobody else serves."""
    serving = node.load.serving()
    if command.worker not in serving:
        raise Refusal(Reason.WORKER_UNKNOWN)
    if len(serving - node.house.leaving.keys() - {command.worker}) < 1:
        raise Refusal(Reason.LAST_WORKER)
    name = node.load.name_of(command.worker)
    act = Act(at=node.now(), by=person.id, action="worker_drained", about=(), subject=name[:64], reason=command.reason)
    await node.store.enter(act)
    if command.worker == node.id:
        return Answer(DoneOk(), then=node.stop)
    node.house.leaving[command.worker] = node.monotonic()
    _ask_to_leave(node, command.worker)
    return Answer(DoneOk())


def _ask_to_leave(node: Node, worker: NodeId) -> None:
    node.bus.publish([(node_topic(worker), encode(node.id, DrainWanted()))])


# ------------------------------------------------------------------------------------------------ parts


def _room(node: Node, wanted: RoomId) -> Room:
    room = node.rooms.get(wanted)
    if room is None:
        raise Refusal(Reason.ROOM_UNKNOWN)
    return room


def _deed(node: Node, person: Person, command: Command) -> Deed:
    fields: Sequence[object] = [type(command).__name__, *(getattr(command, name) for name in command.__struct_fields__)]
    reason: str = getattr(command, "reason", "")
    return Deed(
        by=person.id,
        command_id=command.id,
        digest=blake2b(_encoder.encode(fields), digest_size=16).digest(),
        reason=reason,
        now=Millis(node.now()),
    )


def _id_of(person: Person, command_id: str) -> str:
    """The id of what a command makes: the same for the same command."""
    return blake2b(f"{person.id} {command_id}".encode(), digest_size=12).hexdigest()
