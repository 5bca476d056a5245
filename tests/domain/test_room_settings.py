"""Rooms that are opened and changed, announcements and raids: what may be, and what is refused."""

from __future__ import annotations

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.rooms import settings as room_settings
from chatserver.domain.rooms.rooms import Room, RoomEdit, RoomId, RoomKind, RoomStatus
from chatserver.domain.rooms.settings import Raid

NOW = Millis(1_700_000_000_000)
MINUTE = 60_000
SLEEP = Room(id=RoomId("sleep"), name="Can't sleep", about="Nights.", agreement="Be kind.", capacity=50, revision=3)
GRIEF = Room(id=RoomId("grief"), name="Grief", about="Loss.", position=7)
OTHERS = [SLEEP, GRIEF]


def refused(reason: Reason, act: object) -> Refusal:
    assert callable(act)
    with pytest.raises(Refusal) as refusal:
        act()
    assert refusal.value.reason is reason
    return refusal.value


def test_a_new_room_comes_last_and_has_a_short_name_of_its_own() -> None:
    room = room_settings.open_room(" Noël & co ", RoomEdit(about="For the days between.", capacity=20), OTHERS)
    assert (room.id, room.name, room.position, room.capacity) == ("noel-co", "Noël & co", 8, 20)
    assert (room.agreement_version, room.revision) == (1, 1)
    others = [*OTHERS, msgspec.structs.replace(room, name="Other")]
    again = room_settings.open_room("Noel co", RoomEdit(about="x"), others)
    assert again.id == "noel-co-2"
    assert room_settings.open_room("夜", RoomEdit(about="x"), OTHERS).id == "room"


def test_no_room_is_called_like_a_session() -> None:
    assert room_settings.open_room("S 1", RoomEdit(about="x"), OTHERS).id == "room-s-1"


@pytest.mark.parametrize("name", ["grief", "GRIEF", " Grief "])
def test_two_rooms_are_not_called_alike(name: str) -> None:
    refused(Reason.ROOM_NAME_TAKEN, lambda: room_settings.open_room(name, RoomEdit(about="x"), OTHERS))
    refused(Reason.ROOM_NAME_TAKEN, lambda: room_settings.change_room(SLEEP, 3, RoomEdit(name=name), OTHERS))
    assert room_settings.change_room(GRIEF, 0, RoomEdit(name="GRIEF"), OTHERS).name == "GRIEF"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (RoomEdit(name="  "), Reason.TEXT_EMPTY),
        (RoomEdit(name="x" * 41), Reason.TEXT_TOO_LONG),
        (RoomEdit(about=""), Reason.TEXT_EMPTY),
        (RoomEdit(topic="x" * 201), Reason.TEXT_TOO_LONG),
        (RoomEdit(welcome="x" * 4_001), Reason.TEXT_TOO_LONG),
        (RoomEdit(capacity=1), Reason.INVALID),
        (RoomEdit(capacity=10_001), Reason.INVALID),
        (RoomEdit(slow_mode=3_601), Reason.INVALID),
        (RoomEdit(split_at=3), Reason.INVALID),
    ],
)
def test_what_a_room_cannot_be(edit: RoomEdit, reason: Reason) -> None:
    refused(reason, lambda: room_settings.change_room(SLEEP, 3, edit, OTHERS))


def test_nobody_undoes_what_they_have_not_seen() -> None:
    refusal = refused(Reason.ROOM_CHANGED, lambda: room_settings.change_room(SLEEP, 2, RoomEdit(topic="Tea"), OTHERS))
    assert refusal.details == {"revision": 3}


def test_a_change_leaves_the_rest_and_raises_the_revision() -> None:
    changed = room_settings.change_room(SLEEP, 3, RoomEdit(slow_mode=10, needs_moderator=True), OTHERS)
    assert changed == msgspec.structs.replace(SLEEP, slow_mode=10, needs_moderator=True, revision=4)
    assert room_settings.what_changed(SLEEP, changed) == "slow_mode 0 to 10, needs_moderator False to True"
    assert room_settings.change_room(SLEEP, 3, RoomEdit(capacity=50), OTHERS) is SLEEP


