"""What operators and moderators do with rooms, announcements, hours, raids and workers: the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import Person
from chatserver.domain.listening.opening_hours import parse_hours
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.people.staff import Capability, require
from chatserver.domain.rooms import settings as rules
from chatserver.domain.rooms.rooms import Room, RoomEdit, RoomId, RoomStatus
from chatserver.domain.rooms.settings import Hours
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.operating.autoscaler import ask_to_drain, groups_of, people_in
from chatserver.handlers.operating.context import Operations
from chatserver.protocol.fields import Command, DoneOk
from chatserver.protocol.operating.messages import (
    Announce,
    AnnounceAll,
    AskRoomSettings,
    ChangeRoom,
    CloseRoom,
    DeclareRaid,
    DeclareRaidOnAll,
    DrainWorker,
    EndRaid,
    NoticeOk,
    OpenRoom,
    PlanOk,
    PlanSplit,
    RaidOk,
    ReopenRoom,
    RoomOk,
    RoomSettingsOk,
    SetHours,
    SlowRoom,
    SplitOk,
    SplitRoom,
    Withdraw,
)
from chatserver.store.room_settings_records import ChangedRooms, StaffAction

_encoder = msgspec.msgpack.Encoder(order="deterministic")


# ------------------------------------------------------------------------------------------------ rooms


async def ask(operations: Operations, connection: Connection, person: Person, command: AskRoomSettings) -> Answer:
    house = operations.admission
    room = None if command.room is None else _room(operations, command.room)
    return Answer(
        RoomSettingsOk(
            notices=house.notices,
            raids=house.raids,
            hours=house.hours.hours,
            timezone=house.hours.timezone,
            hours_revision=house.hours.revision,
            rooms=[] if room is None else [room, *(each for each in house.family(room) if each.id != room.id)],
        )
    )


async def open_room(operations: Operations, connection: Connection, person: Person, command: OpenRoom) -> Answer:
    edit = msgspec.structs.replace(_edit(command), name=None)
    opened = await operations.node.store.open_room(command.name, edit, action_of(operations, person, command))
    return _changed_rooms(operations, opened)


async def change(operations: Operations, connection: Connection, person: Person, command: ChangeRoom) -> Answer:
    return await _change(operations, person, command, _edit(command))


def _edit(command: OpenRoom | ChangeRoom) -> RoomEdit:
    """Return what a command says of the fields that an operator can set."""
    return RoomEdit(**{name: getattr(command, name) for name in RoomEdit.__struct_fields__ if hasattr(command, name)})


async def slow(operations: Operations, connection: Connection, person: Person, command: SlowRoom) -> Answer:
    return await _change(operations, person, command, RoomEdit(slow_mode=command.seconds))


async def close(operations: Operations, connection: Connection, person: Person, command: CloseRoom) -> Answer:
    return await _change(operations, person, command, RoomEdit(status=RoomStatus.CLOSED))


async def reopen(operations: Operations, connection: Connection, person: Person, command: ReopenRoom) -> Answer:
    return await _change(operations, person, command, RoomEdit(status=RoomStatus.OPEN))


async def _change(
    operations: Operations, person: Person, command: ChangeRoom | SlowRoom | CloseRoom | ReopenRoom, edit: RoomEdit
) -> Answer:
    changed = await operations.node.store.change_room(
        command.room, command.seen, edit, action_of(operations, person, command)
    )
    return _changed_rooms(operations, changed)


def _changed_rooms(operations: Operations, changed: ChangedRooms) -> Answer:
    operations.node.hub.announce(changed.publications)
    return Answer(RoomOk(room=changed.rooms[0]))


# ------------------------------------------------------------------------------------------------ splitting


async def plan(operations: Operations, connection: Connection, person: Person, command: PlanSplit) -> Answer:
    """Show how a room would be split now. A split that names the plan does what it shows."""
    node = operations.node
    room = _room(operations, command.room)
    names = {each.id: each.name for each in people_in(node, room)}
    groups = await groups_of(node, room, command.parts)
    shown = [[Person(who, names.get(who, "")) for who in group] for group in groups]
    name = operations.plans.keep(room.id, groups, node.monotonic())
    return Answer(PlanOk(revision=room.revision, groups=shown, plan=name))


async def split(operations: Operations, connection: Connection, person: Person, command: SplitRoom) -> Answer:
    """Split a room as a plan showed it, or, where none is named, by those who are there now."""
    node = operations.node
    room = _room(operations, command.room)
    if command.plan is None:
        groups = await groups_of(node, room, command.parts)
    else:
        here = [each.id for each in people_in(node, room)]
        groups = operations.plans.groups(command.plan, room.id, here, node.monotonic())
    changed = await node.store.split_room(room.id, command.seen, groups, action_of(operations, person, command))
    node.hub.announce(changed.publications)
    return Answer(SplitOk(rooms=[*changed.rooms]))


# ------------------------------------------------------------------------------------------------ announcements


async def announce(
    operations: Operations, connection: Connection, person: Person, command: Announce | AnnounceAll
) -> Answer:
    room = None if isinstance(command, AnnounceAll) else command.room
    notice = rules.announce(_id_of(person, command.id), room, command.text, command.minutes, operations.node.now())
    made = await operations.node.store.announce(notice, action_of(operations, person, command))
    return Answer(NoticeOk(notice=made))


async def withdraw(operations: Operations, connection: Connection, person: Person, command: Withdraw) -> Answer:
    if any(each.id == command.notice and each.room is None for each in operations.admission.notices):
        require(connection.roles, Capability.OPERATE)
    await operations.node.store.withdraw(command.notice, action_of(operations, person, command))
    return Answer(DoneOk())


# ------------------------------------------------------------------------------------------------ hours, raids


async def set_hours(operations: Operations, connection: Connection, person: Person, command: SetHours) -> Answer:
    try:
        parse_hours(command.hours)
    except ValueError as problem:
        raise Refusal(Reason.INVALID, details={"field": "$.hours", "problem": str(problem)}) from None
    try:
        ZoneInfo(command.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refusal(Reason.INVALID, details={"field": "$.timezone", "problem": "no such time zone"}) from None
    wanted = Hours(hours=command.hours.strip(), timezone=command.timezone, revision=command.seen)
    await operations.node.store.set_hours(wanted, action_of(operations, person, command))
    return Answer(DoneOk())


async def raid(
    operations: Operations, connection: Connection, person: Person, command: DeclareRaid | DeclareRaidOnAll
) -> Answer:
    room = None if isinstance(command, DeclareRaidOnAll) else command.room
    wanted = rules.declare(
        _id_of(person, command.id), room, command.minutes, command.quiet_minutes, operations.node.now()
    )
    made = await operations.node.store.declare(wanted, action_of(operations, person, command))
    return Answer(RaidOk(raid=made))


async def end_raid(operations: Operations, connection: Connection, person: Person, command: EndRaid) -> Answer:
    await operations.node.store.end_raid(command.raid, action_of(operations, person, command))
    return Answer(DoneOk())


# ------------------------------------------------------------------------------------------------ workers


async def drain(operations: Operations, connection: Connection, person: Person, command: DrainWorker) -> Answer:
    """Ask a worker to stop as if it had been told by a signal. Raises WORKER_UNKNOWN, or LAST_WORKER where no other
    worker serves."""
    serving = operations.load.serving()
    if command.worker not in serving:
        raise Refusal(Reason.WORKER_UNKNOWN)
    if len(serving - operations.admission.leaving.keys() - {command.worker}) < 1:
        raise Refusal(Reason.LAST_WORKER)
    name = operations.load.name_of(command.worker)
    act = Act(
        at=operations.node.now(),
        by=person.id,
        action="worker_drained",
        about=(),
        subject=name[:64],
        reason=command.reason,
    )
    await operations.node.store.enter(act)
    if command.worker == operations.node.id:
        return Answer(DoneOk(), then=operations.node.stop)
    operations.admission.leaving[command.worker] = operations.node.monotonic()
    ask_to_drain(operations.node, command.worker)
    return Answer(DoneOk())


# ------------------------------------------------------------------------------------------------ parts


def _room(operations: Operations, wanted: RoomId) -> Room:
    room = operations.node.rooms.get(wanted)
    if room is None:
        raise Refusal(Reason.ROOM_UNKNOWN)
    return room


def action_of(operations: Operations, person: Person, command: Command) -> StaffAction:
    """Return a command of staff, as the store takes it."""
    fields: Sequence[object] = [type(command).__name__, *(getattr(command, name) for name in command.__struct_fields__)]
    reason: str = getattr(command, "reason", "")
    return StaffAction(
        by=person.id,
        command_id=command.id,
        digest=blake2b(_encoder.encode(fields), digest_size=16).digest(),
        reason=reason,
        now=Millis(operations.node.now()),
    )


def _id_of(person: Person, command_id: str) -> str:
    """Return the id of what a command makes, which is the same for the same command."""
    return blake2b(f"{person.id} {command_id}".encode(), digest_size=12).hexdigest()


COMMANDS: Final[Mapping[type[Command], Handler]] = {
    AskRoomSettings: ask,
    OpenRoom: open_room,
    ChangeRoom: change,
    SlowRoom: slow,
    CloseRoom: close,
    ReopenRoom: reopen,
    Announce: announce,
    AnnounceAll: announce,
    Withdraw: withdraw,
    SetHours: set_hours,
    PlanSplit: plan,
    SplitRoom: split,
    DeclareRaid: raid,
    DeclareRaidOnAll: raid,
    EndRaid: end_raid,
    DrainWorker: drain,
}
"""The commands of those who run the rooms. Their context is an `Operations`."""
