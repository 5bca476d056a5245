"""The messages by which staff run the rooms, and what members are sent because of them: `docs/protocol.md`, "Running
the rooms"."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from chatserver.domain.errors import Reason
from chatserver.domain.history import Millis
from chatserver.domain.identity import NodeId, Person
from chatserver.domain.people.staff import Capability
from chatserver.domain.rooms.coverage import Attendance
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.domain.rooms.settings import Notice, Raid
from chatserver.protocol.fields import Command, Fields, RoomName, Text
from chatserver.protocol.refusals import CHANGED, REASONED

Number = Annotated[int, Meta(ge=0, le=1_000_000)]
ThingName = Annotated[str, Meta(min_length=1, max_length=64)]

# ------------------------------------------------------------------------------------------------ members' commands


class ConfirmMove(Command, frozen=True, kw_only=True, tag="settle"):
    """Confirm that one knows that `room` was split; one's place is `to`: the room one was led to, another of its rooms,
    or `room` itself."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.ROOM_UNKNOWN, Reason.ROOM_CLOSED, Reason.MEMBER_UNKNOWN)
    example: ClassVar[Fields] = {"room": "sleep", "to": "sleep-2"}

    room: RoomName
    to: RoomName


# ------------------------------------------------------------------------------------------------ staff's commands


class AskRoomSettings(Command, frozen=True, kw_only=True, tag="house"):
    """Get the announcements, protected rooms and hours; and the settings of `room` and the rooms beside it."""

    answer: ClassVar[str] = "house"
    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.SEE_LOAD
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_ALLOWED, Reason.ROOM_UNKNOWN)
    example: ClassVar[Fields] = {"room": "sleep"}

    room: RoomName | None = None


class OpenRoom(Command, frozen=True, kw_only=True, tag="open_room"):
    """Open a new room, after all others."""

    answer: ClassVar[str] = "room"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    refusals: ClassVar[tuple[Reason, ...]] = (*REASONED, Reason.ROOM_NAME_TAKEN)
    example: ClassVar[Fields] = {
        "name": "Can't sleep",
        "about": "For nights that are long.",
        "reason": "People ask for it.",
    }

    name: Text
    about: Text
    reason: Text
    topic: Text = ""
    welcome: Text = ""
    agreement: Text = ""
    capacity: Number = 200
    slow_mode: Number = 0
    needs_moderator: bool = False
    split_at: Number = 0


class ChangeRoom(Command, frozen=True, kw_only=True, tag="change_room"):
    """Change the given settings, and leave the rest. `seen` is the room's `revision` that the person who changes it has
    seen; another one is refused. A changed agreement has to be accepted again by everybody."""

    answer: ClassVar[str] = "room"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    refusals: ClassVar[tuple[Reason, ...]] = (*CHANGED, Reason.ROOM_NAME_TAKEN)
    example: ClassVar[Fields] = {
        "room": "sleep",
        "seen": 3,
        "reason": "It is full every night.",
        "capacity": 40,
        "split_at": 30,
    }

    room: RoomName
    seen: Number
    reason: Text
    name: Text | None = None
    about: Text | None = None
    topic: Text | None = None
    welcome: Text | None = None
    agreement: Text | None = None
    capacity: Number | None = None
    slow_mode: Number | None = None
    needs_moderator: bool | None = None
    split_at: Number | None = None


class SlowRoom(Command, frozen=True, kw_only=True, tag="slow_room"):
    """Set a room's slow mode, in seconds; 0 ends it."""

    answer: ClassVar[str] = "room"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = CHANGED
    example: ClassVar[Fields] = {"room": "sleep", "seen": 3, "seconds": 10, "reason": "It is full every night."}

    room: RoomName
    seen: Number
    seconds: Number
    reason: Text


class CloseRoom(Command, frozen=True, kw_only=True, tag="close_room"):
    """Close a room: nobody enters or writes any more, and people inside can read on."""

    answer: ClassVar[str] = "room"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    is_dangerous: ClassVar[bool] = True
    refusals: ClassVar[tuple[Reason, ...]] = (*CHANGED, Reason.CONFIRMATION_REQUIRED)
    example: ClassVar[Fields] = {"room": "sleep", "seen": 3, "reason": "It is full every night."}

    room: RoomName
    seen: Number
    reason: Text


