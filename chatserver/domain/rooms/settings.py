"""What staff set: rooms, announcements, raid protection and opening hours.

Pure: time and ids arrive as arguments.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Container, Iterable
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.names import name_key
from chatserver.domain.rooms.coverage import Attendance
from chatserver.domain.rooms.rooms import Room, RoomEdit, RoomId, RoomKind, is_closed_room
from chatserver.domain.text.cleaning import optional, required

SERVICE: Final = MemberId("m_service")
"""The actor of acts that no person did: shorter than any member's id."""
MINUTE: Final = 60_000
NAME_LENGTH: Final = 40
LINE_LENGTH: Final = 200
TEXT_LENGTH: Final = 4_000
NOTICE_LENGTH: Final = 280
MOST_PEOPLE: Final = 10_000
SLOWEST: Final = 3_600
"""Characters of a room's name; of what it is about, and its topic; of its welcome and agreement; of an announcement.
The largest capacity and threshold, and the slowest slow mode in seconds."""
NOTICE_MINUTES: Final = 7 * 24 * 60
RAID_MINUTES: Final = 24 * 60
KEPT: Final = 30 * 24 * 60 * MINUTE
"""Milliseconds for which an announcement or a raid is kept after its end."""
_SMALLEST_SPLIT: Final = 10
MOVE_KEPT: Final = 24 * 60 * MINUTE
"""Milliseconds for which members are told where their place is since a split."""
_NOT_IN_IDS: Final = re.compile(r"[^a-z0-9]+")
_ID_LENGTH: Final = 32


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An announcement in a room, or (`room` None) in all of them, until its end."""

    id: str
    text: str
    at: Millis
    until: Millis
    room: RoomId | None = None


class Raid(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The protection of a room, or (`room` None) of all of them. Guests who became one after `at` are new: they only
    read for `quiet` milliseconds from then, and solve a proof of work before they enter."""

    id: str
    at: Millis
    until: Millis
    quiet: int
    room: RoomId | None = None


class RoomMove(msgspec.Struct, frozen=True, kw_only=True):
    """A member's place, which was in a room, is in another since it was split."""

    member: MemberId
    room: RoomId
    to: RoomId
    at: Millis


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Opening hours of one-to-one as they are written, and their time zone. `revision` rises with every change."""

    hours: str
    timezone: str
    revision: int = 0


class RoomSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, in one snapshot. `hours` is None while those of the configuration apply."""

    rooms: tuple[Room, ...] = ()
    notices: tuple[Notice, ...] = ()
    raids: tuple[Raid, ...] = ()
    moves: tuple[RoomMove, ...] = ()
    hours: Hours | None = None


# ------------------------------------------------------------------------------------------------ rooms


def open_room(name: str, edit: RoomEdit, others: Collection[Room]) -> Room:
    """Return a new room after all others, which is split automatically when it is nearly full unless `split_at` says
    otherwise.

    Raises Refusal: TEXT_EMPTY, TEXT_TOO_LONG, INVALID or ROOM_NAME_TAKEN.
    """
    fresh = Room(
        id=_free_id(name, {room.id for room in others}),
        name="",
        about="",
        position=max((room.position for room in others), default=-1) + 1,
    )
    opened = _edited(fresh, msgspec.structs.replace(edit, name=name), others)
    if edit.split_at is not None:
        return opened
    return msgspec.structs.replace(opened, split_at=usual_split_at(opened.capacity))


def usual_split_at(capacity: int) -> int:
    """Return the number of members from which a room of this capacity is split automatically by default: nine in ten,
    and never (0) if it is too small for two rooms."""
    return capacity - capacity // 10 if capacity >= _SMALLEST_SPLIT else 0


def change_room(room: Room, seen: int, edit: RoomEdit, others: Collection[Room]) -> Room:
    """Return the room after a change by somebody who had `seen` that revision; the very same if nothing is different.

    A changed agreement has a later version, which everybody has to accept again. Raises ROOM_CHANGED with the present
    `revision`, and as `open_room`.
    """
    if room.kind is not RoomKind.THEMED:
        raise Refusal(Reason.ROOM_UNKNOWN)
    if seen != room.revision:
        raise Refusal(Reason.ROOM_CHANGED, details={"revision": room.revision})
    changed = _edited(room, edit, others)
    if msgspec.structs.replace(changed, revision=room.revision) == room:
        return room
    return changed


def what_changed(before: Room, after: Room) -> str:
    """Return the changes in short, for the audit log: numbers before and after, texts by their name only."""
    texts = ("name", "about", "topic", "welcome", "agreement")
    said = [name for name in texts if getattr(before, name) != getattr(after, name)]
    for name in ("capacity", "slow_mode", "needs_moderator", "split_at", "status"):
        was, is_ = getattr(before, name), getattr(after, name)
        if was != is_:
            said.append(f"{name} {was} to {is_}")
    return ", ".join(said)


def family(root: RoomId, rooms: Iterable[Room]) -> list[Room]:
    """Return a room and those that were opened beside it, itself first."""
    found = [room for room in rooms if root in (room.id, room.split_of)]
    return sorted(found, key=lambda room: (room.id != root, room.id))