def test_another_agreement_is_accepted_anew() -> None:
    assert room_settings.change_room(SLEEP, 3, RoomEdit(agreement="Be kind."), OTHERS) is SLEEP
    assert room_settings.change_room(SLEEP, 3, RoomEdit(agreement="Be very kind."), OTHERS).agreement_version == 2


def test_a_session_is_no_room_to_be_changed() -> None:
    session = msgspec.structs.replace(SLEEP, kind=RoomKind.SESSION)
    refused(Reason.ROOM_UNKNOWN, lambda: room_settings.change_room(session, 3, RoomEdit(topic="x"), OTHERS))


def test_a_room_beside_another_is_the_same_but_for_its_name() -> None:
    first = room_settings.sibling(SLEEP, OTHERS)
    second = room_settings.sibling(SLEEP, [*OTHERS, first])
    assert [first.id, second.id] == ["sleep-2", "sleep-3"]
    assert (first.name, first.split_of, first.agreement, first.capacity) == ("Can't sleep · 2", "sleep", "Be kind.", 50)
    assert [room.id for room in room_settings.family(RoomId("sleep"), [second, GRIEF, first, SLEEP])] == [
        "sleep",
        "sleep-2",
        "sleep-3",
    ]
    assert room_settings.root_of(second) == room_settings.root_of(SLEEP) == "sleep"


def test_a_closed_room_opens_again() -> None:
    closed = room_settings.change_room(SLEEP, 3, RoomEdit(status=RoomStatus.CLOSED), OTHERS)
    assert closed.status is RoomStatus.CLOSED
    assert room_settings.change_room(closed, 4, RoomEdit(status=RoomStatus.OPEN), OTHERS).status is RoomStatus.OPEN


@pytest.mark.parametrize("minutes", [0, room_settings.NOTICE_MINUTES + 1])
def test_an_announcement_has_an_end(minutes: int) -> None:
    refused(Reason.INVALID, lambda: room_settings.announce("n1", None, "Hello", minutes, NOW))
    refused(Reason.TEXT_EMPTY, lambda: room_settings.announce("n1", None, " \n", 5, NOW))
    refused(Reason.TEXT_TOO_LONG, lambda: room_settings.announce("n1", None, "x" * 281, 5, NOW))
    assert room_settings.announce("n1", None, " Hello ", 5, NOW).until == NOW + 5 * MINUTE


def test_a_raid_has_an_end_too() -> None:
    refused(Reason.INVALID, lambda: room_settings.declare("r1", None, room_settings.RAID_MINUTES + 1, 5, NOW))
    refused(Reason.INVALID, lambda: room_settings.declare("r1", None, 5, -1, NOW))
    assert room_settings.declare("r1", None, 60, 10, NOW) == Raid(
        id="r1", at=NOW, until=Millis(NOW + 60 * MINUTE), quiet=10 * MINUTE
    )


def test_only_who_is_newer_than_a_raid_keeps_quiet_and_only_while_it_lasts() -> None:
    raid = room_settings.declare("r1", SLEEP.id, 60, 10, NOW)
    assert room_settings.quiet_until([raid], Millis(NOW - 1)) is None
    assert room_settings.quiet_until([raid], Millis(NOW + MINUTE)) == NOW + 11 * MINUTE
    assert room_settings.quiet_until([raid], Millis(NOW + 55 * MINUTE)) == NOW + 60 * MINUTE
    assert not room_settings.is_new([raid], Millis(NOW - 1))
    assert room_settings.is_new([raid], NOW)


def test_a_raid_is_on_its_room_or_on_all() -> None:
    here, everywhere = room_settings.declare("r1", SLEEP.id, 60, 10, NOW), room_settings.declare("r2", None, 5, 10, NOW)
    raids = [here, everywhere]
    assert room_settings.raids_on(raids, {SLEEP.id}, NOW) == raids
    assert room_settings.raids_on(raids, {GRIEF.id}, NOW) == [everywhere]
    assert room_settings.raids_on(raids, {GRIEF.id}, everywhere.until) == []