class ReopenRoom(Command, frozen=True, kw_only=True, tag="reopen_room"):
    """Open a room again that was closed."""

    answer: ClassVar[str] = "room"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    refusals: ClassVar[tuple[Reason, ...]] = CHANGED
    example: ClassVar[Fields] = {"room": "sleep", "seen": 3, "reason": "It is full every night."}

    room: RoomName
    seen: Number
    reason: Text


class Announce(Command, frozen=True, kw_only=True, tag="announce"):
    """Announce something to everybody in a room, now and to people who come within `minutes`."""

    answer: ClassVar[str] = "notice"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = (*REASONED, Reason.ROOM_UNKNOWN)
    example: ClassVar[Fields] = {
        "room": "sleep",
        "text": "A moderator is here.",
        "minutes": 30,
        "reason": "It is full every night.",
    }

    room: RoomName
    text: Text
    minutes: Number
    reason: Text


class AnnounceAll(Command, frozen=True, kw_only=True, tag="announce_all"):
    """Announce something to everybody in every room, now and to people who come within `minutes`."""

    answer: ClassVar[str] = "notice"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    is_dangerous: ClassVar[bool] = True
    refusals: ClassVar[tuple[Reason, ...]] = (*REASONED, Reason.CONFIRMATION_REQUIRED)
    example: ClassVar[Fields] = {
        "text": "We restart at three. You lose nothing.",
        "minutes": 60,
        "reason": "We restart at three.",
    }

    text: Text
    minutes: Number
    reason: Text


class Withdraw(Command, frozen=True, kw_only=True, tag="withdraw"):
    """Withdraw an announcement before its time."""

    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.MODERATE
    refusals: ClassVar[tuple[Reason, ...]] = (*REASONED, Reason.NOTICE_UNKNOWN)
    example: ClassVar[Fields] = {"notice": "6f2c51d0a7be9f01", "reason": "It is done."}

    notice: ThingName
    reason: Text


class SetHours(Command, frozen=True, kw_only=True, tag="set_hours"):
    """Set when listeners are here, written as in the configuration, which it replaces from now on. `seen` is the
    `revision` of the hours before."""

    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    refusals: ClassVar[tuple[Reason, ...]] = (*REASONED, Reason.HOURS_CHANGED)
    example: ClassVar[Fields] = {
        "hours": "mon-fri 18:00-23:00",
        "timezone": "Europe/Berlin",
        "seen": 0,
        "reason": "More listeners.",
    }

    hours: Annotated[str, Meta(max_length=500)]
    timezone: Annotated[str, Meta(max_length=64)]
    seen: Number
    reason: Text


class PlanSplit(Command, frozen=True, kw_only=True, tag="plan_split"):
    """Show how a room would be split at this moment: into rooms of human size, or into that many `parts`."""

    answer: ClassVar[str] = "plan"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    refusals: ClassVar[tuple[Reason, ...]] = (
        Reason.NOT_ALLOWED,
        Reason.ROOM_UNKNOWN,
        Reason.ROOM_CLOSED,
        Reason.TOO_FEW,
    )
    example: ClassVar[Fields] = {"room": "sleep"}

    room: RoomName
    parts: Annotated[int, Meta(ge=2, le=20)] | None = None


class SplitRoom(Command, frozen=True, kw_only=True, tag="split"):
    """Split a room into itself and rooms beside it: as the `plan` that was shown, without those who have left since, or
    by the people who are there now. `room_changed` if the plan no longer holds: one of its groups has left, or many
    have come."""

    answer: ClassVar[str] = "split"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    is_dangerous: ClassVar[bool] = True
    refusals: ClassVar[tuple[Reason, ...]] = (*CHANGED, Reason.CONFIRMATION_REQUIRED, Reason.TOO_FEW)
    example: ClassVar[Fields] = {"room": "sleep", "seen": 3, "reason": "It is full every night.", "parts": 2}

    room: RoomName
    seen: Number
    reason: Text
    parts: Annotated[int, Meta(ge=2, le=20)] | None = None
    plan: Annotated[str, Meta(max_length=64)] | None = None


class DeclareRaid(Command, frozen=True, kw_only=True, tag="raid"):
    """Protect a room for `minutes`: people enter one after another, and guests who are newer than this solve a proof of
    work first and only read for their first `quiet_minutes`."""

    answer: ClassVar[str] = "raid"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    refusals: ClassVar[tuple[Reason, ...]] = (*REASONED, Reason.ROOM_UNKNOWN)
    example: ClassVar[Fields] = {"room": "sleep", "minutes": 60, "quiet_minutes": 10, "reason": "Many at once."}

    room: RoomName
    minutes: Number
    quiet_minutes: Number
    reason: Text


