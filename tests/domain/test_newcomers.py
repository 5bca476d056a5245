"""How somebody is met who becomes a guest where a measure was taken against somebody else."""

from __future__ import annotations

from chatserver.domain.history import Millis
from chatserver.domain.moderation.newcomers import QUIET, USUAL, Bar, welcome
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.domain.sources import Prefixes

NOW = Millis(1_000_000_000)
HERE = Prefixes((b"64", b"56", b"48"), (b"64y", b"56y", b"48y"))
GRIEF, SLEEP = (Room(id=RoomId(name), name=name, about="") for name in ("grief", "sleep"))
BESIDE = Room(id=RoomId("grief-2"), name="Grief 2", about="", split_of=GRIEF.id)
BEFORE, AFTER = Millis(NOW - 100), Millis(NOW - 50)


def bar(key: bytes = b"64", measure: str = "one", room: RoomId | None = None) -> Bar:
    return Bar(key, measure, at=Millis(NOW - 75), until=Millis(NOW + 1), room=room)


def test_a_newcomer_from_the_same_address_proves_and_reads_for_a_while() -> None:
    for key in (b"64", b"64y"):
        met = welcome([bar(key)], HERE, 1, AFTER, NOW)
        assert met.must_prove(GRIEF)
        assert met.quiet_until(SLEEP) == AFTER + QUIET


def test_who_was_a_member_before_is_not_touched() -> None:
    assert welcome([bar()], HERE, 1, BEFORE, NOW) == USUAL
    assert welcome([], HERE, 1, AFTER, NOW) == USUAL
    assert welcome([bar(b"elsewhere")], HERE, 1, AFTER, NOW) == USUAL


def test_a_bar_ends_and_so_does_being_new() -> None:
    assert welcome([bar()], HERE, 1, AFTER, Millis(NOW + 1)) == USUAL
    old = Bar(b"64", "one", at=Millis(0), until=Millis(NOW + 1))
    met = welcome([old], HERE, 1, Millis(NOW - QUIET), NOW)
    assert met.must_prove(GRIEF)
    assert met.quiet_until(GRIEF) is None


def test_a_wider_network_asks_for_silence_only_after_several_measures() -> None:
    one = welcome([bar(b"56"), bar(b"48")], HERE, 1, AFTER, NOW)
    assert one.must_prove(GRIEF)
    assert one.quiet_until(GRIEF) is None
    assert welcome([bar(b"56"), bar(b"56", "two")], HERE, 1, AFTER, NOW).quiet_until(GRIEF) is not None
    three = [bar(b"48", name) for name in ("one", "two", "three")]
    assert welcome(three, HERE, 1, AFTER, NOW).quiet_until(GRIEF) is None
    assert welcome([*three, bar(b"48y", "four")], HERE, 1, AFTER, NOW).quiet_until(GRIEF) is not None


def test_nobody_in_a_shared_network_is_silenced_for_another() -> None:
    met = welcome([bar()], HERE, 30, AFTER, NOW)
    assert met.must_prove(GRIEF)
    assert met.quiet_until(GRIEF) is None


def test_a_mute_holds_for_newcomers_in_its_room_and_in_those_that_were_split_from_it() -> None:
    met = welcome([bar(room=GRIEF.id)], HERE, 1, AFTER, NOW)
    assert (met.must_prove(GRIEF), met.must_prove(BESIDE), met.must_prove(SLEEP)) == (True, True, False)
    assert met.quiet_until(BESIDE) == AFTER + QUIET
    assert met.quiet_until(SLEEP) is None