def root_of(room: Room) -> RoomId:
    return room.id if room.split_of is None else room.split_of


def sibling(root: Room, others: Collection[Room]) -> Room:
    """Return one more room beside a room, with the same settings except its name."""
    taken_ids, taken = {room.id for room in others}, {name_key(room.name) for room in others}
    number = 2
    while f"{root.id[: _ID_LENGTH - 5]}-{number}" in taken_ids or name_key(_numbered(root.name, number)) in taken:
        number += 1
    return msgspec.structs.replace(
        root,
        id=RoomId(f"{root.id[: _ID_LENGTH - 5]}-{number}"),
        name=_numbered(root.name, number),
        split_of=root.id,
        split_at=0,
        revision=1,
        attendance=Attendance.ATTENDED,
    )


def _numbered(name: str, number: int) -> str:
    return f"{name} · {number}"


def _edited(room: Room, edit: RoomEdit, others: Collection[Room]) -> Room:
    changes: dict[str, object] = {"revision": room.revision + 1}
    if edit.name is not None:
        name = required(edit.name, NAME_LENGTH).replace("\n", " ")
        key = name_key(name)
        if any(name_key(other.name) == key for other in others if other.id != room.id):
            raise Refusal(Reason.ROOM_NAME_TAKEN)
        changes["name"] = name
    if edit.about is not None:
        changes["about"] = required(edit.about, LINE_LENGTH)
    for field, limit in (("topic", LINE_LENGTH), ("welcome", TEXT_LENGTH), ("agreement", TEXT_LENGTH)):
        text = getattr(edit, field)
        if text is not None:
            changes[field] = optional(text, limit)
    if "agreement" in changes and changes["agreement"] != room.agreement:
        changes["agreement_version"] = room.agreement_version + bool(room.agreement or room.revision)
    for field, least, most in (
        ("capacity", 2, MOST_PEOPLE),
        ("slow_mode", 0, SLOWEST),
        ("split_at", 0, MOST_PEOPLE),
    ):
        number = getattr(edit, field)
        if number is not None:
            if not least <= number <= most or (field == "split_at" and 0 < number < 4):
                raise _invalid(f"$.{field}", f"from {least} to {most}")
            changes[field] = number
    for field in RoomEdit.__struct_fields__:
        if isinstance(getattr(edit, field), bool):
            changes[field] = getattr(edit, field)
    if edit.status is not None:
        changes["status"] = edit.status
    if edit.needs_moderator is False or edit.status is not None:
        # No moderator is needed any more, or a grace begins anew.
        changes["attendance"] = Attendance.ATTENDED
    return msgspec.structs.replace(room, **changes)


def _free_id(name: str, taken: Collection[str]) -> RoomId:
    """Return a short name for addresses that no other room has."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = _NOT_IN_IDS.sub("-", plain).strip("-")[:_ID_LENGTH].strip("-") or "room"
    if is_closed_room(RoomId(stem)):
        stem = f"room-{stem}"
    found, number = stem, 2
    while found in taken:
        found, number = f"{stem}-{number}", number + 1
    return RoomId(found)


# ------------------------------------------------------------------------------------------------ announcements


def announce(id_: str, room: RoomId | None, text: str, minutes: int, now: Millis) -> Notice:
    """Return an announcement. Raises TEXT_EMPTY, TEXT_TOO_LONG or INVALID."""
    if not 1 <= minutes <= NOTICE_MINUTES:
        raise _invalid("$.minutes", f"from 1 to {NOTICE_MINUTES}")
    said = required(text, NOTICE_LENGTH)
    return Notice(id=id_, room=room, text=said, at=now, until=Millis(now + minutes * MINUTE))


# ------------------------------------------------------------------------------------------------ raids


def declare(id_: str, room: RoomId | None, minutes: int, quiet_minutes: int, now: Millis) -> Raid:
    """Return a raid protection. Raises INVALID."""
    for field, number, least in (("minutes", minutes, 1), ("quiet_minutes", quiet_minutes, 0)):
        if not least <= number <= RAID_MINUTES:
            raise _invalid(f"$.{field}", f"from {least} to {RAID_MINUTES}")
    return Raid(id=id_, room=room, at=now, until=Millis(now + minutes * MINUTE), quiet=quiet_minutes * MINUTE)


def raids_on(raids: Iterable[Raid], family: Container[RoomId], now: Millis) -> list[Raid]:
    """Return the raids that protect a room at this moment. Its family is protected with it: otherwise a raid would only
    move on."""
    return [raid for raid in raids if raid.until > now and (raid.room is None or raid.room in family)]


def quiet_until(raids: Iterable[Raid], created_at: Millis) -> Millis | None:
    """Return until when a guest who became one at `created_at` only reads; None for members who were here before."""
    ends = [min(raid.until, created_at + raid.quiet) for raid in raids if created_at >= raid.at]
    return Millis(max(ends)) if ends else None


def is_new(raids: Iterable[Raid], created_at: Millis) -> bool:
    """Return whether somebody became a guest while a room was being protected."""
    return any(created_at >= raid.at for raid in raids)


def _invalid(field: str, problem: str) -> Refusal:
    return Refusal(Reason.INVALID, details={"field": field, "problem": problem})