class DeclareRaidOnAll(Command, frozen=True, kw_only=True, tag="raid_all"):
    """Protect every room, as `raid` does one."""

    answer: ClassVar[str] = "raid"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    is_dangerous: ClassVar[bool] = True
    refusals: ClassVar[tuple[Reason, ...]] = (*REASONED, Reason.CONFIRMATION_REQUIRED)
    example: ClassVar[Fields] = {"minutes": 60, "quiet_minutes": 10, "reason": "Many at once."}

    minutes: Number
    quiet_minutes: Number
    reason: Text


class EndRaid(Command, frozen=True, kw_only=True, tag="end_raid"):
    """End the protection."""

    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    refusals: ClassVar[tuple[Reason, ...]] = (*REASONED, Reason.RAID_UNKNOWN)
    example: ClassVar[Fields] = {"raid": "7a1b51d0a7be9f02", "reason": "It is calm."}

    raid: ThingName
    reason: Text


class DrainWorker(Command, frozen=True, kw_only=True, tag="drain"):
    """Drain a worker, which then ends; its supervisor starts another one in its place."""

    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    is_dangerous: ClassVar[bool] = True
    refusals: ClassVar[tuple[Reason, ...]] = (
        *REASONED,
        Reason.CONFIRMATION_REQUIRED,
        Reason.WORKER_UNKNOWN,
        Reason.LAST_WORKER,
    )
    example: ClassVar[Fields] = {"worker": "9f2c51d0a7be", "reason": "It uses too much memory."}

    worker: Annotated[NodeId, Meta(min_length=1, max_length=64)]
    reason: Text


OperatingCommand = (
    ConfirmMove
    | AskRoomSettings
    | OpenRoom
    | ChangeRoom
    | SlowRoom
    | CloseRoom
    | ReopenRoom
    | Announce
    | AnnounceAll
    | Withdraw
    | SetHours
    | PlanSplit
    | SplitRoom
    | DeclareRaid
    | DeclareRaidOnAll
    | EndRaid
    | DrainWorker
)

# --------------------------------------------------------------------------------------------------------- replies


class RoomSettingsOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="house", omit_defaults=True):
    """The announcements and protections that hold now, the opening hours, with their `hours_revision` (0: the
    configuration's), and the requested room with those beside it."""

    notices: list[Notice]
    raids: list[Raid]
    hours: str
    timezone: str
    hours_revision: int
    rooms: list[Room] = []


class RoomOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="room"):
    """The room as it is now."""

    room: Room


class NoticeOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="notice"):
    """The announcement that was made."""

    notice: Notice


class RaidOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="raid"):
    """The protection that was begun."""

    raid: Raid


class PlanOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="plan"):
    """Who would be together; the first group stays. `revision` is the room's, and `plan` names this very plan to a
    `split`, for a quarter of an hour."""

    revision: int
    groups: list[list[Person]]
    plan: str


class SplitOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="split"):
    """The room and those that were opened beside it."""

    rooms: list[Room]


OperatingReply = RoomSettingsOk | RoomOk | NoticeOk | RaidOk | PlanOk | SplitOk

# ---------------------------------------------------------------------------------------------------------- pushes


class NoticesPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="notices"):
    """All announcements, whole: one that is not in it is over. A notice with a `room` is for the members in it."""

    notices: list[Notice]


class PlaceToBe(Struct, frozen=True, kw_only=True):
    """A room where one's place is, or could be."""

    id: RoomId
    name: str
    agreement_version: int


class MovedPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="moved"):
    """`room` was split, and this person's place is in `to`. `beside` are all open rooms of the split. It is sent again
    after every hello until it is settled."""

    room: RoomId
    to: PlaceToBe
    beside: list[PlaceToBe]
    at: Millis


class AloneRoom(Struct, frozen=True, kw_only=True):
    """A room that needs a moderator and has none."""

    id: RoomId
    name: str
    attendance: Attendance


class StandbyPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="standby"):
    """For moderators, in any room: all rooms that wait for a moderator. A room that is not in it has one again."""

    rooms: list[AloneRoom]


OperatingPush = NoticesPush | MovedPush | StandbyPush
